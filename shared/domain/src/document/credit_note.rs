//! Credit notes to customers (`ACCRECCREDIT`), as Xero accepts and returns them.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::allocation::RemoteAllocation;
use super::sales::{
    ContactReference, DocumentHead, DocumentStatus, LineAmountTypes, LineItem, NewStatus,
    SalesDocument, TrackingAssignment,
};
use crate::ids::{XeroContactId, XeroCreditNoteId, XeroPaymentId};
use crate::money::{Currency, Money};

/// A credit note to create or update. A credit note has no URL and no due date, and its lines have
/// no discounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditNoteDocument {
    /// The note to update; `None` to create a note.
    pub credit_note_id: Option<XeroCreditNoteId>,
    /// Always [`CreditNoteType::Accreccredit`].
    pub credit_note_type: CreditNoteType,
    /// The contact, by its id alone: any other field would change the contact itself.
    pub contact: ContactReference,
    /// The date of the note, in the organisation's time zone.
    pub date: Date,
    /// Whether line amounts contain tax.
    pub line_amount_types: LineAmountTypes,
    /// The number: printable ASCII, at most 255 characters, unique among notes to customers. It
    /// identifies the CRM's credit note.
    pub credit_note_number: String,
    /// Text that the customer sees, at most 255 characters. It ends with the CRM's id, by which a
    /// note is recognised after a lost answer: a credit note has no URL.
    pub reference: String,
    /// The currency; it must be enabled in the organisation.
    pub currency_code: Currency,
    /// The status to set; absent on an update, which keeps the status.
    pub status: Option<NewStatus>,
    /// The lines. On an update they replace all lines.
    pub line_items: Vec<LineItem>,
}

/// The type of credit note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditNoteType {
    /// To a customer.
    Accreccredit,
}

/// A refund as its credit note lists it: a payment that pays back credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteRefund {
    /// Xero's id of the payment.
    pub id: XeroPaymentId,
    /// The amount that is paid back.
    pub amount: Decimal,
}

/// A credit note as Xero returns it, reduced to the fields that decisions need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteCreditNote {
    /// Xero's id of the note.
    pub id: XeroCreditNoteId,
    /// The number. Xero assigns one to a note that was sent without.
    pub number: Option<String>,
    /// Whether it is to a customer.
    pub is_sales: bool,
    /// The status.
    pub status: DocumentStatus,
    /// The contact that is credited.
    pub contact_id: Option<XeroContactId>,
    /// The reference that the customer sees.
    pub reference: Option<String>,
    /// The total credited, tax included.
    pub total: Money,
    /// The sum of the taxes of all lines, if the answer has it.
    pub total_tax: Option<Money>,
    /// The credit that is neither applied nor refunded.
    pub remaining: Money,
    /// The date of the note.
    pub date: Option<Date>,
    /// When Xero last changed the note.
    pub updated_at: Option<Timestamp>,
    /// The allocations of the note to invoices.
    pub allocations: Vec<RemoteAllocation>,
    /// The refunds of the note, if the answer lists them.
    pub refunds: Vec<RemoteRefund>,
    /// The tracking options of each line, if the answer has lines. A line that cannot be read is
    /// absent.
    pub line_tracking: Vec<Vec<TrackingAssignment>>,
}

impl SalesDocument for RemoteCreditNote {
    fn document_head(&self) -> DocumentHead<'_> {
        DocumentHead {
            id: self.id.into(),
            number: self.number.as_deref(),
            is_sales: self.is_sales,
            status: &self.status,
            contact: self.contact_id,
            url: None,
            reference: self.reference.as_deref(),
            total: self.total,
            total_tax: self.total_tax,
            left: self.remaining,
            date: self.date,
        }
    }

    fn line_tracking(&self) -> Vec<&[TrackingAssignment]> {
        self.line_tracking.iter().map(Vec::as_slice).collect()
    }
}
