//! Reads JSON bodies: messages from the CRM and bodies of API requests.
//!
//! A body is compared with the [`BodyShape`] that is declared beside its type before it is
//! deserialised. Serde ignores unknown fields, and its own `deny_unknown_fields` reports no path
//! and does not work with `#[serde(flatten)]`: a misspelt optional field would silently count as
//! absent.

mod shape;
mod suggestion;

use serde::Deserialize;
use serde::de::IgnoredAny;

pub use self::shape::{BodyField, BodyShape};
pub use self::suggestion::FieldSuggestion;
use crate::envelope::UnreadableBody;

/// The name that errors use for the body itself when no field of it is meant.
const WHOLE: &str = "body";
/// The maximum number of characters of a field's path that an error shows. The paths of known fields
/// are shorter; a key that the sender chooses may not be.
const PATH_MAX: usize = 120;
/// Some programs put this sign, which is invisible, in front of a text in UTF-8. JSON does not allow
/// it.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

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
        to_unreadable_body(body, &path, &error.into_inner())
    })?;
    deserializer.end().map_err(|error| to_unreadable_body(body, "", &error))?;
    Ok(value)
}

fn to_unreadable_body(body: &str, path: &str, error: &serde_json::Error) -> UnreadableBody {
    use serde_json::error::Category;
    let text = error.to_string();
    let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(before, _)| before);
    match error.classify() {
        Category::Data => field_problem(path, problem),
        // Serde reports some values of JSON like errors of its syntax.
        Category::Syntax | Category::Eof | Category::Io if is_json(body) => UnreadableBody::Field {
            field: name_field(path, None),
            problem: describe_unsupported_value(problem).to_owned(),
        },
        Category::Syntax | Category::Eof | Category::Io if body.starts_with(BYTE_ORDER_MARK) => {
            field_problem("", "must not begin with a byte order mark")
        }
        Category::Syntax | Category::Eof | Category::Io => {
            UnreadableBody::NotJson { line: error.line(), column: error.column() }
        }
    }
}

/// Whether a text has the form of JSON. Serde skips a value without checking its escapes and the
/// size of its numbers.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Describes a value of JSON that serde refuses with this syntax error.
fn describe_unsupported_value(problem: &str) -> &'static str {
    if problem.ends_with("hex escape") {
        // A program that cuts a text may cut a character in two.
        "must not contain half of a surrogate pair, such as a part of an emoji"
    } else if problem == "number out of range" {
        "is too large a number"
    } else {
        // Serde reports every value but a string in the place of an enum in this way.
        "must be a string"
    }
}

/// Describes a field's problem in this crate's words: serde's own messages quote the value, which
/// may be personal or unprintable.
fn field_problem(path: &str, problem: &str) -> UnreadableBody {
    let named = |start: &str| problem.strip_prefix(start)?.strip_suffix('`');
    let (name, problem) = if let Some(name) = named("missing field `") {
        (Some(name), "is missing".to_owned())
    } else if let Some(name) = named("duplicate field `") {
        (Some(name), "is given twice".to_owned())
    } else if problem.starts_with("must ") {
        (None, problem.to_owned())
    } else if problem.starts_with("UUID parsing failed") {
        let example = "4b9c7e15-0a2d-4f68-8d31-6e5f7a9b0c24";
        (None, format!("must be a UUID, such as {example}"))
    } else if let Some((_, expected)) = problem.rsplit_once(", expected ") {
        (None, format!("must be {}", describe_expected(expected)))
    } else {
        (None, "is not valid".to_owned())
    };
    UnreadableBody::Field { field: name_field(path, name), problem }
}

/// The name of a field: its path, followed by the name of a field within it. The sender chooses the
/// keys of some objects, which may be unprintable or very long.
fn name_field(path: &str, name: Option<&str>) -> String {
    let path = if path == "." { "" } else { path };
    let printable = |sign: char| if sign.is_ascii_graphic() { sign } else { '?' };
    let path: String = path.chars().take(PATH_MAX).map(printable).collect();
    match name {
        None if path.is_empty() => WHOLE.to_owned(),
        None => path,
        Some(name) if path.is_empty() => name.to_owned(),
        Some(name) => format!("{path}.{name}"),
    }
}

/// Describes what serde expected without the names of Rust types.
fn describe_expected(expected: &str) -> &str {
    match expected {
        "u64" | "u32" => "a whole number",
        "a JSON number" => "a whole number without quotes",
        "a sequence" => "a list",
        "a map" => "an object",
        "a boolean" => "true or false",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

#[cfg(test)]
mod tests;
