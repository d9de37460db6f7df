//! Exact decimals in JSON: `12.50` is read and written as `12.50`, without a float in between.
//!
//! Xero writes amounts as JSON numbers. Its documentation shows some in quotes, so both forms are
//! read. Serde's own path for numbers goes through `f64` and turns `1234567890123.4567` into
//! `1234567890123.4568`, so the digits are taken from the raw token.
//!
//! Use with `#[serde(with = "json_number")]`. [`option`] writes optional fields, and
//! [`optional_figure`](crate::json::optional_figure) reads them. A type that uses this must be
//! parsed directly from text: `RawValue` does not work under `#[serde(flatten)]`, untagged enums
//! or `serde_json::Value`.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

/// Writes the decimal as a JSON number with exactly its digits.
pub(crate) fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(value.to_string()).map_err(ser::Error::custom)?.serialize(serializer)
}

/// Reads a JSON number, plain or in quotes, with exactly its digits.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    parse_number(raw.get())
        .ok_or_else(|| de::Error::custom(format!("not a decimal number: {}", raw.get())))
}

fn parse_number(token: &str) -> Option<Decimal> {
    let digits = token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(token);
    Decimal::from_str_exact(digits).ok().or_else(|| Decimal::from_scientific(digits).ok())
}

/// Writes `Option<Decimal>` the same way.
pub(crate) mod option {
    use super::{Decimal, Serializer};

    /// Writes the number, or `null`.
    #[allow(clippy::ref_option, reason = "serde passes the field by reference")]
    pub(crate) fn serialize<S: Serializer>(
        value: &Option<Decimal>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(decimal) => super::serialize(decimal, serializer),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Line {
        #[serde(with = "super")]
        amount: Decimal,
        #[serde(
            default,
            serialize_with = "super::option::serialize",
            deserialize_with = "crate::json::optional_figure",
            skip_serializing_if = "Option::is_none"
        )]
        discount: Option<Decimal>,
    }

    fn read(text: &str) -> Line {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn digits_that_a_float_would_lose_are_kept() {
        let text = r#"{"amount":1234567890123.4567}"#;
        assert_eq!(serde_json::to_string(&read(text)).unwrap(), text);
    }

    #[test]
    fn trailing_zeros_are_kept() {
        let text = r#"{"amount":12.50,"discount":0.0000}"#;
        assert_eq!(serde_json::to_string(&read(text)).unwrap(), text);
    }

    #[test]
    fn a_number_in_quotes_and_an_exponent_are_read() {
        assert_eq!(read(r#"{"amount":"7.10"}"#).amount, Decimal::new(710, 2));
        assert_eq!(read(r#"{"amount":1.5e2}"#).amount, Decimal::new(150, 0));
        assert_eq!(read(r#"{"amount":1,"discount":null}"#).discount, None);
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for bad in
            [r#"{"amount":"x"}"#, r#"{"amount":true}"#, r#"{"amount":null}"#, r#"{"amount":""}"#]
        {
            assert!(serde_json::from_str::<Line>(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_decimal_comes_back_with_its_scale(mantissa in any::<i64>(), scale in 0_u32..=18) {
            let line = Line { amount: Decimal::new(mantissa, scale), discount: None };
            let back = read(&serde_json::to_string(&line).unwrap());
            prop_assert_eq!(back.amount.scale(), scale);
            prop_assert_eq!(back, line);
        }
    }
}
