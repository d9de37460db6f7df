//! The facts that the pages show beside the lists: who decided what, the organisation, what waits,
//! what could be chosen, the set-up, and previews.

#![allow(clippy::disallowed_methods, reason = "responses are compared, not computed with")]

use domain::entity::EntityKind::{Contact, Invoice, Payment};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::World;
use tests::builders::{a_client, a_payment, an_invoice};
use uuid::Uuid;

use crate::api_lists::{a_business, read, send};
use crate::gateway::{Delays, Gateway, a_named_request, a_request};

const MINUTES: SignedDuration = SignedDuration::from_mins(2);

fn opens(world: &World) -> Gateway {
    Gateway::new(world, Delays::default())
}

/// Sends a request of an Owner that succeeds with this status.
async fn act(gateway: &Gateway, method: &str, address: &str, expected: u16) -> Value {
    let (status, answer) = send(gateway, method, address, "Owner", None).await;
    assert_eq!(status, expected, "{method} {address}: {answer}");
    answer
}

#[tokio::test(start_paused = true)]
async fn a_record_names_who_withheld_it_until_it_is_synced_again() {
    let world = a_business();
    let gateway = opens(&world);
    let record = act(&gateway, "POST", "/v1/invoices/inv_1/never-send", 200).await;
    assert_eq!((&record["number"], &record["state"]), (&json!("#INV_1"), &json!("never_send")));
    assert_eq!(record["withheld_by"], "usr_owner");
    assert!(record["withheld_at"].is_string(), "{record}");
    let log = read(&gateway, "/v1/sync-log?crm_id=inv_1").await;
    assert_eq!(log["entries"][0]["by"], "usr_owner");
    let record = act(&gateway, "POST", "/v1/invoices/inv_1/sync", 200).await;
    assert_eq!((record.get("withheld_by"), record.get("withheld_at")), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_preview_of_the_reconciliation_proposes_what_a_reconciliation_links() {
    let world = World::connected();
    world.receive(Contact, &a_client("sure", 1, "Ridge Plumbing", "record"));
    let contact = world.add_contact("Ridge Plumbing").to_string();
    let gateway = opens(&world);
    let started = act(&gateway, "POST", "/v1/reconciliation?link=false", 202).await;
    assert_eq!((&started["state"], &started["is_preview"]), (&json!("running"), &json!(true)));
    world.advance(MINUTES);
    let findings = read(&gateway, "/v1/reconciliation/findings?outcome=proposed").await;
    let finding = &findings["findings"][0];
    assert_eq!((&finding["client_id"], &finding["by"]), (&json!("sure"), &json!("name")));
    assert_eq!(finding["contact_id"], contact.as_str());
    assert_eq!(
        (&finding["contact_name"], finding.get("contact")),
        (&json!("Ridge Plumbing"), None)
    );
    assert!(finding["xero_url"].as_str().unwrap().ends_with(&contact), "{finding}");
    assert_eq!(read(&gateway, "/v1/clients/sure").await.get("contact"), None);
    act(&gateway, "POST", "/v1/reconciliation", 202).await;
    world.advance(MINUTES);
    let findings = read(&gateway, "/v1/reconciliation/findings?outcome=linked").await;
    let linked = &findings["findings"][0]["contact"];
    assert_eq!((&linked["linked_by"], &linked["by"]), (&json!("usr_owner"), &json!("name")));
    let client = read(&gateway, "/v1/clients/sure").await;
    assert_eq!(client["contact"], *linked);
    assert_eq!(client["contact"]["name"], "Ridge Plumbing");
    let client = act(&gateway, "DELETE", "/v1/clients/sure/contact", 200).await;
    assert_eq!(client.get("contact"), None, "{client}");
    let (status, problem) =
        send(&gateway, "POST", "/v1/reconciliation?link=no", "Owner", None).await;
    assert_eq!((status, &problem["field"]), (400, &json!("link")));
}

#[tokio::test(start_paused = true)]
async fn a_contact_and_its_client_open_in_xero_and_name_who_linked_them() {
    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge Heating", "record"));
    let contact = world.add_contact("Ridge Plumbing").to_string();
    let gateway = opens(&world);
    let (_, found) = send(&gateway, "GET", "/v1/contacts?query=ridge", "Owner", None).await;
    assert!(found["contacts"][0]["xero_url"].as_str().unwrap().ends_with(&contact), "{found}");
    let body = json!({ "contact_id": contact }).to_string();
    let path = "/v1/clients/cli_1/contact";
    let (status, client) = send(&gateway, "PUT", path, "Owner", Some(&body)).await;
    assert_eq!(status, 200, "{client}");
    let linked = &client["contact"];
    assert_eq!(
        (&linked["contact_id"], &linked["linked_by"]),
        (&json!(contact), &json!("usr_owner"))
    );
    assert!(linked["linked_at"].is_string() && linked.get("by").is_none(), "{linked}");
}

#[tokio::test(start_paused = true)]
async fn a_pasted_text_is_searched_for_in_the_form_in_which_xero_stores_names() {
    let world = World::connected();
    let contact = world.add_contact("Ridge Plumbing").to_string();
    let gateway = opens(&world);
    let pasted = "/v1/contacts?query=%09Ridge%0D%0A%20Plumbing%00";
    let (status, found) = send(&gateway, "GET", pasted, "Owner", None).await;
    assert_eq!((status, &found["contacts"][0]["contact_id"]), (200, &json!(contact)), "{found}");
    let asked = world.xero().calls().last().unwrap().query.clone();
    assert!(asked.contains("searchTerm=Ridge%20Plumbing"), "{asked}");
    let calls = world.calls().len();
    let nothing = "/v1/contacts?query=%00%1B%00";
    let (status, problem) = send(&gateway, "GET", nothing, "Owner", None).await;
    assert_eq!((status, &problem["field"]), (400, &json!("query")), "{problem}");
    assert_eq!(world.calls().len(), calls);
}

#[tokio::test(start_paused = true)]
async fn the_status_describes_the_organisation_and_how_its_connection_ended() {
    let world = a_business();
    let gateway = opens(&world);
    let status = read(&gateway, "/v1/connection").await;
    assert_eq!((&status["base_currency"], &status["is_demo"]), (&json!("GBP"), &json!(false)));
    let code = world.xero().settings().organisations[0].short_code.clone();
    let url = status["organisation_url"].as_str().unwrap();
    assert!(url.contains(&format!("shortcode={code}")), "{url}");
    assert_eq!((status.get("ended_by"), status.get("ended_at")), (None, None));
    let ended = act(&gateway, "DELETE", "/v1/connection", 200).await;
    assert_eq!(
        (&ended["status"], &ended["ended_by"]),
        (&json!("disconnected"), &json!("usr_owner"))
    );
    assert!(ended["ended_at"].is_string(), "{ended}");
}

#[tokio::test(start_paused = true)]
async fn an_organisation_that_was_renamed_in_xero_is_shown_under_its_new_name() {
    let world = a_business();
    let gateway = opens(&world);
    let before = read(&gateway, "/v1/connection").await["organisation"].clone();
    assert_ne!(before, "Ridgeway Heating Ltd");
    let name = Some("\"Ridgeway Heating Ltd\"");
    world.by_hand(|bookkeeper| bookkeeper.override_organisation_member("Name", name).unwrap());
    act(&gateway, "GET", "/v1/account-codes/choices?refresh=true", 200).await;
    assert_eq!(read(&gateway, "/v1/connection").await["organisation"], "Ridgeway Heating Ltd");
    let ended = act(&gateway, "DELETE", "/v1/connection", 200).await;
    assert_eq!(ended["organisation"], "Ridgeway Heating Ltd", "the one last connected");
}

#[tokio::test(start_paused = true)]
async fn records_that_wait_are_counted_and_listed() {
    let world = World::connected();
    let gateway = opens(&world);
    assert_eq!(read(&gateway, "/v1/connection").await["waiting"], 0);
    act(&gateway, "DELETE", "/v1/connection", 200).await;
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    // The invoice and its client.
    assert_eq!(read(&gateway, "/v1/connection").await["waiting"], 2);
    let waiting = read(&gateway, "/v1/attention?state=waiting").await;
    assert_eq!((&waiting["state"], &waiting["count"]), (&json!("waiting"), &json!(2)));
    let groups = waiting["groups"].as_array().unwrap();
    let records = groups.iter().flat_map(|group| group["records"].as_array().unwrap());
    let invoice = records.map(|one| &one["record"]).find(|record| record["crm_id"] == "inv_1");
    assert_eq!(invoice.unwrap()["state"], "parked", "{waiting}");
    assert_eq!(read(&gateway, "/v1/attention").await["count"], 0);
}

#[tokio::test(start_paused = true)]
async fn an_entry_of_the_log_tells_what_happened_apart_from_what_to_do() {
    let world = a_business();
    let gateway = opens(&world);
    let log = read(&gateway, "/v1/sync-log?q=%23inv_4").await;
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "{log}");
    let entry = &entries[0];
    let (message, remedy) = (entry["message"].as_str().unwrap(), entry["remedy"].as_str().unwrap());
    assert!(!message.contains(remedy) && !message.contains("next attempt"), "{entry}");
    assert!(entry["next_attempt_at"].is_string() && entry.get("by").is_none(), "{entry}");
    let none = read(&gateway, "/v1/sync-log?q=inv_99").await;
    assert_eq!(none["entries"], json!([]));
    let too_long = format!("/v1/sync-log?q={}", "x".repeat(101));
    let (status, problem) = send(&gateway, "GET", &too_long, "Member", None).await;
    assert_eq!((status, &problem["field"]), (400, &json!("q")));
}

#[tokio::test(start_paused = true)]
async fn the_choices_show_the_rates_of_the_documents_and_are_read_again_on_request() {
    let world = a_business();
    let gateway = opens(&world);
    let choices = read(&gateway, "/v1/account-codes/choices").await;
    let used = |rate: &str| {
        let used = choices["rates_used"].as_array().unwrap();
        used.iter().find(|one| one["rate"] == rate).cloned().unwrap()
    };
    assert_eq!(used("20")["tax_type"], "OUTPUT2");
    assert_eq!((used("7").get("tax_type"), &used("7")["candidates"]), (None, &json!([])));
    let accounts = choices["income"].as_array().unwrap();
    assert!(accounts.iter().all(|one| one["type"].is_string()), "{choices}");
    assert!(choices["chart_url"].as_str().unwrap().contains("ChartOfAccounts"), "{choices}");
    for address in ["/v1/account-codes/choices", "/v1/account-codes/choices?refresh=false"] {
        let before = world.calls().len();
        read(&gateway, address).await;
        assert_eq!(world.calls().len(), before, "{address}");
    }
    let before = world.calls().len();
    let address = "/v1/account-codes/choices?refresh=true";
    let (status, _) = send(&gateway, "GET", address, "Admin", None).await;
    assert_eq!((status, world.calls().len()), (200, before + 3));
    let address = "/v1/account-codes/choices?refresh=now";
    let (status, problem) = send(&gateway, "GET", address, "Member", None).await;
    assert_eq!((status, &problem["field"]), (400, &json!("refresh")));
}

#[tokio::test(start_paused = true)]
async fn a_code_that_cannot_be_used_gets_the_account_with_the_usual_name_suggested() {
    let world = World::connected();
    world.by_hand(|bookkeeper| bookkeeper.renumber_account("200", "4000").unwrap());
    let gateway = opens(&world);
    let address = "/v1/account-codes/choices?refresh=true";
    let (_, choices) = send(&gateway, "GET", address, "Owner", None).await;
    assert_eq!(choices["suggested"]["sales"], "4000", "{choices}");
}

#[tokio::test(start_paused = true)]
async fn people_who_may_only_read_cause_one_reading_of_the_accounts_a_day() {
    let world = World::connected();
    let gateway = opens(&world);
    read(&gateway, "/v1/account-codes/choices").await;
    let before = world.calls().len();
    for _ in 0..5 {
        world.clock.advance(MINUTES);
        read(&gateway, "/v1/account-codes/choices").await;
    }
    let address = "/v1/account-codes/choices?refresh=true";
    let (status, problem) = send(&gateway, "GET", address, "Member", None).await;
    assert_eq!((status, &problem["type"]), (403, &json!("/problems/forbidden")));
    assert_eq!(world.calls().len(), before);
    let (status, _) = send(&gateway, "GET", "/v1/account-codes/choices", "Owner", None).await;
    assert_eq!((status, world.calls().len()), (200, before + 3));
}

fn state_of<'a>(setup: &'a Value, task: &str) -> &'a Value {
    let tasks = setup["tasks"].as_array().unwrap();
    &tasks.iter().find(|one| one["task"] == task).unwrap()["state"]
}

