//! The results of the typed store: records with their versions, pages and errors.

use domain::ids::AccountId;
use domain::json_fault::JsonFault;
use domain::mapping::Mapping;
use domain::outbound::EventMessage;
use domain::sync_log::LogEntry;

use crate::table::{ItemKey, ItemVersion, PageCursor, TableError};

/// A record with the version of its row, which the next write has to name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionedRecord<T> {
    /// The record.
    pub record: T,
    /// The version of its row.
    pub version: ItemVersion,
}

/// A setting of an account, with the version of its row: 0 if there is no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionedSetting<T> {
    /// The setting, or its default if nothing was chosen.
    pub value: T,
    /// The version, which every change of the row increases.
    pub version: u64,
}

impl<T: Default> VersionedSetting<T> {
    /// The setting that `read` takes from its row.
    pub(crate) fn from_row<R>(row: Option<VersionedRecord<R>>, read: impl FnOnce(R) -> T) -> Self {
        match row {
            Some(VersionedRecord { record, version }) => {
                Self { value: read(record), version: version.as_number() }
            }
            None => Self { value: T::default(), version: 0 },
        }
    }
}

/// Why the store did not perform an operation.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The row has changed since it was read. Nothing of this write is in the table, with the
    /// exception that [`TableError::Conflict`] names. Read and decide again.
    #[error("a row has changed since it was read")]
    Conflict,
    /// The table did not complete the operation. A write may or may not have happened, unless
    /// `source` is [`TableError::Refused`].
    #[error("could not {operation}")]
    Table {
        /// The operation.
        operation: &'static str,
        /// The table's error.
        #[source]
        source: TableError,
    },
    /// A record, or a change of several, is larger than the table accepts. Nothing was written, and
    /// the same write will always be refused.
    #[error("could not {operation}: it is too large")]
    TooLarge {
        /// The operation.
        operation: &'static str,
        /// The size and the limit.
        #[source]
        source: TableError,
    },
    /// A record cannot be read: a newer release wrote it, or it is damaged.
    #[error("the record {key} cannot be read")]
    Undecodable {
        /// Its key.
        key: ItemKey,
        /// The cause, which quotes nothing of the record.
        #[source]
        source: JsonFault,
    },
}

impl StoreError {
    /// Returns whether the same operation will always fail because of this record: it is too large,
    /// or its row cannot be read. Every other error is an outage or a race.
    pub const fn is_about_the_record(&self) -> bool {
        match self {
            Self::TooLarge { .. } | Self::Undecodable { .. } => true,
            Self::Table { operation: _, source } => {
                matches!(source, TableError::Corrupt { .. })
            }
            Self::Conflict => false,
        }
    }

    /// Returns the key of the row that cannot be read, if that is the reason.
    pub fn unreadable_key(&self) -> Option<&ItemKey> {
        match self {
            Self::Undecodable { key, source: _ }
            | Self::Table { operation: _, source: TableError::Corrupt { key, reason: _ } } => {
                Some(key)
            }
            Self::Table { .. } | Self::TooLarge { .. } | Self::Conflict => None,
        }
    }
}

/// A page of mappings in the order of their ids.
#[derive(Debug)]
pub struct MappingPage {
    /// The mappings with their versions.
    pub rows: Vec<VersionedRecord<Mapping>>,
    /// Why other rows of the page cannot be read. They do not affect the readable ones.
    pub unreadable: Vec<StoreError>,
    /// The start of the next page, if there is one.
    pub next: Option<PageCursor>,
}

/// The parts of a payment.
#[derive(Debug)]
pub struct PaymentParts {
    /// The mappings with their versions.
    pub rows: Vec<VersionedRecord<Mapping>>,
    /// Why other parts of the payment cannot be read. They do not affect the readable ones.
    pub unreadable: Vec<StoreError>,
}

/// The accounts that use a grant.
#[derive(Debug)]
pub struct GrantUsers {
    /// The accounts, in the order of their ids.
    pub accounts: Vec<AccountId>,
    /// Why other rows cannot be read. The accounts of these rows may use the grant.
    pub unreadable: Vec<StoreError>,
    /// Whether there are certainly no further users.
    pub is_all: bool,
}

/// An event in an outbox. It may have been delivered already, because it is removed after its
/// delivery.
#[derive(Debug, Clone)]
pub struct UndeliveredEvent {
    /// The event, as it was committed.
    pub message: EventMessage,
    /// The key of its row. The release that committed the event chose it.
    pub(crate) key: ItemKey,
}

/// A page of the events of an outbox, beginning with the oldest.
#[derive(Debug)]
pub struct OutboxPage {
    /// The events in the order of delivery.
    pub events: Vec<UndeliveredEvent>,
    /// Why other events cannot be read. They do not affect the readable ones.
    pub unreadable: Vec<StoreError>,
    /// The start of the next page, if there is one.
    pub next: Option<PageCursor>,
}

/// A page of the sync log, newest first, without unreadable entries.
#[derive(Debug, Clone)]
pub struct LogPage {
    /// The entries.
    pub entries: Vec<LogEntry>,
    /// The start of the next page, if there is one.
    pub next: Option<PageCursor>,
}
