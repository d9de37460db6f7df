//! An allocation in the CRM: credit of a credit note that is applied to an invoice.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Revision, lines, text};
use crate::body::{BodyField, BodyShape};
use crate::ids::{AllocationId, CreditNoteId, InvoiceId};
use crate::money::{Currency, Money, rust_decimal_text};

/// An allocation's record at one revision. Its credit note, invoice and amount never change:
/// another amount is another allocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// The CRM's id.
    pub id: AllocationId,
    /// The revision of this state.
    #[serde(deserialize_with = "text::deserialize_revision")]
    pub revision: Revision,
    /// The credit note that the credit belongs to, or the invoice with a negative total.
    pub credit_note_id: CreditNoteId,
    /// The number of that document. A credit note and an invoice may have the same id; then the
    /// number decides.
    #[serde(deserialize_with = "lines::deserialize_number")]
    pub credit_note_number: String,
    /// The invoice that the credit is applied to.
    pub invoice_id: InvoiceId,
    /// The invoice's number, for messages to people.
    #[serde(deserialize_with = "lines::deserialize_number")]
    pub invoice_number: String,
    /// The amount, in whole units of the currency: positive, with at most 2 decimals.
    #[serde(
        serialize_with = "rust_decimal_text::serialize",
        deserialize_with = "text::deserialize_amount"
    )]
    pub amount: Decimal,
    /// The currency of both documents.
    pub currency: Currency,
    /// The day on which it was applied.
    #[serde(deserialize_with = "text::deserialize_date")]
    pub date: Date,
    /// Whether the allocation is in effect or was removed. The type of the message decides this,
    /// not a field of the contract.
    #[serde(default)]
    pub standing: AllocationRecordStatus,
}

/// Whether an allocation is in effect in the CRM or was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllocationRecordStatus {
    /// The credit is applied.
    #[default]
    Applied,
    /// The credit was removed from the invoice in the CRM.
    Removed,
}

/// The fields of the contract. `standing` is not one of them, because the message's type decides
/// it.
const ALLOCATION: &[BodyField] = &[
    BodyField::single_value("id"),
    BodyField::single_value("revision"),
    BodyField::single_value("credit_note_id"),
    BodyField::single_value("credit_note_number"),
    BodyField::single_value("invoice_id"),
    BodyField::single_value("invoice_number"),
    BodyField::single_value("amount"),
    BodyField::single_value("currency"),
    BodyField::single_value("date"),
];

impl Allocation {
    /// The shape of an allocation in a message.
    pub(crate) const SHAPE: BodyShape = BodyShape::Object(ALLOCATION);

    /// The amount that is applied.
    pub const fn applied_amount(&self) -> Money {
        Money::new(self.amount, self.currency)
    }

    /// Whether this is a later revision of credit that was applied with another credit note,
    /// invoice, amount or currency, or that stays applied on another date. The allocation in Xero
    /// of the earlier revision is never changed.
    pub fn is_change_of(&self, earlier: &Self) -> bool {
        let is_applied = self.standing == AllocationRecordStatus::Applied;
        self.revision > earlier.revision
            && earlier.standing == AllocationRecordStatus::Applied
            && (self.credit_note_id != earlier.credit_note_id
                || self.invoice_id != earlier.invoice_id
                || self.amount != earlier.amount
                || self.currency != earlier.currency
                || (is_applied && self.date != earlier.date))
    }

    /// This revision with the documents, the amount and the date of an earlier one.
    #[must_use]
    pub fn with_details_of(&self, earlier: &Self) -> Self {
        Self { revision: self.revision, standing: self.standing, ..earlier.clone() }
    }

    /// The name that messages to people use: the numbers of the credit note and the invoice.
    pub fn display_name(&self) -> String {
        format!("{} on {}", self.credit_note_number, self.invoice_number)
    }
}
