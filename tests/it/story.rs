//! Runs the story's data in process: the engine produces the results that the story expects.

use domain::entity::EntityKind::{Contact, CreditNote, Invoice};
use domain::operation::OperationState;
use jiff::SignedDuration;
use jiff::civil::date;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use tests::World;
use tests::project::locate_in_project;
use tests::world::ACCOUNT;

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    message_type: Option<String>,
    client_id: String,
    invoice: Box<RawValue>,
    expect: Expectation,
}

#[derive(Deserialize)]
struct Expectation {
    outcome: String,
    #[serde(default)]
    reason_contains: String,
    total: String,
    #[serde(default)]
    difference: Option<String>,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

fn read(name: &str) -> String {
    let path = locate_in_project(&format!("infra/local/story/{name}.json"));
    std::fs::read_to_string(path).unwrap()
}

fn clients() -> BTreeMap<String, Box<RawValue>> {
    let all: Vec<Box<RawValue>> = serde_json::from_str(&read("clients")).unwrap();
    let id = |client: &RawValue| serde_json::from_str::<Identified>(client.get()).unwrap().id;
    all.into_iter().map(|client| (id(&client), client)).collect()
}

fn prepared() -> World {
    let world = World::with(|settings| {
        settings.organisations[0].period_lock_date = Some(date(2025, 3, 31));
    });
    world.connect();
    // An invoice of another app, created by the same rules.
    world.receive(
        Invoice,
        &tests::builders::an_invoice("inv_theirs", "cli_theirs").number("#INV-9001").body(),
    );
    world
}

fn message(entry: &Entry, clients: &BTreeMap<String, Box<RawValue>>, index: usize) -> String {
    let client = clients[&entry.client_id].get();
    let message_type = entry.message_type.as_deref().unwrap_or("invoice.sent");
    let invoice = entry.invoice.get();
    format!(
        r#"{{"version":1,"type":"{message_type}","message_id":"m_{index}","account_id":"{ACCOUNT}",
        "sent_at":"2026-11-02T09:00:00Z","client":{client},"invoice":{invoice}}}"#
    )
}

fn check(world: &World, entry: &Entry) {
    let Identified { id } = serde_json::from_str(entry.invoice.get()).unwrap();
    let expect = &entry.expect;
    if expect.outcome == "credited" {
        check_credited(world, &id, expect);
        return;
    }
    let mapping = world.mapping(Invoice, &id).unwrap_or_else(|| panic!("{id} is unknown"));
    if expect.outcome == "failed" {
        let failure = mapping.operation.failure.unwrap_or_else(|| panic!("{id} has not failed"));
        let shown = failure.to_string();
        assert!(shown.contains(&expect.reason_contains), "{id}: {shown}");
        assert!(!failure.remedy.is_empty(), "{id}: {shown}");
        return;
    }
    assert_eq!(
        mapping.operation.state,
        OperationState::Synced,
        "{id}: {:?}",
        mapping.operation.failure
    );
    let amounts = mapping.link.unwrap().amounts.unwrap();
    assert_eq!(amounts.xero_total.amount.to_string(), expect.total, "{id}");
    let gone = amounts.status.is_gone();
    assert_eq!(gone, expect.outcome == "voided", "{id}: {:?}", amounts.status);
    let difference = amounts.total_difference().map(|money| money.amount.abs().to_string());
    assert_eq!(difference, expect.difference, "{id}");
}

/// A negative invoice is a credit note in Xero, and has no invoice mapping.
fn check_credited(world: &World, id: &str, expect: &Expectation) {
    assert!(world.mapping(Invoice, id).is_none(), "{id} is an invoice");
    let mapping = world.mapping(CreditNote, &format!("{id}~credit"));
    let mapping = mapping.unwrap_or_else(|| panic!("{id} is not credited"));
    assert_eq!(
        mapping.operation.state,
        OperationState::Synced,
        "{id}: {:?}",
        mapping.operation.failure
    );
    let link = mapping.link.unwrap();
    let amounts = link.amounts.unwrap();
    let credited = amounts.xero_total.amount.to_string();
    assert_eq!(format!("-{credited}"), expect.total, "{id}");
    assert!(!amounts.status.is_gone(), "{id}: {:?}", amounts.status);
    assert_eq!(amounts.total_difference(), None, "{id}");
    let number = link.number.unwrap();
    let notes = world.books(|books| books.credit_notes_numbered(&number).count());
    assert_eq!(notes, 1, "{id}");
}

/// The world after the story, checked after each half.
pub(crate) fn world_after_story() -> World {
    let world = prepared();
    let clients = clients();
    let sent: Vec<Entry> = serde_json::from_str(&read("invoices")).unwrap();
    let edits: Vec<Entry> = serde_json::from_str(&read("edits")).unwrap();
    assert!(clients.len() >= 40 && sent.len() >= 120);
    for (half, entries) in [&sent, &edits].into_iter().enumerate() {
        for (index, entry) in entries.iter().enumerate() {
            world.receive(Invoice, &message(entry, &clients, 1_000 * half + index));
            world.clock.advance(SignedDuration::from_secs(10));
        }
        for entry in entries {
            check(&world, entry);
        }
    }
    // One contact for each client that was billed, and one of the other app.
    let billed = sent.iter().map(|entry| &entry.client_id).collect::<BTreeSet<_>>();
    let contacts = world.books(|books| books.contacts().count());
    assert_eq!(contacts, billed.len() + 1);
    for client in billed {
        let state = world.mapping(Contact, client).unwrap().operation.state;
        assert_eq!(state, OperationState::Synced, "{client}");
    }
    world
}

#[test]
fn every_invoice_of_the_story_ends_as_expected() {
    let world = world_after_story();
    assert!(world.xero().violations().is_empty());
}
