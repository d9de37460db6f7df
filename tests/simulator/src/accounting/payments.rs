//! Payments: lists, single reads, creation and deletion.

pub(crate) mod render;
mod row;
pub(crate) mod rules;
mod write;

pub(super) use write::{Payments, target};

use super::RequestContext;
use crate::answer::Answer;
use crate::books::payment::{Payment, PaymentStatus};
use crate::json::{Json, Object};
use crate::listing::{Page, Query, SelectedRows};
use render::Detail;
use row::Row;
use uuid::Uuid;

impl RequestContext<'_> {
    fn list_payments(&mut self) -> Result<Answer, Answer> {
        let incoming = self.incoming;
        let query = Query::read::<Row<'_>>(incoming)?;
        let page = Page::asked(incoming, false, self.unconfirmed);
        let shows_deleted = self.unconfirmed.deleted_payments_in_lists
            || query.condition.as_ref().is_some_and(|condition| condition.mentions("Status"));
        let asked_for = self
            .books
            .payments()
            .filter(|payment| shows_deleted || payment.status != PaymentStatus::Deleted)
            .map(|payment| Row::new(self.books, payment));
        let SelectedRows { rows, pagination } =
            SelectedRows::select(incoming, self.unconfirmed, &query, page, asked_for)?;
        let rows: Vec<Json> = rows
            .into_iter()
            .map(|row| self.render_payment(row.payment, Detail::Listed).into())
            .collect();
        Ok(self.envelope("Payments", rows, pagination))
    }

    fn show_payment(&mut self, id: &str) -> Result<Answer, Answer> {
        let payment = Uuid::parse_str(id).ok().and_then(|id| self.books.payment(id));
        let payment = payment.ok_or_else(Answer::not_found)?;
        let row = self.render_payment(payment, Detail::Full);
        Ok(self.envelope("Payments", vec![row.into()], None))
    }

    fn render_payment(&self, payment: &Payment, detail: Detail) -> Object {
        render::payment(self.books, payment, detail, self.unit_places(), self.today())
    }
}
