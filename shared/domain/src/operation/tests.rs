//! Exhaustive tests of the state machine: every event in every state.

mod attempts;
mod releases;

use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::failure::{Failure, FailureCause, FailureClass};
use crate::rejection;

const ME: ClaimId = ClaimId(Uuid::from_u128(1));
const OTHER: ClaimId = ClaimId(Uuid::from_u128(2));
const SEED: &str = "inv_1";

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(minutes * 60).unwrap()
}

const fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn states() -> Vec<OperationState> {
    let client = CrmId::new("cli_1").unwrap();
    vec![
        OperationState::Due,
        OperationState::Claimed { by: ME, until: at(1) },
        OperationState::Claimed { by: OTHER, until: at(1) },
        OperationState::Claimed { by: OTHER, until: at(-1) },
        OperationState::Waiting { until: at(5) },
        OperationState::Waiting { until: at(-5) },
        OperationState::Parked { on: ParkingReason::Reconnect },
        OperationState::Parked {
            on: ParkingReason::Prerequisite { kind: EntityKind::Contact, crm_id: client },
        },
        OperationState::Synced,
        OperationState::Skipped,
        OperationState::Withheld,
    ]
}

fn operations() -> Vec<Operation> {
    let mut all = Vec::new();
    for state in states() {
        for failures in 0..=6 {
            for trace in [WriteTrace::Clean, WriteTrace::Uncertain] {
                for class in FailureClass::ALL {
                    let failure = Some(Failure::new(class, "earlier", "Earlier.", ""));
                    all.push(Operation {
                        state: state.clone(),
                        failures,
                        key_serial: 3,
                        trace,
                        failure,
                        quiet_until: None,
                        failed_at: Some(at(0)),
                        failed_epoch: None,
                        attempt_began_at: None,
                    });
                }
            }
        }
    }
    all
}

fn failed_by(
    by: ClaimId,
    class: FailureClass,
    answer: WriteAnswer,
    snapshot: SnapshotFreshness,
) -> OperationEvent {
    OperationEvent::Failed {
        by,
        failure: Failure::new(class, "code", "Message.", ""),
        answer,
        snapshot,
        parking: None,
        epoch: None,
        began: now(),
    }
}

fn claim_by(by: ClaimId, trigger: Trigger) -> OperationEvent {
    OperationEvent::Claim { by, until: at(2), trigger }
}

fn events() -> Vec<OperationEvent> {
    let mut all = vec![
        OperationEvent::Submitted,
        OperationEvent::Linked,
        OperationEvent::Released,
        OperationEvent::Outlived,
        OperationEvent::Queued,
        OperationEvent::Withheld,
    ];
    for trigger in [Trigger::Routine, Trigger::All, Trigger::Person] {
        all.push(claim_by(ME, trigger));
    }
    for snapshot in [SnapshotFreshness::Newest, SnapshotFreshness::Overtaken] {
        all.push(OperationEvent::Confirmed { by: ME, snapshot });
        for class in FailureClass::ALL {
            for answer in [WriteAnswer::Answered, WriteAnswer::Unanswered, WriteAnswer::Unconfirmed]
            {
                all.push(failed_by(ME, class, answer, snapshot));
            }
        }
    }
    all
}

/// Calls `check` with every combination of operation, event and resulting step.
fn for_every_step(check: impl Fn(&Operation, &OperationEvent, &TransitionResult)) {
    for operation in operations() {
        for event in events() {
            let step = decide_transition(&operation, event.clone(), SEED, now());
            check(&operation, &event, &step);
        }
    }
}

fn moved(step: TransitionResult) -> Operation {
    match step {
        TransitionResult::Moved(operation) => operation,
        TransitionResult::Stays(refusal) => panic!("stays: {refusal:?}"),
    }
}

fn claimed_by_me(failures: u8) -> Operation {
    Operation {
        state: OperationState::Claimed { by: ME, until: at(1) },
        failures,
        ..Operation::new()
    }
}

#[test]
fn a_live_claim_is_only_ended_by_its_holder() {
    for_every_step(|operation, event, step| {
        if operation.state == (OperationState::Claimed { by: OTHER, until: at(1) }) {
            match step {
                TransitionResult::Moved(next) => {
                    assert_eq!(next.state, operation.state, "{event:?}");
                }
                TransitionResult::Stays(_) => {}
            }
        }
    });
}

#[test]
fn a_late_event_never_reopens_what_is_settled() {
    for_every_step(|operation, event, step| {
        let settled = matches!(operation.state, OperationState::Synced | OperationState::Skipped);
        let late =
            matches!(event, OperationEvent::Confirmed { .. } | OperationEvent::Failed { .. });
        if settled && late {
            assert_eq!(*step, TransitionResult::Stays(EventRefusal::NotTheHolder));
        }
    });
}

