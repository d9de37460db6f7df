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

fn states() -> Vec<State> {
    let client = CrmId::new("cli_1").unwrap();
    vec![
        State::Due,
        State::Claimed { by: ME, until: at(1) },
        State::Claimed { by: OTHER, until: at(1) },
        State::Claimed { by: OTHER, until: at(-1) },
        State::Waiting { until: at(5) },
        State::Waiting { until: at(-5) },
        State::Parked { on: Parking::Reconnect },
        State::Parked { on: Parking::Prerequisite { kind: EntityKind::Contact, crm_id: client } },
        State::Synced,
        State::Skipped,
        State::Withheld,
    ]
}

fn operations() -> Vec<Operation> {
    let mut all = Vec::new();
    for state in states() {
        for failures in 0..=6 {
            for trace in [Trace::Clean, Trace::Uncertain] {
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

fn failed_by(by: ClaimId, class: FailureClass, answer: Answer, snapshot: Freshness) -> Event {
    Event::Failed {
        by,
        failure: Failure::new(class, "code", "Message.", ""),
        answer,
        snapshot,
        parking: None,
        epoch: None,
    }
}

fn claim_by(by: ClaimId, urgency: Urgency) -> Event {
    Event::Claim { by, until: at(2), urgency }
}

fn events() -> Vec<Event> {
    let mut all =
        vec![Event::Submitted, Event::Released, Event::Outlived, Event::Queued, Event::Withheld];
    for urgency in [Urgency::Routine, Urgency::All, Urgency::Person] {
        all.push(claim_by(ME, urgency));
    }
    for snapshot in [Freshness::Newest, Freshness::Overtaken] {
        all.push(Event::Confirmed { by: ME, snapshot });
        for class in FailureClass::ALL {
            for answer in [Answer::Answered, Answer::Unanswered, Answer::Unconfirmed] {
                all.push(failed_by(ME, class, answer, snapshot));
            }
        }
    }
    all
}

/// Calls `check` with every combination of operation, event and resulting step.
fn for_every_step(check: impl Fn(&Operation, &Event, &Step)) {
    for operation in operations() {
        for event in events() {
            let step = step(&operation, event.clone(), SEED, now());
            check(&operation, &event, &step);
        }
    }
}

fn moved(step: Step) -> Operation {
    match step {
        Step::Moved(operation) => operation,
        Step::Stays(refusal) => panic!("stays: {refusal:?}"),
    }
}

fn claimed_by_me(failures: u8) -> Operation {
    Operation { state: State::Claimed { by: ME, until: at(1) }, failures, ..Operation::new() }
}

#[test]
fn a_live_claim_is_only_ended_by_its_holder() {
    for_every_step(|operation, event, step| {
        if operation.state == (State::Claimed { by: OTHER, until: at(1) }) {
            match step {
                Step::Moved(next) => assert_eq!(next.state, operation.state, "{event:?}"),
                Step::Stays(_) => {}
            }
        }
    });
}

#[test]
fn a_late_event_never_reopens_what_is_settled() {
    for_every_step(|operation, event, step| {
        let settled = matches!(operation.state, State::Synced | State::Skipped);
        let late = matches!(event, Event::Confirmed { .. } | Event::Failed { .. });
        if settled && late {
            assert_eq!(*step, Step::Stays(Refusal::NotTheHolder));
        }
    });
}

#[test]
fn failures_rise_by_one_for_counted_classes_and_not_at_all_for_the_others() {
    for_every_step(|operation, event, step| {
        let (Event::Failed { failure, answer, snapshot, .. }, Step::Moved(next)) = (event, step)
        else {
            return;
        };
        let overtaken = *snapshot == Freshness::Overtaken;
        let counted = failure.class.is_counted() || *answer == Answer::Unconfirmed;
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
        let Step::Moved(next) = step else { return };
        let answered = matches!(
            event,
            Event::Confirmed { .. }
                | Event::Failed { answer: Answer::Answered | Answer::Unconfirmed, .. }
        );
        let expected = operation.key_serial + u32::from(answered);
        assert_eq!(next.key_serial, expected, "{operation:?} {event:?}");
    });
}

#[test]
fn only_a_confirmation_makes_an_uncertain_trace_clean() {
    for_every_step(|operation, event, step| {
        if let Step::Moved(next) = step
            && operation.trace == Trace::Uncertain
            && next.trace == Trace::Clean
        {
            assert!(matches!(event, Event::Confirmed { .. }), "{operation:?} {event:?}");
        }
    });
}

#[test]
fn skipped_follows_only_a_sixth_counted_failure_or_an_untranslatable_snapshot() {
    for_every_step(|operation, event, step| {
        let Step::Moved(next) = step else { return };
        if next.state == State::Skipped && operation.state != State::Skipped {
            let untranslatable = matches!(
                event,
                Event::Failed { failure, .. } if failure.class == FailureClass::Untranslatable
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
        let claim = Event::Claim {
            by: ME,
            until: now.checked_add(jiff::SignedDuration::from_mins(1)).unwrap(),
            urgency: Urgency::Routine,
        };
        operation = moved(step(&operation, claim, SEED, now));
        let event = failed_by(ME, FailureClass::Transient, Answer::Unanswered, Freshness::Newest);
        operation = moved(step(&operation, event, SEED, now));
        match &operation.state {
            State::Waiting { until } => now = *until,
            state @ (State::Skipped
            | State::Due
            | State::Claimed { .. }
            | State::Parked { .. }
            | State::Synced
            | State::Withheld) => assert_eq!((failures, state), (6, &State::Skipped)),
        }
    }
    assert_eq!(operation.state, State::Skipped);
}

#[test]
fn a_lapsed_claim_is_taken_over_counted_and_uncertain() {
    let operation =
        Operation { state: State::Claimed { by: OTHER, until: at(-1) }, ..Operation::new() };
    let next = moved(step(&operation, claim_by(ME, Urgency::Routine), SEED, now()));
    assert_eq!(next.state, State::Claimed { by: ME, until: at(2) });
    assert_eq!((next.failures, next.trace), (1, Trace::Uncertain));
}

#[test]
fn a_document_that_kills_its_function_every_time_is_given_up() {
    let mut operation =
        Operation { state: State::Claimed { by: OTHER, until: at(-1) }, ..Operation::new() };
    for _ in 0..6 {
        operation = moved(step(&operation, claim_by(OTHER, Urgency::Routine), SEED, now()));
        if let State::Claimed { until, .. } = &mut operation.state {
            *until = at(-1);
        }
    }
    assert_eq!(operation.state, State::Skipped);
}

#[test]
fn a_retry_waits_for_its_instant_unless_a_person_asks() {
    let waiting = Operation { state: State::Waiting { until: at(5) }, ..Operation::new() };
    let routine = step(&waiting, claim_by(ME, Urgency::Routine), SEED, now());
    assert_eq!(routine, Step::Stays(Refusal::NotBefore(at(5))));
    let person = moved(step(&waiting, claim_by(ME, Urgency::Person), SEED, now()));
    assert_eq!(person.state, State::Claimed { by: ME, until: at(2) });
}

#[test]
fn a_newer_snapshot_during_an_attempt_is_due_after_it() {
    let held = claimed_by_me(0);
    let submitted = moved(step(&held, Event::Submitted, SEED, now()));
    assert_eq!(submitted.state, held.state);
    let event = Event::Confirmed { by: ME, snapshot: Freshness::Overtaken };
    let next = moved(step(&submitted, event, SEED, now()));
    assert_eq!(next.state, State::Waiting { until: now() });
}

#[test]
fn after_an_unanswered_write_nobody_begins_while_it_may_still_arrive() {
    let event = failed_by(ME, FailureClass::Uncertain, Answer::Unanswered, Freshness::Newest);
    let failed = moved(step(&claimed_by_me(0), event, SEED, now()));
    let quiet = failed.quiet_until.unwrap();
    assert_eq!(quiet, at(1));
    let submitted = moved(step(&failed, Event::Submitted, SEED, now()));
    assert_eq!(submitted.state, State::Waiting { until: quiet });
    for urgency in [Urgency::Routine, Urgency::All, Urgency::Person] {
        let early = step(&submitted, claim_by(ME, urgency), SEED, now());
        assert_eq!(early, Step::Stays(Refusal::NotBefore(quiet)));
        let later = step(&submitted, claim_by(ME, urgency), SEED, quiet);
        assert!(matches!(later, Step::Moved(_)), "{urgency:?}");
    }
    let event = failed_by(ME, FailureClass::Uncertain, Answer::Unanswered, Freshness::Overtaken);
    let overtaken = moved(step(&claimed_by_me(0), event, SEED, now()));
    assert_eq!(overtaken.state, State::Waiting { until: quiet });
}

#[test]
fn whatever_fails_after_an_unconfirmed_write_is_uncertain_counted_and_looked_up_first() {
    for class in FailureClass::ALL {
        for snapshot in [Freshness::Newest, Freshness::Overtaken] {
            let event = failed_by(ME, class, Answer::Unconfirmed, snapshot);
            let next = moved(step(&claimed_by_me(0), event, SEED, now()));
            assert_eq!(next.trace, Trace::Uncertain, "{class}");
            assert_eq!((next.key_serial, next.quiet_until), (1, None), "{class}");
            assert!(matches!(next.state, State::Waiting { .. }), "{class}: {next:?}");
            if snapshot == Freshness::Overtaken {
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
    let event = failed_by(ME, FailureClass::Throttled, Answer::Unconfirmed, Freshness::Newest);
    let failed = moved(step(&claimed_by_me(0), event, SEED, now()));
    let submitted = moved(step(&failed, Event::Submitted, SEED, now()));
    let claimed = moved(step(&submitted, claim_by(ME, Urgency::Routine), SEED, now()));
    assert_eq!(claimed.trace, Trace::Uncertain);
}

#[test]
fn a_throttle_after_an_unconfirmed_write_is_still_waited_for() {
    let failure =
        Failure::new(FailureClass::Throttled, "throttled", "Wait.", "").not_before(at(600));
    let event = Event::Failed {
        by: ME,
        failure,
        answer: Answer::Unconfirmed,
        snapshot: Freshness::Newest,
        parking: None,
        epoch: None,
    };
    let next = moved(step(&claimed_by_me(0), event, SEED, now()));
    assert_eq!(next.state, State::Waiting { until: at(600) });
}

#[test]
fn what_is_withheld_stays_so_until_a_person_asks_for_it() {
    let withheld = moved(step(&Operation::new(), Event::Withheld, SEED, now()));
    assert_eq!(withheld.state, State::Withheld);
    assert_eq!(moved(step(&withheld, Event::Submitted, SEED, now())).state, State::Withheld);
    for urgency in [Urgency::Routine, Urgency::All] {
        let refused = step(&withheld, claim_by(ME, urgency), SEED, now());
        assert_eq!(refused, Step::Stays(Refusal::Withheld));
    }
    let asked = moved(step(&withheld, claim_by(ME, Urgency::Person), SEED, now()));
    assert_eq!(asked.state, State::Claimed { by: ME, until: at(2) });
    let held = step(&claimed_by_me(0), Event::Withheld, SEED, now());
    assert_eq!(held, Step::Stays(Refusal::HeldUntil(at(1))));
}

#[test]
fn a_throttle_costs_no_attempt_and_waits_as_long_as_xero_says() {
    let failure =
        Failure::new(FailureClass::Throttled, "throttled", "Wait.", "").not_before(at(60));
    let event = Event::Failed {
        by: ME,
        failure,
        answer: Answer::Answered,
        snapshot: Freshness::Newest,
        parking: None,
        epoch: None,
    };
    let next = moved(step(&claimed_by_me(2), event, SEED, now()));
    assert_eq!(next.state, State::Waiting { until: at(60) });
    assert_eq!(next.failures, 2);
}

#[test]
fn an_expired_token_parks_until_the_reconnect_releases_it() {
    let event = failed_by(ME, FailureClass::Unauthorized, Answer::Answered, Freshness::Newest);
    let parked = moved(step(&claimed_by_me(2), event, SEED, now()));
    assert_eq!(parked.state, State::Parked { on: Parking::Reconnect });
    let released = moved(step(&parked, Event::Released, SEED, now()));
    assert_eq!((released.state, released.failures), (State::Waiting { until: now() }, 2));
}

#[test]
fn a_person_may_always_ask_for_a_look() {
    for state in states() {
        let live = matches!(state, State::Claimed { until, .. } if until > now());
        let operation = Operation { state, ..Operation::new() };
        let step = step(&operation, claim_by(ME, Urgency::Person), SEED, now());
        assert_eq!(matches!(step, Step::Moved(_)), !live, "{operation:?}");
    }
}

#[test]
fn changed_settings_release_what_could_not_be_translated_and_nothing_else() {
    let event = failed_by(ME, FailureClass::Untranslatable, Answer::Unanswered, Freshness::Newest);
    let skipped = moved(step(&claimed_by_me(0), event, SEED, now()));
    assert_eq!(skipped.state, State::Skipped);
    let released = moved(step(&skipped, Event::Released, SEED, now()));
    assert_eq!(released.state, State::Waiting { until: now() });

    let event = failed_by(ME, FailureClass::Rejected, Answer::Answered, Freshness::Newest);
    let given_up = moved(step(&claimed_by_me(5), event, SEED, now()));
    assert_eq!(given_up.state, State::Skipped);
    let step = step(&given_up, Event::Released, SEED, now());
    assert_eq!(step, Step::Stays(Refusal::Skipped));
}

#[test]
fn changed_settings_release_what_xero_rejected_for_its_account_and_not_for_an_account_number() {
    for (sentence, is_released) in [
        ("Account code '9' is not a valid code for this document.", true),
        ("The Account Number AC-1 already exists.", false),
    ] {
        let failure = Some(rejection::explain(&[sentence.to_owned()]));
        let given_up = Operation { state: State::Skipped, failure, ..Operation::new() };
        let step = step(&given_up, Event::Released, SEED, now());
        assert_eq!(matches!(step, Step::Moved(_)), is_released, "{sentence}");
    }
}

#[test]
fn the_end_of_an_outage_gives_another_try_to_what_was_given_up_for_it_and_to_nothing_else() {
    for class in FailureClass::ALL.into_iter().filter(|class| class.is_counted()) {
        let event = failed_by(ME, class, Answer::Unanswered, Freshness::Newest);
        let given_up = moved(step(&claimed_by_me(5), event, SEED, now()));
        assert_eq!(given_up.state, State::Skipped);
        match (class, step(&given_up, Event::Outlived, SEED, now())) {
            (FailureClass::Transient | FailureClass::Uncertain, Step::Moved(again)) => {
                assert!(matches!(again.state, State::Waiting { .. }), "{again:?}");
                assert_eq!((again.failures, again.trace), (0, given_up.trace));
            }
            (_, Step::Stays(Refusal::Skipped)) => {}
            (class, step) => panic!("{class}: {step:?}"),
        }
    }
}
