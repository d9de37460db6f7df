//! The totals of a document: every line is already rounded, so they are sums.

use crate::books::line::{Line, LineFigures};
use crate::money::LineAmounts;
use rust_decimal::Decimal;

/// The totals of the lines of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) sub_total: Decimal,
    pub(crate) total_tax: Decimal,
    pub(crate) total: Decimal,
    pub(crate) total_discount: Decimal,
}

impl Totals {
    /// Sums the lines.
    pub(crate) fn of(lines: &[Line], line_amounts: LineAmounts) -> Self {
        let of = |figure: fn(&LineFigures) -> Decimal| -> Decimal {
            lines.iter().filter_map(|line: &Line| line.amounts.as_ref()).map(figure).sum()
        };
        let amounts = of(|figures| figures.line_amount);
        let total_tax = of(|figures| figures.tax_amount);
        let total_discount = of(|figures| figures.discounted);
        let (sub_total, total) = match line_amounts {
            LineAmounts::Exclusive | LineAmounts::NoTax => (amounts, amounts + total_tax),
            LineAmounts::Inclusive => (amounts - total_tax, amounts),
        };
        Self { sub_total, total_tax, total, total_discount }
    }
}
