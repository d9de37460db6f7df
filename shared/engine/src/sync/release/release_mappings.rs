//! Releases mappings and wakes up their records.

use domain::entity::EntityKind;
use domain::failure::Failure;
use domain::ids::{CrmId, Ledger};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::{Operation, OperationEvent, OperationState, ParkingReason};
use domain::retry;
use futures::FutureExt;
use store::table::WriteExpectation;
use store::{StoreError, VersionedRecord};

use crate::errors::{FirstError, PersistError};
use crate::ports::PortError;
use crate::{Engine, concurrency};

/// When released records continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReleaseTiming {
    /// As soon as the queue of wake-ups delivers them: what they waited for has happened.
    AtOnce,
    /// After [`retry::REPETITION_PAUSE`]: they have just stopped for the same reason a second time,
    /// and may do so again.
    Later,
}

/// How mappings are released.
#[derive(Debug, Clone)]
pub(super) struct ReleaseTerms {
    /// The event in the operations of the mappings.
    pub(super) event: OperationEvent,
    pub(super) timing: ReleaseTiming,
    /// The epoch of the connection, if the caller knows that it works. A mapping that waits for its
    /// connection is released only if that epoch began after its failure: it may have begun to wait
    /// after the caller decided to release it for another reason.
    pub(super) epoch: Option<u64>,
}

impl ReleaseTerms {
    /// The mappings continue at once. Those that wait for their connection stay as they are.
    pub(super) const AT_ONCE: Self =
        Self { event: OperationEvent::Released, timing: ReleaseTiming::AtOnce, epoch: None };
}

/// Releases those of the mappings that are wanted and stopped, and enqueues or schedules wake-ups
/// for them. Returns how many. A mapping that can never be released is reported and left out. Any
/// other failure of one is returned after the others are released and woken up.
pub(super) async fn release_mappings(
    engine: &Engine,
    ledger: &Ledger,
    keys: Vec<MappingKey>,
    terms: ReleaseTerms,
    wanted: impl Fn(&Mapping) -> bool + Sync,
) -> Result<usize, PersistError> {
    let ReleaseTerms { event, timing, epoch } = terms;
    let wanted = |mapping: &Mapping| may_work_again(mapping, epoch) && wanted(mapping);
    let (event, wanted) = (&event, &wanted);
    let work = keys.iter().map(|key| {
        let released = release_mapping(engine, key, event, wanted);
        engine.skip_failing(&key.ledger.account, released).boxed()
    });
    let (mut released, mut failed) = (Vec::new(), FirstError::new());
    for result in concurrency::map_concurrently(work.collect()).await {
        released.extend(failed.keep_error(result).flatten().flatten());
    }
    for kind in EntityKind::ALL {
        let of_kind = released.iter().filter(|(one, _)| *one == kind);
        let records = of_kind.map(|(_, crm_id)| crm_id.clone()).collect::<Vec<_>>();
        let woken = wake_up_released(engine, ledger, kind, records, timing).await;
        failed.keep_error(woken);
    }
    failed.into_result(released.len())
}

/// Returns whether the connection may have started to work since the mapping's last attempt failed, if
/// the mapping waits for that. Epochs only grow, so a process that was interrupted before it released
/// the mapping does not release it for an epoch that the mapping has failed in, or that is over.
fn may_work_again(mapping: &Mapping, epoch: Option<u64>) -> bool {
    let is_parked_for_connection =
        mapping.operation.state == OperationState::Parked { on: ParkingReason::Reconnect };
    !is_parked_for_connection || epoch.is_some_and(|epoch| has_failed_before(mapping, epoch))
}

/// Returns whether an epoch of the connection began after the mapping's last attempt failed.
pub(super) fn has_failed_before(mapping: &Mapping, epoch: u64) -> bool {
    mapping.operation.failed_epoch.is_none_or(|failed| failed < epoch)
}

/// Enqueues or schedules wake-ups for released records of one kind.
async fn wake_up_released(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    records: Vec<CrmId>,
    timing: ReleaseTiming,
) -> Result<(), PortError> {
    if timing == ReleaseTiming::AtOnce {
        return engine.enqueue_wake_ups(ledger, kind, &records).await;
    }
    let now = engine.clock.now();
    let at = now.saturating_add(retry::REPETITION_PAUSE).unwrap_or(now);
    let checks = records.into_iter().map(|crm_id| (crm_id, at)).collect();
    let scheduled = engine.schedule_wake_ups(ledger, kind, checks).await;
    scheduled.into_iter().try_for_each(|(_, scheduled)| scheduled)
}

/// Returns the mapping if it was released.
async fn release_mapping(
    engine: &Engine,
    key: &MappingKey,
    event: &OperationEvent,
    wanted: &(impl Fn(&Mapping) -> bool + Sync),
) -> Result<Option<(EntityKind, CrmId)>, StoreError> {
    let known = engine.store.find_mapping(key).await?;
    let Some(VersionedRecord { record, version }) = known else { return Ok(None) };
    if !is_stopped(&record.operation) || !wanted(&record) {
        return Ok(None);
    }
    let Ok(released) = record.apply_event(event.clone(), engine.clock.now()) else {
        return Ok(None);
    };
    match engine.store.put_mapping(&released, WriteExpectation::Version(version), None).await {
        Ok(_) => Ok(Some((key.kind, key.crm_id.clone()))),
        // Another process has changed it.
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns whether an operation waits for an event. A retry on the ladder does if an event may end
/// its failure.
fn is_stopped(operation: &Operation) -> bool {
    match operation.state {
        OperationState::Parked { on: _ } | OperationState::Skipped => true,
        OperationState::Waiting { until: _ } => {
            operation.failure.as_ref().is_some_and(Failure::may_end_before_retry)
        }
        OperationState::Due
        | OperationState::Claimed { by: _, until: _ }
        | OperationState::Synced
        | OperationState::Withheld => false,
    }
}
