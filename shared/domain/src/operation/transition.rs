//! The transitions of the state machine: the result of each event in each state.

mod scheduling;

use jiff::Timestamp;

use self::scheduling::{
    after_link, after_outage, after_queueing, after_release, after_withholding,
};
use super::{
    ClaimId, EventRefusal, Operation, OperationEvent, OperationState, ParkingReason,
    SnapshotFreshness, TransitionResult, Trigger, WriteAnswer, WriteTrace, into_unconfirmed,
};
use crate::failure::{Failure, FailureClass};
use crate::retry;

/// Decides what an event does to an operation. `seed` identifies the operation for the retry's
/// jitter.
pub fn decide_transition(
    operation: &Operation,
    event: OperationEvent,
    seed: &str,
    now: Timestamp,
) -> TransitionResult {
    match event {
        OperationEvent::Submitted => TransitionResult::Moved(after_submission(operation, now)),
        OperationEvent::Claim { by, until, trigger } => {
            decide_claim(operation, by, until, trigger, now)
        }
        OperationEvent::Confirmed { by, snapshot: _ } | OperationEvent::Failed { by, .. }
            if !is_holder(operation, by) =>
        {
            TransitionResult::Stays(EventRefusal::NotTheHolder)
        }
        OperationEvent::Confirmed { by: _, snapshot } => {
            TransitionResult::Moved(after_confirmation(operation, snapshot, now))
        }
        OperationEvent::Failed { by: _, failure, answer, snapshot, parking, epoch, began } => {
            let attempt = FailedAttempt { failure, answer, snapshot, parking };
            let next = after_failure(operation, attempt, seed, now);
            let is_kept = next.failure.is_some();
            let may_end_by_change =
                next.failure.as_ref().is_some_and(Failure::may_end_by_recorded_change);
            let attempt_began_at =
                if may_end_by_change { Some(began) } else { next.attempt_began_at };
            TransitionResult::Moved(Operation {
                failed_at: is_kept.then_some(now),
                failed_epoch: epoch.filter(|_| is_kept),
                attempt_began_at,
                ..next
            })
        }
        OperationEvent::Linked => after_link(operation, now),
        OperationEvent::Released => after_release(operation, now),
        OperationEvent::Outlived => after_outage(operation, now),
        OperationEvent::Queued => after_queueing(operation, now),
        OperationEvent::Withheld => after_withholding(operation, now),
    }
}

fn is_holder(operation: &Operation, by: ClaimId) -> bool {
    matches!(operation.state, OperationState::Claimed { by: holder, until: _ } if holder == by)
}

fn after_submission(operation: &Operation, now: Timestamp) -> Operation {
    match operation.state {
        // The holder notices the newer snapshot when it confirms.
        OperationState::Claimed { by: _, until } if until > now => operation.clone(),
        // The holder died, so the result of its write is unknown.
        OperationState::Claimed { by: _, until: _ } => {
            Operation { trace: WriteTrace::Uncertain, ..with_full_ladder(operation, now) }
        }
        OperationState::Withheld => operation.clone(),
        OperationState::Due
        | OperationState::Waiting { until: _ }
        | OperationState::Parked { on: _ }
        | OperationState::Synced
        | OperationState::Skipped => with_full_ladder(operation, now),
    }
}

/// A pending operation whose ladder starts at the beginning. Key serial and trace stay, because
/// they describe Xero's state. The beginning of the attempt that a document, a contact or an
/// unclear payment stopped stays, too: a success then shows that the reason has passed.
fn with_full_ladder(operation: &Operation, now: Timestamp) -> Operation {
    let quiet_until = operation.quiet_until.filter(|until| *until > now);
    let state = quiet_until.map_or(OperationState::Due, |until| OperationState::Waiting { until });
    Operation {
        state,
        failures: 0,
        failure: None,
        quiet_until,
        failed_at: None,
        failed_epoch: None,
        ..operation.clone()
    }
}

