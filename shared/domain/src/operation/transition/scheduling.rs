//! The transitions without an attempt: queueing, the end of an outage, withholding and release.

use jiff::Timestamp;

use super::{after_submission, due_now, with_full_ladder};
use crate::failure::Failure;
use crate::operation::{EventRefusal, Operation, OperationState, TransitionResult, WriteTrace};

pub(super) fn after_queueing(operation: &Operation, now: Timestamp) -> TransitionResult {
    match operation.state {
        OperationState::Due => TransitionResult::Moved(due_now(operation, now)),
        OperationState::Waiting { until } => {
            TransitionResult::Stays(EventRefusal::NotBefore(until))
        }
        OperationState::Claimed { by: _, until } => {
            TransitionResult::Stays(EventRefusal::HeldUntil(until))
        }
        OperationState::Parked { on: _ } => TransitionResult::Stays(EventRefusal::Parked),
        OperationState::Synced => TransitionResult::Stays(EventRefusal::AlreadySynced),
        OperationState::Skipped => TransitionResult::Stays(EventRefusal::Skipped),
        OperationState::Withheld => TransitionResult::Stays(EventRefusal::Withheld),
    }
}

/// Completes an operation whose record was linked to an existing document. A running attempt is not
/// interrupted, and a record that is never to be sent stays so.
pub(super) fn after_link(operation: &Operation, now: Timestamp) -> TransitionResult {
    match operation.state {
        OperationState::Claimed { by: _, until } if until > now => {
            TransitionResult::Stays(EventRefusal::HeldUntil(until))
        }
        OperationState::Withheld => TransitionResult::Stays(EventRefusal::Withheld),
        OperationState::Due
        | OperationState::Claimed { by: _, until: _ }
        | OperationState::Waiting { until: _ }
        | OperationState::Parked { on: _ }
        | OperationState::Synced
        | OperationState::Skipped => {
            let completed = after_submission(operation, now).with_state(OperationState::Synced);
            TransitionResult::Moved(Operation { attempt_began_at: None, ..completed })
        }
    }
}

/// Resets the ladder of an operation that was given up because of an outage, not because of its
/// record.
pub(super) fn after_outage(operation: &Operation, now: Timestamp) -> TransitionResult {
    let is_retryable = operation.failure.as_ref().is_some_and(Failure::is_about_an_outage);
    match operation.state {
        OperationState::Skipped if is_retryable => {
            TransitionResult::Moved(due_now(&with_full_ladder(operation, now), now))
        }
        OperationState::Due
        | OperationState::Waiting { until: _ }
        | OperationState::Claimed { by: _, until: _ }
        | OperationState::Parked { on: _ }
        | OperationState::Synced
        | OperationState::Skipped
        | OperationState::Withheld => after_queueing(operation, now),
    }
}

/// Withholds an operation. A running attempt is not interrupted; the user can repeat the request
/// after it.
pub(super) fn after_withholding(operation: &Operation, now: Timestamp) -> TransitionResult {
    match operation.state {
        OperationState::Claimed { by: _, until } if until > now => {
            TransitionResult::Stays(EventRefusal::HeldUntil(until))
        }
        OperationState::Claimed { by: _, until: _ } => TransitionResult::Moved(Operation {
            trace: WriteTrace::Uncertain,
            failure: None,
            failed_at: None,
            attempt_began_at: None,
            ..operation.with_state(OperationState::Withheld)
        }),
        OperationState::Withheld => TransitionResult::Stays(EventRefusal::Withheld),
        OperationState::Due
        | OperationState::Waiting { until: _ }
        | OperationState::Parked { on: _ }
        | OperationState::Synced
        | OperationState::Skipped => TransitionResult::Moved(Operation {
            failure: None,
            failed_at: None,
            attempt_began_at: None,
            ..operation.with_state(OperationState::Withheld)
        }),
    }
}

pub(super) fn after_release(operation: &Operation, now: Timestamp) -> TransitionResult {
    let may_continue = operation.failure.as_ref().is_some_and(Failure::may_end_before_retry);
    match operation.state {
        OperationState::Due | OperationState::Parked { on: _ } => {
            TransitionResult::Moved(due_now(operation, now))
        }
        OperationState::Skipped | OperationState::Waiting { until: _ } if may_continue => {
            TransitionResult::Moved(due_now(&with_full_ladder(operation, now), now))
        }
        OperationState::Withheld => TransitionResult::Stays(EventRefusal::Withheld),
        OperationState::Skipped => TransitionResult::Stays(EventRefusal::Skipped),
        OperationState::Synced => TransitionResult::Stays(EventRefusal::AlreadySynced),
        OperationState::Waiting { until } => {
            TransitionResult::Stays(EventRefusal::NotBefore(until))
        }
        OperationState::Claimed { by: _, until } => {
            TransitionResult::Stays(EventRefusal::HeldUntil(until))
        }
    }
}
