//! A line of a document, whatever kind of document it is.

use crate::money::Discount;
use rust_decimal::Decimal;
use uuid::Uuid;

/// A line of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Xero's id.
    pub id: Uuid,
    /// The description.
    pub description: Option<String>,
    /// The figures; a line with only a description has none.
    pub amounts: Option<LineFigures>,
    /// The account's code; `None` for an account without one.
    pub account_code: Option<String>,
    /// The account's id.
    pub account: Option<Uuid>,
    /// The tax rate's code.
    pub tax_type: Option<String>,
    /// The discount.
    pub discount: Option<Discount>,
    /// The item's code.
    pub item_code: Option<String>,
    /// The tracking options, at most two.
    pub tracking: Vec<LineTracking>,
}

/// A tracking option of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineTracking {
    /// The category's id.
    pub category: Uuid,
    /// The category's name.
    pub category_name: String,
    /// The option's id.
    pub option: Uuid,
    /// The option's name.
    pub option_name: String,
}

/// The figures of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineFigures {
    /// The quantity.
    pub quantity: Decimal,
    /// The unit price.
    pub unit_amount: Decimal,
    /// Quantity times price less discount, two places.
    pub line_amount: Decimal,
    /// The tax of the line, two places.
    pub tax_amount: Decimal,
    /// The amount of the discount.
    pub discounted: Decimal,
}
