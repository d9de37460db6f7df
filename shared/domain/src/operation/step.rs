//! The transitions of the state machine: the result of each event in each state.

use jiff::Timestamp;

use super::{
    Answer, ClaimId, Event, Freshness, Operation, Parking, Refusal, State, Step, Trace, Urgency,
    unconfirmed,
};
use crate::failure::{Failure, FailureClass};
use crate::retry;

/// Decides what an event does to an operation. `seed` identifies the operation for the retry's
/// jitter.
pub fn step(operation: &Operation, event: Event, seed: &str, now: Timestamp) -> Step {
    match event {
        Event::Submitted => Step::Moved(submitted(operation, now)),
        Event::Claim { by, until, urgency } => claim(operation, by, until, urgency, now),
        Event::Confirmed { by, snapshot: _ } | Event::Failed { by, .. }
            if !is_holder(operation, by) =>
        {
            Step::Stays(Refusal::NotTheHolder)
        }
        Event::Confirmed { by: _, snapshot } => Step::Moved(confirmed(operation, snapshot, now)),
        Event::Failed { by: _, failure, answer, snapshot, parking, epoch } => {
            let next = failed(operation, failure, answer, snapshot, parking, seed, now);
            let is_kept = next.failure.is_some();
            Step::Moved(Operation {
                failed_at: is_kept.then_some(now),
                failed_epoch: epoch.filter(|_| is_kept),
                ..next
            })
        }
        Event::Released => released(operation, now),
        Event::Outlived => outlived(operation, now),
        Event::Queued => queued(operation, now),
        Event::Withheld => withheld(operation, now),
    }
}

fn is_holder(operation: &Operation, by: ClaimId) -> bool {
    matches!(operation.state, State::Claimed { by: holder, until: _ } if holder == by)
}

fn submitted(operation: &Operation, now: Timestamp) -> Operation {
    match operation.state {
        // The holder notices the newer snapshot when it confirms.
        State::Claimed { by: _, until } if until > now => operation.clone(),
        // The holder died, so the result of its write is unknown.
        State::Claimed { by: _, until: _ } => {
            Operation { trace: Trace::Uncertain, ..fresh(operation, now) }
        }
        State::Withheld => operation.clone(),
        State::Due
        | State::Waiting { until: _ }
        | State::Parked { on: _ }
        | State::Synced
        | State::Skipped => fresh(operation, now),
    }
}