#[tokio::test(start_paused = true)]
async fn the_set_up_is_blocked_until_an_organisation_is_connected() {
    let world = World::new();
    let setup = read(&opens(&world), "/v1/setup").await;
    assert_eq!(state_of(&setup, "organisation"), "to_do");
    for task in ["accounts", "tax_rates", "clients", "first_sync"] {
        assert_eq!(state_of(&setup, task), "blocked", "{task}");
    }
    assert_eq!(setup["is_complete"], false);
}

#[tokio::test(start_paused = true)]
async fn the_set_up_is_complete_when_every_task_is_done() {
    let world = World::connected();
    let gateway = opens(&world);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let setup = read(&gateway, "/v1/setup").await;
    for (task, state) in [
        ("organisation", "done"),
        ("accounts", "to_do"),
        ("tax_rates", "done"),
        ("clients", "to_do"),
        ("first_sync", "done"),
    ] {
        assert_eq!(state_of(&setup, task), state, "{task}");
    }
    let body = r#"{"sales":"200"}"#;
    let (status, codes) = send(&gateway, "PUT", "/v1/account-codes", "Owner", Some(body)).await;
    assert_eq!(status, 200, "{codes}");
    act(&gateway, "POST", "/v1/reconciliation", 202).await;
    world.advance(MINUTES);
    let setup = read(&gateway, "/v1/setup").await;
    assert_eq!(setup["is_complete"], true, "{setup}");
}

