//! Documents that the books no longer have.

use super::Books;
use super::allocation::Credit;
use uuid::Uuid;

impl Books {
    /// Removes an invoice or a credit note, with the credit that was applied from it or to it.
    /// Returns whether there was one.
    pub(crate) fn lose_document(&mut self, id: Uuid) -> bool {
        let uses = self.allocations.values();
        let uses = uses.filter(|one| one.credit == Credit::CreditNote(id) || one.invoice == id);
        for one in uses.cloned().collect::<Vec<_>>() {
            self.index.remove_allocation(&one);
            self.allocations.remove(&one.id);
        }
        if let Some(invoice) = self.invoices.remove(&id) {
            self.index.remove_invoice(&invoice);
            return true;
        }
        let note = self.credit_notes.remove(&id);
        if let Some(note) = &note {
            self.index.remove_note(note);
        }
        note.is_some()
    }
}