fn decide_claim(
    operation: &Operation,
    by: ClaimId,
    until: Timestamp,
    trigger: Trigger,
    now: Timestamp,
) -> TransitionResult {
    let claimed = OperationState::Claimed { by, until };
    let refused = match (&operation.state, trigger) {
        (OperationState::Claimed { by: _, until: lease }, _) if *lease > now => {
            Some(EventRefusal::HeldUntil(*lease))
        }
        (OperationState::Synced, Trigger::Routine | Trigger::All) => {
            Some(EventRefusal::AlreadySynced)
        }
        (OperationState::Withheld, Trigger::Routine | Trigger::All) => Some(EventRefusal::Withheld),
        (OperationState::Skipped, Trigger::Routine) => Some(EventRefusal::Skipped),
        (OperationState::Parked { on: _ }, Trigger::Routine) => Some(EventRefusal::Parked),
        (OperationState::Waiting { until: due }, Trigger::Routine) if *due > now => {
            Some(EventRefusal::NotBefore(*due))
        }
        (
            OperationState::Due
            | OperationState::Claimed { by: _, until: _ }
            | OperationState::Waiting { until: _ }
            | OperationState::Parked { on: _ }
            | OperationState::Synced
            | OperationState::Skipped
            | OperationState::Withheld,
            Trigger::Routine | Trigger::All | Trigger::Person,
        ) => operation.quiet_until.filter(|until| *until > now).map(EventRefusal::NotBefore),
    };
    if let Some(refusal) = refused {
        return TransitionResult::Stays(refusal);
    }
    TransitionResult::Moved(match operation.state {
        OperationState::Due
        | OperationState::Waiting { until: _ }
        | OperationState::Parked { on: _ } => operation.with_state(claimed),
        OperationState::Claimed { by: _, until: _ } => take_over(operation, claimed, now),
        // Only a user's request leads here. Its ladder starts at the beginning.
        OperationState::Synced | OperationState::Skipped | OperationState::Withheld => {
            Operation { state: claimed, ..with_full_ladder(operation, now) }
        }
    })
}

/// Takes over from a holder whose lease ran out. The lost attempt counts as a failure, so that a
/// document whose processing always kills the function is given up like any other.
fn take_over(operation: &Operation, claimed: OperationState, now: Timestamp) -> Operation {
    let failures = operation.failures.saturating_add(1);
    let gave_up = usize::from(failures) > retry::LADDER_MINUTES.len();
    let failure = interrupted_failure();
    Operation {
        state: if gave_up { OperationState::Skipped } else { claimed },
        failures,
        trace: WriteTrace::Uncertain,
        failure: Some(if gave_up { failure.into_given_up() } else { failure }),
        failed_at: Some(now),
        ..operation.clone()
    }
}

fn interrupted_failure() -> Failure {
    Failure::new(
        FailureClass::Uncertain,
        "interrupted",
        "The attempt was interrupted before its result was known.",
        "",
    )
}

fn after_confirmation(
    operation: &Operation,
    snapshot: SnapshotFreshness,
    now: Timestamp,
) -> Operation {
    let confirmed = Operation {
        trace: WriteTrace::Clean,
        // Xero has answered under this key: a later write of the same document needs another one,
        // or Xero would replay the answer.
        key_serial: operation.key_serial.saturating_add(1),
        quiet_until: None,
        attempt_began_at: None,
        ..with_full_ladder(operation, now)
    };
    match snapshot {
        SnapshotFreshness::Newest => confirmed.with_state(OperationState::Synced),
        SnapshotFreshness::Overtaken => due_now(&confirmed, now),
    }
}

/// Due at once, but in the waiting state, so that the operation is in the `due` index until it is
/// claimed.
fn due_now(operation: &Operation, now: Timestamp) -> Operation {
    let until = operation.quiet_until.map_or(now, |until| until.max(now));
    operation.with_state(OperationState::Waiting { until })
}

