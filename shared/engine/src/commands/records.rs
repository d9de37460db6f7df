//! User commands and views: the sync log, one record, and sync now. They return plain records for
//! any front end.

use std::num::NonZeroU16;

use domain::crm::credit_note::negative_invoice_record_id;
use domain::crm::payment::is_part_id;
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, UserId};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::Trigger;
use domain::sync_all::{SyncAll, SyncAllCounts, SyncAllProgress};
use domain::sync_log::{LogEntry, LogStatus};
use jiff::Timestamp;
use serde::Serialize;
use store::table::PageCursor;
use store::{LogSpan, StoreError};

use crate::commands::views::RecordView;
use crate::connection::ledgers::find_records_ledger;
use crate::errors::PersistError;
use crate::sync::push::PushOutcome;
use crate::sync::stored_records::push_stored_records;
use crate::{Engine, Invocation};

/// Maximum pages of the table that one filtered page of the log reads.
const LOG_READS_MAX: u32 = 20;

/// A filter for sync log entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Only entries of this kind.
    pub entity: Option<EntityKind>,
    /// Only entries with this status.
    pub status: Option<LogStatus>,
    /// Only entries about this record. The id of a payment also names its parts.
    pub crm_id: Option<CrmId>,
    /// Only entries with this code.
    pub code: Option<String>,
    /// Only entries about records whose number or id contains this text, in any case.
    pub text: Option<String>,
    /// Only entries of this span of time.
    pub span: LogSpan,
}

impl LogFilter {
    fn accepts_entry(&self, entry: &LogEntry) -> bool {
        self.accepts_record(entry)
            && self.status.is_none_or(|status| status == entry.status)
            && self.code.as_ref().is_none_or(|code| entry.code.as_ref() == Some(code))
            && self.text.as_ref().is_none_or(|text| names_record(entry, text))
    }

    /// Whether the entry is about a record that the kind and the id name. The id of an invoice with a
    /// negative total also names the credit note that it is in Xero, and the id of a payment its
    /// parts.
    fn accepts_record(&self, entry: &LogEntry) -> bool {
        let is_kind = |kind: EntityKind| self.entity.is_none_or(|entity| entity == kind);
        let Some(id) = &self.crm_id else { return is_kind(entry.entity) };
        let is_credit = entry.entity == EntityKind::CreditNote
            && is_kind(EntityKind::Invoice)
            && entry.crm_id == negative_invoice_record_id(id);
        let is_part = entry.entity == EntityKind::Payment && is_part_id(&entry.crm_id, id);
        is_credit || (is_kind(entry.entity) && (is_part || entry.crm_id == *id))
    }
}

/// Whether the number or the id of an entry's record contains a text, in any case.
fn names_record(entry: &LogEntry, text: &str) -> bool {
    let text = text.to_lowercase();
    let contains = |name: &str| name.to_lowercase().contains(&text);
    contains(entry.crm_id.as_str()) || entry.number.as_deref().is_some_and(contains)
}

/// A page of the sync log, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogView {
    /// The entries.
    pub entries: Vec<LogEntry>,
    /// The cursor of the next page, if there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Returns a page of an account's sync log.
