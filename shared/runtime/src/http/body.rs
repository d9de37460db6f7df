//! Request bodies. They are parsed by the mechanism that parses messages, and unknown fields are
//! refused by name.

use domain::body::{self, BodyShape};
use domain::envelope::UnreadableBody;
use serde::de::DeserializeOwned;

use super::ProblemDetails;

/// The body that a route accepts.
pub(crate) trait RequestBody: DeserializeOwned {
    /// The accepted fields. Any other field is refused.
    const SHAPE: BodyShape;
    /// What the body must be, as the end of a sentence that begins with the field's name.
    const MUST: &'static str;
}

/// Some programs put this invisible sign in front of a text. JSON does not allow it.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Parses a body. Errors do not quote it. They say why a body with the right fields is not JSON.
pub(crate) fn parse_body<T: RequestBody>(bytes: &[u8]) -> Result<T, ProblemDetails> {
    let wrong = || ProblemDetails::bad_field("body", T::MUST);
    let wrong_form =
        |form: &str| ProblemDetails::bad_field("body", &format!("{}; this body {form}", T::MUST));
    let text = std::str::from_utf8(bytes).map_err(|_| wrong_form("is not text in UTF-8"))?;
    if text.starts_with(BYTE_ORDER_MARK) {
        return Err(wrong_form("begins with a byte order mark"));
    }
    // serde also reads a struct from a list of its fields' values.
    if !text.trim_start().starts_with('{') {
        return Err(wrong());
    }
    body::parse_with_shape(text, T::SHAPE).map_err(|error| match &error {
        UnreadableBody::UnknownField { field, meant: _ } => {
            ProblemDetails::bad_request(field, error.to_string())
        }
        UnreadableBody::Field { field, problem: _ } if field != "body" => {
            ProblemDetails::bad_request(field, error.to_string())
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
