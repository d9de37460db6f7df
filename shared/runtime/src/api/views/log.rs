//! The sync log and Sync All in responses.

use domain::sync_all::{SyncAll, SyncAllProgress};
use domain::sync_log::LogEntry;
use engine::commands::links::XeroPages;
use engine::commands::{activity, records};
use jiff::Timestamp;
use requests::RecordKind;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::words::{LogAction, LogOutcome, ProgressWord};

/// A page of the sync log, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogPageView {
    /// The entries. A filtered page may be empty although there are more.
    pub(crate) entries: Vec<LogEntryView>,
    /// The cursor of the next page. Without it, there are no more entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// One attempt.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogEntryView {
    /// A unique id that sorts by time.
    pub(crate) id: String,
    /// When the attempt ended.
    pub(crate) at: Timestamp,
    /// The account.
    pub(crate) account: String,
    /// What the attempt did.
    pub(crate) operation: LogAction,
    /// The kind of record.
    pub(crate) entity: RecordKind,
    /// The record in the CRM.
    pub(crate) crm_id: String,
    /// The number people know it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<String>,
    /// The counterpart in Xero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) xero_id: Option<Uuid>,
    /// The page in Xero that shows the counterpart, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) xero_url: Option<String>,
    /// The outcome.
    pub(crate) status: LogOutcome,
    /// The number of the attempt within its operation, from 1; 0 if the entry is not about an
    /// attempt.
    pub(crate) attempt: u32,
    /// How long it took, in milliseconds.
    pub(crate) duration_ms: u64,
    /// What happened, as sentences. Entries of earlier releases also say what to do.
    pub(crate) message: String,
    /// What a person can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<String>,
    /// When the record is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_attempt_at: Option<Timestamp>,
    /// The user who decided it, if it is about a decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    /// A stable name of the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
}

impl LogPageView {
    /// A page whose entries link to these pages.
    pub(crate) fn of_page(view: records::LogView, pages: &XeroPages) -> Self {
        let entries = view.entries.into_iter();
        let entries = entries.map(|entry| LogEntryView::of_entry(entry, pages)).collect();
        Self { entries, next: view.next }
    }
}

impl LogEntryView {
    fn of_entry(entry: LogEntry, pages: &XeroPages) -> Self {
        let page = entry.xero_id.and_then(|id| pages.find_document_page(entry.entity, id));
        Self {
            message: entry.without_advice(),
            id: entry.id,
            at: entry.at,
            account: entry.account.to_string(),
            operation: entry.operation.into(),
            entity: entry.entity.into(),
            crm_id: entry.crm_id.to_string(),
            number: entry.number,
            xero_id: entry.xero_id.map(|id| id.0),
            xero_url: page,
            status: entry.status.into(),
            attempt: entry.attempt,
            duration_ms: entry.duration_ms,
            remedy: entry.remedy,
            next_attempt_at: entry.next_attempt_at,
            by: entry.by.map(|by| by.to_string()),
            code: entry.code,
        }
    }
}

/// The progress of a Sync All.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SyncAllView {
    /// Whether one was started, and its progress.
    pub(crate) state: ProgressWord,
    /// The user who started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started_by: Option<String>,
    /// When it was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<Timestamp>,
    /// When it finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) finished_at: Option<Timestamp>,
    /// The kind of the records that are being looked at, while it is running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entity: Option<RecordKind>,
    /// About how many records there are in all: as many as the last complete Sync All looked at.
    /// Absent during the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<u64>,
    /// Records that were looked at.
    pub(crate) looked_at: u64,
    /// Records that were synced.
    pub(crate) synced: u64,
    /// Records that Xero already had.
    pub(crate) unchanged: u64,
    /// Records that wait.
    pub(crate) waiting: u64,
    /// Records that were given up.
    pub(crate) skipped: u64,
}

impl From<Option<SyncAll>> for SyncAllView {
    fn from(walk: Option<SyncAll>) -> Self {
        let view = walk.as_ref().map(records::SyncAllView::from_sync_all);
        let finished_at = view.as_ref().and_then(|view| view.finished_at);
        let state = match (&view, finished_at) {
            (None, _) => ProgressWord::None,
            (Some(_), None) => ProgressWord::Running,
            (Some(_), Some(_)) => ProgressWord::Done,
        };
        let counts = view.as_ref().map(|view| view.counts).unwrap_or_default();
        let entity = walk.as_ref().and_then(|walk| match walk.place {
            SyncAllProgress::Walking { kind, after: _ } => Some(RecordKind::from(kind)),
            SyncAllProgress::Done { at: _ } => None,
        });
        Self {
            state,
            entity,
            total: walk.as_ref().and_then(SyncAll::estimate_total),
            started_by: view.as_ref().map(|view| view.started_by.to_string()),
            started_at: view.as_ref().map(|view| view.started_at),
            finished_at,
            looked_at: counts.looked_at,
            synced: counts.synced,
            unchanged: counts.unchanged,
            waiting: counts.waiting,
            skipped: counts.skipped,
        }
    }
}

/// The attempts of the last days, by hour.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActivityView {
    /// The hours with attempts, the oldest first.
    pub(crate) hours: Vec<ActivityHourView>,
    /// The instant from which the counts are complete, if there were too many attempts to count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) complete_since: Option<Timestamp>,
}

/// The attempts of one hour, by outcome.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActivityHourView {
    /// The beginning of the hour, in UTC.
    pub(crate) at: Timestamp,
    /// Attempts after which Xero had the record.
    pub(crate) synced: u32,
    /// Attempts that found nothing to change.
    pub(crate) unchanged: u32,
    /// Attempts that will be repeated or wait.
    pub(crate) waiting: u32,
    /// Attempts after which the record was given up.
    pub(crate) given_up: u32,
}

impl From<activity::Activity> for ActivityView {
    fn from(activity: activity::Activity) -> Self {
        let hours = activity.hours.into_iter().map(|(at, counts)| ActivityHourView {
            at,
            synced: counts.synced,
            unchanged: counts.unchanged,
            waiting: counts.waiting,
            given_up: counts.given_up,
        });
        Self { hours: hours.collect(), complete_since: activity.complete_since }
    }
}
