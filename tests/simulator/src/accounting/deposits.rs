//! Overpayments and prepayments: two lists of the same shape. They are created as bank transactions
//! and used by allocations and refunds, so they have no writes of their own.

pub(crate) mod render;
mod row;

use super::RequestContext;
use super::documents::render::Detail;
use crate::answer::Answer;
use crate::books::deposit::{Deposit, DepositKind};
use crate::json::{Json, Object};
use crate::listing::{Page, Query, SelectedRows};
use row::Row;
use uuid::Uuid;

impl RequestContext<'_> {
    /// The list, or the one named by a path.
    pub(super) fn deposits(
        &mut self,
        kind: DepositKind,
        id: Option<&str>,
    ) -> Result<Answer, Answer> {
        let name = match kind {
            DepositKind::Overpayment => "Overpayments",
            DepositKind::Prepayment => "Prepayments",
        };
        if let Some(id) = id {
            let deposit = self.find_deposit(kind, id).ok_or_else(Answer::not_found)?;
            let row = self.render_deposit(deposit, Detail::Full);
            return Ok(self.envelope(name, row.into_iter().map(Json::from).collect(), None));
        }
        let incoming = self.incoming;
        let query = Query::read::<Row<'_>>(incoming)?;
        let page = Page::asked(incoming, false, self.unconfirmed);
        let asked_for =
            self.books.deposits().filter(|deposit| deposit.kind == kind).filter_map(|deposit| {
                Row::new(self.books, deposit, self.unconfirmed.deposits_have_ar_types)
            });
        let SelectedRows { rows, pagination } =
            SelectedRows::select(incoming, self.unconfirmed, &query, page, asked_for)?;
        let detail = page.map_or(Detail::Listed, |_| Detail::Paged);
        let rows: Vec<Json> = rows
            .into_iter()
            .filter_map(|row| self.render_deposit(row.deposit, detail))
            .map(Json::from)
            .collect();
        Ok(self.envelope(name, rows, pagination))
    }

    pub(super) fn find_deposit(&self, kind: DepositKind, id: &str) -> Option<&Deposit> {
        let found = self.books.deposit(Uuid::parse_str(id).ok()?);
        found.filter(|deposit| deposit.kind == kind)
    }

    fn render_deposit(&self, deposit: &Deposit, detail: Detail) -> Option<Object> {
        let has_ar_type = self.unconfirmed.deposits_have_ar_types;
        let (places, today) = (self.unit_places(), self.today());
        render::deposit(self.books, deposit, detail, places, today, has_ar_type)
    }
}
