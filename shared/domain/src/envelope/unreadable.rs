//! The reasons why a body cannot be read.

use super::{BODY_LIMIT_BYTES, CONTRACT_VERSION, MessageType};
use crate::body::FieldSuggestion;
use crate::entity::EntityKind;

/// The reason why a body cannot be read. The text names the field and never quotes its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableBody {
    /// The body is longer than [`BODY_LIMIT_BYTES`].
    #[error("the body is {bytes} bytes long; at most {BODY_LIMIT_BYTES} are read")]
    Oversized {
        /// The length of the body, in bytes.
        bytes: usize,
    },
    /// The body is not JSON.
    #[error("the body is not JSON (line {line}, column {column})")]
    NotJson {
        /// The line of the error.
        line: usize,
        /// The column of the error.
        column: usize,
    },
    /// The contract version is missing or is not the one that this code reads.
    #[error("version must be {CONTRACT_VERSION}")]
    UnknownVersion,
    /// The contract does not have this type.
    #[error("type must be {}", MessageType::list_names())]
    UnknownType,
    /// The contract does not have this field.
    #[error("{field} is not a known field{meant}")]
    UnknownField {
        /// The field's path, such as `invoice.lines[0].taxrate`.
        field: String,
        /// The field that was probably meant.
        meant: FieldSuggestion,
    },
    /// A field is missing or has a wrong value.
    #[error("{field}: {problem}")]
    Field {
        /// The field's path, such as `invoice.lines[2].quantity`.
        field: String,
        /// The problem, such as `is missing` or `must not be empty`.
        problem: String,
    },
    /// The message belongs on the queue of another kind.
    #[error("type: this queue does not accept such messages; it is for {}s", .expected.display_noun())]
    WrongQueue {
        /// The kind that the queue is for.
        expected: EntityKind,
    },
    /// The message names another account than its message group.
    #[error("account_id: must equal the message group id")]
    WrongAccount,
}

impl UnreadableBody {
    /// A stable name, used in logs and in the dead-letter queue's `reason` attribute.
    pub const fn stable_code(&self) -> &'static str {
        match self {
            Self::Oversized { bytes: _ } => "oversized",
            Self::NotJson { line: _, column: _ } => "not_json",
            Self::UnknownVersion => "unknown_version",
            Self::UnknownType => "unknown_type",
            Self::UnknownField { field: _, meant: _ } => "unknown_field",
            Self::Field { field: _, problem: _ } => "field",
            Self::WrongQueue { expected: _ } => "wrong_queue",
            Self::WrongAccount => "wrong_account",
        }
    }
}
