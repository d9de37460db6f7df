//! Records a success or a failure: one transaction writes the row, its link, the event and the
//! entry of the sync log, then wake-ups are scheduled. A crash between them loses a wake-up, never
//! the outcome; the sweep finds the record of a lost wake-up.
//!
//! A record that waits for another one is recorded as its dependant before it is parked, and the
//! awaited record is confirmed on the condition that no mark says it may have dependants. So either
//! the awaited record's process sees the dependant and releases it, or the dependant's process
//! sees, after parking it, that the awaited record is in Xero. A payment or an allocation that
//! fails because of the state of a document is recorded in the same way, and continues when the
//! document changes: either the process that records the change sees the dependant, or the
//! dependant's process sees, after recording the failure, a change that is later than the beginning
//! of its attempt. The same holds for a document that fails because the contact of its client is
//! archived.

mod attempt_failure;
mod conclusion;
mod events;

use domain::crm::Revision;
use domain::failure::FailureClass;
use domain::ids::CrmId;
use domain::mapping::{Mapping, MappingKey};
use domain::operation::{OperationEvent, WriteTrace};
use domain::sync_log::LogEntry;
use store::{ConflictLimit, OutcomeConfirmation, StoreError, VersionedRecord};

use self::attempt_failure::{AttemptFailure, determine_failure};
use self::conclusion::{conclude_failure, conclude_success, release_waiting_records};
pub(super) use self::events::skipped_event;
use self::events::{collect_event, success_event};
pub(crate) use self::events::{report_ended_skip, report_withheld_skip};
use super::{AttemptFacts, ClaimedRecord, PushOutcome, RecordedOutcome};
use crate::Engine;
use crate::connection::tenant_session::AttemptError;
use crate::errors::PersistError;
use crate::ports::Metric;
use crate::sync::{Synced, already_linked_failure, release, surplus_clients, sync_log};

/// Records that Xero has the document. `tried` holds the other facts about the attempt.
pub(super) async fn record_success(
    engine: &Engine,
    claimed: &ClaimedRecord,
    synced: Synced,
    tried: AttemptFacts,
) -> Result<RecordedOutcome, PersistError> {
    let synced = synced.with_earlier_creation(&claimed.row.record);
    let revision = claimed.row.record.snapshot.revision;
    let mut before = claimed.row.clone();
    let (mut is_reserved, mut is_awaited) = (false, false);
    let mut conflicts = ConflictLimit::default();
    engine.mark_account_logged(&before.record.key.ledger.account).await;
    let restored = release::record_restored_contact(engine, &claimed.row.record, &synced).await;
    loop {
        let freshness = before.record.snapshot_freshness(revision);
        let next = apply_success(engine, claimed, &before.record, &synced, restored.as_ref());
        let Some(mut next) = next else {
            return Ok(RecordedOutcome::Done(PushOutcome::Superseded.without_wake_up()));
        };
        let event = success_event(engine, &before.record, &mut next, &synced);
        let entry = sync_log::synced_entry(engine, &next, &synced, claimed.at);
        // What waits for a record was released when the record got its link.
        let is_unawaited = before.record.link.is_none() && !is_awaited;
        let confirmation = OutcomeConfirmation {
            is_reserved,
            is_unawaited,
            event: event.as_ref(),
            entry: Some(&entry),
        };
        match save_attempt_outcome(engine, &next, &before, confirmation).await {
            Ok(()) => {
                report_success(engine, &next, &synced, &entry);
                collect_event(engine, event, &synced);
                let (earlier, claimed) = (&before.record, &claimed.row.record);
                release_waiting_records(engine, claimed, (earlier, &next), is_awaited).await;
                if let Some(client) = &restored {
                    release::release_after_restore(engine, client).await;
                }
                return Ok(conclude_success(freshness));
            }
            Err(error) => conflicts.allow_retry(error)?,
        }
        match find_document_owner(engine, &next).await? {
            // Xero has answered, although with the document of another record, so a further write
            // needs another idempotency key.
            Some(owner) if owner != next.key.crm_id => {
                let failure = already_linked_failure(next.key.kind, &owner);
                return record_failure(engine, claimed, AttemptError::Explained(failure), tried)
                    .await;
            }
            owner => is_reserved = owner.is_some(),
        }
        is_awaited = is_awaited || engine.store.is_awaited(&next.key).await?;
        before = reread_mapping(engine, &before).await?;
    }
}

