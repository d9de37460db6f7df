//! What people see and press: status, the sync log, one record, sync now. Plain records for whoever
//! shows them.

use std::num::NonZeroU16;

use domain::connection::{Connection, Status};
use domain::entity::EntityKind;
use domain::failure::Failure;
use domain::ids::{AccountId, CrmId, TenantId, XeroId};
use domain::mapping::{Amounts, Mapping, MappingKey};
use domain::operation::{State, Urgency};
use domain::sync_log::{LogEntry, LogStatus};
use jiff::Timestamp;
use serde::Serialize;
use store::StoreError;
use store::table::Cursor;

use crate::inbound::{ledger, push_known};
use crate::push::{Pushed, Unrecorded};
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
            choices: Vec::new(),
        });
    };
    let status = connection.status(newest.as_ref().map(|entry| entry.status));
    let Connection { organisation, connected_by, connected_at, paused_until, offered, .. } =
        connection;
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

/// One record and its counterpart in Xero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordView {
    /// The record in the CRM.
    pub crm_id: CrmId,
    /// Its kind.
    pub entity: EntityKind,
    /// Where its sync stands.
    pub state: RecordState,
    /// The newest revision received.
    pub revision: u64,
    /// The revision Xero has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synced_revision: Option<u64>,
    /// The counterpart in Xero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xero_id: Option<XeroId>,
    /// Its number there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xero_number: Option<String>,
    /// Status and amounts, for invoices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amounts: Option<Amounts>,
    /// When it will be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// The last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Where a record's sync stands, in words for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// Waiting for its turn.
    Queued,
    /// Somebody is on it.
    Syncing,
    /// It will be tried again.
    Waiting,
    /// It waits for something else.
    Parked,
    /// Xero has it.
    Synced,
    /// It was given up.
    Skipped,
    /// A person said that it is never to be sent.
    NeverSend,
}

impl RecordView {
    pub(crate) fn of(mapping: Mapping) -> Self {
        let Mapping {
            key,
            snapshot,
            synced_revision,
            operation,
            link,
            generation: _,
            earlier_keys: _,
        } = mapping;
        let (state, next_attempt_at) = match operation.state {
            State::Due => (RecordState::Queued, None),
            State::Claimed { by: _, until: _ } => (RecordState::Syncing, None),
            State::Waiting { until } => (RecordState::Waiting, Some(until)),
            State::Parked { on: _ } => (RecordState::Parked, None),
            State::Synced => (RecordState::Synced, None),
            State::Skipped => (RecordState::Skipped, None),
            State::Withheld => (RecordState::NeverSend, None),
        };
        Self {
            crm_id: key.crm_id,
            entity: key.kind,
            state,
            revision: snapshot.revision,
            synced_revision,
            xero_id: link.as_ref().map(|link| link.xero_id),
            xero_number: link.as_ref().and_then(|link| link.number.clone()),
            amounts: link.and_then(|link| link.amounts),
            next_attempt_at,
            failure: operation.failure,
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
