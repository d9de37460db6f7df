//! The settlement of a payment: its amounts in the currency of Stripe's balance.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::text;
use crate::body::{BodyField, BodyShape};
use crate::exchange::SettledShare;
use crate::money::{Currency, Money, round_to_cents, rust_decimal_text};

/// A cent.
const CENT: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// What a payment is in Stripe's balance. Its fee and its surcharge are in the same currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// The currency of Stripe's balance.
    pub currency: Currency,
    /// What the allocations are in that currency, before the fee and without the surcharge.
    #[serde(
        serialize_with = "rust_decimal_text::serialize",
        deserialize_with = "text::deserialize_amount"
    )]
    pub amount: Decimal,
    /// Stripe's rate: units of that currency for one unit of the payment's.
    #[serde(
        serialize_with = "rust_decimal_text::serialize",
        deserialize_with = "deserialize_rate"
    )]
    pub rate: Decimal,
}

const SETTLEMENT: &[BodyField] = &[
    BodyField::single_value("currency"),
    BodyField::single_value("amount"),
    BodyField::single_value("rate"),
];

impl Settlement {
    /// The shape of a settlement in a message.
    pub(crate) const SHAPE: BodyShape = BodyShape::Object(SETTLEMENT);

    /// Why this cannot be the settlement of these amounts, as the end of a sentence that begins
    /// with the field's name. Stripe's rate and amount are rounded, the amount to whole units in a
    /// currency without decimals, so they may differ by 1 % and one such step; a rate the other way
    /// round differs by more, unless it is nearly 1.
    pub(crate) fn find_problem(&self, shares: &[Decimal], paid_in: Currency) -> Option<String> {
        let total: Decimal = shares.iter().sum();
        if self.currency == paid_in {
            return (self.amount != total)
                .then(|| format!("must be {total}, because the payment has the same currency"));
        }
        if self.amount < CENT * Decimal::from(shares.len()) {
            return Some("must be at least a cent for each invoice".to_owned());
        }
        let Some(expected) = total.checked_mul(self.rate).map(round_to_cents) else {
            return Some("must be the sum of the allocations at the rate".to_owned());
        };
        let step = if self.currency.is_without_decimals() { Decimal::ONE } else { CENT };
        let tolerance = expected / Decimal::ONE_HUNDRED + step;
        ((self.amount - expected).abs() > tolerance).then(|| {
            format!("must be about {expected}: {total} {paid_in} at the rate {}", self.rate)
        })
    }

    /// Divides the settled amount among the shares of a payment, in proportion and to the cent. No
    /// share is without a cent, if there are enough.
    pub(crate) fn split_among(&self, shares: &[Decimal], paid_in: Currency) -> Vec<SettledShare> {
        let total: Decimal = shares.iter().sum();
        let (mut before, mut taken) = (Decimal::ZERO, Decimal::ZERO);
        let mut settled = Vec::with_capacity(shares.len());
        let mut left = CENT * Decimal::from(shares.len());
        for share in shares {
            before += share;
            left -= CENT;
            let fair = (self.amount * before).checked_div(total).unwrap_or_default();
            let until = round_to_cents(fair).max(taken + CENT).min(self.amount - left);
            settled.push(SettledShare {
                paid: Money::new(*share, paid_in),
                settled: Money::new(until - taken, self.currency),
            });
            taken = until;
        }
        settled
    }
}

fn deserialize_rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let rate = text::deserialize_decimal(deserializer)?;
    if rate > Decimal::ZERO { Ok(rate) } else { Err(de::Error::custom("must be more than zero")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settlement(amount: &str, rate: &str) -> Settlement {
        let json = format!(r#"{{"currency":"GBP","amount":"{amount}","rate":"{rate}"}}"#);
        serde_json::from_str(&json).unwrap()
    }

    fn currency(code: &str) -> Currency {
        Currency::new(code).unwrap()
    }

    #[test]
    fn a_settlement_must_fit_the_allocations_at_its_rate() {
        let shares = [Decimal::from(100), Decimal::from(20)];
        let problem = |amount, rate, paid_in| {
            settlement(amount, rate).find_problem(&shares, currency(paid_in))
        };
        assert_eq!(problem("102.56", "0.854667", "EUR"), None);
        let inverse = problem("102.56", "1.170047", "EUR").unwrap();
        assert_eq!(inverse, "must be about 140.41: 120 EUR at the rate 1.170047");
        assert!(problem("0.01", "0.854667", "EUR").unwrap().contains("a cent"));
        assert_eq!(problem("120.00", "1", "GBP"), None);
        assert!(problem("119.00", "1", "GBP").unwrap().contains("must be 120"));
        assert!(
            serde_json::from_str::<Settlement>(r#"{"currency":"GBP","amount":"1.00","rate":"0"}"#)
                .is_err()
        );
    }

    #[test]
    fn a_settlement_may_differ_by_a_hundredth_and_a_cent_in_either_direction() {
        let shares = [Decimal::from(100), Decimal::from(20)];
        // 120.00 EUR at this rate are 102.56 GBP.
        for (amount, fits) in
            [("101.52", false), ("101.53", true), ("103.59", true), ("103.60", false)]
        {
            let problem = settlement(amount, "0.854667").find_problem(&shares, currency("EUR"));
            assert_eq!(problem.is_none(), fits, "{amount}: {problem:?}");
        }
        let cents = [CENT, CENT];
        let problem = |amount| settlement(amount, "1").find_problem(&cents, currency("EUR"));
        assert_eq!(problem("0.02"), None);
        assert!(problem("0.01").unwrap().contains("a cent for each invoice"));
    }

    #[test]
    fn a_settlement_in_a_currency_without_decimals_is_in_whole_units() {
        let problem = |code: &str, amount: &str| {
            let settlement =
                Settlement { currency: currency(code), ..settlement(amount, "160.52") };
            settlement.find_problem(&[Decimal::new(14, 2)], currency("EUR"))
        };
        // 0.14 EUR are 22.47 JPY, of which Stripe settles 22.
        assert_eq!(problem("JPY", "22"), None);
        assert_eq!(problem("JPY", "23"), None);
        assert!(problem("JPY", "20").unwrap().contains("about 22.47"));
        assert!(problem("ALL", "22").unwrap().contains("about 22.47"));
    }

    proptest! {
        #[test]
        fn the_shares_of_a_settlement_are_its_amount_and_none_is_without_a_cent(
            shares in prop::collection::vec(1_i64..1_000_000, 1..50), amount in 50_i64..10_000_000,
        ) {
            let shares = shares.into_iter().map(|cents| Decimal::new(cents, 2)).collect::<Vec<_>>();
            let amount = Decimal::new(amount, 2);
            let split = settlement(&amount.to_string(), "1").split_among(&shares, currency("EUR"));
            let sum: Decimal = split.iter().map(|share| share.settled.amount).sum();
            prop_assert_eq!(sum, amount);
            prop_assert!(split.iter().all(|share| share.settled.amount >= CENT));
        }
    }
}
