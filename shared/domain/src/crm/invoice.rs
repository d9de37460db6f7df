//! An invoice as the CRM knows it.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::lines::{Line, LineAmounts, Standing};
use super::{Revision, lines, text};
use crate::body::{Field, Shape};
use crate::ids::{ClientId, InvoiceId};
use crate::money::{Currency, Money, rust_decimal_text};

/// An invoice's record at one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// The CRM's id.
    pub id: InvoiceId,
    /// The revision of this state.
    #[serde(deserialize_with = "text::revision")]
    pub revision: Revision,
    /// The number on the document, such as `#INV-0001`. It is never changed on the way to Xero.
    #[serde(deserialize_with = "lines::number")]
    pub number: String,
    /// The client who is billed.
    pub client_id: ClientId,
    /// The date on the document.
    #[serde(deserialize_with = "text::date")]
    pub issue_date: Date,
    /// The due date. Without one, the invoice is due on its issue date.
    #[serde(
        default,
        deserialize_with = "text::optional_date",
        skip_serializing_if = "Option::is_none"
    )]
    pub due_date: Option<Date>,
    /// The currency of every amount.
    pub currency: Currency,
    /// Whether line prices contain tax.
    #[serde(default)]
    pub line_amounts: LineAmounts,
    /// Free text for the customer, such as a job or purchase order number.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// 1 to 500 lines.
    #[serde(deserialize_with = "lines::lines")]
    pub lines: Vec<Line>,
    /// The total billed to the customer, tax included, with at most 2 decimals.
    #[serde(serialize_with = "rust_decimal_text::serialize", deserialize_with = "text::cents")]
    pub total: Decimal,
    /// Whether the invoice is in effect or was voided. The type of the message decides this, not a
    /// field of the contract.
    #[serde(default)]
    pub standing: Standing,
}

/// The fields of the contract. `standing` is not one of them, because the message's type decides
/// it.
const INVOICE: &[Field] = &[
    Field::value("id"),
    Field::value("revision"),
    Field::value("number"),
    Field::value("client_id"),
    Field::value("issue_date"),
    Field::value("due_date"),
    Field::value("currency"),
    Field::value("line_amounts"),
    Field::value("reference"),
    Field::new("lines", Line::LIST),
    Field::value("total"),
];

impl Invoice {
    /// The shape of an invoice in a message.
    pub(crate) const SHAPE: Shape = Shape::Object(INVOICE);

    /// The total billed to the customer.
    pub const fn billed(&self) -> Money {
        Money::new(self.total, self.currency)
    }
}
