//! The sync log, in which customers see every attempt. Entries are kept for 30 days.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::entity::EntityKind;
use crate::ids::{AccountId, CrmId, UserId, XeroId};
use crate::variants::named_variants;

/// How long entries are kept, in days, as promised to customers.
pub const RETENTION_DAYS: i64 = 30;
/// The maximum length of an entry's message, in characters. It ensures that a page of the log fits
/// into one answer of the API.
pub const MESSAGE_MAX: usize = 4_000;
/// The start of the sentence that says when a record is tried again.
pub const NEXT_ATTEMPT: &str = " The next attempt is at ";
const KEPT: SignedDuration = SignedDuration::from_hours(RETENTION_DAYS * 24);

/// One attempt, as people of the account read it. An entry identifies records by numbers and ids.
/// Only the sentences about a refusal may contain a name: that of a contact, or what Xero quotes.
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
    /// The number of the attempt within its operation, from 1; 0 if the entry is not about an
    /// attempt.
    pub attempt: u32,
    /// The duration of the attempt, or of the work that the entry is about, in milliseconds.
    pub duration_ms: u64,
    /// What happened and what to do, in plain sentences.
    pub message: String,
    /// What a person can do, which the message also says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// When the record is tried again, which the message also says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// The user who decided it, if it is about a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
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

    /// The message without what the fields `remedy` and `next_attempt_at` say.
    pub fn without_advice(&self) -> String {
        let message = match &self.remedy {
            Some(remedy) => self.message.replacen(&format!(" {remedy}"), "", 1),
            None => self.message.clone(),
        };
        match message.split_once(NEXT_ATTEMPT).filter(|_| self.next_attempt_at.is_some()) {
            Some((before, _)) => before.to_owned(),
            None => message,
        }
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

/// What an attempt did, or what else an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoggedOperation {
    /// A document was created in Xero, by this attempt or by an earlier one of unknown result.
    Create,
    /// A document was changed in Xero.
    Update,
    /// A document was voided or deleted in Xero.
    Void,
    /// An existing document was recognised as this integration's.
    Adopt,
    /// The attempt ended before any of the others.
    Push,
    /// A change in Xero was read. This is no attempt.
    Import,
    /// A message of the CRM arrived and required no attempt, or was refused.
    Receive,
    /// A user linked a client with a contact, or removed the link.
    Link,
    /// A user marked the record as never to be sent.
    Withhold,
}

impl LoggedOperation {
    /// Whether the entry is about a user's decision, which has no outcome of its own.
    pub const fn is_decision(self) -> bool {
        matches!(self, Self::Link | Self::Withhold)
    }
}

named_variants! {
    /// The outcome of an attempt.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum LogStatus {
        /// Xero has the record.
        Synced = "synced",
        /// Xero already had it.
        Unchanged = "unchanged",
        /// The attempt failed and will be repeated.
        Retrying = "retrying",
        /// The record waits for a limit, another record or a reconnect.
        Waiting = "waiting",
        /// The record was given up and needs a person.
        Skipped = "skipped",
    }

    /// The name in APIs.
    pub const fn as_str(self) -> &'static str;

    /// The outcome with this name.
    pub fn from_name(name: &str) -> Option<Self>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn an_entry(message: String) -> LogEntry {
        LogEntry {
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
            message,
            remedy: None,
            next_attempt_at: None,
            by: None,
            code: None,
        }
    }

    #[test]
    fn an_entry_omits_the_advice_that_has_fields_of_its_own() {
        let message = "It failed. Do this. The next attempt is at 2026-11-02 09:05 UTC.";
        let entry = an_entry(message.to_owned());
        assert_eq!(entry.without_advice(), message, "an entry of an earlier release");
        let entry = LogEntry {
            remedy: Some("Do this.".to_owned()),
            next_attempt_at: Some(Timestamp::UNIX_EPOCH),
            ..entry
        };
        assert_eq!(entry.without_advice(), "It failed.");
    }

    #[test]
    fn a_message_of_any_length_is_kept_within_its_bound() {
        for (length, kept) in [
            (MESSAGE_MAX, MESSAGE_MAX),
            (MESSAGE_MAX + 1, MESSAGE_MAX + 1),
            (MESSAGE_MAX * 100, MESSAGE_MAX + 1),
        ] {
            let entry = an_entry("é".repeat(length));
            let message = entry.with_clipped_message().message;
            assert_eq!(message.chars().count(), kept, "{length}");
            assert_eq!(message.ends_with('…'), length > MESSAGE_MAX);
        }
    }
}
