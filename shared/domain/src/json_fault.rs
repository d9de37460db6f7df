//! Why JSON cannot be read, without any value of it. Serde's own messages quote values, which may be
//! personal or secret, and errors reach the logs.

use std::fmt;

use serde_json::error::Category;

/// What is wrong with a JSON text, and where. It quotes nothing of the text except the names of
/// fields that it lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault {
    /// The problem.
    problem: String,
    /// The line, from 1. 0 if the problem has no place.
    line: usize,
    /// The column, from 1.
    column: usize,
}

impl std::error::Error for JsonFault {}

impl JsonFault {
    /// A fault without a place.
    pub fn new(problem: &str) -> Self {
        Self { problem: problem.to_owned(), line: 0, column: 0 }
    }
}

impl From<serde_json::Error> for JsonFault {
    fn from(error: serde_json::Error) -> Self {
        let problem = match error.classify() {
            Category::Syntax | Category::Eof | Category::Io => "it is not JSON".to_owned(),
            Category::Data => describe_mismatch(&error.to_string()),
        };
        Self { problem, line: error.line(), column: error.column() }
    }
}

/// Describes a value of the wrong form. The names of missing fields come from our types.
fn describe_mismatch(message: &str) -> String {
    let what = message.rsplit_once(" at line ").map_or(message, |(what, _)| what);
    let is_name =
        |name: &str| name.bytes().all(|sign| sign.is_ascii_alphanumeric() || sign == b'_');
    let missing = what.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    match missing.filter(|name| is_name(name)) {
        Some(name) => format!("it lacks the field {name}"),
        None => "a value has another form than expected".to_owned(),
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { problem, line, column } = self;
        if *line == 0 {
            return f.write_str(problem);
        }
        write!(f, "{problem} (line {line}, column {column})")
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its form matters")]
    struct Row {
        count: u64,
        kind: Kind,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Known,
    }

    fn fault(json: &str) -> String {
        let error = serde_json::from_str::<Row>(json).unwrap_err();
        JsonFault::from(error).to_string()
    }

    #[test]
    fn a_fault_has_a_place_and_quotes_no_value() {
        let form = "a value has another form than expected";
        for (json, problem) in [
            (r#"{"count":"Jane Roe","kind":"known"}"#, form),
            (r#"{"count":1,"kind":"Jane Roe"}"#, form),
            (r#""Jane Roe""#, form),
            (r#"{"count":1}"#, "it lacks the field kind"),
            ("Jane Roe", "it is not JSON"),
            (r#"{"count":"Jane"#, "it is not JSON"),
        ] {
            let shown = fault(json);
            assert!(shown.starts_with(&format!("{problem} (line 1, column ")), "{json}: {shown}");
            assert!(!shown.contains("Jane"), "{shown}");
        }
        assert_eq!(JsonFault::new("its snapshot is lost").to_string(), "its snapshot is lost");
    }
}
