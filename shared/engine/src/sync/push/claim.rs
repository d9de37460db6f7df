//! Accepts a snapshot and claims its row, in one write if no other process holds the row.

use domain::mapping::{KeptSnapshot, Mapping, MappingKey, SnapshotAcceptance};
use domain::operation::{ClaimId, EventRefusal, OperationEvent, OperationState, Trigger};
use domain::retry;
use jiff::{SignedDuration, Timestamp};
use store::table::WriteExpectation;
use store::{ConflictLimit, StoreError, VersionedRecord};

use super::copy::is_copy_wanted;
use super::refused::{refuse_record_as, too_large_failure};
use super::{ClaimedRecord, FinishedPush, PushOutcome, record_outcome};
use crate::errors::PersistError;
use crate::sync::outbox::derive_event_id;
use crate::sync::sync_log;
use crate::{Engine, Invocation};

/// How long a lease outlives the invocation: a request in progress at the deadline may reach Xero
/// until then.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(retry::IN_FLIGHT_SECONDS);

/// The result of claiming a record.
#[derive(Debug)]
pub(super) enum ClaimOutcome {
    /// The record is claimed for this attempt.
    Claimed(Box<ClaimedRecord>),
    /// Nothing is to be attempted now.
    Refused(FinishedPush),
}

/// Accepts the offered snapshot and claims the row.
pub(super) async fn accept_and_claim(
    engine: &Engine,
    key: &MappingKey,
    offered: Option<&KeptSnapshot>,
    trigger: Trigger,
    invocation: Invocation,
) -> Result<ClaimOutcome, PersistError> {
    let by = ClaimId(engine.ids.new_uuid());
    let mut conflicts = ConflictLimit::default();
    loop {
        let now = engine.clock.now();
        let row = engine.store.find_mapping(key).await?;
        let expect = WriteExpectation::from(row.as_ref().map(|row| row.version));
        let known = row.map(|row| row.record);
        let pending = match accept_snapshot(known, key, offered, now) {
            Ok(pending) => pending,
            Err(refused) => return Ok(ClaimOutcome::Refused(refused.without_wake_up())),
        };
        let until = invocation.deadline.saturating_add(LEASE_MARGIN).unwrap_or(Timestamp::MAX);
        let mapping = prepare_mapping(engine, &pending.mapping, trigger, now);
        let written = match mapping.apply_event(OperationEvent::Claim { by, until, trigger }, now) {
            Ok(next) => write_claim(engine, by, next, expect, trigger).await,
            Err(refusal) => store_without_claim(engine, pending, expect, refusal)
                .await
                .map_err(PersistError::from),
        };
        match written {
            Err(PersistError::Store(error)) if matches!(*error, StoreError::Conflict) => {
                conflicts.allow_retry(StoreError::Conflict)?;
            }
            Err(PersistError::Store(error)) if matches!(*error, StoreError::TooLarge { .. }) => {
                let refused = refuse_too_large(engine, key, offered).await?;
                return Ok(ClaimOutcome::Refused(refused.without_wake_up()));
            }
            result => return result,
        }
    }
}

/// Returns the mapping as an attempt starts from it. If a user syncs a document that was voided or
/// deleted in Xero, or the CRM has restored one that it voided, the attempt creates a new copy. A
/// client that was only linked to its contact is due: linking writes nothing, so the contact does
/// not have the client's values yet.
fn prepare_mapping(
    engine: &Engine,
    mapping: &Mapping,
    trigger: Trigger,
    now: Timestamp,
) -> Mapping {
    if mapping.is_unwritten_contact() {
        let due = mapping.apply_event(OperationEvent::Submitted, now);
        return due.unwrap_or_else(|_| mapping.clone());
    }
    let wants_copy = mapping.is_gone_in_xero() && is_copy_wanted(engine, mapping, trigger);
    if wants_copy { mapping.clone().new_generation() } else { mapping.clone() }
}

/// Gives up a record that is too large for a row. Its row stays as it was. If the same snapshot is
/// given up again, the CRM recognises the event.
pub(super) async fn refuse_too_large(
    engine: &Engine,
    key: &MappingKey,
    offered: Option<&KeptSnapshot>,
) -> Result<PushOutcome, StoreError> {
    let number =
        offered.map_or_else(|| key.crm_id.to_string(), |snapshot| snapshot.natural_key.clone());
    let MappingKey { ledger, kind, crm_id } = key;
    let revision = offered.map(|snapshot| snapshot.revision.to_string()).unwrap_or_default();
    let seed = format!("too large\n{}\n{kind}\n{crm_id}\n{revision}", ledger.tenant);
    let event_id = derive_event_id(&ledger.account, &seed);
    let subject = (*kind, crm_id.clone(), number);
    refuse_record_as(engine, event_id, &ledger.account, subject, &too_large_failure()).await?;
    Ok(PushOutcome::Skipped)
}

