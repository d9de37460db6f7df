//! Exhaustive tests of the state machine: every event in every state.

use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::failure::{Failure, FailureClass};
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
fn the_first_try_and_five_retries_fail_before_it_is_skipped() {
    let mut operation = Operation::new();
    let mut now = now();
    for failures in 1..=6 {
        let claim = OperationEvent::Claim {
            by: ME,
            until: now.checked_add(jiff::SignedDuration::from_mins(1)).unwrap(),
            trigger: Trigger::Routine,
        };
        operation = moved(decide_transition(&operation, claim, SEED, now));
        let event = failed_by(
            ME,
            FailureClass::Transient,
            WriteAnswer::Unanswered,
            SnapshotFreshness::Newest,
        );
        operation = moved(decide_transition(&operation, event, SEED, now));
        match &operation.state {
            OperationState::Waiting { until } => now = *until,
            state @ (OperationState::Skipped
            | OperationState::Due
            | OperationState::Claimed { .. }
            | OperationState::Parked { .. }
            | OperationState::Synced
            | OperationState::Withheld) => {
                assert_eq!((failures, state), (6, &OperationState::Skipped));
            }
        }
    }
    assert_eq!(operation.state, OperationState::Skipped);
}

#[test]
fn a_lapsed_claim_is_taken_over_counted_and_uncertain() {
    let operation = Operation {
        state: OperationState::Claimed { by: OTHER, until: at(-1) },
        ..Operation::new()
    };
    let next = moved(decide_transition(&operation, claim_by(ME, Trigger::Routine), SEED, now()));
    assert_eq!(next.state, OperationState::Claimed { by: ME, until: at(2) });
    assert_eq!((next.failures, next.trace), (1, WriteTrace::Uncertain));
}

#[test]
fn a_document_that_kills_its_function_every_time_is_given_up() {
    let mut operation = Operation {
        state: OperationState::Claimed { by: OTHER, until: at(-1) },
        ..Operation::new()
    };
    for _ in 0..6 {
        operation =
            moved(decide_transition(&operation, claim_by(OTHER, Trigger::Routine), SEED, now()));
        if let OperationState::Claimed { until, .. } = &mut operation.state {
            *until = at(-1);
        }
    }
    assert_eq!(operation.state, OperationState::Skipped);
}

#[test]
fn a_retry_waits_for_its_instant_unless_a_person_asks() {
    let waiting = Operation { state: OperationState::Waiting { until: at(5) }, ..Operation::new() };
    let routine = decide_transition(&waiting, claim_by(ME, Trigger::Routine), SEED, now());
    assert_eq!(routine, TransitionResult::Stays(EventRefusal::NotBefore(at(5))));
    let person = moved(decide_transition(&waiting, claim_by(ME, Trigger::Person), SEED, now()));
    assert_eq!(person.state, OperationState::Claimed { by: ME, until: at(2) });
}

#[test]
fn a_newer_snapshot_during_an_attempt_is_due_after_it() {
    let held = claimed_by_me(0);
    let submitted = moved(decide_transition(&held, OperationEvent::Submitted, SEED, now()));
    assert_eq!(submitted.state, held.state);
    let event = OperationEvent::Confirmed { by: ME, snapshot: SnapshotFreshness::Overtaken };
    let next = moved(decide_transition(&submitted, event, SEED, now()));
    assert_eq!(next.state, OperationState::Waiting { until: now() });
}

#[test]
fn after_an_unanswered_write_no_attempt_begins_while_it_may_still_arrive() {
    let event =
        failed_by(ME, FailureClass::Uncertain, WriteAnswer::Unanswered, SnapshotFreshness::Newest);
    let failed = moved(decide_transition(&claimed_by_me(0), event, SEED, now()));
    let quiet = failed.quiet_until.unwrap();
    assert_eq!(quiet, at(1));
    let submitted = moved(decide_transition(&failed, OperationEvent::Submitted, SEED, now()));
    assert_eq!(submitted.state, OperationState::Waiting { until: quiet });
    for trigger in [Trigger::Routine, Trigger::All, Trigger::Person] {
        let early = decide_transition(&submitted, claim_by(ME, trigger), SEED, now());
        assert_eq!(early, TransitionResult::Stays(EventRefusal::NotBefore(quiet)));
        let later = decide_transition(&submitted, claim_by(ME, trigger), SEED, quiet);
        assert!(matches!(later, TransitionResult::Moved(_)), "{trigger:?}");
    }
    let event = failed_by(
        ME,
        FailureClass::Uncertain,
        WriteAnswer::Unanswered,
        SnapshotFreshness::Overtaken,
    );
    let overtaken = moved(decide_transition(&claimed_by_me(0), event, SEED, now()));
    assert_eq!(overtaken.state, OperationState::Waiting { until: quiet });
}

#[test]
fn whatever_fails_after_an_unconfirmed_write_is_uncertain_counted_and_looked_up_first() {
    for class in FailureClass::ALL {
        for snapshot in [SnapshotFreshness::Newest, SnapshotFreshness::Overtaken] {
            let event = failed_by(ME, class, WriteAnswer::Unconfirmed, snapshot);
            let next = moved(decide_transition(&claimed_by_me(0), event, SEED, now()));
            assert_eq!(next.trace, WriteTrace::Uncertain, "{class}");
            assert_eq!((next.key_serial, next.quiet_until), (1, None), "{class}");
            assert!(matches!(next.state, OperationState::Waiting { .. }), "{class}: {next:?}");
            if snapshot == SnapshotFreshness::Overtaken {
                continue;
            }
            assert_eq!(next.failures, 1, "{class}");
            let failure = next.failure.unwrap();
            let expected = match class {
                FailureClass::Defect => FailureClass::Defect,
                FailureClass::Transient
                | FailureClass::Uncertain
                | FailureClass::Throttled
                | FailureClass::Unauthorized
                | FailureClass::Rejected
                | FailureClass::Blocked
                | FailureClass::Untranslatable => FailureClass::Uncertain,
            };
            assert_eq!((failure.class, &*failure.code), (expected, "code"));
            assert_eq!(failure.message, "Message.");
        }
    }
}

