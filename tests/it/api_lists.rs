//! The routes behind the pages' lists: records that need a person, the filtered sync log, the
//! activity, and what was not started yet.

#![allow(clippy::disallowed_methods, reason = "responses are compared, not computed with")]

use domain::entity::EntityKind::Invoice;
use domain::operation::OperationState;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::World;
use tests::builders::an_invoice;

use crate::gateway::{Delays, Gateway, a_request};

pub(crate) async fn send(
    gateway: &Gateway,
    method: &str,
    address: &str,
    role: &str,
    body: Option<&str>,
) -> (u16, Value) {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let (_, answer) = gateway.send(&a_request(method, path, query, role, body)).await;
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
}

pub(crate) async fn read(gateway: &Gateway, address: &str) -> Value {
    let (status, answer) = send(gateway, "GET", address, "Member", None).await;
    assert_eq!(status, 200, "{address}: {answer}");
    answer
}

/// A client in Xero, three invoices with a tax rate that Xero does not have, and one in a locked
/// period.
pub(crate) fn a_business() -> World {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_0", "cli_1").body());
    world.clock.advance(SignedDuration::from_secs(5));
    for number in 1..=3 {
        let id = format!("inv_{number}");
        world.receive(Invoice, &an_invoice(&id, "cli_1").tax_rate("7").body());
        world.clock.advance(SignedDuration::from_secs(5));
    }
    world.lock_books(Some("2026-12-31"));
    world.receive(Invoice, &an_invoice("inv_4", "cli_1").body());
    world
}

fn ids(group: &Value) -> Vec<&str> {
    let records = group["records"].as_array().unwrap().iter();
    records.map(|one| one["record"]["crm_id"].as_str().unwrap()).collect()
}

fn choice(ids: &[&str]) -> String {
    let records = ids.iter().map(|id| json!({ "entity": "invoice", "crm_id": id }));
    json!({ "records": records.collect::<Vec<_>>() }).to_string()
}

