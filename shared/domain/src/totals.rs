//! The totals of invoices and credit notes by Xero's arithmetic: each line is rounded to cents, tax
//! is computed and rounded for each line, and the results are summed. Also the decision whether
//! rounding explains a different total.

use rust_decimal::Decimal;

use crate::crm::lines::{DocumentLine, LineAmounts, LineDiscount};
use crate::money::{Currency, Money, round_to_cents};

/// The sums of an invoice or a credit note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentTotals {
    /// The sum of the line amounts without tax.
    pub sub_total: Decimal,
    /// The sum of the taxes of all lines.
    pub total_tax: Decimal,
    /// The total that is owed, tax included.
    pub total: Decimal,
}

/// A line's amount: quantity times price less the discount, rounded to cents. It contains tax if
/// the document's prices do.
pub fn line_amount(line: &DocumentLine) -> Decimal {
    round_to_cents(exact_amount(line))
}

/// A line's amount before it is rounded.
fn exact_amount(line: &DocumentLine) -> Decimal {
    let gross = line.quantity * line.unit_price;
    match line.discount {
        None => gross,
        Some(LineDiscount::Percent(percent)) => {
            gross * (Decimal::ONE_HUNDRED - percent) / Decimal::ONE_HUNDRED
        }
        Some(LineDiscount::Amount(amount)) => gross - amount,
    }
}

/// The tax of a line amount at a rate in percent, rounded to cents.
pub fn line_tax(amount: Decimal, rate: Decimal, amounts: LineAmounts) -> Decimal {
    match amounts {
        LineAmounts::Exclusive => round_to_cents(amount * rate / Decimal::ONE_HUNDRED),
        LineAmounts::Inclusive => {
            let net = amount * Decimal::ONE_HUNDRED / (Decimal::ONE_HUNDRED + rate);
            amount - round_to_cents(net)
        }
    }
}

/// The sums of an invoice or a credit note.
pub fn sum_lines(lines: &[DocumentLine], line_amounts: LineAmounts) -> DocumentTotals {
    let mut amounts = Decimal::ZERO;
    let mut total_tax = Decimal::ZERO;
    for line in lines {
        let amount = line_amount(line);
        amounts += amount;
        total_tax += line_tax(amount, line.tax_rate.unwrap_or_default(), line_amounts);
    }
    match line_amounts {
        LineAmounts::Exclusive => {
            DocumentTotals { sub_total: amounts, total_tax, total: amounts + total_tax }
        }
        LineAmounts::Inclusive => {
            DocumentTotals { sub_total: amounts - total_tax, total_tax, total: amounts }
        }
    }
}

/// Half of the fourth decimal: the maximum by which rounding changes a unit price.
const HALF_A_PRICE_STEP: Decimal = Decimal::from_parts(5, 0, 0, false, 5);

/// The step to which totals are rounded in the CRM.
#[derive(Debug, Clone, Copy)]
struct RoundingStep {
    /// The number of decimals.
    decimals: u32,
    /// The maximum by which rounding changes an amount: half of the last decimal.
    half: Decimal,
}

impl RoundingStep {
    const CENTS: Self = Self { decimals: 2, half: Decimal::from_parts(5, 0, 0, false, 3) };
    const UNITS: Self = Self { decimals: 0, half: Decimal::from_parts(5, 0, 0, false, 1) };

    fn of_currency(currency: Currency) -> Self {
        if currency.is_without_decimals() { Self::UNITS } else { Self::CENTS }
    }

    /// Whether rounding leaves an amount as it is.
    fn is_rounded(self, amount: Decimal) -> bool {
        amount.normalize().scale() <= self.decimals
    }

    /// The maximum by which rounding changes an amount. An amount that is not known exactly may
    /// have any decimals.
    fn rounding_error(self, is_exact: bool) -> Decimal {
        if is_exact { Decimal::ZERO } else { self.half }
    }
}

/// Whether a unit price is finer than a cent, so that it may have been rounded itself.
fn has_fine_price(line: &DocumentLine) -> bool {
    line.unit_price.normalize().scale() > 2
}

/// The maximum by which the total of these lines may differ from a total that was computed with
/// different rounding.
///
/// Both totals are rounded from the same exact sum. Each line can move this total away from it by
/// half a cent for its amount, with the tax on that; by half a cent for its tax; and, for each
/// unit, by half of the fourth decimal of its price if the price is finer than a cent and may have
/// been rounded itself. Tax that the prices contain does not change the total, unless it was taken
/// out and added again: then the net amount and the tax are each rounded once more. The other total
/// may have been rounded once, at the end. In a currency without cents, the other total was rounded
/// to whole units, and half a unit takes the place of half a cent.
///
/// Rounding changes nothing that is in whole cents (or units) already, so such an amount allows no
/// difference: 500 lines of 10.00 without tax add up to 5000.00 exactly.
pub fn rounding_tolerance(
    lines: &[DocumentLine],
    line_amounts: LineAmounts,
    currency: Currency,
) -> Decimal {
    let step = RoundingStep::of_currency(currency);
    let of_lines =
        lines.iter().map(|line| line_tolerance(line, line_amounts, step)).sum::<Decimal>();
    let is_exact = !lines.iter().any(has_fine_price)
        && step.is_rounded(lines.iter().map(|line| exact_total(line, line_amounts)).sum());
    of_lines + step.rounding_error(is_exact)
}

/// What a line adds to the total, before anything is rounded.
fn exact_total(line: &DocumentLine, line_amounts: LineAmounts) -> Decimal {
    match line_amounts {
        LineAmounts::Exclusive => exact_amount(line) * with_tax(line),
        LineAmounts::Inclusive => exact_amount(line),
    }
}

/// The factor from an amount without tax to the same amount with tax.
fn with_tax(line: &DocumentLine) -> Decimal {
    Decimal::ONE + line.tax_rate.unwrap_or_default() / Decimal::ONE_HUNDRED
}

/// The part of a line in [`rounding_tolerance`].
fn line_tolerance(line: &DocumentLine, line_amounts: LineAmounts, step: RoundingStep) -> Decimal {
    let rate = line.tax_rate.unwrap_or_default();
    let is_fine = has_fine_price(line);
    let of_price = if is_fine { HALF_A_PRICE_STEP * line.quantity.abs() } else { Decimal::ZERO };
    let is_exact = !is_fine && step.is_rounded(exact_amount(line));
    let of_amount = step.rounding_error(is_exact) + of_price;
    let amount = line_amount(line);
    match line_amounts {
        LineAmounts::Exclusive => {
            let tax = amount * rate / Decimal::ONE_HUNDRED;
            let is_tax_exact = rate.is_zero() || (is_exact && step.is_rounded(tax));
            of_amount * with_tax(line) + step.rounding_error(is_tax_exact)
        }
        LineAmounts::Inclusive => {
            let net = amount * Decimal::ONE_HUNDRED / (Decimal::ONE_HUNDRED + rate);
            let is_net_exact = rate.is_zero() || (is_exact && step.is_rounded(net));
            // The net amount with the tax on it, and the tax.
            of_amount + step.rounding_error(is_net_exact) * (with_tax(line) + Decimal::ONE)
        }
    }
}

/// Whether rounding explains the difference between a stated total and the sum of the lines.
pub fn is_explained_by_rounding(
    stated: Money,
    lines: &[DocumentLine],
    line_amounts: LineAmounts,
) -> bool {
    let difference = sum_lines(lines, line_amounts).total - stated.amount;
    difference.abs() <= rounding_tolerance(lines, line_amounts, stated.currency)
}

#[cfg(test)]
#[path = "totals_tests.rs"]
mod tests;
