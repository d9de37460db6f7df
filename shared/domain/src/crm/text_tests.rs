//! Tests of the field readers.

use proptest::prelude::*;
use serde::de::value::{Error, StringDeserializer};

use super::*;

#[test]
fn an_instant_is_in_utc_and_nothing_else() {
    for good in ["2026-11-02T09:14:05Z", "2026-11-02T23:59:59.123456789Z", "1900-01-01T00:00:00.5Z"]
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
fn a_whole_number_may_be_written_with_a_point_or_an_exponent() {
    let read = |text: &str| parse_whole_number(&serde_json::from_str(text).unwrap());
    for (text, expected) in [
        ("1", Some(1)),
        ("1.0", Some(1)),
        ("1e2", Some(100)),
        ("1.5e1", Some(15)),
        ("18446744073709551615", Some(u64::MAX)),
        ("1e19", Some(10_000_000_000_000_000_000)),
        ("0.0", Some(0)),
        ("1.5", None),
        ("-1", None),
        ("-1.0", None),
        ("18446744073709551616", None),
        ("1e300", None),
        ("1e-7", None),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn a_text_without_a_visible_character_is_none() {
    for nothing in ["", " ", "\u{1}\u{7f}", "\u{85}\u{a0}\u{3000}", "\u{FFFE}\n"] {
        assert!(!nothing.chars().any(is_visible), "{nothing:?}");
    }
    // Every plane ends with two code points that are no characters.
    for plane in 0..=0x10_u32 {
        for last in [0xFFFE, 0xFFFF] {
            let sign = char::from_u32(plane * 0x1_0000 + last).unwrap();
            assert!(!is_visible(sign), "{sign:?}");
        }
    }
    for something in ["x", " é ", "\u{1}x", "\u{1F600}"] {
        assert!(something.chars().any(is_visible), "{something:?}");
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
    fn a_calendar_date_is_written_as_it_was_read(
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
    fn a_decimal_in_plain_digits_is_written_as_it_was_read(
        whole in "(-?[1-9][0-9]{0,12}|0)",
        fraction in "(\\.[0-9]{1,10})?",
    ) {
        let text = format!("{whole}{fraction}");
        prop_assert_eq!(parse_decimal::<Error>(&text).unwrap().to_string(), text);
    }

    #[test]
    fn a_text_that_counts_as_present_is_never_sent_empty(text in any::<String>()) {
        if let Ok(name) = deserialize_line_name(StringDeserializer::<Error>::new(text)) {
            let sent = name.chars().filter(|sign| is_sendable(*sign)).collect::<String>();
            prop_assert!(!sent.trim().is_empty(), "{:?}", name);
        }
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
