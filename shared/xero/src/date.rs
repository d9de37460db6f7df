//! Xero's dates.
//!
//! In JSON, Xero writes instants as `/Date(1539993600000+0000)/`: milliseconds since the epoch with
//! an offset that is sometimes omitted and never changes the instant. Calendar dates appear in two
//! forms: in that one, as midnight UTC of the date, and as `2019-07-22T00:00:00`. The connections
//! endpoint writes seven fractional digits without an offset, meaning UTC. This module reads all of
//! these forms.

use jiff::civil::{self, Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::Deserializer;

use crate::json::{optional_value, text_of};

/// The text is not a date in any of Xero's forms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a date such as /Date(1539993600000+0000)/ or 2018-10-20T00:00:00")]
pub struct NotADate;

/// Reads an instant. An instant without an offset is in UTC.
pub fn parse_instant(text: &str) -> Result<Timestamp, NotADate> {
    if let Some(milliseconds) = wrapped_milliseconds(text)? {
        return Timestamp::from_millisecond(milliseconds).map_err(|_| NotADate);
    }
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| {
            let civil = text.parse::<DateTime>().ok()?;
            civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        })
        .ok_or(NotADate)
}

/// Reads a calendar date exactly as written, without converting it to another time zone. The last
/// days of the year 9999, which are outside the range of instants, are valid dates.
pub fn parse_date(text: &str) -> Result<Date, NotADate> {
    const DAY_MILLISECONDS: i64 = 86_400_000;
    if let Some(milliseconds) = wrapped_milliseconds(text)? {
        let days = Span::new().try_days(milliseconds.div_euclid(DAY_MILLISECONDS));
        let days = days.map_err(|_| NotADate)?;
        return civil::date(1970, 1, 1).checked_add(days).map_err(|_| NotADate);
    }
    text.parse::<DateTime>()
        .map(DateTime::date)
        .or_else(|_| parse_instant(text).map(|instant| instant.to_zoned(TimeZone::UTC).date()))
}

/// The milliseconds in `/Date(...)/`, or `None` if the text has another form.
fn wrapped_milliseconds(text: &str) -> Result<Option<i64>, NotADate> {
    let Some(inner) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) else {
        return Ok(None);
    };
    // The first character may be the sign of the milliseconds, so the search for an offset starts
    // after it.
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
    digits.parse().map(Some).map_err(|_| NotADate)
}

fn is_offset(text: &str) -> bool {
    text.len() == 5 && text.bytes().skip(1).all(|byte| byte.is_ascii_digit())
}

/// For `#[serde(default, deserialize_with)]`: an instant, or `None` if it is absent or cannot be
/// read. Rows of other apps contain dates outside the calendar.
pub(crate) fn optional_instant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    read_optional(deserializer, parse_instant)
}

/// For `#[serde(default, deserialize_with)]`: a calendar date, or `None` if it is absent or cannot
/// be read.
pub(crate) fn optional_date<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Date>, D::Error> {
    read_optional(deserializer, parse_date)
}

fn read_optional<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: fn(&str) -> Result<T, NotADate>,
) -> Result<Option<T>, D::Error> {
    let text = optional_value(deserializer)?.and_then(|raw| text_of(raw.get()));
    Ok(text.and_then(|text| read(&text).ok()))
}

#[cfg(test)]
mod tests {
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
            assert_eq!(parse_instant(text).unwrap().to_string(), expected, "{text}");
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
            assert_eq!(parse_date(text).unwrap(), civil::date(2018, 10, 20), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["", "/Date()/", "/Date(x)/", "/Date(1+00)/", "/Date(1+0x00)/", "yesterday"] {
            assert_eq!(parse_instant(text), Err(NotADate), "{text}");
            assert_eq!(parse_date(text), Err(NotADate), "{text}");
        }
        assert_eq!(parse_instant("/Date(9223372036854775807)/"), Err(NotADate));
        assert_eq!(parse_date("/Date(9223372036854775807)/"), Err(NotADate));
    }

    #[test]
    fn the_first_and_the_last_dates_that_other_apps_write_are_dates() {
        for (text, expected) in [
            ("/Date(253402214400000+0000)/", civil::date(9999, 12, 31)),
            ("9999-12-31T00:00:00", civil::date(9999, 12, 31)),
            ("/Date(-62135596800000+0000)/", civil::date(1, 1, 1)),
            ("0001-01-01T00:00:00", civil::date(1, 1, 1)),
            ("/Date(-1)/", civil::date(1969, 12, 31)),
        ] {
            assert_eq!(parse_date(text).unwrap(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_instant_comes_back_from_its_milliseconds(
            milliseconds in -60_000_000_000_000_i64..=250_000_000_000_000,
            offset in prop::sample::select(vec!["", "+0000", "-0800", "+1345"]),
        ) {
            let read = parse_instant(&format!("/Date({milliseconds}{offset})/")).unwrap();
            prop_assert_eq!(read.as_millisecond(), milliseconds);
        }

        #[test]
        fn any_date_comes_back_from_both_of_its_forms(
            year in 1900_i16..=2199, month in 1_i8..=12, day in 1_i8..=28,
        ) {
            let expected = civil::date(year, month, day);
            let midnight = expected.to_zoned(TimeZone::UTC).unwrap().timestamp();
            prop_assert_eq!(parse_date(&format!("{expected}T00:00:00")).unwrap(), expected);
            let wrapped = format!("/Date({}+0000)/", midnight.as_millisecond());
            prop_assert_eq!(parse_date(&wrapped).unwrap(), expected);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = (parse_instant(&text), parse_date(&text));
            let _ = parse_instant(&format!("/Date({text})/"));
        }
    }
}
