//! The limits on calls: minute, day, concurrency and the app as a whole.

use crate::caller::*;
use bytes::Bytes;
use xero_sim::{Fault, FaultKind, Match, Tier};

/// Rule 16.
#[test]
fn the_sixty_first_call_of_a_minute_is_refused_until_the_next_minute() {
    let mut caller = Caller::connected();
    let mut last = caller.get("/Organisation");
    for _ in 1..60 {
        last = caller.get("/Organisation");
    }
    assert_eq!((last.status, last.header("x-minlimit-remaining")), (200, "0"));
    let refused = caller.get("/Organisation");
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("x-rate-limit-problem"), "minute");
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(caller.simulator.violations().minute, 1);
    caller.pass(wait - 1);
    assert_eq!(caller.get("/Organisation").status, 429);
    caller.pass(1);
    assert_eq!(caller.get("/Organisation").header("x-minlimit-remaining"), "59");
}

/// Rule 16.
#[test]
fn the_minutes_of_two_tenants_begin_at_different_times() {
    let mut caller = Caller::unconnected(demo());
    let tenants: Vec<_> = demo().organisations.iter().map(|one| one.id).collect();
    let code = caller.code(SCOPES, &tenants);
    let tokens = caller.redeem(&code).json();
    caller.take_up(&tokens);
    let mut waits = Vec::new();
    for tenant in tenants {
        caller.tenant = tenant;
        for _ in 0..60 {
            assert_eq!(
                caller.get("/Organisation").status,
                200,
                "the calls of the other tenant do not count"
            );
        }
        waits.push(caller.get("/Organisation").header("retry-after").to_owned());
    }
    assert_ne!(waits[0], waits[1]);
}

/// Rule 16.
#[test]
fn the_free_plan_allows_a_thousand_calls_a_day() {
    let mut settings = demo();
    settings.organisations[0].tier = Tier::Starter;
    let mut caller = Caller::unconnected(settings);
    caller.connect(SCOPES);
    // Start right after the day's window began, so that the whole day fits into one window.
    for _ in 0..2 {
        let mut answered = 0;
        loop {
            let answer = caller.get("/Organisation");
            match (answer.status, answer.header("x-rate-limit-problem")) {
                (200, _) => answered += 1,
                (429, "minute") => caller.pass(answer.header("retry-after").parse().unwrap()),
                (429, "day") => {
                    let wait: i64 = answer.header("retry-after").parse().unwrap();
                    assert!(wait <= 86_400);
                    caller.pass(wait);
                    break;
                }
                (401, _) => {
                    let refresh = caller.refresh.clone();
                    let tokens = caller.renew(&refresh).json();
                    caller.take_up(&tokens);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(answered, 1000);
        let refresh = caller.refresh.clone();
        let tokens = caller.renew(&refresh).json();
        caller.take_up(&tokens);
    }
    assert_eq!(caller.simulator.violations().day, 2);
}

/// Rule 16.
#[test]
fn a_sixth_concurrent_call_is_refused_without_a_retry_after() {
    let mut caller = Caller::connected();
    let request = caller.request("GET", "/Organisation", "").body(Bytes::new()).unwrap();
    let mut under_way: Vec<_> =
        (0..5).map(|_| caller.simulator.begin(caller.now, &request)).collect();
    let refused = caller.get("/Organisation");
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("x-rate-limit-problem"), "concurrent");
    assert_eq!(refused.header("retry-after"), "");
    caller.simulator.end(under_way.pop().unwrap());
    assert_eq!(caller.get("/Organisation").status, 200);
    let violations = caller.simulator.violations();
    assert_eq!((violations.concurrent, violations.max_concurrent), (1, 6));
}

/// Rule 16.
#[test]
fn ten_thousand_calls_of_one_app_use_up_its_minute() {
    for (hyphenated, word) in [(false, "appminute"), (true, "app-minute")] {
        let problems = fill_the_minute_of_an_app(hyphenated);
        assert_eq!(problems.len(), 202 * 50 - 10_000);
        assert!(problems.iter().all(|problem| problem == word), "{problems:?}");
    }
}

/// Calls 202 tenants 50 times each within a minute. Returns the limits that refused calls name.
fn fill_the_minute_of_an_app(hyphenated: bool) -> Vec<String> {
    let mut settings = demo();
    settings.unconfirmed.app_minute_hyphenated = hyphenated;
    let template = settings.organisations[0].clone();
    for number in 0..200_u128 {
        let id = uuid::Uuid::from_u128(number + 1);
        settings.organisations.push(xero_sim::Organisation { id, ..template.clone() });
        settings.users[0].organisations.push(id);
    }
    let mut caller = Caller::unconnected(settings);
    let tenants = caller.simulator.settings().users[0].organisations.clone();
    let code = caller.code(SCOPES, &tenants);
    let tokens = caller.redeem(&code).json();
    caller.take_up(&tokens);
    let mut problems = Vec::new();
    for tenant in tenants {
        caller.tenant = tenant;
        for _ in 0..50 {
            let answer = caller.get("/BrandingThemes");
            if answer.status == 429 {
                problems.push(answer.header("x-rate-limit-problem").to_owned());
            }
        }
    }
    problems
}

/// Rule 17.
#[test]
fn every_answer_reports_the_remaining_calls() {
    let mut caller = Caller::connected();
    let names = [
        "x-daylimit-remaining",
        "x-minlimit-remaining",
        "x-appminlimit-remaining",
        "xero-correlation-id",
    ];
    caller
        .simulator
        .inject(Fault { on: Match::next("/api.xro/2.0/Currencies"), kind: FaultKind::Offline503 });
    let answers = [
        caller.get("/Organisation"),
        caller.get("/Nothing"),
        caller.put("/Invoices", "{"),
        caller.get("/Currencies"),
    ];
    for (index, answer) in answers.iter().enumerate() {
        for name in names {
            assert_ne!(answer.header(name), "", "{name} of answer {index}");
        }
        assert_eq!(answer.header(names[0]), (4_999 - index).to_string());
        assert_eq!(answer.header(names[1]), (59 - index).to_string());
        assert_eq!(answer.header(names[2]), (9_999 - index).to_string());
    }
    caller.bearer.clear();
    let stranger = caller.get("/Organisation");
    assert_ne!(stranger.header("xero-correlation-id"), "");
    assert_ne!(stranger.header("x-minlimit-remaining"), "");
}
