//! Money: an exact amount with its currency. Amounts of different currencies cannot be subtracted
//! from each other.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// An ISO 4217 code of three capital letters. Xero decides whether an organisation may use it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// The text is not a currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a currency code of three capital letters, such as GBP")]
pub struct InvalidCurrency;

impl Currency {
    /// Checks for three capital letters.
    ///
    /// # Errors
    ///
    /// [`InvalidCurrency`] if the text is anything else.
    pub fn new(code: &str) -> Result<Self, InvalidCurrency> {
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| InvalidCurrency)?;
        if bytes.iter().all(u8::is_ascii_uppercase) {
            Ok(Self(bytes))
        } else {
            Err(InvalidCurrency)
        }
    }

    /// Whether the currency has no decimals, according to ISO 4217. Xero nevertheless keeps two
    /// decimals.
    pub fn is_without_decimals(&self) -> bool {
        matches!(
            self.as_str(),
            "BIF"
                | "CLP"
                | "DJF"
                | "GNF"
                | "ISK"
                | "JPY"
                | "KMF"
                | "KRW"
                | "PYG"
                | "RWF"
                | "UGX"
                | "UYI"
                | "VND"
                | "VUV"
                | "XAF"
                | "XOF"
                | "XPF"
        )
    }

    /// The code, such as `GBP`.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("three capital ASCII letters, checked by `new`")
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidCurrency;

    fn try_from(code: String) -> Result<Self, InvalidCurrency> {
        Self::new(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An amount in a currency. It is stored and displayed with the amount as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// The amount, in whole units of the currency.
    #[serde(with = "rust_decimal_text")]
    pub amount: Decimal,
    /// The currency of the amount.
    pub currency: Currency,
}

impl Money {
    /// An amount in a currency.
    pub const fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// The same amount, written with at least two decimals.
    #[must_use]
    pub fn in_cents(self) -> Self {
        let mut amount = self.amount.normalize();
        if amount.scale() <= 2 {
            amount.rescale(2);
        }
        Self { amount, ..self }
    }

    /// No money in this currency.
    pub const fn zero_amount(currency: Currency) -> Self {
        Self::new(Decimal::ZERO, currency)
    }

    /// `self - other`, or `None` if the currencies differ or the result cannot be represented.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        (self.currency == other.currency)
            .then(|| self.amount.checked_sub(other.amount))
            .flatten()
            .map(|amount| Self::new(amount, self.currency))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.amount)
    }
}

/// Rounds to cents, halves away from zero, as Xero rounds line amounts and the tax of each line.
pub fn round_to_cents(amount: Decimal) -> Decimal {
    let mut rounded = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(2);
    rounded
}

/// Decimals as JSON text: `"12.50"`. Unlike a number that keeps its digits, this works under every
/// serde attribute. Records that only this product reads use it.
pub mod rust_decimal_text {
    use rust_decimal::Decimal;
    use serde::{Deserialize, Deserializer, Serializer, de};

    /// Writes the digits in quotes.
    pub fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    /// Reads plain digits in quotes: no exponent, no separators.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        let text = String::deserialize(deserializer)?;
        Decimal::from_str_exact(&text)
            .map_err(|_| de::Error::custom("must be a decimal number in quotes, such as \"12.50\""))
    }

    /// The same for an optional decimal. With `#[serde(default)]` an absent field is `None`.
    pub mod option {
        use rust_decimal::Decimal;
        use serde::{Deserialize, Deserializer, Serializer};

        #[derive(Deserialize)]
        #[serde(transparent)]
        struct DecimalText(#[serde(with = "super")] Decimal);

        /// Writes the digits in quotes, or `null`.
        pub fn serialize<S: Serializer>(
            value: &Option<Decimal>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(decimal) => serializer.collect_str(decimal),
                None => serializer.serialize_none(),
            }
        }

        /// Reads digits in quotes, or `null`.
        pub fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Decimal>, D::Error> {
            Ok(Option::<DecimalText>::deserialize(deserializer)?.map(|text| text.0))
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An amount in British pounds.
    pub(crate) fn pounds(cents: i64) -> Money {
        Money::new(Decimal::new(cents, 2), Currency::new("GBP").unwrap())
    }

    fn decimal(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    #[test]
    fn halves_round_away_from_zero() {
        for (exact, rounded) in
            [("0.005", "0.01"), ("-0.005", "-0.01"), ("2.344999", "2.34"), ("1", "1.00")]
        {
            assert_eq!(round_to_cents(decimal(exact)).to_string(), rounded);
        }
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        assert_eq!(Currency::new("GBP").unwrap().as_str(), "GBP");
        for bad in ["gbp", "GB", "GBPX", "G1P", "£££"] {
            assert_eq!(Currency::new(bad), Err(InvalidCurrency), "{bad}");
        }
    }

    #[test]
    fn different_currencies_do_not_mix() {
        let pounds = Money::new(decimal("5.00"), Currency::new("GBP").unwrap());
        let euros = Money::new(decimal("5.00"), Currency::new("EUR").unwrap());
        assert_eq!(pounds.checked_sub(euros), None);
        assert_eq!(pounds.checked_sub(pounds).unwrap().to_string(), "GBP 0.00");
    }

    proptest! {
        #[test]
        fn rounding_moves_an_amount_by_half_a_cent_at_most(mantissa in any::<i64>(), scale in 0_u32..=10) {
            let exact = Decimal::new(mantissa, scale);
            let rounded = round_to_cents(exact);
            prop_assert!((rounded - exact).abs() <= decimal("0.005"));
            prop_assert_eq!(rounded.scale(), 2);
            prop_assert_eq!(round_to_cents(rounded), rounded);
            prop_assert_eq!(round_to_cents(-exact), -rounded);
        }

        #[test]
        fn money_comes_back_from_its_record(mantissa in any::<i64>(), scale in 0_u32..=10) {
            let money = Money::new(Decimal::new(mantissa, scale), Currency::new("NZD").unwrap());
            let text = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&text).unwrap(), money);
        }
    }
}
