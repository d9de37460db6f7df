//! Field readers shared by the snapshots. Each error says what the field must be; serde's path says
//! which field it is.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de};

use super::Revision;
use crate::translate::text::is_sendable;

/// The longest short text: names, references, address parts.
const SHORT: usize = 255;
/// The longest long text. Xero's line descriptions end at 4,000 characters.
const LONG: usize = 4_000;

fn bounded<E: de::Error>(text: &str, limit: usize) -> Result<String, E> {
    let trimmed = text.trim();
    if trimmed.chars().count() > limit {
        return Err(E::custom(format_args!("must be at most {limit} characters long")));
    }
    Ok(trimmed.to_owned())
}

fn required<'de, D: Deserializer<'de>>(deserializer: D, limit: usize) -> Result<String, D::Error> {
    let text = bounded::<D::Error>(&String::deserialize(deserializer)?, limit)?;
    // Of a text of control characters nothing would be left in Xero.
    if text.chars().any(|sign| is_sendable(sign) && !sign.is_whitespace()) {
        Ok(text)
    } else {
        Err(de::Error::custom("must not be empty"))
    }
}

fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
    limit: usize,
) -> Result<Option<String>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let text = bounded::<D::Error>(&text, limit)?;
    Ok((!text.is_empty()).then_some(text))
}

/// 1 to 255 characters, trimmed.
pub(super) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    required(deserializer, SHORT)
}

/// 1 to 500 characters, trimmed.
pub(super) fn line_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    required(deserializer, 500)
}

/// At most 255 characters; blank is none.
pub(super) fn short<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    optional(deserializer, SHORT)
}

/// At most 4,000 characters; blank is none.
pub(super) fn long<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    optional(deserializer, LONG)
}

/// An integer of 1 or more.
pub(super) fn revision<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Revision, D::Error> {
    match Revision::deserialize(deserializer)? {
        0 => Err(de::Error::custom("must be 1 or more")),
        revision => Ok(revision),
    }
}

/// A calendar date, `YYYY-MM-DD` and nothing else.
pub(super) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    parse_date(&String::deserialize(deserializer)?)
}

/// The same, optional.
pub(super) fn optional_date<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Date>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| parse_date(&text)).transpose()
}

fn parse_date<E: de::Error>(text: &str) -> Result<Date, E> {
    let shaped = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let date = if shaped { text.parse::<Date>().ok() } else { None };
    date.filter(|date| (1900..=2199).contains(&date.year()))
        .ok_or_else(|| E::custom("must be a date of the calendar, written YYYY-MM-DD"))
}

/// An instant in UTC, `YYYY-MM-DDTHH:MM:SSZ` with at most nine decimals of a second.
pub(crate) fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    parse_instant(&String::deserialize(deserializer)?)
}

fn parse_instant<E: de::Error>(text: &str) -> Result<Timestamp, E> {
    let shaped = text.strip_suffix('Z').and_then(|rest| rest.split_once('T'));
    let shaped = shaped.is_some_and(|(date, time)| parse_date::<E>(date).is_ok() && is_time(time));
    let instant = if shaped { text.parse::<Timestamp>().ok() } else { None };
    instant.ok_or_else(|| E::custom("must be an instant in UTC, written YYYY-MM-DDTHH:MM:SSZ"))
}

/// Whether it is `HH:MM:SS`, perhaps with decimals.
fn is_time(text: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let parts = clock.split(':').collect::<Vec<_>>();
    let &[hours, minutes, seconds] = parts.as_slice() else { return false };
    let is_within = |(part, last): (&str, u8)| {
        part.len() == 2 && digits(part) && part.parse::<u8>().is_ok_and(|number| number <= last)
    };
    [(hours, 23), (minutes, 59), (seconds, 59)].into_iter().all(is_within)
        && (1..=9).contains(&fraction.len())
        && digits(fraction)
}

