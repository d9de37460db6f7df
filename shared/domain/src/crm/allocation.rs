//! Credit of a note, applied to an invoice, as the CRM knows it.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Revision, lines, text};
use crate::body::{Field, Shape};
use crate::ids::{AllocationId, CreditNoteId, InvoiceId};
use crate::money::{Currency, Money, rust_decimal_text};

/// An allocation's record at one revision. What it allocates never changes: another amount is another
/// allocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// The CRM's id.
    pub id: AllocationId,
    /// Which state of the record this is.
    #[serde(deserialize_with = "text::revision")]
    pub revision: Revision,
    /// Whose credit it is.
    pub credit_note_id: CreditNoteId,
    /// The note's number, for people.
    #[serde(deserialize_with = "lines::number")]
    pub credit_note_number: String,
    /// What it is applied to.
    pub invoice_id: InvoiceId,
    /// The invoice's number, for people.
    #[serde(deserialize_with = "lines::number")]
    pub invoice_number: String,
    /// How much: more than zero, in cents.
    #[serde(serialize_with = "rust_decimal_text::serialize", deserialize_with = "text::amount")]
    pub amount: Decimal,
    /// The currency of both documents.
    pub currency: Currency,
    /// The day it was applied.
    #[serde(deserialize_with = "text::date")]
    pub date: Date,
    /// Whether it stands. Decided by the message it came in, not by a field of the contract.
    #[serde(default)]
    pub standing: Standing,
}

/// Whether an allocation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The credit is applied.
    #[default]
    Applied,
    /// It was taken back in the CRM.
    Removed,
}

/// `standing` is not among them: the message's type decides it.
const ALLOCATION: &[Field] = &[
    Field::value("id"),
    Field::value("revision"),
    Field::value("credit_note_id"),
    Field::value("credit_note_number"),
    Field::value("invoice_id"),
    Field::value("invoice_number"),
    Field::value("amount"),
    Field::value("currency"),
    Field::value("date"),
];

impl Allocation {
    /// The fields that the contract has.
    pub(crate) const SHAPE: Shape = Shape::Object(ALLOCATION);

    /// How much is applied.
    pub const fn applied(&self) -> Money {
        Money::new(self.amount, self.currency)
    }

    /// What people know it by.
    pub fn name(&self) -> String {
        format!("{} on {}", self.credit_note_number, self.invoice_number)
    }
}