#[test]
fn failures_rise_by_one_for_counted_classes_and_not_at_all_for_the_others() {
    for_every_step(|operation, event, step| {
        let (
            OperationEvent::Failed { failure, answer, snapshot, .. },
            TransitionResult::Moved(next),
        ) = (event, step)
        else {
            return;
        };
        let overtaken = *snapshot == SnapshotFreshness::Overtaken;
        let counted = failure.class.is_counted() || *answer == WriteAnswer::Unconfirmed;
        match (counted || failure.class == FailureClass::Untranslatable, overtaken) {
            (true, true) => assert_eq!(next.failures, 0),
            _ if counted => assert_eq!(next.failures, operation.failures + 1),
            _ => assert_eq!(next.failures, operation.failures),
        }
    });
}

#[test]
fn the_serial_rises_exactly_when_xero_answered_and_never_falls() {
    for_every_step(|operation, event, step| {
        let TransitionResult::Moved(next) = step else { return };
        let answered = matches!(
            event,
            OperationEvent::Confirmed { .. }
                | OperationEvent::Failed {
                    answer: WriteAnswer::Answered | WriteAnswer::Unconfirmed,
                    ..
                }
        );
        let expected = operation.key_serial + u32::from(answered);
        assert_eq!(next.key_serial, expected, "{operation:?} {event:?}");
    });
}

#[test]
fn only_a_confirmation_makes_an_uncertain_trace_clean() {
    for_every_step(|operation, event, step| {
        if let TransitionResult::Moved(next) = step
            && operation.trace == WriteTrace::Uncertain
            && next.trace == WriteTrace::Clean
        {
            assert!(matches!(event, OperationEvent::Confirmed { .. }), "{operation:?} {event:?}");
        }
    });
}

#[test]
fn skipped_follows_only_a_sixth_counted_failure_or_an_untranslatable_snapshot() {
    for_every_step(|operation, event, step| {
        let TransitionResult::Moved(next) = step else { return };
        if next.state == OperationState::Skipped && operation.state != OperationState::Skipped {
            let untranslatable = matches!(
                event,
                OperationEvent::Failed { failure, .. } if failure.class == FailureClass::Untranslatable
            );
            assert!(untranslatable || next.failures >= 6, "{operation:?} {event:?}");
        }
    });
}

#[test]
fn changed_settings_release_what_could_not_be_translated_and_nothing_else() {
    let event = failed_by(
        ME,
        FailureClass::Untranslatable,
        WriteAnswer::Unanswered,
        SnapshotFreshness::Newest,
    );
    let skipped = moved(decide_transition(&claimed_by_me(0), event, SEED, now()));
    assert_eq!(skipped.state, OperationState::Skipped);
    let released = moved(decide_transition(&skipped, OperationEvent::Released, SEED, now()));
    assert_eq!(released.state, OperationState::Waiting { until: now() });

    let event =
        failed_by(ME, FailureClass::Rejected, WriteAnswer::Answered, SnapshotFreshness::Newest);
    let given_up = moved(decide_transition(&claimed_by_me(5), event, SEED, now()));
    assert_eq!(given_up.state, OperationState::Skipped);
    let step = decide_transition(&given_up, OperationEvent::Released, SEED, now());
    assert_eq!(step, TransitionResult::Stays(EventRefusal::Skipped));
}

#[test]
fn a_release_concerns_what_xero_rejected_for_its_account_or_the_state_of_a_document() {
    for (sentence, is_released) in [
        ("Account code '9' is not a valid code for this document.", true),
        ("The Account Number AC-1 already exists.", false),
        ("The invoice you are trying to allocate to has already been paid off", true),
    ] {
        let failure = Some(rejection::explain_rejection(&[sentence.to_owned()]));
        let given_up = Operation { state: OperationState::Skipped, failure, ..Operation::new() };
        let step = decide_transition(&given_up, OperationEvent::Released, SEED, now());
        assert_eq!(matches!(step, TransitionResult::Moved(_)), is_released, "{sentence}");
    }
}

#[test]
fn a_decision_brings_forward_a_retry_that_it_may_end_and_no_other() {
    for (cause, is_released) in [
        (FailureCause::AccountInvalid, true),
        (FailureCause::PaymentUnclear, true),
        (FailureCause::NumberTaken, false),
        (FailureCause::XeroSilent, false),
    ] {
        let failure = Some(Failure::new(FailureClass::Rejected, cause, "It failed.", ""));
        let waiting = OperationState::Waiting { until: at(405) };
        let retried = Operation { state: waiting, failures: 3, failure, ..Operation::new() };
        match decide_transition(&retried, OperationEvent::Released, SEED, now()) {
            TransitionResult::Moved(next) => {
                assert!(is_released, "{cause:?}");
                assert_eq!(
                    (next.state, next.failures),
                    (OperationState::Waiting { until: now() }, 0)
                );
            }
            TransitionResult::Stays(refusal) => {
                assert!(!is_released, "{cause:?}");
                assert_eq!(refusal, EventRefusal::NotBefore(at(405)));
            }
        }
    }
}

