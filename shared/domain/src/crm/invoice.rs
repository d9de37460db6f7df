//! An invoice as the CRM knows it.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::lines::{DocumentLine, LineAmounts, RecordStatus};
use super::{Revision, lines, text};
use crate::body::{BodyField, BodyShape};
use crate::ids::{ClientId, InvoiceId};
use crate::money::{Currency, Money, rust_decimal_text};

/// An invoice's record at one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// The CRM's id.
    pub id: InvoiceId,
    /// The revision of this state.
    #[serde(deserialize_with = "text::deserialize_revision")]
    pub revision: Revision,
    /// The number on the document, such as `#INV-0001`. It is sent to Xero unchanged.
    #[serde(deserialize_with = "lines::deserialize_number")]
    pub number: String,
    /// The client who is billed.
    pub client_id: ClientId,
    /// The date on the document.
    #[serde(deserialize_with = "text::deserialize_date")]
    pub issue_date: Date,
    /// The due date. Without one, the invoice is due on its issue date.
    #[serde(
        default,
        deserialize_with = "text::deserialize_optional_date",
        skip_serializing_if = "Option::is_none"
    )]
    pub due_date: Option<Date>,
    /// The currency of every amount.
    pub currency: Currency,
    /// Whether line prices contain tax.
    #[serde(default)]
    pub line_amounts: LineAmounts,
    /// Free text for the customer, such as a job or purchase order number.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub reference: Option<String>,
    /// 1 to 500 lines.
    #[serde(deserialize_with = "lines::deserialize_lines")]
    pub lines: Vec<DocumentLine>,
    /// The total billed to the customer, tax included, with at most 2 decimals.
    #[serde(
        serialize_with = "rust_decimal_text::serialize",
        deserialize_with = "text::deserialize_cents"
    )]
    pub total: Decimal,
    /// Whether the invoice is in effect or was voided. The type of the message decides this, not a
    /// field of the contract.
    #[serde(default)]
    pub standing: RecordStatus,
}

/// The fields of the contract. `standing` is not one of them, because the message's type decides
/// it.
const INVOICE: &[BodyField] = &[
    BodyField::single_value("id"),
    BodyField::single_value("revision"),
    BodyField::single_value("number"),
    BodyField::single_value("client_id"),
    BodyField::single_value("issue_date"),
    BodyField::single_value("due_date"),
    BodyField::single_value("currency"),
    BodyField::single_value("line_amounts"),
    BodyField::single_value("reference"),
    BodyField::new("lines", DocumentLine::LIST),
    BodyField::single_value("total"),
];

impl Invoice {
    /// The shape of an invoice in a message.
    pub(crate) const SHAPE: BodyShape = BodyShape::Object(INVOICE);

    /// The total billed to the customer.
    pub const fn billed_total(&self) -> Money {
        Money::new(self.total, self.currency)
    }
}
