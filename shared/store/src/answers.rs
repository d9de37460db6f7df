//! What the typed store answers: records with their versions, pages, and why not.

use domain::mapping::Mapping;
use domain::sync_log::LogEntry;

use crate::table::{Cursor, ItemKey, TableError, Version};

/// A record with the version of its row, which the next write must name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The record.
    pub record: T,
    /// The version of its row.
    pub version: Version,
}

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row is not what the writer believed. Nothing was written: read and decide again.
    #[error("a row has moved on since it was read")]
    Conflict,
    /// The table did not complete the operation. A write may or may not have happened.
    #[error("could not {operation}")]
    Table {
        /// What was attempted.
        operation: &'static str,
        /// What the table said.
        #[source]
        source: TableError,
    },
    /// A record, or a change of several, is larger than the table takes. Nothing was written, and the
    /// same write will never be accepted: an answer, not an outage.
    #[error("could not {operation}: it is too large")]
    TooLarge {
        /// What was attempted.
        operation: &'static str,
        /// By how much.
        #[source]
        source: TableError,
    },
    /// A record cannot be read: written by a newer release, or damaged.
    #[error("the record {key} cannot be read")]
    Undecodable {
        /// Its key.
        key: ItemKey,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

impl StoreError {
    /// Whether the same operation fails for ever, for a reason of this one record: it is too large to
    /// be written, or what is there cannot be read. Everything else is an outage, or a race.
    pub const fn is_about_the_record(&self) -> bool {
        match self {
            Self::TooLarge { .. } | Self::Undecodable { .. } => true,
            Self::Table { operation: _, source } => {
                matches!(source, TableError::Corrupt { .. })
            }
            Self::Conflict => false,
        }
    }
}

/// A page of mappings, in the order of their ids.
#[derive(Debug, Clone)]
pub struct MappingPage {
    /// The mappings with their versions.
    pub rows: Vec<Versioned<Mapping>>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// A page of the sync log, newest first.
#[derive(Debug, Clone)]
pub struct LogPage {
    /// The entries.
    pub entries: Vec<LogEntry>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}
