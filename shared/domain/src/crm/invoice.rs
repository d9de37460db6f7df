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
    /// Which state of the record this is.
    #[serde(deserialize_with = "text::revision")]
    pub revision: Revision,
    /// The number on the document, such as `#INV-0001`. Kept as it is.
    #[serde(deserialize_with = "lines::number")]
    pub number: String,
    /// Whose invoice it is.
    pub client_id: ClientId,
    /// The date on the document.
    #[serde(deserialize_with = "text::date")]
    pub issue_date: Date,
    /// When it is due; without one it is due on the day it was issued.
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
    /// What the customer was billed, tax included, in cents.
    #[serde(serialize_with = "rust_decimal_text::serialize", deserialize_with = "text::cents")]
    pub total: Decimal,
    /// Whether the invoice stands. Decided by the message it came in, not by a field of the contract.
    #[serde(default)]
    pub standing: Standing,
}

/// `standing` is not among them: the message's type decides it.
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
    /// The fields that the contract has.
    pub(crate) const SHAPE: Shape = Shape::Object(INVOICE);

    /// What the customer was billed.
    pub const fn billed(&self) -> Money {
        Money::new(self.total, self.currency)
    }
}
