//! A JSON tree that keeps the digits of every number.
//!
//! Xero writes amounts with fixed decimal places (`0.00`, `1.0000`), which neither a floating point
//! number nor an ordinary JSON tree can represent. `serde_json` parses the syntax; this module only
//! keeps the tokens.

mod object;
mod read;

pub(crate) use object::Object;
pub(crate) use read::Unreadable;

use jiff::Timestamp;
use rust_decimal::Decimal;
use std::fmt::Write as _;
use std::str::FromStr as _;

/// One JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// The digits of a number.
    Number(String),
    Text(String),
    /// An instant or a date as `\/Date(milliseconds+0000)\/`; envelopes omit the offset.
    Moment {
        milliseconds: i64,
        offset: bool,
    },
    List(Vec<Json>),
    Object(Object),
}

impl Json {
    /// Parses a body.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        read::read(body)
    }

    /// An amount with exactly `places` decimal places.
    pub(crate) fn decimal(amount: Decimal, places: u32) -> Self {
        let mut fixed = crate::money::round(amount, places, crate::Rounding::HalfAwayFromZero);
        fixed.rescale(places);
        if fixed.is_zero() {
            fixed.set_sign_positive(true);
        }
        Self::Number(fixed.to_string())
    }

    pub(crate) fn whole(number: impl Into<i128>) -> Self {
        Self::Number(number.into().to_string())
    }

    /// An instant, written with `+0000`.
    pub(crate) fn instant(at: Timestamp) -> Self {
        Self::Moment { milliseconds: at.as_millisecond(), offset: true }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Moment { .. }
            | Self::List(_)
            | Self::Object(_) => None,
        }
    }

    pub(crate) fn object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    pub(crate) fn list(&self) -> Option<&[Self]> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    /// A number, or a text that contains one: Xero accepts both.
    pub(crate) fn number(&self) -> Option<Decimal> {
        let digits = match self {
            Self::Number(digits) | Self::Text(digits) => digits.trim(),
            Self::Null | Self::Bool(_) | Self::Moment { .. } | Self::List(_) | Self::Object(_) => {
                return None;
            }
        };
        Decimal::from_str(digits).or_else(|_| Decimal::from_scientific(digits)).ok()
    }

    /// `true`, `false`, or a text with one of them.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Self::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            Self::Text(_)
            | Self::Null
            | Self::Number(_)
            | Self::Moment { .. }
            | Self::List(_)
            | Self::Object(_) => None,
        }
    }

    /// The first character of any text in the tree that Xero does not accept: control characters
    /// except tab and line breaks, and the two noncharacters.
    pub(crate) fn forbidden_character(&self) -> Option<char> {
        let is_forbidden = |character: &char| match character {
            '\t' | '\n' | '\r' => false,
            '\u{fffe}' | '\u{ffff}' => true,
            other => *other < ' ',
        };
        match self {
            Self::Text(text) => text.chars().find(is_forbidden),
            Self::List(list) => list.iter().find_map(Self::forbidden_character),
            Self::Object(object) => {
                object.members().find_map(|(_, value)| value.forbidden_character())
            }
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Moment { .. } => None,
        }
    }

    /// The serialised value, without spaces between its tokens.
    pub(crate) fn render(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(digits) => out.push_str(digits),
            Self::Text(text) => quote(text, out),
            Self::Moment { milliseconds, offset } => {
                let offset = if *offset { "+0000" } else { "" };
                write_to(out, format_args!("\"\\/Date({milliseconds}{offset})\\/\""));
            }
            Self::List(list) => {
                out.push('[');
                for (index, item) in list.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(object) => {
                out.push('{');
                for (index, (key, value)) in object.members().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    quote(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    // Most texts have nothing to escape.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
        out.push_str(text);
        out.push('"');
        return;
    }
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => {
                write_to(out, format_args!("\\u{:04x}", u32::from(control)));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
}

fn write_to(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    out.write_fmt(arguments).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        let tree = Json::parse(br#"{"a":0.10,"b":[1e2,-3],"c":"x\"y"}"#).unwrap();
        assert_eq!(tree.render(), r#"{"a":0.10,"b":[1e2,-3],"c":"x\"y"}"#);
        assert_eq!(
            tree.object().unwrap().get("b").unwrap().list().unwrap()[0].number(),
            Some(Decimal::ONE_HUNDRED)
        );
    }

    #[test]
    fn amounts_have_fixed_decimal_places() {
        assert_eq!(Json::decimal(Decimal::ZERO, 2).render(), "0.00");
        assert_eq!(Json::decimal(Decimal::new(-1, 3), 2).render(), "0.00");
        assert_eq!(Json::decimal(Decimal::new(15, 1), 4).render(), "1.5000");
    }

    #[test]
    fn too_deep_nesting_is_refused() {
        let deep = "[".repeat(100) + &"]".repeat(100);
        assert!(matches!(Json::parse(deep.as_bytes()), Err(Unreadable::TooDeep)));
        assert!(matches!(Json::parse(b"{\"a\":"), Err(Unreadable::Syntax(_))));
    }
}