#[test]
fn a_take_back_after_an_unconfirmed_write_still_looks_before_it_says_that_nothing_is_there() {
    let event =
        failed_by(ME, FailureClass::Throttled, WriteAnswer::Unconfirmed, SnapshotFreshness::Newest);
    let failed = moved(decide_transition(&claimed_by_me(0), event, SEED, now()));
    let submitted = moved(decide_transition(&failed, OperationEvent::Submitted, SEED, now()));
    let claimed = moved(decide_transition(&submitted, claim_by(ME, Trigger::Routine), SEED, now()));
    assert_eq!(claimed.trace, WriteTrace::Uncertain);
}

#[test]
fn a_throttle_after_an_unconfirmed_write_is_still_waited_for() {
    let failure =
        Failure::new(FailureClass::Throttled, "throttled", "Wait.", "").not_before(at(600));
    let event = OperationEvent::Failed {
        by: ME,
        failure,
        answer: WriteAnswer::Unconfirmed,
        snapshot: SnapshotFreshness::Newest,
        parking: None,
        epoch: None,
    };
    let next = moved(decide_transition(&claimed_by_me(0), event, SEED, now()));
    assert_eq!(next.state, OperationState::Waiting { until: at(600) });
}

#[test]
fn a_link_completes_an_operation_without_an_attempt() {
    let linked = moved(decide_transition(&Operation::new(), OperationEvent::Linked, SEED, now()));
    assert_eq!(linked.state, OperationState::Synced);
    let refused = decide_transition(&linked, claim_by(ME, Trigger::Routine), SEED, now());
    assert_eq!(refused, TransitionResult::Stays(EventRefusal::AlreadySynced));
    let asked = moved(decide_transition(&linked, claim_by(ME, Trigger::Person), SEED, now()));
    assert_eq!(asked.state, OperationState::Claimed { by: ME, until: at(2) });
    let held = decide_transition(&claimed_by_me(0), OperationEvent::Linked, SEED, now());
    assert_eq!(held, TransitionResult::Stays(EventRefusal::HeldUntil(at(1))));
}

#[test]
fn what_is_withheld_stays_so_until_a_person_asks_for_it() {
    let withheld =
        moved(decide_transition(&Operation::new(), OperationEvent::Withheld, SEED, now()));
    assert_eq!(withheld.state, OperationState::Withheld);
    assert_eq!(
        moved(decide_transition(&withheld, OperationEvent::Submitted, SEED, now())).state,
        OperationState::Withheld
    );
    for trigger in [Trigger::Routine, Trigger::All] {
        let refused = decide_transition(&withheld, claim_by(ME, trigger), SEED, now());
        assert_eq!(refused, TransitionResult::Stays(EventRefusal::Withheld));
    }
    let asked = moved(decide_transition(&withheld, claim_by(ME, Trigger::Person), SEED, now()));
    assert_eq!(asked.state, OperationState::Claimed { by: ME, until: at(2) });
    let held = decide_transition(&claimed_by_me(0), OperationEvent::Withheld, SEED, now());
    assert_eq!(held, TransitionResult::Stays(EventRefusal::HeldUntil(at(1))));
}

#[test]
fn a_throttle_costs_no_attempt_and_waits_as_long_as_xero_says() {
    let failure =
        Failure::new(FailureClass::Throttled, "throttled", "Wait.", "").not_before(at(60));
    let event = OperationEvent::Failed {
        by: ME,
        failure,
        answer: WriteAnswer::Answered,
        snapshot: SnapshotFreshness::Newest,
        parking: None,
        epoch: None,
    };
    let next = moved(decide_transition(&claimed_by_me(2), event, SEED, now()));
    assert_eq!(next.state, OperationState::Waiting { until: at(60) });
    assert_eq!(next.failures, 2);
}

#[test]
fn an_expired_token_parks_until_the_reconnect_releases_it() {
    let event =
        failed_by(ME, FailureClass::Unauthorized, WriteAnswer::Answered, SnapshotFreshness::Newest);
    let parked = moved(decide_transition(&claimed_by_me(2), event, SEED, now()));
    assert_eq!(parked.state, OperationState::Parked { on: ParkingReason::Reconnect });
    let released = moved(decide_transition(&parked, OperationEvent::Released, SEED, now()));
    assert_eq!((released.state, released.failures), (OperationState::Waiting { until: now() }, 2));
}

#[test]
fn a_person_may_always_ask_for_a_look() {
    for state in states() {
        let live = matches!(state, OperationState::Claimed { until, .. } if until > now());
        let operation = Operation { state, ..Operation::new() };
        let step = decide_transition(&operation, claim_by(ME, Trigger::Person), SEED, now());
        assert_eq!(matches!(step, TransitionResult::Moved(_)), !live, "{operation:?}");
    }
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
fn changed_settings_release_what_xero_rejected_for_its_account_and_not_for_an_account_number() {
    for (sentence, is_released) in [
        ("Account code '9' is not a valid code for this document.", true),
        ("The Account Number AC-1 already exists.", false),
    ] {
        let failure = Some(rejection::explain_rejection(&[sentence.to_owned()]));
        let given_up = Operation { state: OperationState::Skipped, failure, ..Operation::new() };
        let step = decide_transition(&given_up, OperationEvent::Released, SEED, now());
        assert_eq!(matches!(step, TransitionResult::Moved(_)), is_released, "{sentence}");
    }
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
