//! Request bodies. They are parsed by the mechanism that parses messages, and unknown fields are
//! refused by name.

use domain::body::{self, Shape};
use domain::envelope::Unreadable;
use lambda_http::{Body, Request};
use serde::de::DeserializeOwned;

use super::Problem;

/// The body that a route accepts.
pub(crate) trait RequestBody: DeserializeOwned {
    /// The accepted fields. Any other field is refused.
    const SHAPE: Shape;
    /// What the body must be, as the end of a sentence that begins with the field's name.
    const MUST: &'static str;
}

/// Parses the request's body. Errors do not quote it.
pub(crate) fn read_body<T: RequestBody>(request: &Request) -> Result<T, Problem> {
    match request.body() {
        Body::Empty => parse_body(&[]),
        Body::Text(text) => parse_body(text.as_bytes()),
        Body::Binary(bytes) => parse_body(bytes),
        _ => Err(Problem::bad_field("body", T::MUST)),
    }
}

/// Parses a body from bytes.
pub(crate) fn parse_body<T: RequestBody>(bytes: &[u8]) -> Result<T, Problem> {
    let wrong = || Problem::bad_field("body", T::MUST);
    let text = std::str::from_utf8(bytes).map_err(|_| wrong())?;
    body::read(text, T::SHAPE).map_err(|error| match &error {
        Unreadable::UnknownField { field, meant: _ } => {
            Problem::bad_request(field, error.to_string())
        }
        Unreadable::Field { field, problem: _ } if field != "body" => {
            Problem::bad_request(field, error.to_string())
        }
        Unreadable::Field { field: _, problem: _ }
        | Unreadable::Oversized { bytes: _ }
        | Unreadable::NotJson { line: _, column: _ }
        | Unreadable::UnknownVersion
        | Unreadable::UnknownType
        | Unreadable::WrongQueue { expected: _ }
        | Unreadable::WrongAccount => wrong(),
    })
}
