//! Injected faults, and what callers receive.

use crate::caller::*;
use bytes::Bytes;
use http::Method;
use xero_sim::{Delivery, Fault, FaultKind, Match, Reply};

/// Rule 22.
#[test]
fn a_fault_affects_the_configured_number_of_calls() {
    let mut caller = Caller::connected();
    for (kind, text) in [
        (FaultKind::Offline503, "The Organisation is offline"),
        (FaultKind::Maintenance503, "The Xero API is currently offline for maintenance"),
        (FaultKind::Unavailable503, "The Xero API is temporarily unavailable"),
    ] {
        caller.simulator.inject(Fault { on: Match::next("/api.xro/2.0/Accounts"), kind });
        let answer = caller.get("/Accounts");
        assert_eq!((answer.status, answer.text.as_str()), (503, text));
        assert!(answer.header("content-type").starts_with("text/plain"));
        assert_eq!(caller.get("/Accounts").status, 200);
    }
    let on = Match { times: Some(2), ..Match::next("/api.xro/2.0/Contacts") };
    let on = on.method(Method::PUT).after(1);
    caller.simulator.inject(Fault { on, kind: FaultKind::Status500 });
    let mut statuses = Vec::new();
    for number in 0..4 {
        assert_eq!(caller.get("/Contacts").status, 200);
        let body = format!(r#"{{"Contacts":[{{"Name":"N{number}"}}]}}"#);
        statuses.push(caller.put("/Contacts", &body).status);
    }
    assert_eq!(statuses, [200, 500, 500, 200]);
    assert_eq!(caller.books().contacts().count(), 2);
}

/// Rule 22.
#[test]
fn a_lost_call_takes_effect_depending_on_the_fault() {
    let mut caller = Caller::connected();
    let body = r#"{"Contacts":[{"Name":"Lost"}]}"#;
    let request = caller.request("PUT", "/Contacts", body).body(Bytes::from(body)).unwrap();
    let faults = [FaultKind::LostBefore, FaultKind::LostAfter];
    for (kind, contacts) in faults.into_iter().zip([0, 1]) {
        caller.simulator.inject(Fault { on: Match::next("/"), kind });
        let reply = caller.simulator.handle(caller.now, &request);
        assert!(matches!(reply, Reply::LostBefore | Reply::LostAfter));
        assert_eq!(caller.books().contacts().count(), contacts);
    }
    caller.simulator.inject(Fault { on: Match::next("/"), kind: FaultKind::Cut });
    let Reply::Cut(whole) = caller.simulator.handle(caller.now, &request) else { panic!() };
    assert_eq!(whole.status(), 400, "the name is taken by now");
    let calls = caller.simulator.calls();
    let deliveries: Vec<_> = calls.iter().rev().take(3).map(|call| call.delivery).collect();
    assert_eq!(deliveries, [Delivery::Cut, Delivery::LostAfter, Delivery::LostBefore]);
}

/// Rule 22.
#[test]
fn a_throttle_can_be_injected() {
    let mut caller = Caller::connected();
    let kind =
        FaultKind::RateLimited { problem: "day".to_owned(), retry_after_seconds: Some(7_200) };
    caller.simulator.inject(Fault { on: Match::every("/api.xro/"), kind });
    let answer = caller.get("/Organisation");
    assert_eq!((answer.status, answer.header("retry-after")), (429, "7200"));
    assert_eq!(answer.header("x-rate-limit-problem"), "day");
    assert!(caller.simulator.violations().is_empty(), "no limit was exceeded");
    caller.simulator.clear_faults();
    assert_eq!(caller.get("/Organisation").status, 200);
}
