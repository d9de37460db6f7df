//! How clients are matched to contacts in Xero: search, link, unlink, merge, archive, and
//! reconciliation.

mod reconciliation;

use domain::entity::EntityKind::{Contact, Invoice};
use domain::ids::{CrmId, XeroContactId};
use domain::matching::{ContactMatch, MatchDoubt, MatchEvidence};
use domain::operation::OperationState;
use domain::reconciliation::{ClientFinding, ContactReconciliation, ReconciliationProgress};
use domain::sync_log::LoggedOperation;
use engine::commands::contacts::{self, LinkOutcome, reconcile};
use engine::commands::views::RecordView;
use engine::ports::Clock;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_client, an_invoice};
use tests::io_monitor::{CrashPoint, Moment, run};
use tests::world::owner;
use uuid::Uuid;
use xero_sim::{Fault, FaultKind, Match as On};

const MINUTES: SignedDuration = SignedDuration::from_mins(2);

fn client(id: &str) -> CrmId {
    CrmId::new(id).unwrap()
}

/// A bookkeeper enters a contact in Xero.
fn entered(world: &World, name: &str, change: impl FnOnce(&mut xero_sim::Contact)) -> Uuid {
    let (tenant, now) = (world.tenant(), world.clock.now());
    let mut xero = world.xero();
    let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
    let id = bookkeeper.add_contact(name).unwrap();
    bookkeeper.edit_contact(id, change).unwrap();
    id
}

fn links(world: &World, id: &str, contact: Uuid) -> LinkOutcome {
    let (account, invocation) = (world.account(), world.invocation());
    let contact = XeroContactId(contact);
    let by = owner();
    let link = contacts::link_client(&world.engine, &account, &by, client(id), contact, invocation);
    run(link).unwrap().unwrap()
}

fn unlinks(world: &World, id: &str) -> LinkOutcome {
    run(contacts::unlink_client(&world.engine, &world.account(), &owner(), client(id)))
        .unwrap()
        .unwrap()
}

fn done(linked: LinkOutcome) -> RecordView {
    let LinkOutcome::Done(view) = linked else { panic!("{linked:?}") };
    *view
}

fn refused(linked: LinkOutcome) -> String {
    let LinkOutcome::Refused(failure) = linked else { panic!("{linked:?}") };
    failure.to_string()
}

#[test]
fn a_search_returns_xeros_contacts_and_their_clients() {
    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge Plumbing", "push"));
    entered(&world, "Ridge Heating", |one| one.email = Some("office@heating.example".to_owned()));
    let search = |text| {
        let (account, invocation) = (world.account(), world.invocation());
        run(contacts::search_contacts(&world.engine, &account, text, invocation)).unwrap().unwrap()
    };
    let found = search("ridge");
    assert_eq!(found.len(), 2);
    let of = |name: &str| found.iter().find(|one| one.name == name).unwrap();
    assert_eq!(of("Ridge Plumbing").client_id, Some(client("cli_1")));
    assert_eq!(of("Ridge Plumbing").number.as_deref(), Some("SC-cli_1"));
    assert_eq!(of("Ridge Heating").client_id, None);
    assert_eq!(search("office@heating").len(), 1);
    assert!(search("nobody").is_empty());
}

#[test]
fn a_linked_contact_gets_later_invoices_and_keeps_what_people_entered() {
    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge Plumbing", "record"));
    let old = entered(&world, "Ridge (since 1998)", |one| {
        one.number = Some("OLD-7".to_owned());
        one.account_number = Some("A-1".to_owned());
    });
    let before = world.books(|books| books.contact(old).unwrap().clone());
    let calls = world.calls().len();
    assert_eq!(done(links(&world, "cli_1", old)).xero_id.unwrap().0, old);
    world.advance(MINUTES);
    let made = world.calls().split_off(calls);
    assert!(made.iter().all(|call| call.starts_with("GET")), "linking writes nothing: {made:?}");
    assert_eq!(world.books(|books| books.contact(old).unwrap().clone()), before);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").client_name("Ridge Plumbing").body());
    world.books(|books| {
        assert_eq!(books.contacts().count(), 1);
        let contact = books.contact(old).unwrap();
        assert_eq!(contact.name, "Ridge (since 1998)", "the client has not changed");
        assert_eq!(contact.number.as_deref(), Some("OLD-7"));
        assert_eq!(books.invoices().next().unwrap().contact, old);
    });
}

