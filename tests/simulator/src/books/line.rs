//! A line of a document, whatever kind of document it is.

use crate::money::Discount;
use rust_decimal::Decimal;
use uuid::Uuid;

/// A line of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Xero's id.
    pub id: Uuid,
    /// What it is for.
    pub description: Option<String>,
    /// The figures; a line that is only a description has none.
    pub amounts: Option<LineFigures>,
    /// The account's code or, for an account without one, nothing.
    pub account_code: Option<String>,
    /// The account's id.
    pub account: Option<Uuid>,
    /// The tax rate's code.
    pub tax_type: Option<String>,
    /// What comes off.
    pub discount: Option<Discount>,
}

/// The figures of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineFigures {
    /// How many.
    pub quantity: Decimal,
    /// Price of one.
    pub unit_amount: Decimal,
    /// Quantity times price less discount, two places.
    pub line_amount: Decimal,
    /// The tax of the line, two places.
    pub tax_amount: Decimal,
    /// What the discount took off.
    pub discounted: Decimal,
}
