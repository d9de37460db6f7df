//! The conversion of a payment to the currency of the account that it goes to, as Xero computes it.
//!
//! A rate in Xero is the number of foreign units for one unit of the base currency, and at most one
//! side of a payment is foreign (developer.xero.com, Payments: AUD 495 at 0.916667 is NZD 540 in
//! the base currency). Xero derives the amount in the bank account from the payment's amount and
//! the rate. The rate is sent with six decimals, because no public source says that Xero keeps
//! more; the cents that this costs on large amounts are part of the fee's document.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money, round_to_cents};

/// The decimals of a rate that Xero keeps in any case.
const RATE_DECIMALS: u32 = 6;
/// The decimals of a rate below [`SMALL_RATE`], of which six would be too few digits. Xero's
/// answers show as many.
const SMALL_RATE_DECIMALS: u32 = 10;
/// A tenth.
const SMALL_RATE: Decimal = Decimal::from_parts(1, 0, 0, false, 1);

/// An amount in the currency of its document, and what it is in the currency of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettledShare {
    /// The amount in the document's currency.
    pub paid: Money,
    /// The amount that the account receives or loses.
    pub settled: Money,
}

/// How Xero converts an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// The rate to send: foreign units for one base unit. `None` if both currencies are the same.
    pub rate: Option<Decimal>,
    /// The amount that Xero books in the account, in the account's currency.
    pub booked: Money,
}

impl SettledShare {
    /// The conversion that comes closest to the settled amount in books with this base currency.
    /// `None` if both currencies are foreign, which Xero does not support, or if there is no rate.
    pub(crate) fn compute_exchange(&self, base: Currency) -> Option<Exchange> {
        let Self { paid, settled } = *self;
        if paid.currency == settled.currency {
            return Some(Exchange { rate: None, booked: paid });
        }
        let (rate, booked) = if settled.currency == base {
            let rate = round_rate(paid.amount.checked_div(settled.amount)?)?;
            (rate, paid.amount.checked_div(rate)?)
        } else if paid.currency == base {
            let rate = round_rate(settled.amount.checked_div(paid.amount)?)?;
            (rate, paid.amount.checked_mul(rate)?)
        } else {
            return None;
        };
        let booked = Money::new(round_to_cents(booked), settled.currency);
        Some(Exchange { rate: Some(rate), booked })
    }
}

/// What Xero books for these shares beyond what was settled; negative if it books less. `None` as
/// for [`SettledShare::compute_exchange`].
pub(crate) fn booked_beyond(shares: &[SettledShare], base: Currency) -> Option<Decimal> {
    shares.iter().try_fold(Decimal::ZERO, |beyond, share| {
        let exchange = share.compute_exchange(base)?;
        Some(beyond + exchange.booked.amount - share.settled.amount)
    })
}

/// Whether Xero may book another amount for these shares than was settled, in books with one of
/// these base currencies.
pub(crate) fn may_lose_cents(shares: &[SettledShare], bases: [Currency; 2]) -> bool {
    let loses = |base| booked_beyond(shares, base).is_none_or(|beyond| !beyond.is_zero());
    bases.into_iter().any(loses)
}

/// A rate with the decimals that are sent. `None` if nothing is left of it.
fn round_rate(rate: Decimal) -> Option<Decimal> {
    let decimals = if rate < SMALL_RATE { SMALL_RATE_DECIMALS } else { RATE_DECIMALS };
    let rounded = rate.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
    (!rounded.is_zero()).then_some(rounded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(text: &str, currency: &str) -> Money {
        Money::new(text.parse().unwrap(), Currency::new(currency).unwrap())
    }

    fn share(paid: (&str, &str), settled: (&str, &str)) -> SettledShare {
        SettledShare { paid: money(paid.0, paid.1), settled: money(settled.0, settled.1) }
    }

    #[test]
    fn a_rate_is_foreign_units_for_one_base_unit_whichever_side_is_foreign() {
        for (paid, settled, rate) in [
            (("120.00", "EUR"), ("102.56", "GBP"), Some("1.170047")),
            (("40.00", "EUR"), ("34.50", "GBP"), Some("1.159420")),
            (("120.00", "GBP"), ("138.31", "EUR"), Some("1.152583")),
            (("40.00", "GBP"), ("46.20", "EUR"), Some("1.155000")),
            (("120.00", "GBP"), ("2600000.00", "IDR"), Some("21666.666667")),
            (("120.00", "GBP"), ("120.00", "GBP"), None),
            (("120.00", "EUR"), ("120.00", "EUR"), None),
        ] {
            let share = share(paid, settled);
            let exchange = share.compute_exchange(Currency::new("GBP").unwrap()).unwrap();
            assert_eq!(exchange.rate, rate.map(|rate| rate.parse().unwrap()), "{share:?}");
            assert_eq!(exchange.booked, share.settled);
        }
    }

    #[test]
    fn xero_has_no_rate_between_two_foreign_currencies() {
        let share = share(("120.00", "EUR"), ("129.60", "USD"));
        assert_eq!(share.compute_exchange(Currency::new("GBP").unwrap()), None);
        assert_eq!(booked_beyond(&[share], Currency::new("GBP").unwrap()), None);
    }

    #[test]
    fn a_small_rate_keeps_enough_digits() {
        let share = share(("100.00", "GBP"), ("2013000.00", "IDR"));
        let exchange = share.compute_exchange(Currency::new("IDR").unwrap()).unwrap();
        assert_eq!(exchange.rate, Some("0.0000496771".parse().unwrap()));
        assert!((exchange.booked.amount - share.settled.amount).abs() < Decimal::from(2));
    }

    proptest! {
        #[test]
        fn what_is_booked_differs_by_less_than_the_rate_can_lose(
            paid in 100_i64..1_000_000, settled in 100_i64..1_000_000, is_base in any::<bool>(),
        ) {
            let currencies = if is_base { ("EUR", "GBP") } else { ("GBP", "EUR") };
            let share = SettledShare {
                paid: Money::new(Decimal::new(paid, 2), Currency::new(currencies.0).unwrap()),
                settled: Money::new(Decimal::new(settled, 2), Currency::new(currencies.1).unwrap()),
            };
            let base = Currency::new("GBP").unwrap();
            if let Some(beyond) = booked_beyond(&[share], base) {
                let most = share.settled.amount / Decimal::from(100_000) + Decimal::new(1, 2);
                prop_assert!(beyond.abs() <= most, "{share:?} {beyond}");
            }
        }
    }
}
