//! Request bodies. They are parsed by the mechanism that parses messages, and unknown fields are
//! refused by name.

use domain::body::{self, BodyShape};
use domain::envelope::UnreadableBody;
use serde::de::{DeserializeOwned, IgnoredAny};

/// The name that errors use for the body itself when no field of it is meant.
const WHOLE: &str = "body";
/// Some programs put this invisible sign in front of a text. JSON does not allow it.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The body that a route accepts.
pub trait RequestBody: DeserializeOwned {
    /// The accepted fields. Any other field is refused.
    const SHAPE: BodyShape;
    /// What the body must be, as the end of a sentence that begins with the field's name.
    const MUST: &'static str;
}

/// The body of a route that takes none may be an object without fields.
impl RequestBody for IgnoredAny {
    const SHAPE: BodyShape = BodyShape::Object(&[]);
    const MUST: &'static str = "must be empty, because this request takes none";
}

/// Why a body is refused. No text of it quotes a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct BodyError {
    /// The invalid field with its path, or `body` for the body itself.
    pub field: String,
    /// What is wrong, as a sentence that names the field.
    pub detail: String,
}

impl BodyError {
    fn of_field(field: &str, error: &UnreadableBody) -> Self {
        Self { field: field.to_owned(), detail: error.to_string() }
    }

    fn of_whole_body(must: &str) -> Self {
        Self { field: WHOLE.to_owned(), detail: format!("{WHOLE}: {must}") }
    }
}

/// Parses a body. Errors do not quote it. They say why a body with the right fields is not JSON.
pub fn parse_body<T: RequestBody>(bytes: &[u8]) -> Result<T, BodyError> {
    let wrong = || BodyError::of_whole_body(T::MUST);
    let wrong_form =
        |form: &str| BodyError::of_whole_body(&format!("{}; this body {form}", T::MUST));
    let text = std::str::from_utf8(bytes).map_err(|_| wrong_form("is not text in UTF-8"))?;
    if text.starts_with(BYTE_ORDER_MARK) {
        return Err(wrong_form("begins with a byte order mark"));
    }
    // serde also reads a struct from a list of its fields' values.
    if !text.trim_start().starts_with('{') {
        return Err(wrong());
    }
    body::parse_with_shape(text, T::SHAPE).map_err(|error| match &error {
        UnreadableBody::UnknownField { field, meant: _ } => BodyError::of_field(field, &error),
        UnreadableBody::Field { field, problem: _ } if field != WHOLE => {
            BodyError::of_field(field, &error)
        }
        UnreadableBody::NotJson { line, column } => {
            wrong_form(&format!("is not JSON (line {line}, column {column})"))
        }
        UnreadableBody::Field { field: _, problem: _ }
        | UnreadableBody::Oversized { bytes: _ }
        | UnreadableBody::UnknownVersion
        | UnreadableBody::UnknownType
        | UnreadableBody::WrongQueue { expected: _ }
        | UnreadableBody::WrongAccount => wrong(),
    })
}
