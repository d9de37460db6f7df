//! Credit notes to customers (`ACCRECCREDIT`) as Xero takes and gives them.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::allocation::RemoteAllocation;
use super::sales::{
    ContactReference, DocumentStatus, Head, LineAmountTypes, LineItem, NewStatus, SalesDocument,
};
use crate::ids::{XeroContactId, XeroCreditNoteId};
use crate::money::{Currency, Money};

/// A credit note to create or update. It has no link back and no due date, and its lines no discounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreditNoteDocument {
    /// Set to update this note; absent to create one.
    #[serde(rename = "CreditNoteID", skip_serializing_if = "Option::is_none")]
    pub credit_note_id: Option<XeroCreditNoteId>,
    /// Always [`CreditNoteType::Accreccredit`].
    #[serde(rename = "Type")]
    pub credit_note_type: CreditNoteType,
    /// Only the id: any other field would change the contact itself.
    pub contact: ContactReference,
    /// The date of the note in the organisation's calendar.
    pub date: Date,
    /// Whether line amounts contain tax.
    pub line_amount_types: LineAmountTypes,
    /// Printable ASCII, at most 255 characters, unique among customers' notes: our natural key.
    pub credit_note_number: String,
    /// Free text the customer sees, at most 255 characters. It ends with our id, so that a lost answer can be
    /// recognised: a note has no link.
    pub reference: String,
    /// The currency; it must be enabled in the organisation.
    pub currency_code: Currency,
    /// The status to give; absent on an update, which leaves it as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<NewStatus>,
    /// The lines. On an update they replace all lines.
    pub line_items: Vec<LineItem>,
}

/// The kind of credit note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CreditNoteType {
    /// To a customer.
    Accreccredit,
}

/// A credit note as Xero describes it, reduced to what decisions need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteCreditNote {
    /// Xero's key.
    pub id: XeroCreditNoteId,
    /// The number; Xero numbers a note that came without one.
    pub number: Option<String>,
    /// Whether it is to a customer.
    pub is_sales: bool,
    /// The status.
    pub status: DocumentStatus,
    /// Whose credit it is.
    pub contact_id: Option<XeroContactId>,
    /// Reference shown to the customer.
    pub reference: Option<String>,
    /// What the customer is credited in all, tax included.
    pub total: Money,
    /// What is neither applied nor paid out.
    pub remaining: Money,
    /// The date of the note.
    pub date: Option<Date>,
    /// Xero's last change.
    pub updated_at: Option<Timestamp>,
    /// What of it is applied to which invoices.
    pub allocations: Vec<RemoteAllocation>,
}

impl SalesDocument for RemoteCreditNote {
    fn head(&self) -> Head<'_> {
        Head {
            id: self.id.into(),
            number: self.number.as_deref(),
            is_sales: self.is_sales,
            status: &self.status,
            contact: self.contact_id,
            url: None,
            reference: self.reference.as_deref(),
            total: self.total,
            left: self.remaining,
            date: self.date,
        }
    }
}
