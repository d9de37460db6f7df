//! The history pages of rows.

use super::Books;
use super::invoice::HistoryNote;
use jiff::Timestamp;
use uuid::Uuid;

impl Books {
    /// The history page of an invoice, a credit note or a payment, the oldest note first.
    pub(crate) fn history(&self, row: Uuid) -> &[HistoryNote] {
        let of_invoice = self.invoices.get(&row).map(|invoice| &invoice.history);
        of_invoice.or_else(|| self.histories.get(&row)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Adds notes to the history page of a row.
    pub(crate) fn add_history(&mut self, row: Uuid, notes: Vec<HistoryNote>) {
        match self.invoices.get_mut(&row) {
            Some(invoice) => invoice.history.extend(notes),
            None => self.histories.entry(row).or_default().extend(notes),
        }
    }

    /// Sets the time of the last change of an invoice, a credit note or a payment.
    pub(crate) fn set_changed_at(&mut self, row: Uuid, now: Timestamp) {
        if let Some(invoice) = self.invoices.get_mut(&row) {
            invoice.updated_at = now;
        } else if let Some(note) = self.credit_notes.get_mut(&row) {
            note.updated_at = now;
        } else if let Some(payment) = self.payments.get_mut(&row) {
            payment.updated_at = now;
        }
    }
}
