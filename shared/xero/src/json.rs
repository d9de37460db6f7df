//! Reading Xero's envelopes, and the values in them that come in more than one form.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::error::XeroError;

/// `{"<collection>":[...]}`. The same documents always give the same bytes, because Xero compares
/// them when an idempotency key is used again.
pub(crate) fn envelope<T: Serialize>(collection: &str, documents: &[T]) -> Bytes {
    let envelope = BTreeMap::from([(collection, documents)]);
    let body = serde_json::to_vec(&envelope)
        .expect("documents are structs of text, numbers and dates, which JSON can always hold");
    Bytes::from(body)
}

/// The elements of a collection, in order and still unread.
pub(crate) fn elements<'a>(
    endpoint: &'static str,
    collection: &str,
    body: &'a [u8],
) -> Result<Vec<&'a RawValue>, XeroError> {
    let members: BTreeMap<String, &'a RawValue> =
        serde_json::from_slice(body).map_err(|error| XeroError::undecodable(endpoint, error))?;
    let elements = members.get(collection).ok_or_else(|| {
        XeroError::undecodable(endpoint, format!("the answer has no member {collection}"))
    })?;
    element(endpoint, elements)
}

/// Every element of a collection, read as `T`.
pub(crate) fn all<'a, T: Deserialize<'a>>(
    endpoint: &'static str,
    collection: &str,
    body: &'a [u8],
) -> Result<Vec<T>, XeroError> {
    elements(endpoint, collection, body)?.into_iter().map(|raw| element(endpoint, raw)).collect()
}

/// One element, read as `T`.
pub(crate) fn element<'a, T: Deserialize<'a>>(
    endpoint: &'static str,
    raw: &'a RawValue,
) -> Result<T, XeroError> {
    serde_json::from_str(raw.get()).map_err(|error| XeroError::undecodable(endpoint, error))
}

/// For `#[serde(deserialize_with)]`: the id of something that exists. Xero writes the nil id where
/// it refused to make one.
pub(crate) fn real_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    let id = Uuid::deserialize(deserializer)?;
    if id.is_nil() { Err(de::Error::custom("the id of nothing")) } else { Ok(id) }
}

/// For `#[serde(default, deserialize_with)]`: `true`, `false`, either of them in quotes, or `null`,
/// which is `false`. Xero's documentation shows some booleans as text.
pub(crate) fn lenient_bool<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Plain(bool),
        Quoted(String),
    }
    match Option::<Form>::deserialize(deserializer)? {
        None => Ok(false),
        Some(Form::Plain(value)) => Ok(value),
        Some(Form::Quoted(text)) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(Form::Quoted(text)) if text.eq_ignore_ascii_case("false") => Ok(false),
        Some(Form::Quoted(_)) => Err(de::Error::custom("must be true or false")),
    }
}

/// For `#[serde(default, deserialize_with)]`: text that says something. Xero leaves some members
/// out and empties others; both mean that there is nothing.
pub(crate) fn told<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}
