//! The totals of an invoice: every line is already rounded, so they are sums.

use crate::books::invoice::{Invoice, Line, LineFigures};
use crate::money::LineAmounts;
use rust_decimal::Decimal;

/// Sums the lines into the totals.
pub(super) fn sum(invoice: &mut Invoice) {
    let of = |figure: fn(&LineFigures) -> Decimal| -> Decimal {
        invoice.lines.iter().filter_map(|line: &Line| line.amounts.as_ref()).map(figure).sum()
    };
    let lines = of(|figures| figures.line_amount);
    let tax = of(|figures| figures.tax_amount);
    let discounted = of(|figures| figures.discounted);
    invoice.total_tax = tax;
    invoice.total_discount = discounted;
    match invoice.line_amounts {
        LineAmounts::Exclusive | LineAmounts::NoTax => {
            invoice.sub_total = lines;
            invoice.total = lines + tax;
        }
        LineAmounts::Inclusive => {
            invoice.sub_total = lines - tax;
            invoice.total = lines;
        }
    }
}