/// A mapping about to be claimed or stored, with the offered snapshot if that is newer.
pub(super) struct PendingMapping {
    pub(super) mapping: Mapping,
    pub(super) change: SnapshotChange,
}

/// Whether the mapping differs from its row.
#[derive(PartialEq, Eq)]
pub(super) enum SnapshotChange {
    None,
    Snapshot,
}

/// Returns the mapping with the offered snapshot, if that is newer.
pub(super) fn accept_snapshot(
    known: Option<Mapping>,
    key: &MappingKey,
    offered: Option<&KeptSnapshot>,
    now: Timestamp,
) -> Result<PendingMapping, PushOutcome> {
    let Some(offered) = offered else {
        let mapping = known.ok_or(PushOutcome::Unknown)?;
        return Ok(PendingMapping { mapping, change: SnapshotChange::None });
    };
    match (Mapping::accept_snapshot(known.as_ref(), key, offered.clone(), now), known) {
        (SnapshotAcceptance::Newer(mapping), _) => {
            Ok(PendingMapping { mapping: *mapping, change: SnapshotChange::Snapshot })
        }
        (SnapshotAcceptance::Same, Some(mapping)) => {
            Ok(PendingMapping { mapping, change: SnapshotChange::None })
        }
        (SnapshotAcceptance::Same, None) => Err(PushOutcome::Unknown),
        (SnapshotAcceptance::Stale { known }, _) => Err(PushOutcome::Stale { known }),
    }
}

async fn write_claim(
    engine: &Engine,
    by: ClaimId,
    mut mapping: Mapping,
    expect: WriteExpectation,
    trigger: Trigger,
) -> Result<ClaimOutcome, PersistError> {
    let now = engine.clock.now();
    // Taking over from a process that died counts as a failed attempt, and may be the last one.
    let event = record_outcome::skipped_event(engine, &mut mapping);
    let version = engine.store.put_mapping(&mapping, expect, event.as_ref()).await?;
    if event.is_some() {
        engine.synced_events.add_ordered();
        sync_log::log_failed(engine, &mapping, now).await;
        return Ok(ClaimOutcome::Refused(PushOutcome::Skipped.without_wake_up()));
    }
    // A message is redelivered if this process dies; a user's request is not.
    if let (Trigger::Person, OperationState::Claimed { by: _, until }) =
        (trigger, &mapping.operation.state)
    {
        let MappingKey { ledger, kind, crm_id } = &mapping.key;
        engine.schedule_wake_up(ledger, *kind, crm_id, *until).await?;
    }
    let row = VersionedRecord { record: mapping, version };
    Ok(ClaimOutcome::Claimed(Box::new(ClaimedRecord { by, row, at: now })))
}

/// Stores a newer snapshot in a row that cannot be claimed, and returns why. A wake-up at the end
/// of the lease checks whether the process that holds the claim has finished.
async fn store_without_claim(
    engine: &Engine,
    pending: PendingMapping,
    expect: WriteExpectation,
    refusal: EventRefusal,
) -> Result<ClaimOutcome, StoreError> {
    if pending.change == SnapshotChange::Snapshot {
        engine.store.put_mapping(&pending.mapping, expect, None).await?;
    }
    let finished = match refusal {
        EventRefusal::AlreadySynced => PushOutcome::Unchanged.without_wake_up(),
        EventRefusal::HeldUntil(until) => {
            FinishedPush { pushed: PushOutcome::Held { until }, wake_up_at: Some(until) }
        }
        EventRefusal::NotBefore(until) => {
            FinishedPush { pushed: PushOutcome::Waiting { until }, wake_up_at: Some(until) }
        }
        EventRefusal::Parked => PushOutcome::Parked.without_wake_up(),
        EventRefusal::Skipped => PushOutcome::Skipped.without_wake_up(),
        EventRefusal::Withheld => PushOutcome::Withheld.without_wake_up(),
        EventRefusal::NotTheHolder => PushOutcome::Superseded.without_wake_up(),
    };
    Ok(ClaimOutcome::Refused(finished))
}