/// The facts about a failed attempt that determine the next state.
struct FailedAttempt {
    failure: Failure,
    answer: WriteAnswer,
    snapshot: SnapshotFreshness,
    parking: Option<ParkingReason>,
}

fn after_failure(
    operation: &Operation,
    attempt: FailedAttempt,
    seed: &str,
    now: Timestamp,
) -> Operation {
    let FailedAttempt { failure, answer, snapshot, parking } = attempt;
    let failure = match answer {
        WriteAnswer::Unconfirmed => into_unconfirmed(failure),
        WriteAnswer::Answered | WriteAnswer::Unanswered => failure,
    };
    let (class, not_before) = (failure.class, failure.not_before);
    let answered = after_answer(operation, class, answer, now);
    let failed = Operation { failure: Some(failure), ..answered.clone() };
    match class {
        FailureClass::Throttled => failed
            .with_state(OperationState::Waiting { until: retry::after_throttle(not_before, now) }),
        FailureClass::Unauthorized => {
            failed.with_state(OperationState::Parked { on: ParkingReason::Reconnect })
        }
        FailureClass::Blocked => failed.with_state(blocked_state(not_before, parking, now)),
        // A newer snapshot has its own ladder, independent of the old one's failure.
        FailureClass::Transient
        | FailureClass::Uncertain
        | FailureClass::Rejected
        | FailureClass::Untranslatable
        | FailureClass::Defect
            if snapshot == SnapshotFreshness::Overtaken =>
        {
            due_now(&with_full_ladder(&answered, now), now)
        }
        FailureClass::Untranslatable => failed.with_state(OperationState::Skipped),
        FailureClass::Transient
        | FailureClass::Uncertain
        | FailureClass::Rejected
        | FailureClass::Defect => after_counted_failure(&failed, not_before, seed, now),
    }
}

/// The operation with what a failed attempt shows about Xero's state.
fn after_answer(
    operation: &Operation,
    class: FailureClass,
    answer: WriteAnswer,
    now: Timestamp,
) -> Operation {
    // A defect, such as an unreadable answer, leaves the result equally unknown.
    let is_unknown = matches!(class, FailureClass::Uncertain | FailureClass::Defect);
    Operation {
        key_serial: match answer {
            WriteAnswer::Answered | WriteAnswer::Unconfirmed => {
                operation.key_serial.saturating_add(1)
            }
            WriteAnswer::Unanswered => operation.key_serial,
        },
        trace: if is_unknown { WriteTrace::Uncertain } else { operation.trace },
        quiet_until: if is_unknown && answer == WriteAnswer::Unanswered {
            Some(retry::quiet_until(now))
        } else {
            operation.quiet_until
        },
        ..operation.clone()
    }
}

/// Counts the failure of a failed operation: it waits for the next attempt of the ladder, or is
/// given up after the last one.
fn after_counted_failure(
    failed: &Operation,
    not_before: Option<Timestamp>,
    seed: &str,
    now: Timestamp,
) -> Operation {
    let failures = failed.failures.saturating_add(1);
    match retry::next_attempt(failures, seed, now) {
        Some(at) => {
            let until = not_before.map_or(at, |instant| instant.max(at));
            Operation { failures, ..failed.with_state(OperationState::Waiting { until }) }
        }
        None => Operation {
            failures,
            failure: failed.failure.clone().map(Failure::into_given_up),
            ..failed.with_state(OperationState::Skipped)
        },
    }
}

fn blocked_state(
    not_before: Option<Timestamp>,
    parking: Option<ParkingReason>,
    now: Timestamp,
) -> OperationState {
    match (not_before, parking) {
        (Some(until), _) => OperationState::Waiting { until },
        (None, Some(on)) => OperationState::Parked { on },
        // Without anything to wait for, the operation is due now.
        (None, None) => OperationState::Waiting { until: now },
    }
}
