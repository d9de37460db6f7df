//! Tests of totals and of the differences that rounding explains.

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
    assert_eq!(sum_lines(&invoice.lines, invoice.line_amounts).total_tax, decimal("11.43"));
}

#[test]
fn inclusive_prices_contain_their_tax() {
    let mut invoice = an_invoice();
    invoice.line_amounts = LineAmounts::Inclusive;
    invoice.lines = vec![a_line("1", "100.00", Some("20"))];
    let totals = sum_lines(&invoice.lines, invoice.line_amounts);
    assert_eq!(totals.total, decimal("100.00"));
    assert_eq!(totals.total_tax, decimal("16.67"));
    assert_eq!(totals.sub_total, decimal("83.33"));
}

#[test]
fn discounts_come_off_the_line_before_rounding() {
    let percent = DocumentLine {
        discount: Some(LineDiscount::Percent(decimal("33.33"))),
        ..a_line("3", "9.99", None)
    };
    assert_eq!(line_amount(&percent), decimal("19.98"));
    let amount = DocumentLine {
        discount: Some(LineDiscount::Amount(decimal("5"))),
        ..a_line("2", "10.005", None)
    };
    assert_eq!(line_amount(&amount), decimal("15.01"));
}

#[test]
fn a_total_that_no_rounding_explains_is_distinguished_from_one_that_it_does() {
    let explained = |stated: &str, lines: &[DocumentLine], amounts| {
        is_explained_by_rounding(money(decimal(stated), "GBP"), lines, amounts)
    };
    let (exclusive, inclusive) = (LineAmounts::Exclusive, LineAmounts::Inclusive);
    let cent = [a_line("1", "10.01", Some("15"))];
    // 10.01 plus 1.5015 of tax.
    for (stated, is_explained) in
        [("11.51", true), ("11.52", true), ("11.53", false), ("1151.00", false), ("-11.51", false)]
    {
        assert_eq!(explained(stated, &cent, exclusive), is_explained, "{stated}");
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
fn amounts_that_no_rounding_changes_explain_no_difference() {
    let (exclusive, inclusive) = (LineAmounts::Exclusive, LineAmounts::Inclusive);
    let ten = || a_line("1", "10.00", None);
    let percent = |percent: &str| Some(LineDiscount::Percent(decimal(percent)));
    for (lines, amounts, currency, right, wrong) in [
        (vec![ten()], exclusive, "GBP", "10.00", "10.01"),
        (vec![ten(); 500], exclusive, "GBP", "5000.00", "5002.50"),
        (vec![ten(); 500], inclusive, "GBP", "5000.00", "4999.99"),
        (vec![a_line("1", "1000", None)], exclusive, "JPY", "1000", "1001"),
        (vec![a_line("1", "10.00", Some("20"))], exclusive, "GBP", "12.00", "12.01"),
        (vec![a_line("1", "12.00", Some("20")); 300], exclusive, "GBP", "4320.00", "4323.30"),
        // 10.00 and 2.00 of tax are contained.
        (vec![a_line("1", "12.00", Some("20")); 300], inclusive, "GBP", "3600.00", "3600.01"),
        (vec![a_line("1", "1100", Some("10"))], inclusive, "JPY", "1100", "1101"),
        (vec![a_line("0.25", "10.00", None); 4], exclusive, "GBP", "10.00", "10.01"),
        (vec![a_line("1", "-10.00", None)], exclusive, "GBP", "-10.00", "-10.01"),
        (
            vec![DocumentLine { discount: percent("25"), ..a_line("1", "9.00", None) }],
            exclusive,
            "GBP",
            "6.75",
            "6.76",
        ),
    ] {
        let explained =
            |stated| is_explained_by_rounding(money(decimal(stated), currency), &lines, amounts);
        assert!(explained(right), "{right} {currency}");
        assert!(!explained(wrong), "{wrong} {currency}");
    }
}

#[test]
fn only_the_lines_that_rounding_changes_allow_a_difference() {
    // 3 x 3.33 with 20 % has 1.998 of tax; the lines of 10.00 add nothing to its allowance.
    let mut lines = vec![a_line("1", "10.00", None); 400];
    lines.push(a_line("3", "3.33", Some("20")));
    let explained = |stated: &str| {
        let stated = money(decimal(stated), "GBP");
        is_explained_by_rounding(stated, &lines, LineAmounts::Exclusive)
    };
    assert!(explained("4011.99") && explained("4011.98"));
    assert!(!explained("4012.01") && !explained("4011.97"));
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
            .map(|(quantity, price, rate)| DocumentLine {
                quantity: Decimal::new(*quantity, 3),
                unit_price: Decimal::new(*price, 4),
                tax_rate: Some(Decimal::from(*rate)),
                ..a_line("1", "1", None)
            })
            .collect::<Vec<_>>();
        let exact = |line: &DocumentLine| {
            let amount = line.quantity * line.unit_price;
            let rate = line.tax_rate.unwrap_or_default() / Decimal::ONE_HUNDRED;
            if inclusive { amount } else { amount * (Decimal::ONE + rate) }
        };
        let stated = round_to_cents(lines.iter().map(exact).sum());
        let amounts = if inclusive { LineAmounts::Inclusive } else { LineAmounts::Exclusive };
        prop_assert!(is_explained_by_rounding(money(stated, "GBP"), &lines, amounts));
    }

    #[test]
    fn lines_in_whole_cents_without_tax_explain_their_sum_alone(
        lines in prop::collection::vec((1_i64..100, -1_000_000_i64..1_000_000), 1..40),
        off in 1_i64..1_000,
        inclusive: bool,
    ) {
        let lines = lines
            .iter()
            .map(|(quantity, price)| DocumentLine {
                quantity: Decimal::from(*quantity),
                unit_price: Decimal::new(*price, 2),
                ..a_line("1", "1", None)
            })
            .collect::<Vec<_>>();
        let amounts = if inclusive { LineAmounts::Inclusive } else { LineAmounts::Exclusive };
        let total = sum_lines(&lines, amounts).total;
        let is_explained = |stated| {
            is_explained_by_rounding(money(stated, "GBP"), &lines, amounts)
        };
        prop_assert!(is_explained(total));
        prop_assert!(!is_explained(total + Decimal::new(off, 2)));
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
            .map(|(quantity, price, rate)| DocumentLine {
                quantity: Decimal::new(*quantity, 4),
                unit_price: Decimal::new(*price, 4),
                tax_rate: Some(Decimal::from(*rate)),
                ..a_line("1", "1", None)
            })
            .collect();
        let totals = sum_lines(&invoice.lines, invoice.line_amounts);
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
