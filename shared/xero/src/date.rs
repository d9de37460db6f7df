//! Xero's dates.
//!
//! In JSON, Xero writes instants as `/Date(1539993600000+0000)/`, milliseconds since the epoch with
//! an offset that is sometimes left out and never changes the instant. Calendar dates come twice: in
//! that form, as midnight UTC of the date, and as `2019-07-22T00:00:00`. The connections endpoint
//! writes seven fractional digits and no offset, meaning UTC. All of them are read here.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, de};

/// Why a text is not a date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a date such as /Date(1539993600000+0000)/ or 2018-10-20T00:00:00")]
pub struct NotADate;

/// Reads an instant. Without an offset it is UTC.
pub fn instant(text: &str) -> Result<Timestamp, NotADate> {
    if let Some(instant) = wrapped(text)? {
        return Ok(instant);
    }
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| {
            let civil = text.parse::<DateTime>().ok()?;
            civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        })
        .ok_or(NotADate)
}

/// Reads a calendar date: the date that is written, never shifted into another zone.
pub fn date(text: &str) -> Result<Date, NotADate> {
    if let Some(midnight) = wrapped(text)? {
        return Ok(midnight.to_zoned(TimeZone::UTC).date());
    }
    text.parse::<DateTime>()
        .map(DateTime::date)
        .or_else(|_| instant(text).map(|instant| instant.to_zoned(TimeZone::UTC).date()))
}

/// The instant in `/Date(...)/`, or `None` when the text has another form.
fn wrapped(text: &str) -> Result<Option<Timestamp>, NotADate> {
    let Some(inner) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) else {
        return Ok(None);
    };
    // The sign of the milliseconds is not the sign of an offset, so the search starts behind it.
    let offset = inner.char_indices().skip(1).find(|(_, sign)| matches!(sign, '+' | '-'));
    let digits = match offset {
        Some((at, _)) => {
            let (digits, offset) = inner.split_at(at);
            if !is_offset(offset) {
                return Err(NotADate);
            }
            digits
        }
        None => inner,
    };
    let milliseconds: i64 = digits.parse().map_err(|_| NotADate)?;
    Timestamp::from_millisecond(milliseconds).map(Some).map_err(|_| NotADate)
}

fn is_offset(text: &str) -> bool {
    text.len() == 5 && text.bytes().skip(1).all(|byte| byte.is_ascii_digit())
}

/// For `#[serde(deserialize_with)]`: an instant, `null`, or with `#[serde(default)]` an absent field.
pub(crate) fn optional_instant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    read_optional(deserializer, instant)
}

/// For `#[serde(deserialize_with)]`: a calendar date, `null`, or with `#[serde(default)]` an absent
/// field.
pub(crate) fn optional_date<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Date>, D::Error> {
    read_optional(deserializer, date)
}

fn read_optional<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: fn(&str) -> Result<T, NotADate>,
) -> Result<Option<T>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        Some(text) if !text.is_empty() => read(&text).map(Some).map_err(de::Error::custom),
        Some(_) | None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_of_an_instant_that_xero_writes_is_read() {
        for (text, expected) in [
            ("/Date(1539993600000+0000)/", "2018-10-20T00:00:00Z"),
            ("/Date(1551981568133)/", "2019-03-07T17:59:28.133Z"),
            ("/Date(1539993600000+1300)/", "2018-10-20T00:00:00Z"),
            ("/Date(-86400000+0000)/", "1969-12-31T00:00:00Z"),
            ("/Date(-86400000)/", "1969-12-31T00:00:00Z"),
            ("2018-11-02 16:31:30+00:00", "2018-11-02T16:31:30Z"),
            ("2018-11-02T16:31:30Z", "2018-11-02T16:31:30Z"),
            ("2026-01-12T18:46:19.5165400", "2026-01-12T18:46:19.51654Z"),
        ] {
            assert_eq!(instant(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn a_calendar_date_is_the_one_that_is_written() {
        for text in [
            "2018-10-20T00:00:00",
            "2018-10-20",
            "/Date(1539993600000+0000)/",
            "2018-10-20T00:00:00Z",
            "2018-10-20T00:00:00+13:00",
        ] {
            assert_eq!(date(text).unwrap(), civil::date(2018, 10, 20), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["", "/Date()/", "/Date(x)/", "/Date(1+00)/", "/Date(1+0x00)/", "yesterday"] {
            assert_eq!(instant(text), Err(NotADate), "{text}");
            assert_eq!(date(text), Err(NotADate), "{text}");
        }
        assert_eq!(instant("/Date(9223372036854775807)/"), Err(NotADate));
    }

    proptest! {
        #[test]
        fn any_instant_comes_back_from_its_milliseconds(
            milliseconds in -60_000_000_000_000_i64..=250_000_000_000_000,
            offset in prop::sample::select(vec!["", "+0000", "-0800", "+1345"]),
        ) {
            let read = instant(&format!("/Date({milliseconds}{offset})/")).unwrap();
            prop_assert_eq!(read.as_millisecond(), milliseconds);
        }

        #[test]
        fn any_date_comes_back_from_both_of_its_forms(
            year in 1900_i16..=2199, month in 1_i8..=12, day in 1_i8..=28,
        ) {
            let expected = civil::date(year, month, day);
            let midnight = expected.to_zoned(TimeZone::UTC).unwrap().timestamp();
            prop_assert_eq!(date(&format!("{expected}T00:00:00")).unwrap(), expected);
            let wrapped = format!("/Date({}+0000)/", midnight.as_millisecond());
            prop_assert_eq!(date(&wrapped).unwrap(), expected);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = (instant(&text), date(&text));
            let _ = instant(&format!("/Date({text})/"));
        }
    }
}
