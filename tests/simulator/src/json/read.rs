//! Parses a body: `serde_json` finds the tokens, and every token is kept as written.

use super::{Json, Object};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The maximum nesting of a body.
const DEEPEST: u32 = 64;

/// The text is not JSON; names the position.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("the body is not JSON")]
    Syntax(#[source] serde_json::Error),
    #[error("the body is nested too deeply")]
    TooDeep,
}

pub(super) fn read(body: &[u8]) -> Result<Json, Unreadable> {
    decode(serde_json::from_slice(body).map_err(Unreadable::Syntax)?, 0)
}

fn decode(raw: &RawValue, depth: u32) -> Result<Json, Unreadable> {
    if depth > DEEPEST {
        return Err(Unreadable::TooDeep);
    }
    let token = raw.get();
    Ok(match token.as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<String, &RawValue> =
                serde_json::from_str(token).map_err(Unreadable::Syntax)?;
            let decoded: Result<Object, Unreadable> = members
                .into_iter()
                .map(|(key, value)| Ok((Cow::Owned(key), decode(value, depth + 1)?)))
                .collect();
            Json::Object(decoded?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(token).map_err(Unreadable::Syntax)?;
            let decoded: Result<Vec<Json>, Unreadable> =
                items.into_iter().map(|item| decode(item, depth + 1)).collect();
            Json::List(decoded?)
        }
        Some(b'"') => Json::Text(serde_json::from_str(token).map_err(Unreadable::Syntax)?),
        Some(b't') => Json::Bool(true),
        Some(b'f') => Json::Bool(false),
        Some(b'n') => Json::Null,
        Some(_) | None => Json::Number(token.to_owned()),
    })
}
