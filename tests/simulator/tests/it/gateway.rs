//! Rules 12 to 22: bearer, tenant, scope, limits, formats, trouble on demand.

use crate::caller::*;
use bytes::Bytes;
use http::{Method, Request};
use xero_sim::{Fate, Fault, FaultKind, Match, Reply, Tier};

fn problem(answer: &Answered) -> (u16, String, String) {
    let body = answer.json();
    assert!(body["Type"].is_null());
    assert_eq!(body["Status"], answer.status);
    assert!(body["Instance"].is_string());
    assert_eq!(body["Extensions"], serde_json::json!({}));
    let word = |key: &str| body[key].as_str().unwrap().to_owned();
    (answer.status, word("Title"), word("Detail"))
}

fn refused(status: u16, title: &str, detail: &str) -> (u16, String, String) {
    (status, title.to_owned(), detail.to_owned())
}

/// Rule 12.
#[test]
fn a_bearer_nobody_issued_is_unauthorised() {
    let mut caller = Caller::connected();
    let good = caller.bearer.clone();
    for bearer in ["", "garbage", &good[1..]] {
        bearer.clone_into(&mut caller.bearer);
        let answer = caller.get("/Organisation");
        assert_eq!(problem(&answer), refused(401, "Unauthorized", "AuthenticationUnsuccessful"));
        assert_eq!(answer.header("www-authenticate"), "Bearer error=invalid_token");
    }
    let request = Request::get("/connections").body(Bytes::new()).unwrap();
    assert_eq!(caller.send(&request).status, 401);
}

/// Rule 13.
#[test]
fn an_expired_bearer_is_told_since_when() {
    let mut caller = Caller::connected();
    caller.pass(1799);
    assert_eq!(caller.get("/Organisation").status, 200);
    caller.pass(1);
    assert_eq!(
        problem(&caller.get("/Organisation")),
        refused(401, "Unauthorized", "TokenExpired: token expired at 11/02/2026 09:30:00")
    );
}

/// Rule 14.
#[test]
fn a_tenant_must_be_named_and_connected() {
    let mut caller = Caller::connected();
    let expected = refused(403, "Forbidden", "AuthenticationUnsuccessful");
    let request = Request::get("/api.xro/2.0/Organisation")
        .header("authorization", format!("Bearer {}", caller.bearer))
        .body(Bytes::new())
        .unwrap();
    assert_eq!(problem(&caller.send(&request)), expected);
    caller.tenant = demo().organisations[1].id;
    assert_eq!(problem(&caller.get("/Organisation")), expected);
    caller.tenant = uuid::Uuid::nil();
    assert_eq!(problem(&caller.get("/Organisation")), expected);
}

/// Rule 15.
#[test]
fn each_resource_needs_its_scope_and_read_scopes_refuse_writes() {
    let mut caller = Caller::stranger(demo());
    caller.connect("accounting.contacts.read");
    assert_eq!(caller.get("/Contacts").status, 200);
    for answer in [
        caller.put("/Contacts", r#"{"Contacts":[{"Name":"A"}]}"#),
        caller.get("/Invoices"),
        caller.get("/Organisation"),
    ] {
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("www-authenticate"), "insufficient_scope");
    }
    assert_eq!(caller.books().contacts().count(), 0);
}

/// Rule 15, switched.
#[test]
fn a_missing_scope_may_be_403_and_misspelt() {
    let mut settings = demo();
    settings.unconfirmed.missing_scope_status = 403;
    settings.unconfirmed.missing_scope_misspelt = true;
    let mut caller = Caller::stranger(settings);
    caller.connect("accounting.contacts.read");
    let answer = caller.get("/Invoices");
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("www-authenticate"), "insufficent_scope");
}