/// A pending operation with a full ladder. Key serial and trace stay, because they describe Xero's
/// state.
fn fresh(operation: &Operation, now: Timestamp) -> Operation {
    let quiet_until = operation.quiet_until.filter(|until| *until > now);
    let state = quiet_until.map_or(State::Due, |until| State::Waiting { until });
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

fn claim(
    operation: &Operation,
    by: ClaimId,
    until: Timestamp,
    urgency: Urgency,
    now: Timestamp,
) -> Step {
    let claimed = State::Claimed { by, until };
    let refused = match (&operation.state, urgency) {
        (State::Claimed { by: _, until: lease }, _) if *lease > now => {
            Some(Refusal::HeldUntil(*lease))
        }
        (State::Synced, Urgency::Routine | Urgency::All) => Some(Refusal::AlreadySynced),
        (State::Withheld, Urgency::Routine | Urgency::All) => Some(Refusal::Withheld),
        (State::Skipped, Urgency::Routine) => Some(Refusal::Skipped),
        (State::Parked { on: _ }, Urgency::Routine) => Some(Refusal::Parked),
        (State::Waiting { until: due }, Urgency::Routine) if *due > now => {
            Some(Refusal::NotBefore(*due))
        }
        (
            State::Due
            | State::Claimed { by: _, until: _ }
            | State::Waiting { until: _ }
            | State::Parked { on: _ }
            | State::Synced
            | State::Skipped
            | State::Withheld,
            Urgency::Routine | Urgency::All | Urgency::Person,
        ) => operation.quiet_until.filter(|until| *until > now).map(Refusal::NotBefore),
    };
    if let Some(refusal) = refused {
        return Step::Stays(refusal);
    }
    Step::Moved(match operation.state {
        State::Due | State::Waiting { until: _ } | State::Parked { on: _ } => {
            operation.moved(claimed)
        }
        State::Claimed { by: _, until: _ } => taken_over(operation, claimed, now),
        // Only a user's request leads here. It gets a full ladder.
        State::Synced | State::Skipped | State::Withheld => {
            Operation { state: claimed, ..fresh(operation, now) }
        }
    })
}

/// Takes over from a holder whose lease ran out. The lost attempt counts as a failure, so that a
/// document whose processing always kills the function is given up like any other.
fn taken_over(operation: &Operation, claimed: State, now: Timestamp) -> Operation {
    let failures = operation.failures.saturating_add(1);
    let gave_up = usize::from(failures) > retry::LADDER_MINUTES.len();
    Operation {
        state: if gave_up { State::Skipped } else { claimed },
        failures,
        trace: Trace::Uncertain,
        failure: Some(interrupted()),
        failed_at: Some(now),
        ..operation.clone()
    }
}

fn interrupted() -> Failure {
    Failure::new(
        FailureClass::Uncertain,
        "interrupted",
        "The attempt was interrupted before its result was known.",
        "",
    )
}

fn confirmed(operation: &Operation, snapshot: Freshness, now: Timestamp) -> Operation {
    let settled = Operation {
        trace: Trace::Clean,
        // The answer is consumed: a later write of the same document must not have it replayed.
        key_serial: operation.key_serial.saturating_add(1),
        quiet_until: None,
        ..fresh(operation, now)
    };
    match snapshot {
        Freshness::Newest => settled.moved(State::Synced),
        Freshness::Overtaken => at_once(&settled, now),
    }
}

/// Due at once, but in the waiting state, so that the operation is in the `due` index until it is
/// claimed.
fn at_once(operation: &Operation, now: Timestamp) -> Operation {
    let until = operation.quiet_until.map_or(now, |until| until.max(now));
    operation.moved(State::Waiting { until })
}

fn failed(
    operation: &Operation,
    failure: Failure,
    answer: Answer,
    snapshot: Freshness,
    parking: Option<Parking>,
    seed: &str,
    now: Timestamp,
) -> Operation {
    let failure = match answer {
        Answer::Unconfirmed => unconfirmed(failure),
        Answer::Answered | Answer::Unanswered => failure,
    };
    let class = failure.class;
    let unknown = matches!(class, FailureClass::Uncertain | FailureClass::Defect);
    let answered = Operation {
        key_serial: match answer {
            Answer::Answered | Answer::Unconfirmed => operation.key_serial.saturating_add(1),
            Answer::Unanswered => operation.key_serial,
        },
        // A defect, such as an unreadable answer, leaves the result equally unknown.
        trace: if unknown { Trace::Uncertain } else { operation.trace },
        quiet_until: if unknown && answer == Answer::Unanswered {
            Some(retry::quiet_until(now))
        } else {
            operation.quiet_until
        },
        ..operation.clone()
    };
    let not_before = failure.not_before;
    let told = Operation { failure: Some(failure), ..answered.clone() };
    match class {
        FailureClass::Throttled => {
            told.moved(State::Waiting { until: retry::after_throttle(not_before, now) })
        }
        FailureClass::Unauthorized => told.moved(State::Parked { on: Parking::Reconnect }),
        FailureClass::Blocked => told.moved(blocked(not_before, parking, now)),
        // A newer snapshot has its own ladder, independent of the old one's failure.
        FailureClass::Transient
        | FailureClass::Uncertain
        | FailureClass::Rejected
        | FailureClass::Untranslatable
        | FailureClass::Defect
            if snapshot == Freshness::Overtaken =>
        {
            at_once(&fresh(&answered, now), now)
        }
        FailureClass::Untranslatable => told.moved(State::Skipped),
        FailureClass::Transient
        | FailureClass::Uncertain
        | FailureClass::Rejected
        | FailureClass::Defect => {
            let failures = operation.failures.saturating_add(1);
            let state = retry::next_attempt(failures, seed, now).map_or(State::Skipped, |at| {
                State::Waiting { until: not_before.map_or(at, |instant| instant.max(at)) }
            });
            Operation { failures, ..told.moved(state) }
        }
    }
}

fn blocked(not_before: Option<Timestamp>, parking: Option<Parking>, now: Timestamp) -> State {
    match (not_before, parking) {
        (Some(until), _) => State::Waiting { until },
        (None, Some(on)) => State::Parked { on },
        // Without anything to wait for, the operation is due now.
        (None, None) => State::Waiting { until: now },
    }
}

fn queued(operation: &Operation, now: Timestamp) -> Step {
    match operation.state {
        State::Due => Step::Moved(at_once(operation, now)),
        State::Waiting { until } => Step::Stays(Refusal::NotBefore(until)),
        State::Claimed { by: _, until } => Step::Stays(Refusal::HeldUntil(until)),
        State::Parked { on: _ } => Step::Stays(Refusal::Parked),
        State::Synced => Step::Stays(Refusal::AlreadySynced),
        State::Skipped => Step::Stays(Refusal::Skipped),
        State::Withheld => Step::Stays(Refusal::Withheld),
    }
}

/// Gives an operation a full ladder again if an outage, not its record, was the reason for giving
/// it up.
fn outlived(operation: &Operation, now: Timestamp) -> Step {
    let curable = operation.failure.as_ref().is_some_and(Failure::is_about_an_outage);
    match operation.state {
        State::Skipped if curable => Step::Moved(at_once(&fresh(operation, now), now)),
        State::Due
        | State::Waiting { until: _ }
        | State::Claimed { by: _, until: _ }
        | State::Parked { on: _ }
        | State::Synced
        | State::Skipped
        | State::Withheld => queued(operation, now),
    }
}

/// Withholds an operation. A running attempt is not interrupted; the user can repeat the request
/// after it.
fn withheld(operation: &Operation, now: Timestamp) -> Step {
    match operation.state {
        State::Claimed { by: _, until } if until > now => Step::Stays(Refusal::HeldUntil(until)),
        State::Claimed { by: _, until: _ } => Step::Moved(Operation {
            trace: Trace::Uncertain,
            failure: None,
            failed_at: None,
            ..operation.moved(State::Withheld)
        }),
        State::Withheld => Step::Stays(Refusal::Withheld),
        State::Due
        | State::Waiting { until: _ }
        | State::Parked { on: _ }
        | State::Synced
        | State::Skipped => Step::Moved(Operation {
            failure: None,
            failed_at: None,
            ..operation.moved(State::Withheld)
        }),
    }
}

fn released(operation: &Operation, now: Timestamp) -> Step {
    let curable = operation.failure.as_ref().is_some_and(Failure::is_about_settings);
    match operation.state {
        State::Due | State::Parked { on: _ } => Step::Moved(at_once(operation, now)),
        State::Skipped if curable => Step::Moved(at_once(&fresh(operation, now), now)),
        State::Withheld => Step::Stays(Refusal::Withheld),
        State::Skipped => Step::Stays(Refusal::Skipped),
        State::Synced => Step::Stays(Refusal::AlreadySynced),
        State::Waiting { until } => Step::Stays(Refusal::NotBefore(until)),
        State::Claimed { by: _, until } => Step::Stays(Refusal::HeldUntil(until)),
    }
}