#[test]
fn linking_another_clients_contact_is_refused_and_names_that_client() {
    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge", "push"));
    world.receive(Contact, &a_client("cli_2", 1, "Summit", "record"));
    let held = world.contact_of("cli_1").unwrap();
    let refusal = refused(links(&world, "cli_2", held));
    assert!(
        refusal.contains("cli_1") && refusal.contains("Unlink it from cli_1 first"),
        "{refusal}"
    );
    assert_eq!(world.contact_of("cli_2"), None);
    let refusal = refused(links(&world, "cli_2", Uuid::from_u128(7)));
    assert!(refusal.contains("Xero has no such contact"), "{refusal}");
    let gone = entered(&world, "Summit (old)", |_| {});
    world.by_hand(|bookkeeper| bookkeeper.archive_contact(gone).unwrap());
    let refusal = refused(links(&world, "cli_2", gone));
    assert!(refusal.contains("\"Summit (old)\" is archived"), "{refusal}");
    let free = entered(&world, "Valley", |_| {});
    let unknown = links(&world, "cli_9", free);
    assert!(matches!(unknown, LinkOutcome::Unknown), "{unknown:?}");
}

#[test]
fn an_invoice_that_waits_for_user_action_is_pushed_once_its_client_is_linked() {
    let world = World::connected();
    let other = entered(&world, "Client cli_1", |_| {});
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(SignedDuration::from_hours(14));
    assert!(matches!(
        world.mapping(Invoice, "inv_1").unwrap().operation.state,
        OperationState::Parked { .. }
    ));
    done(links(&world, "cli_1", other));
    world.advance(MINUTES);
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Synced);
    assert_eq!(world.books(|books| books.contacts().count()), 1);
}

