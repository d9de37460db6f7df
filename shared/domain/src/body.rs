//! Reads JSON bodies: messages from the CRM and bodies of API requests.
//!
//! A body is compared with the [`BodyShape`] that is declared beside its type before it is
//! deserialised. Serde ignores unknown fields, and its own `deny_unknown_fields` reports no path
//! and does not work with `#[serde(flatten)]`: a misspelt optional field would silently count as
//! absent.

mod shape;
mod suggestion;

use serde::Deserialize;

pub use self::shape::{BodyField, BodyShape};
pub use self::suggestion::FieldSuggestion;
use crate::envelope::UnreadableBody;

/// The name that errors use for the body itself when no field of it is meant.
const WHOLE: &str = "body";

/// Reads a body of this shape. The error names the first field that is unknown, repeated, missing
/// or wrong, with its path. It never quotes a value.
pub fn parse_with_shape<'de, T: Deserialize<'de>>(
    body: &'de str,
    shape: BodyShape,
) -> Result<T, UnreadableBody> {
    let nested = shape::check_shape(body, shape)?;
    let value = parse_ignoring_unknown(body)?;
    match nested {
        None => Ok(value),
        // Serde also reads the variant of an enum from an object: `{"push":null}` as well as
        // `"push"`.
        Some(field) => {
            Err(UnreadableBody::Field { field, problem: "must be a single value".to_owned() })
        }
    }
}

/// Reads the fields that the type knows and ignores all others.
pub(crate) fn parse_ignoring_unknown<'de, T: Deserialize<'de>>(
    body: &'de str,
) -> Result<T, UnreadableBody> {
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        to_unreadable_body(&path, &error.into_inner())
    })?;
    deserializer.end().map_err(|error| to_unreadable_body("", &error))?;
    Ok(value)
}

fn to_unreadable_body(path: &str, error: &serde_json::Error) -> UnreadableBody {
    use serde_json::error::Category;
    match error.classify() {
        Category::Syntax | Category::Eof | Category::Io => {
            UnreadableBody::NotJson { line: error.line(), column: error.column() }
        }
        Category::Data => {
            let text = error.to_string();
            let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(before, _)| before);
            field_problem(path, problem)
        }
    }
}

/// Describes a field's problem in this crate's words: serde's own messages quote the value, which
/// may be personal or unprintable.
fn field_problem(path: &str, problem: &str) -> UnreadableBody {
    let path = if path == "." { "" } else { path };
    let named = |start: &str| problem.strip_prefix(start)?.strip_suffix('`');
    let (name, problem) = if let Some(name) = named("missing field `") {
        (Some(name), "is missing".to_owned())
    } else if let Some(name) = named("duplicate field `") {
        (Some(name), "is given twice".to_owned())
    } else if problem.starts_with("must ") {
        (None, problem.to_owned())
    } else if let Some((_, expected)) = problem.rsplit_once(", expected ") {
        (None, format!("must be {}", describe_expected(expected)))
    } else {
        (None, "is not valid".to_owned())
    };
    let field = match name {
        None if path.is_empty() => WHOLE.to_owned(),
        None => path.to_owned(),
        Some(name) if path.is_empty() => name.to_owned(),
        Some(name) => format!("{path}.{name}"),
    };
    UnreadableBody::Field { field, problem }
}

/// Describes what serde expected without the names of Rust types.
fn describe_expected(expected: &str) -> &str {
    match expected {
        "u64" | "u32" | "a JSON number" => "a whole number",
        "a sequence" => "a list",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

#[cfg(test)]
mod tests;
