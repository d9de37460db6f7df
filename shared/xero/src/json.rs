//! Reading of Xero's envelopes, and of values that have more than one form.
//!
//! Rows in a customer's books were also written by other apps and contain unexpected values. A
//! value that is not needed never makes its row unreadable: if it cannot be read, it is treated as
//! absent.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;
use domain::money::Currency;
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Serializer;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::error::XeroError;
use crate::json_number;

/// The body `{"<collection>":[...]}`. The same documents always give the same bytes, because Xero
/// compares them when an idempotency key is used again.
///
/// Control characters other than tabs and line breaks are omitted from every text: Xero rejects a
/// body that contains one, with all its documents (`ErrorNumber` 14; calcinai/xero-php, issue 832).
pub(crate) fn encode_collection<T: Serialize>(collection: &str, documents: &[T]) -> Bytes {
    let envelope = BTreeMap::from([(collection, documents)]);
    let mut body = Vec::new();
    envelope
        .serialize(&mut Serializer::with_formatter(&mut body, PrintableFormatter))
        .expect("documents are structs of text, numbers and dates, which JSON can always hold");
    Bytes::from(body)
}

/// Writes JSON without control characters.
struct PrintableFormatter;

impl Formatter for PrintableFormatter {
    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        match escape {
            CharEscape::AsciiControl(_) | CharEscape::Backspace | CharEscape::FormFeed => Ok(()),
            CharEscape::Quote
            | CharEscape::ReverseSolidus
            | CharEscape::Solidus
            | CharEscape::LineFeed
            | CharEscape::CarriageReturn
            | CharEscape::Tab => CompactFormatter.write_char_escape(writer, escape),
        }
    }
}

/// The elements of a collection, in order and not yet parsed. `null` is an empty collection.
pub(crate) fn parse_elements<'a>(
    endpoint: &'static str,
    collection: &str,
    body: &'a [u8],
) -> Result<Vec<&'a RawValue>, XeroError> {
    let members: BTreeMap<String, &'a RawValue> = serde_json::from_slice(body)
        .map_err(|error| XeroError::undecodable_json(endpoint, error))?;
    let elements = members.get(collection).ok_or_else(|| {
        XeroError::undecodable_answer(endpoint, format!("the answer has no member {collection}"))
    })?;
    let elements: Option<Vec<&'a RawValue>> = serde_json::from_str(elements.get())
        .map_err(|error| XeroError::undecodable_json(endpoint, error))?;
    Ok(elements.unwrap_or_default())
}

/// The text of a JSON value: a string that is not empty, or the digits of a number.
pub(crate) fn text_of(json: &str) -> Option<String> {
    match json.bytes().next()? {
        b'"' => serde_json::from_str::<String>(json).ok().filter(|text| !text.trim().is_empty()),
        b'-' | b'0'..=b'9' => Some(json.to_owned()),
        _ => None,
    }
}

/// The id in a JSON value. The nil id, which Xero writes in place of a missing id, is `None`.
pub(crate) fn id_of(json: &str) -> Option<Uuid> {
    Uuid::parse_str(text_of(json)?.trim()).ok().filter(|id| !id.is_nil())
}

/// The number in a JSON value, plain or in quotes, with exactly its digits.
pub(crate) fn figure_of(json: &str) -> Option<Decimal> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct ExactDecimal(#[serde(with = "json_number")] Decimal);
    serde_json::from_str::<ExactDecimal>(json).ok().map(|ExactDecimal(figure)| figure)
}

/// For `#[serde(deserialize_with)]`: the id of an existing record. Xero writes the nil id if it
/// rejected a creation.
pub(crate) fn real_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    let id = Uuid::deserialize(deserializer)?;
    if id.is_nil() { Err(de::Error::custom("the id of nothing")) } else { Ok(id) }
}

/// For `#[serde(default, deserialize_with)]`: an id, if there is one.
pub(crate) fn optional_id<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Uuid>, D::Error> {
    Ok(optional_value(deserializer)?.and_then(|raw| id_of(raw.get())))
}

/// For `#[serde(deserialize_with)]`: a currency code in upper or lower case.
pub(crate) fn currency_code<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Currency, D::Error> {
    parse_currency(&String::deserialize(deserializer)?)
}

/// For `#[serde(default, deserialize_with)]`: a currency code in upper or lower case. One that is
/// absent or empty is `None`. One that cannot be read is an error: the amounts of an account must not
/// silently count as amounts in the base currency.
pub(crate) fn optional_currency<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Currency>, D::Error> {
    optional_text(deserializer)?.map(|code| parse_currency(&code)).transpose()
}

