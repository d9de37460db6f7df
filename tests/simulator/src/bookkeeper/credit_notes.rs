//! Credit notes, changed by hand: approving and cancelling. Allocations and refunds are the same
//! for every kind of credit.

use super::{Bookkeeper, Refused};
use crate::accounting::credit_notes::refuses;
use crate::books::credit_note::CreditNote;
use crate::books::invoice::InvoiceStatus;
use uuid::Uuid;

impl Bookkeeper<'_> {
    /// Approves a draft or a submitted credit note.
    pub fn approve_credit_note(&mut self, note: Uuid) -> Result<(), Refused> {
        self.move_credit_note(note, InvoiceStatus::Authorised)
    }

    /// Voids an approved credit note that has not been used.
    pub fn void_credit_note(&mut self, note: Uuid) -> Result<(), Refused> {
        self.move_credit_note(note, InvoiceStatus::Voided)
    }

    /// Deletes a draft or a submitted credit note.
    pub fn delete_credit_note(&mut self, note: Uuid) -> Result<(), Refused> {
        self.move_credit_note(note, InvoiceStatus::Deleted)
    }

    fn move_credit_note(&mut self, note: Uuid, status: InvoiceStatus) -> Result<(), Refused> {
        let note = self.books.credit_note(note);
        let note = note.ok_or_else(|| Refused("There is no such credit note".to_owned()))?;
        if let Some(message) = refuses(self.books, &self.unconfirmed.texts, note, status) {
            return Err(Refused(message));
        }
        let moved = CreditNote { status, updated_at: self.now, ..note.clone() };
        self.books.put_credit_note(moved);
        Ok(())
    }
}
