//! Field readers shared by the snapshots. Each error says what the field must be; the path that
//! serde reports says which field it is.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de};
use serde_json::Number;

use super::Revision;
use crate::translate::text::is_sendable;

/// The maximum length of short texts (names, references, parts of addresses), in characters.
const SHORT: usize = 255;
/// The maximum length of long texts, in characters. Xero limits line descriptions to 4,000.
const LONG: usize = 4_000;

/// The text without surrounding spaces. The spaces count towards its length, as in the schemas.
fn trim_and_check_length<E: de::Error>(text: &str, limit: usize) -> Result<String, E> {
    if text.chars().count() > limit {
        return Err(E::custom(format_args!("must be at most {limit} characters long")));
    }
    Ok(text.trim().to_owned())
}

/// Whether a character is visible. A text without one would be empty in Xero: spaces are trimmed,
/// and what Xero does not accept is left out. The schemas state the same characters in a pattern
/// that must run in every regex engine, so the pattern ends with the basic plane.
fn is_visible(sign: char) -> bool {
    !sign.is_whitespace() && is_sendable(sign)
}

/// Reads a text that contains at least one character of this kind.
fn deserialize_required_text<'de, D: Deserializer<'de>>(
    deserializer: D,
    limit: usize,
    says_something: impl Fn(char) -> bool,
) -> Result<String, D::Error> {
    let text = trim_and_check_length::<D::Error>(&String::deserialize(deserializer)?, limit)?;
    if text.chars().any(says_something) {
        Ok(text)
    } else {
        Err(de::Error::custom("must not be empty"))
    }
}

fn deserialize_optional_text<'de, D: Deserializer<'de>>(
    deserializer: D,
    limit: usize,
) -> Result<Option<String>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let text = trim_and_check_length::<D::Error>(&text, limit)?;
    Ok(text.chars().any(is_visible).then_some(text))
}

/// Reads 1 to 255 characters, trimmed. Xero rejects angle brackets in a contact's name, so a name
/// of angle brackets alone counts as empty.
pub(super) fn deserialize_name<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    deserialize_required_text(deserializer, SHORT, |sign| {
        is_visible(sign) && !matches!(sign, '<' | '>')
    })
}

/// Reads 1 to 500 characters, trimmed.
pub(super) fn deserialize_line_name<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    deserialize_required_text(deserializer, 500, is_visible)
}

/// Reads the name of a tracking category or option: 1 to 255 characters, trimmed.
pub(super) fn deserialize_tracking_name<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    deserialize_required_text(deserializer, SHORT, is_visible)
}

/// Reads at most 255 characters. A text without a visible character is `None`.
pub(super) fn deserialize_short_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    deserialize_optional_text(deserializer, SHORT)
}

/// Reads at most 4,000 characters. A text without a visible character is `None`.
pub(super) fn deserialize_long_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    deserialize_optional_text(deserializer, LONG)
}

/// Reads an integer of 1 or more.
pub(super) fn deserialize_revision<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Revision, D::Error> {
    match parse_whole_number(&Number::deserialize(deserializer)?) {
        None => {
            Err(de::Error::custom(format_args!("must be a whole number from 1 to {}", u64::MAX)))
        }
        Some(0) => Err(de::Error::custom("must be 1 or more")),
        Some(revision) => Ok(revision),
    }
}

/// A whole number of 0 or more. JSON Schema also counts `1.0` and `1e0` as integers, and some
/// languages write `1` in that form.
pub(crate) fn parse_whole_number(number: &Number) -> Option<u64> {
    if let Some(whole) = number.as_u64() {
        return Some(whole);
    }
    let text = number.to_string();
    let exact = Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text)).ok()?;
    if exact.is_integer() { u64::try_from(exact).ok() } else { None }
}

/// Reads a calendar date in the form `YYYY-MM-DD`.
pub(super) fn deserialize_date<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Date, D::Error> {
    parse_date(&String::deserialize(deserializer)?)
}

/// Reads an optional calendar date in the form `YYYY-MM-DD`.
pub(super) fn deserialize_optional_date<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Date>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| parse_date(&text)).transpose()
}

fn parse_date<E: de::Error>(text: &str) -> Result<Date, E> {
    let shaped = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let date = if shaped { text.parse::<Date>().ok() } else { None };
    match date {
        Some(date) if (1900..=2199).contains(&date.year()) => Ok(date),
        Some(_) => Err(E::custom("must be a date from 1900-01-01 to 2199-12-31")),
        None => Err(E::custom("must be a date that exists, written YYYY-MM-DD")),
    }
}

/// Reads an instant in UTC, `YYYY-MM-DDTHH:MM:SSZ`, with at most nine decimals of a second.
pub(crate) fn deserialize_instant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Timestamp, D::Error> {
    parse_instant(&String::deserialize(deserializer)?)
}

fn parse_instant<E: de::Error>(text: &str) -> Result<Timestamp, E> {
    let shaped = text.strip_suffix('Z').and_then(|rest| rest.split_once('T'));
    let shaped = shaped.is_some_and(|(date, time)| parse_date::<E>(date).is_ok() && is_time(time));
    let instant = if shaped { text.parse::<Timestamp>().ok() } else { None };
    instant.ok_or_else(|| E::custom("must be an instant in UTC, written YYYY-MM-DDTHH:MM:SSZ"))
}

/// Whether the text is `HH:MM:SS`, optionally with decimals.
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

/// Reads a decimal in quotes: digits without superfluous leading zeros, an optional sign, an
/// optional point, and nothing else.
pub(super) fn deserialize_decimal<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Decimal, D::Error> {
    parse_decimal(&String::deserialize(deserializer)?)
}

pub(super) fn parse_decimal<E: de::Error>(text: &str) -> Result<Decimal, E> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = whole == "0" || !whole.starts_with('0');
    // Thirteen digits before the point exceed Xero's largest line amount, and leave room to
    // multiply.
    let is_short = whole.len() <= 13 && fraction.len() <= 10;
    let is_number = digits(whole) && digits(fraction) && is_plain;
    if is_number && !is_short {
        return Err(E::custom("must have at most 13 digits before the point and 10 after it"));
    }
    let decimal = if is_number { Decimal::from_str_exact(text).ok() } else { None };
    decimal.ok_or_else(|| E::custom("must be a decimal number in quotes, such as \"12.50\""))
}

/// Parses a decimal of zero or more.
pub(super) fn parse_unsigned<E: de::Error>(text: &str) -> Result<Decimal, E> {
    if text.starts_with('-') {
        return Err(E::custom("must not be negative"));
    }
    parse_decimal(text)
}

/// Reads an amount with at most 2 decimals, of either sign.
pub(super) fn deserialize_cents<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Decimal, D::Error> {
    check_cents(deserialize_decimal(deserializer)?)
}

/// Reads a positive amount with at most 2 decimals.
pub(super) fn deserialize_amount<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Decimal, D::Error> {
    let amount = deserialize_cents(deserializer)?;
    if amount > Decimal::ZERO {
        Ok(amount)
    } else {
        Err(de::Error::custom("must be more than zero"))
    }
}

pub(super) fn check_cents<E: de::Error>(mut amount: Decimal) -> Result<Decimal, E> {
    if amount.normalize().scale() > 2 {
        return Err(E::custom("must have at most 2 decimals"));
    }
    amount.rescale(2);
    Ok(amount)
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