fn parse_currency<E: de::Error>(code: &str) -> Result<Currency, E> {
    Currency::new(&code.trim().to_ascii_uppercase()).map_err(E::custom)
}

/// For `#[serde(default, deserialize_with)]`: a number, plain or in quotes. `null` and an empty
/// text are `None`. A number that cannot be read is an error: an amount must not silently become
/// zero.
pub(crate) fn optional_figure<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
    match optional_value(deserializer)? {
        Some(raw) if raw.get() != r#""""# => figure_of(raw.get())
            .map(Some)
            .ok_or_else(|| de::Error::custom("must be a decimal number")),
        Some(_) | None => Ok(None),
    }
}

/// For `#[serde(default, deserialize_with)]`: `true`, plain or in quotes. Xero's documentation
/// shows some booleans as text. All other values are `false`.
pub(crate) fn lenient_bool<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let is_true = |raw: Box<RawValue>| raw.get().trim_matches('"').eq_ignore_ascii_case("true");
    Ok(optional_value(deserializer)?.is_some_and(is_true))
}

/// For `#[serde(default, deserialize_with)]`: a text that is not empty. Xero omits some members and
/// empties others; both mean that there is no value.
pub(crate) fn optional_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(optional_value(deserializer)?.and_then(|raw| text_of(raw.get())))
}

/// For `#[serde(default, deserialize_with)]`: the elements of a list that can be read. Anything but
/// a list is an empty one.
pub(crate) fn readable_elements<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let list = optional_value(deserializer)?;
    let elements = list.and_then(|raw| serde_json::from_str::<Vec<Box<RawValue>>>(raw.get()).ok());
    let elements = elements.unwrap_or_default();
    Ok(elements.iter().filter_map(|raw| serde_json::from_str(raw.get()).ok()).collect())
}

/// Any value except `null`, not yet parsed.
pub(crate) fn optional_value<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Box<RawValue>>, D::Error> {
    Option::<Box<RawValue>>::deserialize(deserializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Row {
        #[serde(deserialize_with = "optional_text")]
        text: Option<String>,
        #[serde(deserialize_with = "optional_id")]
        id: Option<Uuid>,
        #[serde(deserialize_with = "lenient_bool")]
        sign: bool,
        #[serde(deserialize_with = "optional_figure")]
        figure: Option<Decimal>,
    }

    fn read(json: &str) -> Row {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_value_that_says_nothing_is_absent_whatever_its_form() {
        for nothing in [
            "{}",
            r#"{"text":null,"id":null,"sign":null,"figure":null}"#,
            r#"{"text":"","id":"","sign":"","figure":""}"#,
            r#"{"text":{},"id":[],"sign":7,"figure":null}"#,
            r#"{"text":[1],"id":"00000000-0000-0000-0000-000000000000","sign":"no"}"#,
            r#"{"text":true,"id":"not an id","sign":{}}"#,
        ] {
            assert_eq!(read(nothing), Row::default(), "{nothing}");
        }
    }

    #[test]
    fn values_in_another_form_than_usual_are_read() {
        let row = read(
            r#"{"text":1042,"id":"{55D8A4B3-9F2C-4E1A-8D7E-0B1C2D3E4F50}","sign":"True","figure":"12.50"}"#,
        );
        assert_eq!(row.text.as_deref(), Some("1042"));
        assert_eq!(row.id.unwrap().as_u128(), 0x55d8_a4b3_9f2c_4e1a_8d7e_0b1c_2d3e_4f50);
        assert!(row.sign);
        assert_eq!(row.figure, Some(Decimal::new(1_250, 2)));
    }

    #[test]
    fn control_characters_are_never_sent_and_everything_else_is() {
        let text = "a\u{0}b\u{8}c\u{c}\u{1f}d \"e\" \\ é\t1\r\n2";
        let body = encode_collection("Texts", &[text]);
        assert_eq!(&body[..], r#"{"Texts":["abcd \"e\" \\ é\t1\r\n2"]}"#.as_bytes());
    }

    #[test]
    fn an_unreadable_figure_is_not_taken_for_absent() {
        for bad in [r#"{"figure":"a lot"}"#, r#"{"figure":true}"#, r#"{"figure":{}}"#] {
            assert!(serde_json::from_str::<Row>(bad).is_err(), "{bad}");
        }
    }
}