#[test]
fn an_unlinked_client_is_not_matched_with_that_contact_again_and_can_be_linked_to_another() {
    let world = World::connected();
    let email = "ap@ridge.example";
    let wrong = entered(&world, "Client cli_1", |one| one.email = Some(email.to_owned()));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").client_email(email).body());
    assert_eq!(world.contact_of("cli_1"), Some(wrong));
    let view = done(unlinks(&world, "cli_1"));
    assert_eq!((view.xero_id, view.earlier_xero_ids.len()), (None, 1));
    assert!(world.books(|books| books.contact(wrong).is_some()), "the contact stays");
    // The same evidence is ignored now: neither its number nor its e-mail address matches.
    let next = an_invoice("inv_2", "cli_1").client_email(email).client_revision(2);
    world.receive(Invoice, &next.body());
    assert_eq!(world.contact_of("cli_1"), None);
    let failure = world.mapping(Contact, "cli_1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "contact_name_taken");
    let right = entered(&world, "Ridge Plumbing Ltd", |_| {});
    done(links(&world, "cli_1", right));
    let number = world.books(|books| books.contact(right).unwrap().number.clone());
    assert_eq!(number, None, "linking writes nothing");
    world.advance(SignedDuration::from_hours(1));
    assert_eq!(world.contact_of("cli_1"), Some(right));
    world.receive(Contact, &a_client("cli_1", 3, "Client cli_1", "push"));
    let numbers = world.books(|books| {
        let of = |id| books.contact(id).unwrap().number.clone();
        (of(wrong), of(right))
    });
    assert_eq!(numbers.0.as_deref(), Some("SC-cli_1"));
    assert_eq!(numbers.1.as_deref(), Some("SC-cli_1~2"));
    // The name was entered in Xero, so it stays.
    assert_eq!(world.mapping(Contact, "cli_1").unwrap().operation.state, OperationState::Synced);
    let log = world.log();
    assert!(log.iter().any(|one| one.message.contains("keep their values in Xero")), "{log:?}");
    assert_eq!(world.mapping(Invoice, "inv_2").unwrap().operation.state, OperationState::Synced);
}

#[test]
fn clients_and_invoices_follow_a_contact_merged_after_linking() {
    for takes_edits in [true, false] {
        let world = World::with(|settings| settings.unconfirmed.archived_takes_edits = takes_edits);
        world.connect();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        let merged = world.contact_of("cli_1").unwrap();
        let kept = entered(&world, "Ridge Plumbing Ltd", |_| {});
        world.by_hand(|bookkeeper| bookkeeper.merge_contacts(merged, kept).unwrap());
        // An invoice detects it: the client itself has not changed.
        world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
        world.advance(MINUTES);
        assert_eq!(world.contact_of("cli_1"), Some(kept), "{takes_edits}");
        assert_eq!(
            world.mapping(Invoice, "inv_2").unwrap().operation.state,
            OperationState::Synced
        );
        assert_eq!(world.mapping(Invoice, "inv_2").unwrap().operation.failures, 0);
        let contact =
            world.books(|books| books.invoices_numbered("#INV_2").next().unwrap().contact);
        assert_eq!(contact, kept);
        // A newer client does not rename it: it existed before.
        world.receive(Contact, &a_client("cli_1", 2, "Ridge Plumbing", "push"));
        assert_eq!(
            world.books(|books| books.contact(kept).unwrap().name.clone()),
            "Ridge Plumbing Ltd"
        );
    }
}

#[test]
fn a_contact_archived_after_linking_is_named_with_the_remedy() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").client_name("Ridge").body());
    let contact = world.contact_of("cli_1").unwrap();
    let (tenant, now) = (world.tenant(), world.clock.now());
    world.xero().bookkeeper(now, tenant).unwrap().archive_contact(contact).unwrap();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").client_name("Ridge").body());
    let failure = world.mapping(Invoice, "inv_2").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "contact_archived");
    assert!(failure.message.contains("\"Ridge\" is archived"), "{failure}");
    assert!(failure.remedy.contains("Restore the contact"), "{failure}");
    world.receive(Contact, &a_client("cli_1", 2, "Ridge", "push"));
    let failure = world.mapping(Contact, "cli_1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "contact_archived");
    world.xero().bookkeeper(now, tenant).unwrap().restore_contact(contact).unwrap();
    world.advance(SignedDuration::from_hours(1));
    assert_eq!(world.mapping(Invoice, "inv_2").unwrap().operation.state, OperationState::Synced);
}

#[test]
fn unusual_names_are_created_once_and_normalised_as_by_xero() {
    let world = World::connected();
    let long = "Ø".repeat(254);
    for (id, name) in
        [("c1", "  Ridge   Plumbing  "), ("c2", "山田 太郎"), ("c3", "Ёлка и Ко"), ("c4", &long)]
    {
        for _ in 0..2 {
            world.receive(Contact, &a_client(id, 1, name, "push"));
        }
        let state = world.mapping(Contact, id).unwrap().operation;
        assert_eq!(state.state, OperationState::Synced, "{name}: {:?}", state.failure);
    }
    let names =
        world.books(|books| books.contacts().map(|one| one.name.clone()).collect::<Vec<_>>());
    assert_eq!(names.len(), 4);
    assert!(names.contains(&"Ridge Plumbing".to_owned()), "{names:?}");
}

#[test]
fn an_address_that_only_xero_refuses_is_left_out_and_reported() {
    let world = World::with(|settings| {
        settings.unconfirmed.refused_email_domain = Some("@odd.example".to_owned());
    });
    world.connect();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").client_email("ap@odd.example").body());
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Synced);
    assert_eq!(world.books(|books| books.contacts().next().unwrap().email.clone()), None);
    let log = world.log();
    assert!(log.iter().any(|one| one.message.contains("e-mail address was left out")), "{log:?}");
}