#[tokio::test(start_paused = true)]
async fn the_contact_and_the_payment_that_would_be_sent_are_shown_and_nothing_is_sent() {
    let world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let payment = a_payment("pay_1", &[("inv_1", "20.00")]).method("gift_card");
    world.receive(Payment, &payment.body());
    let gateway = opens(&world);
    let calls = world.calls().len();
    let preview = read(&gateway, "/v1/clients/cli_1/preview").await;
    assert!(preview["contact"]["name"].is_string(), "{preview}");
    assert!(preview["contact"]["contact_id"].is_string(), "{preview}");
    let preview = read(&gateway, "/v1/payments/pay_1/preview").await;
    let parts = preview["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 1, "{preview}");
    assert_eq!((&parts[0]["role"], &parts[0]["invoice_id"]), (&json!("invoice"), &json!("inv_1")));
    assert!(parts[0]["account_code"].is_string() && parts[0].get("failure").is_none(), "{preview}");
    for path in ["/v1/clients/cli_9/preview", "/v1/payments/pay_9/preview"] {
        assert_eq!(send(&gateway, "GET", path, "Member", None).await.0, 404, "{path}");
    }
    assert_eq!(world.calls().len(), calls);
}

#[tokio::test(start_paused = true)]
async fn a_record_from_before_the_first_connect_is_not_called_unknown() {
    let world = World::new();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let payment = a_payment("pay_1", &[("inv_1", "20.00")]).method("gift_card");
    world.receive(Payment, &payment.body());
    let gateway = opens(&world);
    let preview = read(&gateway, "/v1/invoices/inv_1/preview").await;
    assert_eq!(preview["failure"]["code"], "not_connected", "{preview}");
    let preview = read(&gateway, "/v1/payments/pay_1/preview").await;
    assert_eq!(preview["parts"][0]["failure"]["code"], "not_connected", "{preview}");
    let preview = read(&gateway, "/v1/clients/cli_1/preview").await;
    assert!(preview["contact"]["name"].is_string(), "{preview}");
    let body = json!({ "contact_id": Uuid::nil() }).to_string();
    for (method, body) in [("PUT", Some(body.as_str())), ("DELETE", None)] {
        let path = "/v1/clients/cli_1/contact";
        let (status, problem) = send(&gateway, method, path, "Owner", body).await;
        assert_eq!((status, &problem["type"]), (409, &json!("/problems/conflict")), "{method}");
        assert!(problem["detail"].as_str().unwrap().contains("not connected"), "{problem}");
    }
    assert_eq!(send(&gateway, "GET", "/v1/invoices/inv_9/preview", "Member", None).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_sync_all_names_its_kind_and_expects_as_many_records_as_the_last_one() {
    let world = a_business();
    let gateway = opens(&world);
    let first = act(&gateway, "POST", "/v1/sync-all", 202).await;
    assert_eq!((&first["entity"], first.get("total")), (&json!("contact"), None));
    world.advance(MINUTES);
    let done = read(&gateway, "/v1/sync-all").await;
    assert_eq!((&done["state"], done.get("entity")), (&json!("done"), None));
    assert_eq!(done["total"], done["looked_at"]);
    let second = act(&gateway, "POST", "/v1/sync-all", 202).await;
    assert_eq!(second["total"], done["looked_at"]);
}

#[tokio::test(start_paused = true)]
async fn the_names_of_users_who_change_something_are_known() {
    let world = World::connected();
    let gateway = opens(&world);
    gateway.send(&a_named_request("GET", "/v1/connection", "Ana Ruiz")).await;
    assert_eq!(read(&gateway, "/v1/people").await["people"], json!([]));
    let (_, begun) = gateway.send(&a_named_request("POST", "/v1/connection", "Ana Ruiz")).await;
    assert_eq!(begun.status(), 201);
    let people = read(&gateway, "/v1/people").await;
    assert_eq!(people["people"], json!([{ "id": "usr_owner", "name": "Ana Ruiz" }]));
}

#[tokio::test(start_paused = true)]
async fn a_match_by_a_value_that_does_not_suffice_is_proposed_and_two_people_do_not_overwrite() {
    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge Plumbing", "record"));
    world.add_contact("Ridge Plumbing");
    let gateway = opens(&world);
    let defaults = read(&gateway, "/v1/matching").await;
    assert_eq!(defaults["automatic"].as_array().unwrap().len(), 5);
    let body = r#"{"automatic":["email"]}"#;
    let (status, _) = send(&gateway, "PUT", "/v1/matching", "Member", Some(body)).await;
    assert_eq!(status, 403);
    let change = || {
        let mut request = a_request("PUT", "/v1/matching", "", "Owner", Some(body));
        request.headers_mut().insert("if-match", "\"0\"".parse().unwrap());
        request
    };
    let (_, first) = gateway.send(&change()).await;
    assert_eq!(first.status(), 200);
    let (_, second) = gateway.send(&change()).await;
    assert_eq!(second.status(), 412);
    let settings = read(&gateway, "/v1/matching").await;
    assert_eq!(settings["automatic"], json!(["number", "email"]));
    act(&gateway, "POST", "/v1/reconciliation", 202).await;
    world.advance(MINUTES);
    let progress = read(&gateway, "/v1/reconciliation").await;
    assert_eq!((&progress["linked"], &progress["proposed"]), (&json!(0), &json!(1)), "{progress}");
    assert_eq!(read(&gateway, "/v1/clients/cli_1").await.get("contact"), None);
    for odd in ["colour", "phone", "address"] {
        let body = json!({ "automatic": [odd] }).to_string();
        let (status, problem) = send(&gateway, "PUT", "/v1/matching", "Owner", Some(&body)).await;
        assert_eq!(status, 400, "{problem}");
        let (field, detail) = (problem["field"].as_str(), problem["detail"].as_str());
        assert!(field.unwrap().starts_with("automatic"), "{problem}");
        assert!(detail.unwrap().contains("email"), "{problem}");
    }
}