/// Returns the mapping after the success of an attempt, which may have shown that the contact of the
/// client `restored` is in use again. `None` if another process took over.
fn apply_success(
    engine: &Engine,
    claimed: &ClaimedRecord,
    before: &Mapping,
    synced: &Synced,
    restored: Option<&MappingKey>,
) -> Option<Mapping> {
    let (revision, now) = (claimed.row.record.snapshot.revision, engine.clock.now());
    let snapshot = before.snapshot_freshness(revision);
    let event = OperationEvent::Confirmed { by: claimed.by, snapshot };
    let next = before.apply_event(event, now).ok()?;
    let next = with_synced_document(next, synced, revision);
    Some(if restored == Some(&next.key) { next.with_restored_contact(now) } else { next })
}

/// Reports a success that is recorded, and differing totals to the operator.
fn report_success(engine: &Engine, mapping: &Mapping, synced: &Synced, entry: &LogEntry) {
    if synced.has_total_difference() {
        report_to_operator(engine, mapping, Metric::TotalsDiffer, "the totals differ");
    }
    sync_log::report_entry(engine, entry);
}

/// Returns the mapping with the document that Xero has for this revision, if it has one.
fn with_synced_document(mapping: Mapping, synced: &Synced, revision: Revision) -> Mapping {
    let link = synced.link.clone().or(mapping.link.clone());
    // Once the document is found, no other numbers have to be looked up.
    let earlier_keys = if link.is_some() { Vec::new() } else { mapping.earlier_keys.clone() };
    // A document that counted as deleted, and that Xero has shown again, is no earlier one.
    let mut previous_xero_ids = mapping.previous_xero_ids.clone();
    previous_xero_ids.retain(|left| link.as_ref().is_none_or(|link| link.xero_id != *left));
    let synced_revision = Some(revision);
    let synced = Mapping { link, earlier_keys, previous_xero_ids, synced_revision, ..mapping };
    synced.with_shown_document()
}

/// Writes the outcome of an attempt. The limits of messages leave room in the row for every
/// outcome; if it does not fit nevertheless, the outcome is stored without the text of the
/// snapshot: Xero's id must not be lost, and the attempt must not be repeated forever.
async fn save_attempt_outcome(
    engine: &Engine,
    next: &Mapping,
    before: &VersionedRecord<Mapping>,
    confirmation: OutcomeConfirmation<'_>,
) -> Result<(), StoreError> {
    surplus_clients::follow_new_contact(engine, &before.record, next).await;
    match engine.store.confirm_mapping(next, before, confirmation).await {
        Err(StoreError::TooLarge { .. }) => {
            let what = "the outcome did not fit into the row; the snapshot's text was dropped";
            report_to_operator(engine, next, Metric::Defect, what);
            let next = next.clone().without_text();
            engine.store.confirm_mapping(&next, before, confirmation).await.map(drop)
        }
        result => result.map(drop),
    }
}

/// Counts an event that raises an alarm, and logs the record that it concerns.
fn report_to_operator(engine: &Engine, mapping: &Mapping, metric: Metric, what: &'static str) {
    engine.metrics.record_metric(metric);
    tracing::warn!(
        account.id = %mapping.key.ledger.account,
        tenant.id = %mapping.key.ledger.tenant,
        entity = %mapping.key.kind,
        crm.id = %mapping.key.crm_id,
        "{what}"
    );
}

