//! Credit notes: lists, single reads and writes. Their allocations are in `allocations`, their
//! refunds in `payments`.

mod change;
pub(crate) mod render;
mod row;
mod write;

pub(crate) use change::refuses;
pub(super) use write::{CreditNotes, UNKNOWN};

use super::RequestContext;
use super::documents::render::Detail;
use crate::answer::Answer;
use crate::books::credit_note::CreditNote;
use crate::books::invoice::InvoiceStatus;
use crate::json::{Json, Object};
use crate::listing::{Page, Query, SelectedRows};
use row::Row;
use uuid::Uuid;

impl RequestContext<'_> {
    fn list_credit_notes(&mut self) -> Result<Answer, Answer> {
        let incoming = self.incoming;
        let query = Query::read::<Row<'_>>(incoming)?;
        let page = Page::asked(incoming, false, self.unconfirmed);
        let shows_deleted = self.unconfirmed.deleted_in_lists
            || query.condition.as_ref().is_some_and(|condition| condition.mentions("Status"));
        let asked_for = self
            .books
            .credit_notes()
            .filter(|note| shows_deleted || note.status != InvoiceStatus::Deleted)
            .map(|note| Row::new(self.books, note));
        let SelectedRows { rows, pagination } =
            SelectedRows::select(incoming, self.unconfirmed, &query, page, asked_for)?;
        let detail = page.map_or(Detail::Listed, |_| Detail::Paged);
        let rows: Vec<Json> =
            rows.into_iter().map(|row| self.render_credit_note(row.note, detail).into()).collect();
        Ok(self.envelope("CreditNotes", rows, pagination))
    }

    /// One credit note by id or by number.
    fn show_credit_note(&mut self, id: &str) -> Result<Answer, Answer> {
        let note = self.find_credit_note(id).ok_or_else(Answer::not_found)?;
        let row = self.render_credit_note(note, Detail::Full);
        Ok(self.envelope("CreditNotes", vec![row.into()], None))
    }

    fn render_credit_note(&self, note: &CreditNote, detail: Detail) -> Object {
        render::credit_note(self.books, note, detail, self.unit_places(), self.today())
    }

    /// A note named by a path, by its id, or by the number of one for a customer. If a number was
    /// reused after its note was deleted, the path refers to the newer note.
    pub(super) fn find_credit_note(&self, id: &str) -> Option<&CreditNote> {
        Uuid::parse_str(id).ok().and_then(|id| self.books.credit_note(id)).or_else(|| {
            let numbered = self.books.credit_notes_numbered(id);
            numbered.min_by_key(|note| (note.status.is_gone(), note.id))
        })
    }
}
