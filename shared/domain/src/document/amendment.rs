//! The change of an invoice that has payments or credits.

use jiff::civil::Date;
use uuid::Uuid;

use crate::document::sales::TrackingAssignment;
use crate::ids::{XeroContactId, XeroInvoiceId};

/// The fields that Xero accepts on an invoice with payments or credits (Xero's page "Updating
/// Invoices"). Absent fields keep their value in Xero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceAmendment {
    /// The invoice.
    pub invoice_id: XeroInvoiceId,
    /// The contact, which Xero does not change on an invoice paid by a credit note.
    pub contact: Option<XeroContactId>,
    /// The due date.
    pub due_date: Option<Date>,
    /// The number.
    pub invoice_number: Option<String>,
    /// The reference; an empty text clears it.
    pub reference: Option<String>,
    /// The address of the invoice's page in the CRM.
    pub url: Option<String>,
    /// Every line, in their order. Empty if no line changes: then no lines are sent, because Xero
    /// deletes a line that is missing among those that are.
    pub lines: Vec<LineAmendment>,
}

/// What Xero changes on a line of an invoice with payments or credits. Absent fields keep their
/// value in Xero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineAmendment {
    /// Xero's id of the line.
    pub line_id: Uuid,
    /// The description, 1 to 4,000 characters.
    pub description: String,
    /// The code of the account, if it changes.
    pub account_code: Option<String>,
    /// The tracking options, if they change; an empty list removes them.
    pub tracking: Option<Vec<TrackingAssignment>>,
}

impl InvoiceAmendment {
    /// Whether the amendment changes nothing.
    pub fn is_empty(&self) -> bool {
        self.contact.is_none()
            && self.due_date.is_none()
            && self.invoice_number.is_none()
            && self.reference.is_none()
            && self.url.is_none()
            && self.lines.is_empty()
    }
}
