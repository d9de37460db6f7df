//! Bank transactions: lists, single reads and writes.

pub(crate) mod render;
mod row;
pub(crate) mod rules;
mod write;

pub(super) use write::BankTransactions;

use super::RequestContext;
use super::documents::render::Detail;
use crate::answer::Answer;
use crate::books::transaction::{BankTransaction, TransactionStatus};
use crate::json::{Json, Object};
use crate::listing::{Page, Query, SelectedRows};
use row::Row;
use uuid::Uuid;

impl RequestContext<'_> {
    fn list_transactions(&mut self) -> Result<Answer, Answer> {
        let incoming = self.incoming;
        let query = Query::read::<Row<'_>>(incoming)?;
        let page = Page::asked(incoming, false, self.unconfirmed);
        let shows_deleted = self.unconfirmed.deleted_transactions_in_lists
            || query.condition.as_ref().is_some_and(|condition| condition.mentions("Status"));
        let asked_for = self
            .books
            .transactions()
            .filter(|one| shows_deleted || one.status != TransactionStatus::Deleted)
            .map(|one| Row::new(self.books, one));
        let SelectedRows { rows, pagination } =
            SelectedRows::select(incoming, self.unconfirmed, &query, page, asked_for)?;
        let detail = page.map_or(Detail::Listed, |_| Detail::Paged);
        let rows: Vec<Json> = rows
            .into_iter()
            .map(|row| self.render_transaction(row.transaction, detail).into())
            .collect();
        Ok(self.envelope("BankTransactions", rows, pagination))
    }

    fn show_transaction(&mut self, id: &str) -> Result<Answer, Answer> {
        let found = Uuid::parse_str(id).ok().and_then(|id| self.books.transaction(id));
        let row = self.render_transaction(found.ok_or_else(Answer::not_found)?, Detail::Full);
        Ok(self.envelope("BankTransactions", vec![row.into()], None))
    }

    fn render_transaction(&self, one: &BankTransaction, detail: Detail) -> Object {
        render::transaction(self.books, one, detail, self.unit_places(), self.today())
    }
}