#[tokio::test(start_paused = true)]
async fn records_that_need_a_person_are_listed_by_cause_the_newest_first() {
    let world = a_business();
    let gateway = Gateway::new(&world, Delays::default());
    let given_up = read(&gateway, "/v1/attention").await;
    assert_eq!((&given_up["state"], &given_up["count"]), (&json!("given_up"), &json!(3)));
    let groups = given_up["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 1, "{given_up}");
    assert_eq!(ids(&groups[0]), ["inv_3", "inv_2", "inv_1"]);
    assert_eq!(groups[0]["class"], "untranslatable");
    assert_eq!(groups[0]["responsible"], "user");
    assert!(!groups[0]["remedy"].as_str().unwrap().is_empty());
    let failing = read(&gateway, "/v1/attention?state=failing").await;
    assert_eq!(ids(&failing["groups"][0]), ["inv_4"]);
    assert_eq!(failing["groups"][0]["responsible"], "bookkeeper");
    assert_eq!(failing["groups"][0]["records"][0]["failures"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_list_longer_than_a_page_continues_at_its_cursor() {
    let world = a_business();
    let gateway = Gateway::new(&world, Delays::default());
    let (mut address, mut seen) = ("/v1/attention?limit=1".to_owned(), Vec::new());
    for _ in 0..5 {
        let page = read(&gateway, &address).await;
        for group in page["groups"].as_array().unwrap() {
            seen.extend(ids(group).into_iter().map(str::to_owned));
        }
        let Some(next) = page["next"].as_str() else { break };
        let cursor = next.replace(' ', "%20");
        address = format!("/v1/attention?limit=1&cursor={cursor}");
    }
    assert_eq!(seen, ["inv_3", "inv_2", "inv_1"]);
    let odd = read(&gateway, "/v1/attention?cursor=yesterday").await;
    assert_eq!(odd["groups"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn several_records_are_retried_at_once_and_what_does_not_need_it_is_left_alone() {
    let world = a_business();
    let gateway = Gateway::new(&world, Delays::default());
    world.lock_books(None);
    let body = choice(&["inv_4", "inv_4", "inv_9"]);
    let path = "/v1/attention/retry";
    let (status, refused) = send(&gateway, "POST", path, "Member", Some(&body)).await;
    assert_eq!((status, &refused["type"]), (403, &json!("/problems/forbidden")));
    let (status, outcome) = send(&gateway, "POST", path, "Owner", Some(&body)).await;
    assert_eq!(status, 202, "{outcome}");
    assert_eq!(outcome["done"], json!([{ "entity": "invoice", "crm_id": "inv_4" }]));
    assert_eq!(outcome["not_needed"], json!([{ "entity": "invoice", "crm_id": "inv_9" }]));
    world.advance(SignedDuration::from_secs(2));
    let state = world.mapping(Invoice, "inv_4").unwrap().operation.state;
    assert_eq!(state, OperationState::Synced);
    let failing = read(&gateway, "/v1/attention?state=failing").await;
    assert_eq!((&failing["count"], &failing["groups"]), (&json!(0), &json!([])));
}

#[tokio::test(start_paused = true)]
async fn several_records_are_marked_as_never_to_be_sent_at_once() {
    let world = a_business();
    let gateway = Gateway::new(&world, Delays::default());
    let body = choice(&["inv_1", "inv_2"]);
    let path = "/v1/attention/never-send";
    let (status, outcome) = send(&gateway, "POST", path, "Owner", Some(&body)).await;
    assert_eq!(status, 200, "{outcome}");
    assert_eq!(outcome["done"].as_array().unwrap().len(), 2);
    let given_up = read(&gateway, "/v1/attention").await;
    assert_eq!(ids(&given_up["groups"][0]), ["inv_3"]);
    for body in [r#"{"records":[]}"#.to_owned(), choice(&["inv_1"; 101])] {
        let (status, problem) = send(&gateway, "POST", path, "Owner", Some(&body)).await;
        assert_eq!((status, &problem["field"]), (400, &json!("records")));
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_is_filtered_by_record_outcome_code_and_time() {
    let world = a_business();
    let gateway = Gateway::new(&world, Delays::default());
    let all = read(&gateway, "/v1/sync-log").await;
    let all = all["entries"].as_array().unwrap();
    let newest = &all[0];
    assert_eq!(newest["crm_id"], "inv_4");
    let listed = |page: &Value| {
        let entries = page["entries"].as_array().unwrap().iter();
        entries.map(|one| one["crm_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let of_one = read(&gateway, "/v1/sync-log?crm_id=inv_2").await;
    assert_eq!(listed(&of_one), ["inv_2"]);
    let code = newest["code"].as_str().unwrap();
    let of_code = read(&gateway, &format!("/v1/sync-log?code={code}")).await;
    assert_eq!(listed(&of_code), ["inv_4"]);
    for (status, expected) in
        [("retrying", vec!["inv_4"]), ("skipped", vec!["inv_3", "inv_2", "inv_1"])]
    {
        let of_outcome = read(&gateway, &format!("/v1/sync-log?status={status}")).await;
        assert_eq!(listed(&of_outcome), expected, "{status}");
    }
    let at = newest["at"].as_str().unwrap();
    let from = read(&gateway, &format!("/v1/sync-log?from={at}")).await;
    assert_eq!(listed(&from), ["inv_4"]);
    let before = read(&gateway, &format!("/v1/sync-log?before={at}")).await;
    assert_eq!(before["entries"].as_array().unwrap().len(), all.len() - 1);
    for (query, field) in [("from=yesterday", "from"), ("crm_id=a%23b", "crm_id")] {
        let address = format!("/v1/sync-log?{query}");
        let (status, problem) = send(&gateway, "GET", &address, "Member", None).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_span_of_the_log_that_ends_before_it_begins_is_refused_and_names_both_parameters() {
    let world = a_business();
    let gateway = Gateway::new(&world, Delays::default());
    let (earlier, later) = ("2026-11-02T09:00:00Z", "2026-11-02T09:00:01Z");
    for (from, before, expected) in
        [(earlier, later, 200), (earlier, earlier, 200), (later, earlier, 400)]
    {
        let address = format!("/v1/sync-log?from={from}&before={before}");
        let (status, answer) = send(&gateway, "GET", &address, "Member", None).await;
        assert_eq!(status, expected, "{address}: {answer}");
        if status == 400 {
            let named = answer["errors"].as_array().unwrap().iter().map(|one| &one["field"]);
            assert_eq!(named.collect::<Vec<_>>(), ["from", "before"], "{answer}");
            let detail = answer["detail"].as_str().unwrap();
            assert!(detail.contains("exchange the two"), "{detail}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_filtered_page_of_the_log_may_be_empty_and_the_next_one_continues() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_0", "cli_1").body());
    for number in 1..=25 {
        world.clock.advance(SignedDuration::from_secs(1));
        let id = format!("inv_{number}");
        world.receive(Invoice, &an_invoice(&id, "cli_1").tax_rate("7").body());
    }
    let gateway = Gateway::new(&world, Delays::default());
    let wanted = "/v1/sync-log?crm_id=inv_0&limit=1";
    // A request reads a limited number of entries.
    let first = read(&gateway, wanted).await;
    assert_eq!(first["entries"], json!([]), "{first}");
    let next = first["next"].as_str().unwrap();
    let second = read(&gateway, &format!("{wanted}&cursor={next}")).await;
    assert_eq!(second["entries"][0]["crm_id"], "inv_0", "{second}");
}

#[tokio::test(start_paused = true)]
async fn links_open_the_document_in_the_organisation_of_the_account() {
    let world = a_business();
    let gateway = Gateway::new(&world, Delays::default());
    let record = read(&gateway, "/v1/invoices/inv_0").await;
    let id = record["xero_id"].as_str().unwrap();
    let code = world.xero().settings().organisations[0].short_code.clone();
    let page = format!(
        "https://go.xero.com/organisationlogin/default.aspx?shortcode={code}&redirecturl=/AccountsReceivable/View.aspx?InvoiceID={id}"
    );
    assert_eq!(record["xero_url"], page);
    let log = read(&gateway, "/v1/sync-log?crm_id=inv_0").await;
    assert_eq!(log["entries"][0]["xero_url"], page);
}

#[tokio::test(start_paused = true)]
async fn the_activity_counts_the_attempts_of_each_hour() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.clock.advance(SignedDuration::from_hours(2));
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").tax_rate("7").body());
    let gateway = Gateway::new(&world, Delays::default());
    let activity = read(&gateway, "/v1/activity?days=1").await;
    let hours = activity["hours"].as_array().unwrap();
    assert_eq!(hours.len(), 2, "{activity}");
    assert_eq!(hours[0]["at"], "2026-11-02T09:00:00Z");
    assert!(hours[0]["synced"].as_u64().unwrap() >= 1 && hours[0]["given_up"] == 0);
    assert_eq!((&hours[1]["synced"], &hours[1]["given_up"]), (&json!(0), &json!(1)));
    assert!(activity.get("complete_since").is_none());
    // A decision of a user is no attempt.
    let never_send = "/v1/invoices/inv_2/never-send";
    assert_eq!(send(&gateway, "POST", never_send, "Owner", None).await.0, 200);
    assert_eq!(read(&gateway, "/v1/activity?days=1").await["hours"], activity["hours"]);
    for days in ["0", "31", "many"] {
        let address = format!("/v1/activity?days={days}");
        assert_eq!(send(&gateway, "GET", &address, "Member", None).await.0, 400, "{days}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_started_yet_is_a_state_and_no_error() {
    let world = World::connected();
    let gateway = Gateway::new(&world, Delays::default());
    for address in ["/v1/sync-all", "/v1/reconciliation"] {
        assert_eq!(read(&gateway, address).await["state"], "none", "{address}");
    }
    let payments = read(&gateway, "/v1/invoices/inv_1/payments").await;
    assert_eq!(payments, json!({ "recorded": [], "received": [], "unclear": 0 }));
}

#[tokio::test(start_paused = true)]
async fn of_two_people_who_change_the_account_codes_the_second_is_refused() {
    let world = World::connected();
    let gateway = Gateway::new(&world, Delays::default());
    let (_, before) = gateway.send(&a_request("GET", "/v1/account-codes", "", "Owner", None)).await;
    let tag = before.headers()["etag"].clone();
    let change = |body: &str| {
        let mut request = a_request("PUT", "/v1/account-codes", "", "Owner", Some(body));
        request.headers_mut().insert("if-match", tag.clone());
        request
    };
    let (_, first) = gateway.send(&change(r#"{"sales":"200","gift_card":"835"}"#)).await;
    assert_eq!(first.status(), 200);
    assert_ne!(first.headers()["etag"], tag);
    let (_, second) = gateway.send(&change(r#"{"sales":"200"}"#)).await;
    assert_eq!(second.status(), 412);
    let codes = read(&gateway, "/v1/account-codes").await;
    assert_eq!(codes["gift_card"], "835");
}

#[tokio::test(start_paused = true)]
async fn what_is_written_to_xero_is_chosen_by_administrators_and_by_one_at_a_time() {
    let world = World::connected();
    let gateway = Gateway::new(&world, Delays::default());
    let path = "/v1/sync-preferences";
    let defaults =
        json!({ "contacts": "by_origin", "new_invoices": "authorised", "mark_as_sent": false });
    assert_eq!(read(&gateway, path).await, defaults);
    let body = r#"{"contacts":"xero","new_invoices":"draft"}"#;
    assert_eq!(send(&gateway, "PUT", path, "Member", Some(body)).await.0, 403);
    let (_, before) = gateway.send(&a_request("GET", path, "", "Owner", None)).await;
    let mut change = a_request("PUT", path, "", "Owner", Some(body));
    change.headers_mut().insert("if-match", before.headers()["etag"].clone());
    let (_, first) = gateway.send(&change).await;
    assert_eq!(first.status(), 200);
    let (_, second) = gateway.send(&change).await;
    assert_eq!(second.status(), 412);
    let chosen = json!({ "contacts": "xero", "new_invoices": "draft", "mark_as_sent": false });
    assert_eq!(read(&gateway, path).await, chosen);
    let wrong = r#"{"new_invoices":"sent"}"#;
    assert_eq!(send(&gateway, "PUT", path, "Owner", Some(wrong)).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn every_account_code_that_cannot_be_used_is_named() {
    let world = World::connected();
    let gateway = Gateway::new(&world, Delays::default());
    let body = r#"{"sales":"999","stripe_bank":"200"}"#;
    let (status, problem) = send(&gateway, "PUT", "/v1/account-codes", "Owner", Some(body)).await;
    assert_eq!((status, &problem["field"]), (400, &json!("sales")));
    let errors = problem["errors"].as_array().unwrap();
    let fields = errors.iter().map(|error| error["field"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(fields, ["sales", "stripe_bank"]);
}

#[tokio::test(start_paused = true)]
async fn the_status_says_whether_the_caller_may_change_things() {
    let world = World::connected();
    let gateway = Gateway::new(&world, Delays::default());
    for (role, can_change) in [("Owner", true), ("Admin", true), ("Member", false)] {
        let (_, status) = send(&gateway, "GET", "/v1/connection", role, None).await;
        assert_eq!(status["can_change"], can_change, "{role}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_preview_shows_the_document_that_would_be_sent_and_sends_nothing() {
    let world = a_business();
    let gateway = Gateway::new(&world, Delays::default());
    let calls = world.calls().len();
    let preview = read(&gateway, "/v1/invoices/inv_4/preview").await;
    let document = &preview["document"];
    assert_eq!(document["client_id"], "cli_1");
    assert!(document["contact_id"].is_string(), "{preview}");
    assert_eq!(document["lines"][0]["account_code"], "200");
    // The account has no tax rate of seven percent.
    let refused = read(&gateway, "/v1/invoices/inv_1/preview").await;
    assert_eq!(refused["failure"]["class"], "untranslatable");
    assert_eq!(refused.get("document"), None);
    let unknown = send(&gateway, "GET", "/v1/invoices/inv_9/preview", "Member", None).await;
    assert_eq!(unknown.0, 404);
    assert_eq!(world.calls().len(), calls);
}
