//! What the CRM learns of a record that was given up and then continues without a write: a link, a
//! Never send, or an attempt that finds Xero up to date.

use domain::entity::EntityKind::{self, Contact, Invoice};
use domain::ids::{CrmId, XeroContactId};
use domain::operation::OperationState;
use domain::outbound::EventContent;
use engine::commands::choices::{self, NeverSendOutcome};
use engine::commands::contacts::{self, LinkOutcome};
use http::Method;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_client, an_invoice};
use tests::io_monitor::run;
use tests::world::owner;
use uuid::Uuid;
use xero_sim::{Fault, FaultKind, Match};

/// Longer than the ladder.
const LADDER: SignedDuration = SignedDuration::from_hours(14);

/// The events that say whether a record was given up or is in Xero, in order.
fn told(world: &World, id: &str) -> Vec<String> {
    let told = world.events.contents().into_iter().filter_map(|content| {
        if let EventContent::RecordSynced(record) = content {
            let is_about = record.crm_id.as_str() == id;
            return is_about.then(|| format!("synced: {}", record.revision));
        }
        let EventContent::Skipped { crm_id, code, .. } = content else { return None };
        (crm_id.as_str() == id).then(|| format!("skipped: {code}"))
    });
    told.collect()
}

fn links(world: &World, contact: Uuid) {
    let (account, by, invocation) = (world.account(), owner(), world.invocation());
    let (client, contact) = (CrmId::new("cli_1").unwrap(), XeroContactId(contact));
    let linked = contacts::link_client(&world.engine, &account, &by, client, contact, invocation);
    let linked = run(linked).unwrap().unwrap();
    assert!(matches!(linked, LinkOutcome::Done(_)), "{linked:?}");
}

fn keeps_out_of_xero(world: &World, kind: EntityKind, id: &str) {
    let (account, by, id) = (world.account(), owner(), CrmId::new(id).unwrap());
    let marked = choices::never_send_record(&world.engine, &account, &by, kind, id);
    let marked = run(marked).unwrap().unwrap();
    assert!(matches!(marked, NeverSendOutcome::Done(_)), "{marked:?}");
}

/// A world with a client that was given up, because a contact has its name. Returns the contact.
fn with_given_up_client() -> (World, Uuid) {
    let world = World::connected();
    let contact = world.add_contact("Client cli_1");
    world.receive(Contact, &a_client("cli_1", 3, "Client cli_1", "push"));
    world.advance(LADDER);
    assert_eq!(world.state(Contact, "cli_1"), OperationState::Skipped);
    assert_eq!(told(&world, "cli_1").len(), 1);
    (world, contact)
}

#[test]
fn every_way_to_link_a_client_that_was_given_up_is_reported() {
    let by_a_user: fn(&World, Uuid) = links;
    let by_a_reconciliation: fn(&World, Uuid) = |world, _| {
        world.start_reconciliation();
        world.advance(SignedDuration::from_mins(2));
    };
    for link in [by_a_user, by_a_reconciliation] {
        let (world, contact) = with_given_up_client();
        link(&world, contact);
        assert_eq!(world.state(Contact, "cli_1"), OperationState::Synced);
        assert_eq!(told(&world, "cli_1")[1..], ["synced: 3"]);
        let reported = world.events.contents().into_iter().find_map(|content| {
            let EventContent::RecordSynced(record) = content else { return None };
            Some(record.xero_id.0)
        });
        assert_eq!(reported, Some(contact));
    }
}

#[test]
fn a_link_of_a_client_that_was_not_given_up_is_not_reported() {
    let world = World::connected();
    let contact = world.add_contact("Client cli_1");
    world.receive(Contact, &a_client("cli_1", 1, "Client cli_1", "record"));
    links(&world, contact);
    assert!(told(&world, "cli_1").is_empty());
}

#[test]
fn a_never_send_of_a_record_that_was_given_up_replaces_what_the_crm_shows() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").tax_rate("7").body());
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    assert_eq!(told(&world, "inv_1").len(), 1);
    for _ in 0..2 {
        keeps_out_of_xero(&world, Invoice, "inv_1");
        keeps_out_of_xero(&world, Invoice, "inv_2");
    }
    assert_eq!(told(&world, "inv_1")[1..], ["skipped: never_send"]);
    assert_eq!(told(&world, "inv_2"), ["synced: 1"]);
}

#[test]
fn an_attempt_that_writes_nothing_is_reported_if_the_record_was_given_up_before() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let on = Match::every("/api.xro/2.0/Invoices").method(Method::GET);
    world.inject(Fault { on, kind: FaultKind::Status500 });
    world.sync_now(Invoice, "inv_1");
    world.advance(LADDER);
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Skipped);
    assert_eq!(told(&world, "inv_1").len(), 2);
    world.xero().clear_faults();
    for _ in 0..2 {
        world.sync_now(Invoice, "inv_1");
        assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
        assert_eq!(told(&world, "inv_1")[2..], ["synced: 1"]);
    }
}
