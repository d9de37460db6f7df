//! What an invoice comes to, by Xero's arithmetic: each line rounded to cents, tax computed and
//! rounded per line, then summed.

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

    proptest! {
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
