//! What ends a wait or reopens a record that was given up, case by case.

use super::*;

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

/// The failure of an attempt of the newest snapshot, which Xero answered.
fn answered_failure(class: FailureClass, cause: FailureCause, began: Timestamp) -> OperationEvent {
    OperationEvent::Failed {
        by: ME,
        failure: Failure::new(class, cause, "No.", ""),
        answer: WriteAnswer::Answered,
        snapshot: SnapshotFreshness::Newest,
        parking: None,
        epoch: None,
        began,
    }
}

#[test]
fn a_change_of_a_document_brings_forward_what_failed_because_of_its_state() {
    let failed = |class, cause| answered_failure(class, cause, at(0));
    for class in [FailureClass::Rejected, FailureClass::Untranslatable] {
        let event = failed(class, FailureCause::AmountOverDue);
        let stopped = moved(decide_transition(&claimed_by_me(0), event, SEED, now()));
        assert_eq!(stopped.attempt_began_at, Some(at(0)), "{class}");
        assert_ne!(stopped.state, OperationState::Waiting { until: now() }, "{class}");
        let released = moved(decide_transition(&stopped, OperationEvent::Released, SEED, now()));
        assert_eq!(released.state, OperationState::Waiting { until: now() }, "{class}");
        assert_eq!((released.failures, released.failure), (0, None), "{class}");
    }
    let event = failed(FailureClass::Rejected, FailureCause::ContactNameTaken);
    let stopped = moved(decide_transition(&claimed_by_me(0), event, SEED, now()));
    assert_eq!(stopped.attempt_began_at, None);
    let step = decide_transition(&stopped, OperationEvent::Released, SEED, now());
    assert!(matches!(step, TransitionResult::Stays(EventRefusal::NotBefore(_))), "{step:?}");
}

#[test]
fn the_restore_of_a_contact_brings_forward_what_failed_because_it_was_archived() {
    let failure = Failure::new(
        FailureClass::Rejected,
        FailureCause::ContactArchived,
        "Archived.",
        "Restore it.",
    );
    for state in [OperationState::Waiting { until: at(5) }, OperationState::Skipped] {
        let failure = Some(failure.clone());
        let stopped = Operation { state, failure, failures: 3, ..Operation::new() };
        let released = moved(decide_transition(&stopped, OperationEvent::Released, SEED, now()));
        assert_eq!(released.state, OperationState::Waiting { until: now() });
        assert_eq!((released.failures, released.failure), (0, None));
    }
}

#[test]
fn a_failure_that_a_recorded_change_may_end_says_when_its_attempt_began() {
    for (cause, is_recorded) in [
        (FailureCause::DocumentHasPayments, true),
        (FailureCause::ContactArchived, true),
        (FailureCause::PaymentUnclear, true),
        (FailureCause::NumberTaken, false),
    ] {
        let event = OperationEvent::Failed {
            by: ME,
            failure: Failure::new(FailureClass::Rejected, cause, "No.", ""),
            answer: WriteAnswer::Answered,
            snapshot: SnapshotFreshness::Newest,
            parking: None,
            epoch: None,
            began: at(1),
        };
        let earlier = Operation { attempt_began_at: Some(at(0)), ..claimed_by_me(0) };
        let stopped = moved(decide_transition(&earlier, event, SEED, now()));
        let expected = if is_recorded { at(1) } else { at(0) };
        assert_eq!(stopped.attempt_began_at, Some(expected), "{cause:?}");
    }
}

#[test]
fn a_refusal_for_an_archived_contact_stays_known_until_a_success() {
    let claim = |stopped: &Operation, until| Operation {
        state: OperationState::Claimed { by: ME, until },
        ..stopped.clone()
    };
    let event = answered_failure(FailureClass::Rejected, FailureCause::ContactArchived, at(1));
    let refused = moved(decide_transition(&claimed_by_me(0), event, SEED, now()));
    assert_eq!(refused.attempt_began_at, Some(at(1)));
    // Another failure and a crash replace the failure, and show no success.
    let event = answered_failure(FailureClass::Transient, FailureCause::XeroUnavailable, at(2));
    let silent = moved(decide_transition(&claim(&refused, at(5)), event, SEED, now()));
    assert_eq!(silent.attempt_began_at, Some(at(1)));
    // Neither does a user's request.
    let asked = moved(decide_transition(&silent, OperationEvent::Submitted, SEED, now()));
    assert_eq!(asked.attempt_began_at, Some(at(1)));
    let died = claim(&asked, at(-1));
    let taken_over = moved(decide_transition(&died, claim_by(ME, Trigger::Routine), SEED, now()));
    assert_eq!(taken_over.attempt_began_at, Some(at(1)));
    let event = OperationEvent::Confirmed { by: ME, snapshot: SnapshotFreshness::Newest };
    let synced = moved(decide_transition(&taken_over, event, SEED, now()));
    assert_eq!(synced.attempt_began_at, None);
}