/// Returns the record to which the document belongs.
async fn find_document_owner(
    engine: &Engine,
    mapping: &Mapping,
) -> Result<Option<CrmId>, StoreError> {
    let key = &mapping.key;
    let Some(link) = &mapping.link else { return Ok(None) };
    engine.store.find_linked_record(&key.ledger, key.kind, link.xero_id).await
}

/// Records that the attempt failed, and releases the record if its reason to wait has passed.
/// `tried` holds the other facts about the attempt.
pub(super) async fn record_failure(
    engine: &Engine,
    claimed: &ClaimedRecord,
    error: AttemptError,
    tried: AttemptFacts,
) -> Result<RecordedOutcome, PersistError> {
    let failed = determine_failure(engine, claimed, error, tried).await?;
    if failed.failure.class == FailureClass::Defect {
        report_to_operator(
            engine,
            &claimed.row.record,
            Metric::Defect,
            "the attempt failed because of a defect or a configuration error",
        );
    }
    let mut before = claimed.row.clone();
    let mut is_recorded_dependant = false;
    let mut conflicts = ConflictLimit::default();
    engine.mark_account_logged(&before.record.key.ledger.account).await;
    loop {
        let Some(mut next) = apply_failure(engine, claimed, &before.record, &failed, tried) else {
            return Ok(RecordedOutcome::Done(PushOutcome::Superseded.without_wake_up()));
        };
        if !is_recorded_dependant {
            is_recorded_dependant = record_as_dependant(engine, &next).await?;
        }
        let event = skipped_event(engine, &mut next);
        // The log states the failure even if a newer snapshot has already removed it from the row.
        let entry = sync_log::failed_entry(engine, &next, &failed.failure, claimed.at);
        let confirmation = OutcomeConfirmation {
            event: event.as_ref(),
            entry: Some(&entry),
            ..OutcomeConfirmation::default()
        };
        match save_attempt_outcome(engine, &next, &before, confirmation).await {
            Ok(()) => {
                sync_log::report_entry(engine, &entry);
                if event.is_some() {
                    engine.synced_events.add_ordered();
                }
                return conclude_failure(engine, &claimed.row.record, &next, tried.trigger).await;
            }
            Err(error) => conflicts.allow_retry(error)?,
        }
        before = reread_mapping(engine, &before).await?;
    }
}

/// Returns the mapping after the failure of an attempt. `None` if another process took over.
fn apply_failure(
    engine: &Engine,
    claimed: &ClaimedRecord,
    before: &Mapping,
    failed: &AttemptFailure,
    tried: AttemptFacts,
) -> Option<Mapping> {
    let AttemptFailure { failure, answer, parking } = failed;
    let event = OperationEvent::Failed {
        by: claimed.by,
        failure: failure.clone(),
        answer: *answer,
        snapshot: before.snapshot_freshness(claimed.row.record.snapshot.revision),
        parking: parking.clone(),
        epoch: tried.epoch,
        began: claimed.at,
    };
    mark_attempted(before, tried).apply_event(event, engine.clock.now()).ok()
}

/// Records a mapping that stops as a dependant of the records whose changes may release it. Returns
/// whether there are any.
async fn record_as_dependant(engine: &Engine, mapping: &Mapping) -> Result<bool, StoreError> {
    let releasing = release::list_releasing_records(mapping);
    for awaited in &releasing {
        engine.store.record_dependant(&mapping.key, awaited).await?;
    }
    Ok(!releasing.is_empty())
}

/// Returns the mapping marked as uncertain if Xero may have a document of the attempt that the row
/// does not know.
fn mark_attempted(known: &Mapping, tried: AttemptFacts) -> Mapping {
    let mut mapping = known.clone();
    if tried.may_have_left_document {
        mapping.operation.trace = WriteTrace::Uncertain;
    }
    mapping
}

/// Returns the row as it is now. A row that no longer exists counts as a conflict.
async fn reread_mapping(
    engine: &Engine,
    before: &VersionedRecord<Mapping>,
) -> Result<VersionedRecord<Mapping>, StoreError> {
    engine.store.find_mapping(&before.record.key).await?.ok_or(StoreError::Conflict)
}