#[test]
fn a_decision_does_not_shorten_the_wait_for_a_write_that_may_be_in_transit() {
    let failure = Failure::new(FailureClass::Rejected, FailureCause::AccountInvalid, "It.", "");
    let retried = Operation {
        state: OperationState::Waiting { until: at(5) },
        failure: Some(failure),
        quiet_until: Some(at(1)),
        ..Operation::new()
    };
    let next = moved(decide_transition(&retried, OperationEvent::Released, SEED, now()));
    assert_eq!(next.state, OperationState::Waiting { until: at(1) });
}

#[test]
fn the_end_of_an_outage_gives_another_try_to_what_was_given_up_for_it_and_to_nothing_else() {
    for class in FailureClass::ALL.into_iter().filter(|class| class.is_counted()) {
        let event = failed_by(ME, class, WriteAnswer::Unanswered, SnapshotFreshness::Newest);
        let given_up = moved(decide_transition(&claimed_by_me(5), event, SEED, now()));
        assert_eq!(given_up.state, OperationState::Skipped);
        match (class, decide_transition(&given_up, OperationEvent::Outlived, SEED, now())) {
            (FailureClass::Transient | FailureClass::Uncertain, TransitionResult::Moved(again)) => {
                assert!(matches!(again.state, OperationState::Waiting { .. }), "{again:?}");
                assert_eq!((again.failures, again.trace), (0, given_up.trace));
            }
            (_, TransitionResult::Stays(EventRefusal::Skipped)) => {}
            (class, step) => panic!("{class}: {step:?}"),
        }
    }
}

#[test]
fn a_failure_for_the_same_reason_within_a_minute_is_a_repetition() {
    let failed = |message: &str, seconds: i64| Operation {
        failure: Some(Failure::new(FailureClass::Blocked, "blocked", message, "")),
        failed_at: Timestamp::from_second(seconds).ok(),
        ..Operation::new()
    };
    let earlier = failed("The invoice inv_1 is missing.", 0);
    assert!(failed("The invoice inv_1 is missing.", 59).repeats_failure_of(&earlier));
    assert!(!failed("The invoice inv_1 is missing.", 60).repeats_failure_of(&earlier));
    assert!(!failed("The invoice inv_2 is missing.", 1).repeats_failure_of(&earlier));
    assert!(!failed("The invoice inv_1 is missing.", 1).repeats_failure_of(&Operation::new()));
    assert!(!Operation::new().repeats_failure_of(&earlier));
}

#[test]
fn an_operation_is_listed_by_what_people_have_to_do_about_it() {
    let until = now();
    let prerequisite =
        ParkingReason::Prerequisite { kind: EntityKind::Contact, crm_id: CrmId::new("c").unwrap() };
    let parked = OperationState::Parked { on: prerequisite };
    for (state, class, reason) in [
        (OperationState::Skipped, FailureClass::Rejected, Some(AttentionReason::GivenUp)),
        (
            OperationState::Waiting { until },
            FailureClass::Transient,
            Some(AttentionReason::Failing),
        ),
        (
            OperationState::Waiting { until },
            FailureClass::Throttled,
            Some(AttentionReason::Waiting),
        ),
        (parked, FailureClass::Blocked, Some(AttentionReason::Waiting)),
        (OperationState::Due, FailureClass::Throttled, None),
        (OperationState::Withheld, FailureClass::Rejected, None),
    ] {
        let failure = Some(Failure::new(class, "code", "No.", ""));
        let operation = Operation { state, failure, ..Operation::new() };
        assert_eq!(operation.attention_reason(), reason, "{operation:?}");
        let without = Operation { failure: None, ..operation };
        assert_eq!(without.attention_reason(), None);
    }
}

#[test]
fn what_xero_never_accepts_is_given_up_after_one_attempt() {
    let messages = ["Payments within a batch cannot be deleted.".to_owned()];
    let failed = |snapshot| OperationEvent::Failed {
        by: ME,
        failure: rejection::explain_rejection(&messages),
        answer: WriteAnswer::Answered,
        snapshot,
        parking: None,
        epoch: None,
        began: now(),
    };
    let event = failed(SnapshotFreshness::Newest);
    let given_up = moved(decide_transition(&claimed_by_me(0), event, SEED, now()));
    assert_eq!((given_up.state, given_up.failures), (OperationState::Skipped, 0));
    // A newer snapshot has its own attempts.
    let event = failed(SnapshotFreshness::Overtaken);
    let next = moved(decide_transition(&claimed_by_me(0), event, SEED, now()));
    assert_eq!(next.state, OperationState::Waiting { until: now() });
}
