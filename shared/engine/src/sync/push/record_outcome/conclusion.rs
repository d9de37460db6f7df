//! Concludes a recorded failure: the record is released if its reason to wait has passed meanwhile.

use domain::mapping::Mapping;
use domain::operation::{OperationState, ParkingReason, Trigger};
use domain::retry;
use futures::FutureExt;

use crate::Engine;
use crate::errors::PersistError;
use crate::sync::push::{FinishedPush, PushOutcome, RecordedOutcome};
use crate::sync::release::{self, ReleaseTiming};

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
    let look = match next.operation.state {
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
        wake_up_at: look,
    }))
}