pub async fn read_sync_log(
    engine: &Engine,
    account: &AccountId,
    filter: &LogFilter,
    cursor: Option<String>,
    limit: NonZeroU16,
) -> Result<LogView, StoreError> {
    let now = engine.clock.now();
    let wanted = usize::from(limit.get());
    let mut entries: Vec<LogEntry> = Vec::new();
    let mut after = cursor.map(PageCursor::at_sort_key);
    for _ in 0..LOG_READS_MAX {
        let page =
            engine.store.list_log_span(account, filter.span, after.clone(), limit, now).await?;
        for entry in page.entries {
            let full = entries.len() == wanted;
            if full {
                let next = entries.last().map(|last| last.id.clone());
                return Ok(LogView { entries, next });
            }
            if filter.accepts_entry(&entry) {
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

/// The progress of a Sync All.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncAllView {
    /// Who started it.
    pub started_by: UserId,
    /// When it started.
    pub started_at: Timestamp,
    /// When it finished, if it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// The results so far.
    #[serde(flatten)]
    pub counts: SyncAllCounts,
}

impl SyncAllView {
    /// Returns the progress of a Sync All.
    pub fn from_sync_all(sync_all: &SyncAll) -> Self {
        let finished_at = match sync_all.place {
            SyncAllProgress::Walking { .. } => None,
            SyncAllProgress::Done { at } => Some(at),
        };
        Self {
            started_by: sync_all.by.clone(),
            started_at: sync_all.started_at,
            finished_at,
            counts: sync_all.counts,
        }
    }
}

/// Returns one record, or `None` if it is unknown. An invoice with a negative total is returned as
/// the credit note that it is in Xero.
pub async fn find_record(
    engine: &Engine,
    account: &AccountId,
    kind: EntityKind,
    crm_id: CrmId,
) -> Result<Option<RecordView>, StoreError> {
    let ledger = find_records_ledger(engine, account).await?;
    let key = MappingKey::new(ledger, kind, crm_id);
    let mapping = find_named_mapping(engine, &key).await?;
    Ok(mapping.map(RecordView::from_mapping))
}

/// Returns the mapping of the record that an id of the CRM names. An invoice whose total has
/// changed its sign has two: the voided one, and the one in effect, which is returned.
pub(super) async fn find_named_mapping(
    engine: &Engine,
    key: &MappingKey,
) -> Result<Option<Mapping>, StoreError> {
    let own = engine.store.find_mapping(key).await?.map(|row| row.record);
    if own.as_ref().is_some_and(|own| !own.is_voided_in_crm()) {
        return Ok(own);
    }
    let Some(credit) = credit_note_key(key) else { return Ok(own) };
    let credit = engine.store.find_mapping(&credit).await?.map(|row| row.record);
    let credit = credit.filter(|credit| own.is_none() || !credit.is_voided_in_crm());
    Ok(credit.or(own))
}

/// Returns the key that the record of an invoice has if its total is negative: that of a credit note,
/// under an id of its own.
fn credit_note_key(key: &MappingKey) -> Option<MappingKey> {
    (key.kind == EntityKind::Invoice).then(|| {
        let id = negative_invoice_record_id(&key.crm_id);
        MappingKey::new(key.ledger.clone(), EntityKind::CreditNote, id)
    })
}

/// Syncs one record now, without waiting for its retry time, and even if Xero already has it.
/// `None` if the record is unknown. If the process dies, a wake-up at the end of the lease
/// continues. An invoice with a negative total is synced as the credit note that it is in Xero. If
/// its total has changed its sign, the voided document is synced before the one in effect.
pub async fn sync_record_now(
    engine: &Engine,
    account: &AccountId,
    kind: EntityKind,
    crm_id: CrmId,
    invocation: Invocation,
) -> Result<Option<RecordView>, PersistError> {
    let ledger = find_records_ledger(engine, account).await?;
    let key = MappingKey::new(ledger, kind, crm_id);
    let is_known = Box::pin(push_known_record(engine, &key, invocation)).await?;
    let named = find_named_mapping(engine, &key).await?;
    let Some(named) = named else { return Ok(None) };
    if is_known && named.key.kind == kind {
        return Ok(Some(RecordView::from_mapping(named)));
    }
    Box::pin(push_known_record(engine, &named.key, invocation)).await?;
    let row = engine.store.find_mapping(&named.key).await?;
    Ok(row.map(|row| RecordView::from_mapping(row.record)))
}

/// Pushes a record for a person. Returns whether it is known.
async fn push_known_record(
    engine: &Engine,
    key: &MappingKey,
    invocation: Invocation,
) -> Result<bool, PersistError> {
    let (records, person) = ([key.crm_id.clone()], Trigger::Person);
    let pushed = push_stored_records(engine, &key.ledger, key.kind, &records, person, invocation);
    match pushed.await.pop() {
        Some(Ok(PushOutcome::Unknown)) | None => Ok(false),
        Some(Ok(_)) => Ok(true),
        Some(Err(error)) => Err(error),
    }
}
