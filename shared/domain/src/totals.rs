//! What an invoice comes to, by Xero's arithmetic: each line rounded to cents, tax computed and
//! rounded per line, then summed. And whether rounding explains that somebody else arrives at another total.

use rust_decimal::Decimal;

use crate::crm::lines::{Discount, Line, LineAmounts};
use crate::money::round_to_cents;

/// The sums of an invoice or a credit note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Lines without tax.
    pub sub_total: Decimal,
    /// Tax of all lines.
    pub total_tax: Decimal,
    /// What is owed.
    pub total: Decimal,
}

/// A line's amount: quantity times price less the discount, rounded to cents. It contains tax when
/// the invoice's prices do.
pub fn line_amount(line: &Line) -> Decimal {
    let gross = line.quantity * line.unit_price;
    round_to_cents(match line.discount {
        None => gross,
        Some(Discount::Percent(percent)) => {
            gross * (Decimal::ONE_HUNDRED - percent) / Decimal::ONE_HUNDRED
        }
        Some(Discount::Amount(amount)) => gross - amount,
    })
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
pub fn of(lines: &[Line], line_amounts: LineAmounts) -> Totals {
    let mut amounts = Decimal::ZERO;
    let mut total_tax = Decimal::ZERO;
    for line in lines {
        let amount = line_amount(line);
        amounts += amount;
        total_tax += line_tax(amount, line.tax_rate.unwrap_or_default(), line_amounts);
    }
    match line_amounts {
        LineAmounts::Exclusive => {
            Totals { sub_total: amounts, total_tax, total: amounts + total_tax }
        }
        LineAmounts::Inclusive => {
            Totals { sub_total: amounts - total_tax, total_tax, total: amounts }
        }
    }
}

/// Half a cent: what rounding to cents moves an amount by at most.
const HALF_A_CENT: Decimal = Decimal::from_parts(5, 0, 0, false, 3);
/// Half of the fourth decimal: what rounding moves a unit price by at most.
const HALF_A_PRICE_STEP: Decimal = Decimal::from_parts(5, 0, 0, false, 5);

/// By how much the total of these lines may differ from one that was computed with other rounding, at most.
///
/// Both totals are rounded from the same exact sum. Each line can move ours away from it by half a cent for its amount,
/// with the tax on that; by half a cent for its tax; and, for each unit, by half of the fourth decimal of its price,
/// where the price is finer than a cent and may have been rounded itself. Tax that the prices contain does not move
/// the total, unless it was taken out and added again: then the net amount and the tax are rounded once more each.
/// The other total may have been rounded once, at the end.
pub fn rounding_tolerance(lines: &[Line], line_amounts: LineAmounts) -> Decimal {
    let of_line = |line: &Line| {
        let rate = line.tax_rate.unwrap_or_default();
        let with_tax = Decimal::ONE + rate / Decimal::ONE_HUNDRED;
        let is_fine = line.unit_price.normalize().scale() > 2;
        let price = if is_fine { HALF_A_PRICE_STEP * line.quantity.abs() } else { Decimal::ZERO };
        let amount = HALF_A_CENT + price;
        let tax = if rate.is_zero() { Decimal::ZERO } else { HALF_A_CENT };
        match line_amounts {
            LineAmounts::Exclusive => amount * with_tax + tax,
            LineAmounts::Inclusive if rate.is_zero() => amount,
            LineAmounts::Inclusive => amount + HALF_A_CENT * with_tax + tax,
        }
    };
    lines.iter().map(of_line).sum::<Decimal>() + HALF_A_CENT
}

/// Whether rounding explains the difference between a stated total and what the lines add up to.
pub fn is_explained_by_rounding(
    stated: Decimal,
    lines: &[Line],
    line_amounts: LineAmounts,
) -> bool {
    let difference = of(lines, line_amounts).total - stated;
    difference.abs() <= rounding_tolerance(lines, line_amounts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::translate::tests::{a_line, an_invoice};

    fn decimal(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    #[test]
    fn tax_is_rounded_on_each_line_before_it_is_summed() {
        // Taxing the sum of 3 x 25.43 at 15 % would give 11.44; each line alone gives 3.81 x 3 = 11.43.
        let mut invoice = an_invoice();
        invoice.lines = vec![a_line("1", "25.43", Some("15")); 3];
        assert_eq!(of(&invoice.lines, invoice.line_amounts).total_tax, decimal("11.43"));
    }

    #[test]
    fn inclusive_prices_contain_their_tax() {
        let mut invoice = an_invoice();
        invoice.line_amounts = LineAmounts::Inclusive;
        invoice.lines = vec![a_line("1", "100.00", Some("20"))];
        let totals = of(&invoice.lines, invoice.line_amounts);
        assert_eq!(totals.total, decimal("100.00"));
        assert_eq!(totals.total_tax, decimal("16.67"));
        assert_eq!(totals.sub_total, decimal("83.33"));
    }

    #[test]
    fn discounts_come_off_the_line_before_rounding() {
        let percent = Line {
            discount: Some(Discount::Percent(decimal("33.33"))),
            ..a_line("3", "9.99", None)
        };
        assert_eq!(line_amount(&percent), decimal("19.98"));
        let amount =
            Line { discount: Some(Discount::Amount(decimal("5"))), ..a_line("2", "10.005", None) };
        assert_eq!(line_amount(&amount), decimal("15.01"));
    }

    #[test]
    fn a_total_that_no_rounding_explains_is_told_from_one_that_it_does() {
        let explained = |stated: &str, lines: &[Line], amounts| {
            is_explained_by_rounding(decimal(stated), lines, amounts)
        };
        let (exclusive, inclusive) = (LineAmounts::Exclusive, LineAmounts::Inclusive);
        let ten = [a_line("1", "10.00", Some("20"))];
        for (stated, is_explained) in [
            ("12.00", true),
            ("12.01", true),
            ("12.02", false),
            ("1200.00", false),
            ("-12.00", false),
        ] {
            assert_eq!(explained(stated, &ten, exclusive), is_explained, "{stated}");
        }
        // Taxing the sum gives 87.73; taxing each line gives 87.72.
        let three = vec![a_line("1", "25.43", Some("15")); 3];
        assert!(explained("87.73", &three, exclusive));
        assert!(!explained("87.80", &three, exclusive));
        // 1,000 at 8.6957, which is 10.00 without its 15 %.
        let many = [a_line("1000", "8.6957", Some("15"))];
        assert!(explained("10000.00", &many, exclusive));
        assert!(!explained("10001.00", &many, exclusive));
        let contained = vec![a_line("1", "9.99", Some("20")); 10];
        assert!(explained("99.90", &contained, inclusive));
        assert!(explained("99.95", &contained, inclusive));
        assert!(!explained("101.00", &contained, inclusive));
        let untaxed = [a_line("1", "10.00", None)];
        assert!(!explained("10.02", &untaxed, inclusive));
    }

    proptest! {
        #[test]
        fn a_total_that_was_rounded_once_at_the_end_is_always_explained(
            lines in prop::collection::vec((1_i64..100_000, -1_000_000_i64..1_000_000, 0_i64..30), 1..40),
            inclusive: bool,
        ) {
            let lines = lines
                .iter()
                .map(|(quantity, price, rate)| Line {
                    quantity: Decimal::new(*quantity, 3),
                    unit_price: Decimal::new(*price, 4),
                    tax_rate: Some(Decimal::from(*rate)),
                    ..a_line("1", "1", None)
                })
                .collect::<Vec<_>>();
            let exact = |line: &Line| {
                let amount = line.quantity * line.unit_price;
                let rate = line.tax_rate.unwrap_or_default() / Decimal::ONE_HUNDRED;
                if inclusive { amount } else { amount * (Decimal::ONE + rate) }
            };
            let stated = round_to_cents(lines.iter().map(exact).sum());
            let amounts = if inclusive { LineAmounts::Inclusive } else { LineAmounts::Exclusive };
            prop_assert!(is_explained_by_rounding(stated, &lines, amounts));
        }

        #[test]
        fn exclusive_and_inclusive_sums_always_add_up(
            lines in prop::collection::vec((1_i64..100_000, -1_000_000_i64..1_000_000, 0_i64..30), 1..20),
            inclusive: bool,
        ) {
            let mut invoice = an_invoice();
            invoice.line_amounts =
                if inclusive { LineAmounts::Inclusive } else { LineAmounts::Exclusive };
            invoice.lines = lines
                .iter()
                .map(|(quantity, price, rate)| Line {
                    quantity: Decimal::new(*quantity, 4),
                    unit_price: Decimal::new(*price, 4),
                    tax_rate: Some(Decimal::from(*rate)),
                    ..a_line("1", "1", None)
                })
                .collect();
            let totals = of(&invoice.lines, invoice.line_amounts);
            prop_assert_eq!(totals.sub_total + totals.total_tax, totals.total);
            prop_assert!(totals.total.normalize().scale() <= 2);
        }

        #[test]
        fn inclusive_tax_taken_out_and_put_back_is_off_by_a_cent_at_most(
            cents in 0_i64..10_000_000,
            rate in 0_i64..30,
        ) {
            let rate = Decimal::from(rate);
            let amount = Decimal::new(cents, 2);
            let tax = line_tax(amount, rate, LineAmounts::Inclusive);
            let again = line_tax(amount - tax, rate, LineAmounts::Exclusive);
            prop_assert!((again - tax).abs() <= decimal("0.01"));
        }
    }
}
