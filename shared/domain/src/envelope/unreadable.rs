//! Why a body cannot be read, and reading JSON so that the answer names the field.

use serde::Deserialize;

use super::{BODY_LIMIT_BYTES, CONTRACT_VERSION};
use crate::entity::EntityKind;

/// Why a body cannot be read. The text names the field and never quotes its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The body is longer than [`BODY_LIMIT_BYTES`].
    #[error("the body is {bytes} bytes long; at most {BODY_LIMIT_BYTES} are read")]
    Oversized {
        /// Its length.
        bytes: usize,
    },
    /// The body is not JSON.
    #[error("the body is not JSON (line {line}, column {column})")]
    NotJson {
        /// Where it goes wrong.
        line: usize,
        /// Where in that line.
        column: usize,
    },
    /// The contract version is missing or another one.
    #[error("version must be {CONTRACT_VERSION}")]
    UnknownVersion,
    /// The type is none of this contract's.
    #[error(
        "type must be client.upserted, invoice.sent, invoice.updated, invoice.voided, \
         credit_note.issued, credit_note.updated, credit_note.voided, credit_note.allocated, \
         credit_note.deallocated, payment.recorded or payment.deleted"
    )]
    UnknownType,
    /// A field is missing or wrong.
    #[error("{field}: {problem}")]
    Field {
        /// The field's path, such as `invoice.lines[2].quantity`.
        field: String,
        /// What it must be.
        problem: String,
    },
    /// The message is on the queue of another kind.
    #[error("type: this queue takes no such messages; it is for {}s", .expected.noun())]
    WrongQueue {
        /// The queue's kind.
        expected: EntityKind,
    },
    /// The message group is another account's.
    #[error("account_id: differs from the message group, which names the account")]
    WrongAccount,
}

impl Unreadable {
    /// A stable name for logs and the dead-letter queue's `reason` attribute.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Oversized { bytes: _ } => "oversized",
            Self::NotJson { line: _, column: _ } => "not_json",
            Self::UnknownVersion => "unknown_version",
            Self::UnknownType => "unknown_type",
            Self::Field { field: _, problem: _ } => "field",
            Self::WrongQueue { expected: _ } => "wrong_queue",
            Self::WrongAccount => "wrong_account",
        }
    }
}

pub(super) fn parse<'de, T: Deserialize<'de>>(body: &'de str) -> Result<T, Unreadable> {
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        unreadable(&path, &error.into_inner())
    })?;
    deserializer.end().map_err(|error| unreadable(".", &error))?;
    Ok(value)
}

fn unreadable(path: &str, error: &serde_json::Error) -> Unreadable {
    use serde_json::error::Category;
    match error.classify() {
        Category::Syntax | Category::Eof | Category::Io => {
            Unreadable::NotJson { line: error.line(), column: error.column() }
        }
        Category::Data => {
            let text = error.to_string();
            let problem = text.split(" at line ").next().unwrap_or_default();
            field_problem(path, problem)
        }
    }
}

/// Serde's sentence, without the value it quotes: a value may be personal.
fn field_problem(path: &str, problem: &str) -> Unreadable {
    let missing = problem.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    let (field, problem) = match (missing, problem.split_once(", expected ")) {
        (Some(name), _) if path == "." => (name.to_owned(), "is missing".to_owned()),
        (Some(name), _) => (format!("{path}.{name}"), "is missing".to_owned()),
        (None, Some((_, expected))) => (path.to_owned(), format!("must be {expected}")),
        (None, None) => (path.to_owned(), problem.to_owned()),
    };
    Unreadable::Field { field, problem }
}
