//! The sync log: what the customer sees of every attempt. Kept for 30 days.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::entity::EntityKind;
use crate::ids::{AccountId, CrmId, XeroId};

/// How long entries are kept, in days, as promised to customers.
pub const RETENTION_DAYS: i64 = 30;
const KEPT: SignedDuration = SignedDuration::from_hours(RETENTION_DAYS * 24);

/// One attempt, as people read it. Holds no personal data: numbers and ids, never names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Sorts by time; unique.
    pub id: String,
    /// When the attempt ended.
    pub at: Timestamp,
    /// Whose.
    pub account: AccountId,
    /// What was done.
    pub operation: LoggedOperation,
    /// The kind of record.
    pub entity: EntityKind,
    /// The record in the CRM.
    pub crm_id: CrmId,
    /// The number people know it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The counterpart in Xero, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xero_id: Option<XeroId>,
    /// How it ended.
    pub status: LogStatus,
    /// Which attempt of the operation it was, counting from 1.
    pub attempt: u32,
    /// How long it took.
    pub duration_ms: u64,
    /// What happened and what to do, in plain sentences.
    pub message: String,
    /// The failure's code, for support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl LogEntry {
    /// The instant from which the entry is no longer shown.
    pub fn expires_at(&self) -> Timestamp {
        self.at.saturating_add(KEPT).unwrap_or(Timestamp::MAX)
    }

    /// Entries up to this instant are no longer shown at `now`.
    pub fn oldest_kept(now: Timestamp) -> Timestamp {
        now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN)
    }
}

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoggedOperation {
    /// A document was created in Xero.
    Create,
    /// A document was changed in Xero.
    Update,
    /// A document was voided or deleted in Xero.
    Void,
    /// An existing document was recognised as ours.
    Adopt,
    /// Nothing got as far as one of the others.
    Push,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStatus {
    /// Xero has the record.
    Synced,
    /// Xero already had it.
    Unchanged,
    /// It failed and will be tried again.
    Retrying,
    /// It waits for something: a limit, another record, a reconnect.
    Waiting,
    /// It was given up and needs a person.
    Skipped,
}

impl LogStatus {
    /// Every status, for filters.
    pub const ALL: [Self; 5] =
        [Self::Synced, Self::Unchanged, Self::Retrying, Self::Waiting, Self::Skipped];

    /// The name in APIs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Synced => "synced",
            Self::Unchanged => "unchanged",
            Self::Retrying => "retrying",
            Self::Waiting => "waiting",
            Self::Skipped => "skipped",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}
