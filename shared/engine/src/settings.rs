//! What people see and press: status, the sync log, one record, sync now. Plain records for whoever
//! shows them.

use std::num::NonZeroU16;

use domain::connection::{Connection, Status};
use domain::entity::EntityKind;
use domain::health::Health;
use domain::ids::{AccountId, CrmId, TenantId, UserId};
use domain::mapping::MappingKey;
use domain::operation::Urgency;
use domain::sync_all::{Counts, Place, SyncAll};
use domain::sync_log::{LogEntry, LogStatus};
use jiff::Timestamp;
use serde::Serialize;
use store::StoreError;
use store::table::Cursor;

use crate::inbound::{ledger, push_known};
use crate::push::{Pushed, Unrecorded};
use crate::views::RecordView;
use crate::{Engine, Invocation};

/// How far back the newest attempt is looked for.
const NEWEST: NonZeroU16 = NonZeroU16::MIN;
/// A filtered page of the log reads at most this many pages of the table.
const LOG_READS_MAX: u32 = 20;

/// The status page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusView {
    /// The status.
    pub status: Status,
    /// The connected organisation's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Who connected it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_by: Option<String>,
    /// When it was connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_at: Option<Timestamp>,
    /// When the newest attempt ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_at: Option<Timestamp>,
    /// What the newest attempt said, when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Until when Xero asked us to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Timestamp>,
    /// Records that were given up, as the last hourly check counted them.
    pub skipped: u32,
    /// What speaks against the account codes and tax types in use, before a push fails for it; and that many
    /// records were given up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Organisations that may be chosen instead, or have to be chosen from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
}

/// An organisation that a person consented to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What to choose it by.
    pub tenant_id: TenantId,
    /// Its name.
    pub name: String,
}

/// The status of an account's connection.
pub async fn status(engine: &Engine, account: &AccountId) -> Result<StatusView, StoreError> {
    let now = engine.clock.now();
    let connection = engine.store.connection(account).await?.map(|row| row.record);
    let newest = engine.store.log_page(account, None, NEWEST, now).await?.entries.pop();
    let Some(connection) = connection else {
        return Ok(StatusView {
            status: Status::Disconnected,
            organisation: None,
            connected_by: None,
            connected_at: None,
            last_sync_at: None,
            problem: None,
            paused_until: None,
            skipped: 0,
            warnings: Vec::new(),
            choices: Vec::new(),
        });
    };
    let health = engine.store.health(account).await?.map(|row| row.record);
    let status = connection.status(newest.as_ref().map(|entry| entry.status));
    let Connection {
        organisation,
        connected_by,
        connected_at,
        paused_until,
        offered,
        mut warnings,
        ..
    } = connection;
    warnings.extend(health.as_ref().and_then(Health::warning));
    let used = organisation.as_ref().map(|used| used.tenant);
    let choices = offered.into_iter().filter(|one| Some(one.tenant) != used);
    let choices = choices.map(|one| Choice { tenant_id: one.tenant, name: one.name }).collect();
    Ok(StatusView {
        status,
        organisation: organisation.map(|organisation| organisation.name),
        connected_by,
        connected_at,
        last_sync_at: newest.as_ref().map(|entry| entry.at),
        problem: newest.filter(|_| status == Status::Error).map(|entry| entry.message),
        paused_until: paused_until.filter(|until| *until > now),
        skipped: health.map_or(0, |health| health.skipped),
        warnings,
        choices,
    })
}

/// Which entries of the sync log are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Only of this kind.
    pub entity: Option<EntityKind>,
    /// Only with this ending.
    pub status: Option<LogStatus>,
}

impl LogFilter {
    fn wants(self, entry: &LogEntry) -> bool {
        self.entity.is_none_or(|entity| entity == entry.entity)
            && self.status.is_none_or(|status| status == entry.status)
    }
}

/// A page of the sync log, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogView {
    /// The entries.
    pub entries: Vec<LogEntry>,
    /// The next page's cursor, while there may be more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A page of an account's sync log.
pub async fn sync_log(
    engine: &Engine,
    account: &AccountId,
    filter: LogFilter,
    cursor: Option<String>,
    limit: NonZeroU16,
) -> Result<LogView, StoreError> {
    let now = engine.clock.now();
    let wanted = usize::from(limit.get());
    let mut entries: Vec<LogEntry> = Vec::new();
    let mut after = cursor.map(Cursor::at);
    for _ in 0..LOG_READS_MAX {
        let page = engine.store.log_page(account, after.clone(), limit, now).await?;
        for entry in page.entries {
            let full = entries.len() == wanted;
            if full {
                let next = entries.last().map(|last| last.id.clone());
                return Ok(LogView { entries, next });
            }
            if filter.wants(&entry) {
                entries.push(entry);
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let next = after.map(|cursor| cursor.sort_key().to_owned());
    Ok(LogView { entries, next })
}

/// How far a Sync All has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Who asked for it.
    pub started_by: UserId,
    /// When.
    pub started_at: Timestamp,
    /// When it came to its end, if it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// What became of the records so far.
    #[serde(flatten)]
    pub counts: Counts,
}

impl Progress {
    /// The progress of this walk.
    pub fn of(walk: &SyncAll) -> Self {
        let finished_at = match walk.place {
            Place::Walking { .. } => None,
            Place::Done { at } => Some(at),
        };
        Self {
            started_by: walk.by.clone(),
            started_at: walk.started_at,
            finished_at,
            counts: walk.counts,
        }
    }
}

/// One record, or `None` when nothing is known of it.
pub async fn record(
    engine: &Engine,
    account: &AccountId,
    kind: EntityKind,
    crm_id: CrmId,
) -> Result<Option<RecordView>, StoreError> {
    let Some(ledger) = ledger(engine, account).await? else { return Ok(None) };
    let row = engine.store.mapping(&MappingKey { ledger, kind, crm_id }).await?;
    Ok(row.map(|row| RecordView::of(row.record)))
}

/// Syncs one record now: no ladder, and what is done is sent to Xero again. `None` when nothing is
/// known of it. If the process dies, a wake-up at the end of its lease goes on.
pub async fn sync_now(
    engine: &Engine,
    account: &AccountId,
    kind: EntityKind,
    crm_id: CrmId,
    invocation: Invocation,
) -> Result<Option<RecordView>, Unrecorded> {
    let Some(ledger) = ledger(engine, account).await? else { return Ok(None) };
    let records = [crm_id];
    let person = Urgency::Person;
    let mut pushed = push_known(engine, &ledger, kind, &records, person, invocation).await;
    match pushed.pop() {
        Some(Ok(Pushed::Unknown)) | None => return Ok(None),
        Some(Ok(_)) => {}
        Some(Err(error)) => return Err(error),
    }
    let [crm_id] = records;
    let row = engine.store.mapping(&MappingKey { ledger, kind, crm_id }).await?;
    Ok(row.map(|row| RecordView::of(row.record)))
}
