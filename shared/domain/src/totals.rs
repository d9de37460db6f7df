//! The totals of invoices and credit notes by Xero's arithmetic: each line is rounded to cents, tax
//! is computed and rounded for each line, and the results are summed. Also the decision whether
//! rounding explains a different total.

use rust_decimal::Decimal;

use crate::crm::lines::{Discount, Line, LineAmounts};
use crate::money::{Currency, Money, round_to_cents};

/// The sums of an invoice or a credit note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// The sum of the line amounts without tax.
    pub sub_total: Decimal,
    /// The sum of the taxes of all lines.
    pub total_tax: Decimal,
    /// The total that is owed, tax included.
    pub total: Decimal,
}

/// A line's amount: quantity times price less the discount, rounded to cents. It contains tax if
/// the document's prices do.
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

/// Half a cent: the maximum by which rounding to cents changes an amount.
const HALF_A_CENT: Decimal = Decimal::from_parts(5, 0, 0, false, 3);
/// Half a unit: the same for a currency without cents.
const HALF_A_UNIT: Decimal = Decimal::from_parts(5, 0, 0, false, 1);
/// Half of the fourth decimal: the maximum by which rounding changes a unit price.
const HALF_A_PRICE_STEP: Decimal = Decimal::from_parts(5, 0, 0, false, 5);

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
pub fn rounding_tolerance(
    lines: &[Line],
    line_amounts: LineAmounts,
    currency: Currency,
) -> Decimal {
    let half = if currency.is_without_decimals() { HALF_A_UNIT } else { HALF_A_CENT };
    let of_line = |line: &Line| {
        let rate = line.tax_rate.unwrap_or_default();
        let with_tax = Decimal::ONE + rate / Decimal::ONE_HUNDRED;
        let is_fine = line.unit_price.normalize().scale() > 2;
        let price = if is_fine { HALF_A_PRICE_STEP * line.quantity.abs() } else { Decimal::ZERO };
        let amount = half + price;
        let tax = if rate.is_zero() { Decimal::ZERO } else { half };
        match line_amounts {
            LineAmounts::Exclusive => amount * with_tax + tax,
            LineAmounts::Inclusive if rate.is_zero() => amount,
            LineAmounts::Inclusive => amount + half * with_tax + tax,
        }
    };
    lines.iter().map(of_line).sum::<Decimal>() + half
}

/// Whether rounding explains the difference between a stated total and the sum of the lines.
pub fn is_explained_by_rounding(stated: Money, lines: &[Line], line_amounts: LineAmounts) -> bool {
    let difference = of(lines, line_amounts).total - stated.amount;
    difference.abs() <= rounding_tolerance(lines, line_amounts, stated.currency)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::translate::tests::{a_line, an_invoice};

    fn decimal(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    fn money(amount: Decimal, currency: &str) -> Money {
        Money::new(amount, Currency::new(currency).unwrap())
    }

    #[test]
    fn tax_is_rounded_on_each_line_before_it_is_summed() {
        // Taxing the sum of 3 x 25.43 at 15 % would give 11.44; each line gives 3.81, so 11.43.
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
            is_explained_by_rounding(money(decimal(stated), "GBP"), lines, amounts)
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

    #[test]
    fn a_total_in_whole_units_is_explained_where_the_currency_has_no_cents() {
        let lines = [a_line("1", "333", Some("10"))];
        let explained = |stated: &str, currency: &str| {
            let stated = money(decimal(stated), currency);
            is_explained_by_rounding(stated, &lines, LineAmounts::Exclusive)
        };
        // 333 plus 33.30 of tax.
        assert!(explained("366", "JPY"));
        assert!(!explained("369", "JPY"));
        assert!(!explained("333", "JPY"), "the tax is missing");
        // A stated total does not have the third decimal of a dinar, and Xero keeps two.
        for currency in ["GBP", "KWD"] {
            assert!(explained("366.30", currency) && !explained("366.00", currency), "{currency}");
        }
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
            prop_assert!(is_explained_by_rounding(money(stated, "GBP"), &lines, amounts));
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
