//! Tests of amounts, rates and rounding.

use super::*;
use proptest::prelude::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn of(quantity: &str, unit: &str) -> Figures {
    Figures {
        quantity: Some(decimal(quantity)),
        unit_amount: Some(decimal(unit)),
        line_amount: None,
    }
}

#[test]
fn the_limits_are_the_documented_ones() {
    assert_eq!(LARGEST_LINE, decimal("9999999999.99"));
    assert_eq!(QUANTITY_BOUND, decimal("10000000000000"));
}

#[test]
fn unit_amounts_are_rounded_before_they_are_multiplied() {
    let two = price(of("3", "1.005"), None, 2, Rounding::HalfAwayFromZero).unwrap();
    assert_eq!(two.line_amount, decimal("3.03"));
    let four = price(of("3", "1.0051"), None, 4, Rounding::HalfAwayFromZero).unwrap();
    assert_eq!(four.line_amount, decimal("3.02"));
}

#[test]
fn a_discount_rate_and_a_discount_amount_reduce_the_line() {
    let rate = Some(Discount::Rate(decimal("10")));
    let line = price(of("1", "95.00"), rate, 2, Rounding::HalfAwayFromZero).unwrap();
    assert_eq!((line.line_amount, line.discounted), (decimal("85.50"), decimal("9.50")));
    let amount = Some(Discount::Amount(decimal("5")));
    let line = price(of("2", "10"), amount, 2, Rounding::HalfAwayFromZero).unwrap();
    assert_eq!(line.line_amount, decimal("15"));
}

#[test]
fn two_figures_determine_the_third() {
    let figures = Figures {
        quantity: Some(decimal("4")),
        unit_amount: None,
        line_amount: Some(decimal("10")),
    };
    let line = price(figures, None, 2, Rounding::HalfAwayFromZero).unwrap();
    assert_eq!(line.unit_amount, decimal("2.50"));
    let alone = Figures { line_amount: Some(decimal("7.25")), ..Figures::default() };
    let line = price(alone, None, 2, Rounding::HalfAwayFromZero).unwrap();
    assert_eq!((line.quantity, line.unit_amount), (Decimal::ONE, decimal("7.25")));
}

#[test]
fn inclusive_tax_is_the_line_less_the_rounded_net() {
    let rounding = Rounding::HalfAwayFromZero;
    assert_eq!(
        tax(decimal("10"), decimal("20"), LineAmounts::Inclusive, rounding),
        decimal("1.67")
    );
    assert_eq!(
        tax(decimal("0.13"), decimal("50"), LineAmounts::Exclusive, rounding),
        decimal("0.07")
    );
    assert_eq!(
        tax(decimal("0.13"), decimal("50"), LineAmounts::Exclusive, Rounding::HalfEven),
        decimal("0.06")
    );
}

proptest! {
    #[test]
    fn a_line_has_two_places_and_repricing_it_changes_nothing(
        quantity in 1_i64..1_000_000, unit in -1_000_000_i64..1_000_000, percent in 0_i64..=100,
    ) {
        let figures = Figures {
            quantity: Some(Decimal::new(quantity, 4)),
            unit_amount: Some(Decimal::new(unit, 2)),
            line_amount: None,
        };
        let discount = Some(Discount::Rate(Decimal::from(percent)));
        let first = price(figures, discount, 2, Rounding::HalfAwayFromZero).unwrap();
        prop_assert!(first.line_amount.normalize().scale() <= 2);
        let again = Figures { line_amount: Some(first.line_amount), ..figures };
        prop_assert_eq!(price(again, discount, 2, Rounding::HalfAwayFromZero), Ok(first));
    }
}
