//! What people read when the settings API refuses a request: what is wrong, and what to do.

#![allow(clippy::disallowed_methods, reason = "responses are compared, not computed with")]

use std::time::Duration;

use domain::entity::EntityKind::Contact;
use http::Method;
use serde_json::{Value, json};
use tests::World;
use tests::builders::a_client;
use tests::ports::{Intercepted, respond};
use uuid::Uuid;

use crate::api_lists::send;
use crate::gateway::{Delays, Gateway, a_request};

fn detail(problem: &Value) -> &str {
    problem["detail"].as_str().unwrap()
}

/// A connected account with a client, whose Xero answers every read with this status.
fn failing_xero(status: u16) -> World {
    let mut world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge Heating", "record"));
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), move |request| {
        (request.method() == Method::GET).then(|| Ok(respond(status, "{}")))
    });
    world
}

#[tokio::test(start_paused = true)]
async fn a_person_who_waits_for_xero_is_told_to_try_again_because_no_attempt_follows() {
    let contact = json!({ "contact_id": Uuid::from_u128(7) }).to_string();
    for status in [429, 500, 503] {
        for (method, address, body) in [
            ("GET", "/v1/contacts?query=ridge", None),
            ("GET", "/v1/account-codes/choices?refresh=true", None),
            ("PUT", "/v1/clients/cli_1/contact", Some(contact.as_str())),
        ] {
            let world = failing_xero(status);
            let gateway = Gateway::new(&world, Delays::default());
            let (answered, problem) = send(&gateway, method, address, "Owner", body).await;
            assert_eq!(answered, 409, "{method} {address}: {problem}");
            let shown = detail(&problem);
            assert!(shown.contains("Try again in a few minutes."), "{status}, {address}: {shown}");
            assert!(!shown.contains("automatically"), "{status}, {address}: {shown}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_search_without_time_for_a_call_says_that_xero_is_slow() {
    // The time for calls ends after 24 seconds, and the response is due within 25.
    const TOO_LATE_MILLIS: u64 = 24_500;
    let mut is_explained = false;
    // How often AWS is called before Xero is.
    for calls in 1..=12 {
        let world = World::connected();
        let aws = Duration::from_millis(TOO_LATE_MILLIS / calls);
        let gateway = Gateway::new(&world, Delays { aws, ..Delays::default() });
        let (status, answer) =
            send(&gateway, "GET", "/v1/contacts?query=ridge", "Owner", None).await;
        if status == 200 {
            continue;
        }
        let shown = detail(&answer);
        assert!(!shown.contains("This run"), "{calls}: {shown}");
        is_explained |= status == 409 && shown.contains("taking longer than usual");
    }
    assert!(is_explained, "no request was too late for its call");
}

#[tokio::test(start_paused = true)]
async fn a_reconciliation_before_the_first_connect_says_where_to_connect() {
    let gateway = Gateway::new(&World::new(), Delays::default());
    let (status, problem) = send(&gateway, "POST", "/v1/reconciliation", "Owner", None).await;
    assert_eq!(status, 404, "{problem}");
    assert!(detail(&problem).contains("click Connect to Xero"), "{problem}");
}

#[tokio::test(start_paused = true)]
async fn an_address_or_method_that_does_not_exist_names_the_list_of_those_that_do() {
    let gateway = Gateway::new(&World::connected(), Delays::default());
    for (method, address) in [("GET", "/v1/quotes"), ("PATCH", "/v1/account-codes")] {
        let (_, problem) = send(&gateway, method, address, "Owner", None).await;
        assert!(detail(&problem).contains("GET /v1/openapi.json"), "{method} {address}: {problem}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_conditional_change_refuses_a_header_that_is_no_tag() {
    let gateway = Gateway::new(&World::connected(), Delays::default());
    for (path, body) in [
        ("/v1/account-codes", r#"{"sales":"200"}"#),
        ("/v1/sync-preferences", r#"{"mark_as_sent":true}"#),
        ("/v1/matching", r#"{"automatic":["email"]}"#),
    ] {
        let mut request = a_request("PUT", path, "", "Owner", Some(body));
        request.headers_mut().insert("if-match", "17".parse().unwrap());
        let (_, answer) = gateway.send(&request).await;
        let problem: Value = serde_json::from_slice(answer.body()).unwrap();
        let refused = (400, &json!("if-match"));
        assert_eq!((answer.status().as_u16(), &problem["field"]), refused, "{path}: {problem}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_overpayment_that_is_not_known_is_not_called_a_record_that_was_never_sent() {
    let gateway = Gateway::new(&World::connected(), Delays::default());
    let body = Some(r#"{"acknowledged":true}"#);
    let address = format!("/v1/overpayments/{}", Uuid::from_u128(7));
    let (status, problem) = send(&gateway, "POST", &address, "Owner", body).await;
    assert_eq!(status, 404, "{problem}");
    assert!(detail(&problem).contains("No overpayment or prepayment"), "{problem}");
    let (status, problem) = send(&gateway, "POST", "/v1/overpayments/7", "Owner", body).await;
    assert_eq!((status, &problem["field"]), (400, &json!("xero_id")));
    assert!(detail(&problem).ends_with("a UUID"), "{problem}");
}