/// Rule 16.
#[test]
fn the_sixty_first_call_of_a_minute_waits_for_the_next_one() {
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
    let mut caller = Caller::stranger(demo());
    let tenants: Vec<_> = demo().organisations.iter().map(|one| one.id).collect();
    let code = caller.code(SCOPES, &tenants);
    let tokens = caller.redeem(&code).json();
    caller.take_up(&tokens);
    let mut waits = Vec::new();
    for tenant in tenants {
        caller.tenant = tenant;
        for _ in 0..60 {
            assert_eq!(caller.get("/Organisation").status, 200, "the other's calls do not count");
        }
        waits.push(caller.get("/Organisation").header("retry-after").to_owned());
    }
    assert_ne!(waits[0], waits[1]);
}

/// Rule 16.
#[test]
fn the_day_has_a_thousand_calls_on_the_free_plan() {
    let mut settings = demo();
    settings.organisations[0].tier = Tier::Starter;
    let mut caller = Caller::stranger(settings);
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
fn a_sixth_call_at_once_is_refused_without_a_time_to_wait() {
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
fn ten_thousand_calls_of_one_app_fill_its_minute() {
    let mut settings = demo();
    let template = settings.organisations[0].clone();
    for number in 0..200_u128 {
        let id = uuid::Uuid::from_u128(number + 1);
        settings.organisations.push(xero_sim::Organisation { id, ..template.clone() });
        settings.users[0].organisations.push(id);
    }
    let mut caller = Caller::stranger(settings);
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
    assert_eq!(problems.len(), 202 * 50 - 10_000);
    assert!(problems.iter().all(|problem| problem == "appminute"));
}

/// Rule 17.
#[test]
fn every_answer_says_what_is_left() {
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

/// Rule 18.
#[test]
fn whoever_does_not_ask_for_json_gets_xml() {
    let mut caller = Caller::connected();
    caller.invoice("SC-1");
    for accept in [None, Some("*/*"), Some("text/html")] {
        let mut request = caller.request("GET", "/Invoices", "").body(Bytes::new()).unwrap();
        request.headers_mut().remove("accept");
        if let Some(accept) = accept {
            request.headers_mut().insert("accept", accept.parse().unwrap());
        }
        let answer = caller.send(&request);
        assert!(answer.header("content-type").starts_with("text/xml"));
        assert!(answer.text.contains("<Invoices><Invoice><Type>ACCREC</Type>"), "{}", answer.text);
        assert!(answer.text.contains("<Date>2026-11-02T00:00:00</Date>"));
    }
}

/// Rule 19.
#[test]
fn bodies_that_say_nothing_have_their_own_errors() {
    let mut caller = Caller::connected();
    let broken = caller.put("/Invoices", r#"{"Invoices":["#);
    assert_eq!((broken.status, &broken.json()["ErrorNumber"]), (400, &14.into()));
    assert_eq!(broken.json()["Type"], "PostDataInvalidException");
    assert!(
        broken.json()["Message"]
            .as_str()
            .unwrap()
            .starts_with("JSON request body could not be read")
    );
    for body in [r#"{"Invoice":[]}"#, r#"{"Invoices":[]}"#, "{}", "[]"] {
        let nothing = caller.put("/Invoices", body);
        assert_eq!(nothing.status, 400);
        assert_eq!(nothing.json()["Type"], "NoDataProcessedException");
        assert_eq!(
            nothing.json()["Message"],
            "No data has been processed for this endpoint. This endpoint is expecting Invoice \
             data to be specifed in the request body."
        );
    }
    let wrong = caller.get(&query("/Invoices", &[("where", "Colour==\"red\"")]));
    assert_eq!((wrong.status, &wrong.json()["ErrorNumber"]), (400, &16.into()));
    assert_eq!(wrong.json()["Type"], "QueryParseException");
}

#[test]
fn an_element_may_come_without_its_collection() {
    let mut caller = Caller::connected();
    assert_eq!(caller.put("/Contacts", r#"{"Name":"Bare"}"#).first("Contacts")["Name"], "Bare");
}

/// Rule 20.
#[test]
fn a_query_beyond_its_length_is_not_found() {
    let mut caller = Caller::connected();
    let ids = |count: usize| vec![uuid::Uuid::nil().to_string(); count].join(",");
    assert_eq!(caller.get(&format!("/Invoices?IDs={}", ids(55))).status, 200);
    let long = caller.get(&format!("/Invoices?IDs={}", ids(56)));
    assert_eq!(long.status, 404);
    assert_eq!(long.text, "The resource you're looking for cannot be found");
    let encoded = |count: usize| ids(count).replace(',', "%2C");
    assert_eq!(caller.get(&format!("/Invoices?IDs={}", encoded(52))).status, 200);
    assert_eq!(caller.get(&format!("/Invoices?IDs={}", encoded(53))).status, 404);
}

/// Rule 21.
#[test]
fn what_does_not_exist_is_not_found_in_plain_text() {
    let mut caller = Caller::connected();
    for path in ["/Invoices/unknown", "/Contacts/unknown", "/Sandwiches", "/Invoices/a/b/c", ""] {
        let answer = caller.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.text, "The resource you're looking for cannot be found");
    }
    assert_eq!(caller.post("/Organisation", "{}").status, 501);
    assert_eq!(caller.call("DELETE", "/Invoices", "").status, 501);
}

/// Rule 22.
#[test]
fn trouble_comes_as_often_as_it_was_asked_for() {
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
fn a_lost_call_is_applied_or_not_as_the_fault_says() {
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
    let fates: Vec<_> = calls.iter().rev().take(3).map(|call| call.fate).collect();
    assert_eq!(fates, [Fate::Cut, Fate::LostAfter, Fate::LostBefore]);
}

/// Rule 22.
#[test]
fn a_throttle_can_be_made_up() {
    let mut caller = Caller::connected();
    let kind =
        FaultKind::RateLimited { problem: "day".to_owned(), retry_after_seconds: Some(7_200) };
    caller.simulator.inject(Fault { on: Match::every("/api.xro/"), kind });
    let answer = caller.get("/Organisation");
    assert_eq!((answer.status, answer.header("retry-after")), (429, "7200"));
    assert_eq!(answer.header("x-rate-limit-problem"), "day");
    assert!(caller.simulator.violations().is_empty(), "nobody broke a limit");
    caller.simulator.clear_faults();
    assert_eq!(caller.get("/Organisation").status, 200);
}

#[test]
fn the_log_keeps_calls_and_no_secrets() {
    let mut caller = Caller::connected();
    caller.get("/Organisation");
    let text = format!("{:?}", caller.simulator.calls());
    assert!(!text.contains(&caller.bearer));
    assert!(!text.contains(&caller.refresh));
    assert!(!text.contains(SECRET));
    let last = caller.simulator.calls().last().unwrap();
    assert_eq!((last.path.as_str(), last.status), ("/api.xro/2.0/Organisation", 200));
    assert!(last.counted);
    assert_eq!(last.tenant, Some(caller.tenant));
}

#[test]
fn the_settings_of_an_organisation_can_be_read() {
    let mut caller = Caller::connected();
    let organisation = caller.get("/Organisation").first("Organisations");
    assert_eq!(organisation["OrganisationID"], caller.tenant.to_string());
    assert_eq!(organisation["BaseCurrency"], "GBP");
    let rates = caller.get(&query("/TaxRates", &[("where", "TaxType==\"OUTPUT2\"")]));
    assert_eq!(rates.first("TaxRates")["CanApplyToRevenue"], true);
    assert_eq!(rates.digits("EffectiveRate"), "20.0000");
    let currencies = caller.get("/Currencies").json();
    assert_eq!(currencies["Currencies"].as_array().unwrap().len(), 3);
    let filter = "Status==\"ACTIVE\" AND Class==\"REVENUE\"";
    let sales = caller.get(&query("/Accounts", &[("where", filter), ("order", "Code DESC")]));
    assert_eq!(sales.first("Accounts")["Code"], "270");
    assert_eq!(caller.get("/BrandingThemes").first("BrandingThemes")["SortOrder"], 0);
    assert_eq!(caller.get("/Organisation/Actions").first("Actions")["Status"], "ALLOWED");
}
