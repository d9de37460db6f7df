//! Claims, retries and answers to writes, case by case.

use super::*;

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
fn a_record_that_is_given_up_asks_for_a_retry_instead_of_leaving_it_to_the_next_attempt() {
    for class in FailureClass::ALL.into_iter().filter(|class| class.is_counted()) {
        for (remedy, is_replaced) in [
            ("", true),
            ("No action is needed: the next attempt checks first.", true),
            ("Restore the contact in Xero.", false),
        ] {
            let event = OperationEvent::Failed {
                by: ME,
                failure: Failure::new(class, "code", "Message.", remedy),
                answer: WriteAnswer::Answered,
                snapshot: SnapshotFreshness::Newest,
                parking: None,
                epoch: None,
                began: now(),
            };
            let retried = moved(decide_transition(&claimed_by_me(4), event.clone(), SEED, now()));
            assert_eq!(retried.failure.unwrap().remedy, remedy, "{class}");
            let given_up = moved(decide_transition(&claimed_by_me(5), event, SEED, now()));
            assert_eq!(given_up.state, OperationState::Skipped);
            let failure = given_up.failure.unwrap();
            assert_eq!((failure.class, &*failure.code), (class, "code"));
            assert_eq!(failure.remedy.starts_with("Retry the record"), is_replaced, "{failure}");
            assert!(is_replaced || failure.remedy == remedy, "{failure}");
        }
    }
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
    let failure = operation.failure.unwrap();
    assert!(failure.remedy.starts_with("Retry the record"), "{failure}");
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
        Failure::new(FailureClass::Throttled, "throttled", "Wait.", "").with_not_before(at(600));
    let event = OperationEvent::Failed {
        by: ME,
        failure,
        answer: WriteAnswer::Unconfirmed,
        snapshot: SnapshotFreshness::Newest,
        parking: None,
        epoch: None,
        began: now(),
    };
    let next = moved(decide_transition(&claimed_by_me(0), event, SEED, now()));
    assert_eq!(next.state, OperationState::Waiting { until: at(600) });
}

#[test]
fn a_throttle_costs_no_attempt_and_waits_as_long_as_xero_says() {
    let failure =
        Failure::new(FailureClass::Throttled, "throttled", "Wait.", "").with_not_before(at(60));
    let event = OperationEvent::Failed {
        by: ME,
        failure,
        answer: WriteAnswer::Answered,
        snapshot: SnapshotFreshness::Newest,
        parking: None,
        epoch: None,
        began: now(),
    };
    let next = moved(decide_transition(&claimed_by_me(2), event, SEED, now()));
    assert_eq!(next.state, OperationState::Waiting { until: at(60) });
    assert_eq!(next.failures, 2);
}

#[test]
fn the_absence_of_a_document_is_confirmed_by_an_attempt_five_minutes_later() {
    let not_shown = FailureCause::DocumentNotShown;
    let failed = |cause: FailureCause| Operation {
        failure: Some(Failure::new(FailureClass::Transient, cause, "Not shown.", "")),
        failed_at: Some(at(0)),
        ..Operation::new()
    };
    assert!(!Operation::new().confirms_absence(at(5)));
    assert!(!failed(not_shown).confirms_absence(at(4)));
    assert!(failed(not_shown).confirms_absence(at(5)));
    assert!(!failed(FailureCause::XeroFaulty).confirms_absence(at(5)));
}
