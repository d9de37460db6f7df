//! Rules 23 to 26.

use crate::caller::*;
use xero_sim::{Fault, FaultKind, Match};

const BODY: &str = r#"{"Contacts":[{"Name":"Ridge Plumbing"}]}"#;

/// Rule 23.
#[test]
fn a_key_has_at_most_128_characters() {
    let mut caller = Caller::connected();
    let long = answered(caller.with_key("PUT", "/Contacts", BODY, &"k".repeat(129)));
    assert_eq!(long.status, 400);
    assert_eq!(caller.books().contacts().count(), 0);
    let fits = answered(caller.with_key("PUT", "/Contacts", BODY, &"k".repeat(128)));
    assert_eq!(fits.status, 200);
}

/// Rules 17 and 24.
#[test]
fn a_repeated_request_gets_the_first_answer_and_still_counts() {
    let mut caller = Caller::connected();
    let first = answered(caller.with_key("PUT", "/Contacts", BODY, "k"));
    caller.pass(359);
    let again = answered(caller.with_key("PUT", "/Contacts", BODY, "k"));
    assert_eq!((again.status, &again.text), (200, &first.text));
    assert_eq!(caller.books().contacts().count(), 1);
    assert_eq!(again.header("x-daylimit-remaining"), "4998");
    assert_ne!(again.header("xero-correlation-id"), first.header("xero-correlation-id"));
    let log: Vec<bool> = caller.simulator.calls().iter().map(|call| call.replayed).collect();
    assert_eq!(log[log.len() - 2..], [false, true]);
}

/// Rule 24: the six minutes start with the first call, and a replay does not renew them.
#[test]
fn after_six_minutes_a_key_is_new() {
    let mut caller = Caller::connected();
    answered(caller.with_key("PUT", "/Contacts", BODY, "k"));
    caller.pass(300);
    answered(caller.with_key("PUT", "/Contacts", BODY, "k"));
    caller.pass(60);
    let new = answered(caller.with_key("PUT", "/Contacts", BODY, "k"));
    assert_eq!(new.status, 400, "the write runs again and finds its own contact");
}

/// Rule 25.
#[test]
fn the_same_key_with_another_request_is_refused() {
    let mut caller = Caller::connected();
    answered(caller.with_key("PUT", "/Contacts", BODY, "k"));
    let spaced = BODY.replace(':', ": ");
    for (method, path, body) in [
        ("PUT", "/Contacts", spaced.as_str()),
        ("POST", "/Contacts", BODY),
        ("PUT", "/Contacts?summarizeErrors=false", BODY),
    ] {
        let answer = answered(caller.with_key(method, path, body, "k"));
        assert_eq!(answer.status, 400);
        assert!(answer.text.contains("Idempotency Key: k is used with a different request."));
    }
    assert_eq!(caller.books().contacts().count(), 1);
}

/// Rule 26.
#[test]
fn an_internal_error_is_replayed_after_the_fault_has_ended() {
    let mut caller = Caller::connected();
    caller.simulator.inject(Fault { on: Match::next("/api.xro/"), kind: FaultKind::Status500 });
    assert_eq!(answered(caller.with_key("PUT", "/Contacts", BODY, "k")).status, 500);
    caller.pass(359);
    assert_eq!(answered(caller.with_key("PUT", "/Contacts", BODY, "k")).status, 500);
    assert_eq!(answered(caller.with_key("PUT", "/Contacts", BODY, "l")).status, 200);
    caller.pass(1);
    let other = BODY.replace("Ridge", "Valley");
    assert_eq!(answered(caller.with_key("PUT", "/Contacts", &other, "k")).status, 200);
}

/// Rule 26.
#[test]
fn an_internal_error_may_hide_a_write() {
    let mut caller = Caller::connected();
    let kind = FaultKind::Status500Applied;
    caller.simulator.inject(Fault { on: Match::next("/api.xro/"), kind });
    assert_eq!(answered(caller.with_key("PUT", "/Contacts", BODY, "k")).status, 500);
    assert_eq!(caller.books().contacts().count(), 1);
    assert_eq!(answered(caller.with_key("PUT", "/Contacts", BODY, "k")).status, 500);
}

#[test]
fn an_outage_is_not_stored_under_the_key() {
    let mut caller = Caller::connected();
    let kind = FaultKind::Unavailable503;
    caller.simulator.inject(Fault { on: Match::next("/api.xro/"), kind });
    assert_eq!(answered(caller.with_key("PUT", "/Contacts", BODY, "k")).status, 503);
    assert_eq!(answered(caller.with_key("PUT", "/Contacts", BODY, "k")).status, 200);
}

/// Rule 24, after the answer was lost.
#[test]
fn a_retry_after_a_lost_answer_creates_no_second_document() {
    let mut caller = Caller::connected();
    let body = BODY;
    caller.simulator.inject(Fault { on: Match::next("/api.xro/"), kind: FaultKind::LostAfter });
    let lost = caller.with_key("PUT", "/Contacts", body, "k");
    assert!(matches!(lost, xero_sim::Reply::LostAfter));
    let again = answered(caller.with_key("PUT", "/Contacts", body, "k"));
    let contact = caller.books().contacts().next().unwrap().id;
    assert_eq!(again.first("Contacts")["ContactID"], contact.to_string());
    assert_eq!(caller.books().contacts().count(), 1);
}

#[test]
fn a_key_on_a_read_is_ignored() {
    let mut caller = Caller::connected();
    let first = answered(caller.with_key("GET", "/Contacts", "", "k"));
    caller.contact("New");
    let second = answered(caller.with_key("GET", "/Contacts", "", "k"));
    assert_ne!(first.text, second.text);
}
