//! What follows a recorded outcome: a success releases the records that waited for it, and a failed
//! record is released if its reason to wait has passed meanwhile.

use domain::mapping::Mapping;
use domain::operation::{OperationState, ParkingReason, SnapshotFreshness, Trigger};
use domain::retry;
use futures::FutureExt;

use crate::Engine;
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;
use crate::sync::push::{FinishedPush, PushOutcome, RecordedOutcome};
use crate::sync::release::{self, ReleaseTiming};
use crate::sync::surplus_clients;

/// The outcome of a success that is recorded. A newer snapshot is due next.
pub(super) fn conclude_success(snapshot: SnapshotFreshness) -> RecordedOutcome {
    match snapshot {
        SnapshotFreshness::Newest => RecordedOutcome::Done(PushOutcome::Synced.without_wake_up()),
        SnapshotFreshness::Overtaken => RecordedOutcome::Overtaken,
    }
}

/// Releases the record if its reason to wait has passed, and returns when to check it again: after
/// a pause if it failed for the same reason as `claimed`, its earlier state, and no user asked.
pub(super) async fn conclude_failure(
    engine: &Engine,
    claimed: &Mapping,
    next: &Mapping,
    trigger: Trigger,
) -> Result<RecordedOutcome, PersistError> {
    let is_repeated =
        trigger == Trigger::Routine && next.operation.repeats_failure_of(&claimed.operation);
    let timing = if is_repeated { ReleaseTiming::Later } else { ReleaseTiming::AtOnce };
    // The reason may have passed since this attempt began: the process that recorded the change did
    // not release this record, because the attempt had not ended.
    if release::release_if_reason_has_passed(engine, next, timing).boxed().await? {
        let pushed = PushOutcome::from_state(&next.operation.state);
        return Ok(RecordedOutcome::Done(pushed.without_wake_up()));
    }
    let wake_up_at = match next.operation.state {
        OperationState::Waiting { until }
            if next.operation.failure.is_none() && until <= engine.clock.now() =>
        {
            return Ok(RecordedOutcome::Overtaken);
        }
        OperationState::Waiting { until } if is_repeated => {
            let now = engine.clock.now();
            let paused = now.saturating_add(retry::REPETITION_PAUSE).unwrap_or(now);
            Some(if until > now { until } else { paused })
        }
        OperationState::Waiting { until } => Some(until),
        // The account may have been reconnected while this attempt failed without a connection.
        OperationState::Parked { on: ParkingReason::Reconnect } => {
            release::release_if_connected(engine, next).await?;
            None
        }
        // The prerequisite may have been synced while this attempt failed without it.
        OperationState::Parked { on: ParkingReason::Prerequisite { kind: _, crm_id: _ } } => {
            release::release_if_prerequisite_met(engine, next, timing).await?;
            None
        }
        OperationState::Due
        | OperationState::Claimed { by: _, until: _ }
        | OperationState::Synced
        | OperationState::Skipped
        | OperationState::Withheld => None,
    };
    Ok(RecordedOutcome::Done(FinishedPush {
        pushed: PushOutcome::from_state(&next.operation.state),
        wake_up_at,
    }))
}

/// Releases the records that waited for a document or failed because of its former state. `claimed`
/// is its mapping when the attempt began; `before` and `next` are the mapping before and after its
/// outcome was recorded. `is_awaited` tells whether records may wait for a document that is new.
pub(super) async fn release_waiting_records(
    engine: &Engine,
    claimed: &Mapping,
    (before, next): (&Mapping, &Mapping),
    is_awaited: bool,
) {
    let is_new = before.link.is_none();
    let is_approved = before.is_unapproved_in_xero() && !next.is_unapproved_in_xero();
    if (is_new && is_awaited) || is_approved {
        try_release_dependants(engine, next).await;
    }
    if is_new {
        try_release_of_negative_invoice(engine, next).await;
    }
    release::release_after_success(engine, claimed, next).await;
    surplus_clients::follow_new_contact(engine, before, next).await;
}

/// Releases the records that waited for this document. The document is already recorded, so a
/// failure is only logged; the sweep releases them later.
async fn try_release_dependants(engine: &Engine, mapping: &Mapping) {
    if let Err(error) = release::release_dependants(engine, mapping).await {
        tracing::error!(
            error = %ErrorChain(&error),
            account.id = %mapping.key.ledger.account,
            crm.id = %mapping.key.crm_id,
            "the records waiting for this document could not be released"
        );
    }
}

/// Releases the records that waited for an invoice which is this credit note in Xero. The document
/// is already recorded, so a failure is only logged; the sweep releases them later.
async fn try_release_of_negative_invoice(engine: &Engine, mapping: &Mapping) {
    let released = release::release_dependants_of_negative_invoice(engine, mapping).boxed();
    if let Err(error) = released.await {
        tracing::error!(
            error = %ErrorChain(&error),
            account.id = %mapping.key.ledger.account,
            crm.id = %mapping.key.crm_id,
            "the records waiting for this negative invoice could not be released"
        );
    }
}
