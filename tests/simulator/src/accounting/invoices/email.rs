//! `POST /Invoices/{id}/Email`: sends the invoice to its contact. The body is ignored.

use crate::accounting::RequestContext;
use crate::accounting::fields::echo;
use crate::answer::Answer;
use crate::books::invoice::{HistoryNote, Invoice, InvoiceKind, InvoiceStatus};
use crate::json::Object;

/// The entry on the history page of a sent invoice.
const SENT: &str = "Invoice sent";

impl RequestContext<'_> {
    pub(in crate::accounting) fn send_invoice(
        &mut self,
        id: Option<&str>,
    ) -> Result<Answer, Answer> {
        let invoice = id.and_then(|id| self.find_invoice(id)).ok_or_else(Answer::not_found)?;
        let id = invoice.id;
        let address = self.books.contact(invoice.contact).and_then(|one| one.email.clone());
        let most = self.books.organisation.subscription.daily_emails();
        let address = match address {
            Some(address) if takes_email(invoice) && self.sent_today() < most => address,
            Some(_) | None => {
                let refused = [self.unconfirmed.texts.email_refused.clone()];
                let row = echo(&Object::new().with("InvoiceID", id), "InvoiceID", &refused);
                return Err(Answer::validation(vec![row.into()]));
            }
        };
        let note = HistoryNote {
            changes: SENT.to_owned(),
            details: format!("This invoice has been sent to {address}."),
            by: self.app.name.clone(),
            at: self.now,
        };
        if let Some(invoice) = self.books.invoice_mut(id) {
            if is_approved(invoice) {
                invoice.sent_to_contact = true;
            }
            invoice.history.push(note);
            if self.unconfirmed.notes_move_time {
                invoice.updated_at = self.now;
            }
        }
        Ok(Answer::empty(204))
    }

    /// How many invoices were sent today.
    fn sent_today(&self) -> usize {
        let today = self.today();
        let organisation = &self.books.organisation;
        let notes = self.books.invoices().flat_map(|invoice| &invoice.history);
        notes.filter(|note| note.changes == SENT && organisation.today(note.at) == today).count()
    }
}

/// Xero: sales invoices that are submitted, approved or paid.
fn takes_email(invoice: &Invoice) -> bool {
    let is_submitted = invoice.status == InvoiceStatus::Submitted;
    invoice.kind == InvoiceKind::Sales && (is_submitted || is_approved(invoice))
}

fn is_approved(invoice: &Invoice) -> bool {
    matches!(invoice.status, InvoiceStatus::Authorised | InvoiceStatus::Paid)
}
