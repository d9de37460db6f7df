//! Tracking options that an account chose for lines that name none.

#![allow(clippy::disallowed_methods, reason = "responses are compared, not computed with")]

use domain::account_codes::AccountCodes;
use domain::crm::tracking::LineTracking;
use domain::entity::EntityKind::{CreditNote, Invoice};
use domain::operation::OperationState;
use jiff::SignedDuration;
use serde_json::json;
use tests::World;
use tests::builders::{a_credit_note, an_invoice};
use tests::ports::{Intercepted, refusal};

use crate::api_lists::{read, send};
use crate::gateway::{Delays, Gateway};

/// The account's codes with this default option of the category Region.
fn codes_with(option: &str) -> AccountCodes {
    let tracking = LineTracking { category: "Region".to_owned(), option: option.to_owned() };
    AccountCodes { tracking: vec![tracking], ..AccountCodes::default() }
}

/// An invoice whose line has this tracking.
fn invoice_tracked(id: &str, tracking: &str) -> String {
    let body = an_invoice(id, "cli_1").body();
    assert!(body.contains(r#""quantity":"1""#), "{body}");
    let named = format!(r#""quantity":"1","tracking":{tracking}"#);
    body.replacen(r#""quantity":"1""#, &named, 1)
}

fn written_options(world: &World, number: &str) -> Vec<String> {
    world.books(|books| {
        let line = &books.invoices_numbered(number).next().unwrap().lines[0];
        line.tracking.iter().map(|one| one.option_name.clone()).collect()
    })
}

fn archive_north(world: &World) {
    world.by_hand(|bookkeeper| bookkeeper.archive_tracking_option("Region", "North").unwrap());
}

#[test]
fn a_line_that_names_no_tracking_has_the_default_and_an_empty_list_means_none() {
    let world = World::connected();
    world.choose_codes(codes_with("North"));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(Invoice, &invoice_tracked("inv_2", "null"));
    world.receive(Invoice, &invoice_tracked("inv_3", "[]"));
    let team = r#"[{"category":"Team","option":"Plumbing"}]"#;
    world.receive(Invoice, &invoice_tracked("inv_4", team));
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    assert_eq!(written_options(&world, "#INV_1"), ["North"]);
    assert_eq!(written_options(&world, "#INV_2"), ["North"]);
    assert_eq!(written_options(&world, "#INV_3"), Vec::<String>::new());
    assert_eq!(written_options(&world, "#INV_4"), ["Plumbing"], "a default adds nothing");
    let noted = world.books(|books| books.credit_notes().next().unwrap().lines[0].tracking.clone());
    assert_eq!(noted.len(), 1);
    assert_eq!(world.calls_of("/api.xro/2.0/TrackingCategories"), 1);
}

#[test]
fn a_default_that_cannot_be_used_is_refused_with_candidates_as_xero_has_them_now() {
    let world = World::connected();
    let [objection] = &world.choose_refused_codes(codes_with("West"))[..] else {
        panic!("one objection")
    };
    assert_eq!(objection.field, "tracking[0]");
    assert!(objection.problem.ends_with("possible options: North, South"), "{objection:?}");
    world.choose_codes(codes_with("North"));
    archive_north(&world);
    world.clock.advance(SignedDuration::from_mins(2));
    let [objection] = &world.choose_refused_codes(codes_with("North"))[..] else {
        panic!("one objection")
    };
    assert!(objection.problem.contains("archived in Xero"), "{objection:?}");
}

#[test]
fn a_default_that_is_archived_later_stops_only_lines_that_need_it_until_another_is_chosen() {
    let world = World::connected();
    world.choose_codes(codes_with("North"));
    archive_north(&world);
    world.clock.advance(SignedDuration::from_hours(25));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(Invoice, &invoice_tracked("inv_2", "[]"));
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Skipped);
    let failure = world.mapping(Invoice, "inv_1").unwrap().operation.failure.unwrap();
    assert_eq!(&*failure.code, "default_tracking_archived");
    assert!(failure.message.ends_with("Possible options: South."), "{failure}");
    assert!(failure.remedy.contains("Settings"), "{failure}");
    assert_eq!(world.state(Invoice, "inv_2"), OperationState::Synced);
    world.choose_codes(codes_with("South"));
    world.advance(SignedDuration::from_mins(2));
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
    assert_eq!(written_options(&world, "#INV_1"), ["South"]);
}

#[test]
fn the_daily_check_warns_of_a_default_that_was_archived() {
    let world = World::connected();
    world.choose_codes(codes_with("North"));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.poll();
    assert!(world.status().warnings.is_empty());
    archive_north(&world);
    world.clock.advance(SignedDuration::from_hours(25));
    world.poll();
    let warnings = world.status().warnings;
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(warning.starts_with("tracking[0] names option North"), "{warning}");
}

#[tokio::test(start_paused = true)]
async fn the_api_chooses_the_default_with_the_account_codes_and_previews_show_it() {
    let world = World::connected();
    let gateway = Gateway::new(&world, Delays::default());
    let body = |option: &str| json!({"sales": "200", "tracking": [{"category": "Region", "option": option}]});
    let put = "/v1/account-codes";
    let west = body("West").to_string();
    let (status, problem) = send(&gateway, "PUT", put, "Owner", Some(&west)).await;
    assert_eq!((status, &problem["field"]), (400, &json!("tracking[0]")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("North, South"), "{problem}");
    let choices = read(&gateway, "/v1/account-codes/choices").await;
    let region = json!({"category": "Region", "options": ["North", "South"]});
    let tracking = choices["tracking"].as_array().unwrap();
    assert!(tracking.contains(&region), "options in use, without the archived West: {choices}");
    assert!(tracking.iter().all(|one| one["category"] != "Season"), "archived: {choices}");
    let north = body("North").to_string();
    let (status, codes) = send(&gateway, "PUT", put, "Owner", Some(&north)).await;
    assert_eq!(status, 200, "{codes}");
    let expected = json!([{"category": "Region", "option": "North"}]);
    assert_eq!(read(&gateway, put).await["tracking"], expected);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let item = invoice_tracked("inv_2", r#"[],"item_code":"PIPE-15""#);
    world.receive(Invoice, &item);
    let preview = read(&gateway, "/v1/invoices/inv_1/preview").await;
    let line = &preview["document"]["lines"][0];
    assert_eq!((&line["account_code"], &line["tracking"]), (&json!("200"), &expected), "{preview}");
    let preview = read(&gateway, "/v1/invoices/inv_2/preview").await;
    let line = &preview["document"]["lines"][0];
    assert_eq!((&line["item_code"], line.get("tracking")), (&json!("PIPE-15"), None), "{preview}");
}

#[tokio::test(start_paused = true)]
async fn accounts_can_be_chosen_while_xero_does_not_list_tracking_categories() {
    let mut world = World::connected();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), |request| {
        let is_met = request.uri().path().ends_with("/TrackingCategories");
        is_met.then(|| Ok(refusal(500, "Broken")))
    });
    let gateway = Gateway::new(&world, Delays::default());
    let choices = read(&gateway, "/v1/account-codes/choices").await;
    assert_eq!(choices["tracking"], json!([]), "{choices}");
    assert!(!choices["income"].as_array().unwrap().is_empty(), "{choices}");
}