/// A decimal in quotes: digits without superfluous zeros in front, an optional sign and point, nothing else.
pub(super) fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    parse_decimal(&String::deserialize(deserializer)?)
}

pub(super) fn parse_decimal<E: de::Error>(text: &str) -> Result<Decimal, E> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = whole == "0" || !whole.starts_with('0');
    // Thirteen digits before the point are more than Xero's largest line, and leave room to multiply.
    let shaped =
        digits(whole) && digits(fraction) && is_plain && whole.len() <= 13 && fraction.len() <= 10;
    let decimal = if shaped { Decimal::from_str_exact(text).ok() } else { None };
    decimal.ok_or_else(|| E::custom("must be a decimal number in quotes, such as \"12.50\""))
}

/// A decimal without a sign.
pub(super) fn parse_unsigned<E: de::Error>(text: &str) -> Result<Decimal, E> {
    if text.starts_with('-') {
        return Err(E::custom("must not be negative"));
    }
    parse_decimal(text)
}

/// An amount in cents, of either sign.
pub(super) fn cents<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    in_cents(decimal(deserializer)?)
}

/// More than zero, in cents.
pub(super) fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let amount = cents(deserializer)?;
    if amount > Decimal::ZERO {
        Ok(amount)
    } else {
        Err(de::Error::custom("must be more than zero"))
    }
}

pub(super) fn in_cents<E: de::Error>(mut amount: Decimal) -> Result<Decimal, E> {
    if amount.normalize().scale() > 2 {
        return Err(E::custom("must have at most 2 decimals"));
    }
    amount.rescale(2);
    Ok(amount)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::value::Error;

    use super::*;

    #[test]
    fn an_instant_is_in_utc_and_nothing_else() {
        for good in
            ["2026-11-02T09:14:05Z", "2026-11-02T23:59:59.123456789Z", "1900-01-01T00:00:00.5Z"]
        {
            assert!(parse_instant::<Error>(good).is_ok(), "{good}");
        }
        for bad in [
            "2026-11-02T09:14:05",
            "2026-11-02T09:14:05+00:00",
            "2026-11-02 09:14:05Z",
            "2026-11-02T09:14Z",
            "2026-11-02T24:00:00Z",
            "2026-11-02T09:14:60Z",
            "2026-11-02T09:14:05.Z",
            "2026-11-02T09:14:05.1234567890Z",
            "2026-02-30T09:14:05Z",
            "2200-01-01T00:00:00Z",
            "",
        ] {
            assert!(parse_instant::<Error>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_decimal_has_no_superfluous_zeros_in_front() {
        for bad in ["00", "01.50", "-007", "", "-", ".5", "5.", "+5", "1e3", " 1"] {
            assert!(parse_decimal::<Error>(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_date_of_the_calendar_comes_back_as_it_was_written(
            year in 1900_i16..=2199,
            month in 1_i8..=12,
            day in 1_i8..=31,
        ) {
            let text = format!("{year:04}-{month:02}-{day:02}");
            match Date::new(year, month, day) {
                Ok(date) => {
                    prop_assert_eq!(parse_date::<Error>(&text).unwrap(), date);
                    prop_assert_eq!(date.to_string(), text);
                }
                Err(_) => prop_assert!(parse_date::<Error>(&text).is_err()),
            }
        }

        #[test]
        fn a_decimal_in_plain_digits_comes_back_as_it_was_written(
            whole in "(-?[1-9][0-9]{0,12}|0)",
            fraction in "(\\.[0-9]{1,10})?",
        ) {
            let text = format!("{whole}{fraction}");
            prop_assert_eq!(parse_decimal::<Error>(&text).unwrap().to_string(), text);
        }

        #[test]
        fn anything_else_is_refused_and_never_panics(text in ".*") {
            let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
            if !plain {
                prop_assert!(parse_decimal::<Error>(&text).is_err());
                prop_assert!(parse_date::<Error>(&text).is_err());
            }
        }
    }
}
