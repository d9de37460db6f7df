//! The sync log, in which customers see every attempt. Entries are kept for 30 days.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::entity::EntityKind;
use crate::ids::{AccountId, CrmId, XeroId};

/// How long entries are kept, in days, as promised to customers.
pub const RETENTION_DAYS: i64 = 30;
/// The maximum length of an entry's message, in characters. It ensures that a page of the log fits
/// into one answer of the API.
pub const MESSAGE_MAX: usize = 4_000;
const KEPT: SignedDuration = SignedDuration::from_hours(RETENTION_DAYS * 24);

/// One attempt, as people read it. An entry contains no personal data: only numbers and ids, no
/// names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// A unique id that sorts by time.
    pub id: String,
    /// When the attempt ended.
    pub at: Timestamp,
    /// The account.
    pub account: AccountId,
    /// What the attempt did.
    pub operation: LoggedOperation,
    /// The kind of record.
    pub entity: EntityKind,
    /// The record in the CRM.
    pub crm_id: CrmId,
    /// The number people know it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The counterpart in Xero, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xero_id: Option<XeroId>,
    /// The outcome of the attempt.
    pub status: LogStatus,
    /// The number of the attempt within its operation, from 1.
    pub attempt: u32,
    /// The duration of the attempt, in milliseconds.
    pub duration_ms: u64,
    /// What happened and what to do, in plain sentences.
    pub message: String,
    /// The code of the failure, for support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl LogEntry {
    /// The entry with its message cut to [`MESSAGE_MAX`], as it is stored.
    #[must_use]
    pub fn with_clipped_message(mut self) -> Self {
        if let Some((cut, _)) = self.message.char_indices().nth(MESSAGE_MAX) {
            self.message.truncate(cut);
            self.message.push('…');
        }
        self
    }

    /// When the entry expires.
    pub fn expires_at(&self) -> Timestamp {
        self.at.saturating_add(KEPT).unwrap_or(Timestamp::MAX)
    }

    /// The instant before which entries are no longer shown at `now`.
    pub fn oldest_kept(now: Timestamp) -> Timestamp {
        now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN)
    }
}

/// What an attempt did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoggedOperation {
    /// A document was created in Xero.
    Create,
    /// A document was changed in Xero.
    Update,
    /// A document was voided or deleted in Xero.
    Void,
    /// An existing document was recognised as this integration's.
    Adopt,
    /// The attempt ended before any of the others.
    Push,
}

/// The outcome of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStatus {
    /// Xero has the record.
    Synced,
    /// Xero already had it.
    Unchanged,
    /// The attempt failed and will be repeated.
    Retrying,
    /// The record waits for a limit, another record or a reconnect.
    Waiting,
    /// The record was given up and needs a person.
    Skipped,
}

impl LogStatus {
    /// Every status, for filters.
    pub const ALL: [Self; 5] = crate::every_variant![Synced, Unchanged, Retrying, Waiting, Skipped];

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_any_length_is_kept_within_its_bound() {
        for (length, kept) in [
            (MESSAGE_MAX, MESSAGE_MAX),
            (MESSAGE_MAX + 1, MESSAGE_MAX + 1),
            (MESSAGE_MAX * 100, MESSAGE_MAX + 1),
        ] {
            let entry = LogEntry {
                id: "1".to_owned(),
                at: Timestamp::UNIX_EPOCH,
                account: AccountId::new("acc_1").unwrap(),
                operation: LoggedOperation::Push,
                entity: EntityKind::Invoice,
                crm_id: CrmId::new("inv_1").unwrap(),
                number: None,
                xero_id: None,
                status: LogStatus::Synced,
                attempt: 1,
                duration_ms: 0,
                message: "é".repeat(length),
                code: None,
            };
            let message = entry.with_clipped_message().message;
            assert_eq!(message.chars().count(), kept, "{length}");
            assert_eq!(message.ends_with('…'), length > MESSAGE_MAX);
        }
    }
}
