//! Pushing clients as contacts.

use domain::entity::EntityKind::{Contact, Invoice};
use domain::operation::OperationState;
use engine::inbound::MessageOutcome;
use engine::ports::Clock;
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_client, an_invoice};

#[test]
fn a_client_is_pushed_once_and_found_again_by_its_number() {
    let world = World::connected();
    let body = a_client("cli_1", 1, "Ridge Plumbing", "push");
    assert_eq!(world.receive(Contact, &body), MessageOutcome::Pushed(PushOutcome::Synced));
    assert_eq!(world.receive(Contact, &body), MessageOutcome::Pushed(PushOutcome::Unchanged));
    let numbers = world
        .books(|books| books.contacts().map(|contact| contact.number.clone()).collect::<Vec<_>>());
    assert_eq!(numbers, [Some("SC-cli_1".to_owned())]);
}

#[test]
fn a_recorded_client_is_pushed_only_with_its_first_invoice() {
    let world = World::connected();
    let body = a_client("cli_1", 7, "Ridge Plumbing", "record");
    assert_eq!(world.receive(Contact, &body), MessageOutcome::Recorded);
    assert_eq!(world.books(|books| books.contacts().count()), 0);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let names =
        world.books(|books| books.contacts().map(|one| one.name.clone()).collect::<Vec<_>>());
    // The record that arrived later has an older revision.
    assert_eq!(names, ["Ridge Plumbing"]);
}

#[test]
fn a_newer_client_updates_only_the_crms_fields_of_its_contact() {
    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge Plumbing", "push"));
    world.receive(Contact, &a_client("cli_1", 2, "Ridge Heating", "push"));
    let names =
        world.books(|books| books.contacts().map(|one| one.name.clone()).collect::<Vec<_>>());
    assert_eq!(names, ["Ridge Heating"]);
}

#[test]
fn a_contact_that_already_has_the_number_is_adopted() {
    let world = World::connected();
    let tenant = world.tenant();
    let now = world.clock.now();
    {
        let mut xero = world.xero();
        let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
        let contact = bookkeeper.add_contact("Ridge Plumbing (old)").unwrap();
        bookkeeper
            .edit_contact(contact, |contact| contact.number = Some("SC-cli_1".to_owned()))
            .unwrap();
    }
    let body = a_client("cli_1", 1, "Ridge Plumbing", "push");
    assert_eq!(world.receive(Contact, &body), MessageOutcome::Pushed(PushOutcome::Synced));
    let names =
        world.books(|books| books.contacts().map(|one| one.name.clone()).collect::<Vec<_>>());
    assert_eq!(names, ["Ridge Plumbing"]);
    assert!(world.log().last().unwrap().message.starts_with("Matched"));
}

#[test]
fn a_contact_of_the_same_name_is_adopted_only_if_its_e_mail_matches() {
    let world = World::connected();
    let (tenant, now) = (world.tenant(), world.clock.now());
    {
        let mut xero = world.xero();
        let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
        let proven = bookkeeper.add_contact("Client cli_1").unwrap();
        bookkeeper
            .edit_contact(proven, |one| one.email = Some("ap@ridge.example".to_owned()))
            .unwrap();
        bookkeeper.add_contact("Client cli_2").unwrap();
    }
    let proven = an_invoice("inv_1", "cli_1").client_email("AP@ridge.example");
    assert_eq!(world.receive(Invoice, &proven.body()), MessageOutcome::Pushed(PushOutcome::Synced));
    assert_eq!(world.books(|books| books.contacts().count()), 2);

    world.receive(Invoice, &an_invoice("inv_2", "cli_2").body());
    let failure = world.mapping(Contact, "cli_2").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "contact_name_taken");
    assert!(failure.remedy.contains("link it"), "{failure}");
    let invoice = world.mapping(Invoice, "inv_2").unwrap().operation;
    assert!(matches!(invoice.state, OperationState::Parked { .. }), "{invoice:?}");
    assert_eq!(invoice.failures, 0, "waiting for the client costs no attempt");
    assert_eq!(world.books(|books| books.contacts().count()), 2);
}

#[test]
fn a_contact_that_belongs_to_another_client_is_never_written_to() {
    let world = World::connected();
    let email = "office@ridge.example";
    let first = an_invoice("inv_1", "cli_1").client_name("Ridge").client_email(email);
    world.receive(Invoice, &first.body());
    // Two sites of one firm: the same name, the same e-mail address, two clients in the CRM.
    let second = an_invoice("inv_2", "cli_2").client_name("Ridge").client_email(email);
    world.receive(Invoice, &second.body());
    let failure = world.mapping(Contact, "cli_2").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "contact_name_taken");
    let numbers = world
        .books(|books| books.contacts().map(|contact| contact.number.clone()).collect::<Vec<_>>());
    assert_eq!(numbers, [Some("SC-cli_1".to_owned())]);
    let posts = world.calls().iter().filter(|call| *call == "POST /Contacts").count();
    assert_eq!(posts, 0);
}

#[test]
fn a_merged_contact_is_followed_to_its_target() {
    let world = World::connected();
    let (tenant, now) = (world.tenant(), world.clock.now());
    let kept = {
        let mut xero = world.xero();
        let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
        let old = bookkeeper.add_contact("Ridge (old)").unwrap();
        bookkeeper.edit_contact(old, |one| one.number = Some("SC-cli_1".to_owned())).unwrap();
        let kept = bookkeeper.add_contact("Ridge").unwrap();
        bookkeeper.merge_contacts(old, kept).unwrap();
        kept
    };
    world.receive(Contact, &a_client("cli_1", 1, "Ridge", "push"));
    assert_eq!(world.mapping(Contact, "cli_1").unwrap().link.unwrap().xero_id.0, kept);
}

#[test]
fn invoices_that_waited_for_a_given_up_client_are_pushed_when_it_is_corrected() {
    let world = World::connected();
    world.by_hand(|bookkeeper| bookkeeper.add_contact("Client cli_1").unwrap());
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(SignedDuration::from_hours(14));
    assert_eq!(world.mapping(Contact, "cli_1").unwrap().operation.state, OperationState::Skipped);
    let invoice = world.mapping(Invoice, "inv_1").unwrap().operation;
    assert!(matches!(invoice.state, OperationState::Parked { .. }), "{invoice:?}");
    assert_eq!(invoice.failures, 0);
    // The CRM gives the client another name.
    world.receive(Contact, &a_client("cli_1", 2, "Client one", "push"));
    world.advance(SignedDuration::from_mins(2));
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Synced);
}

#[test]
fn an_archived_contact_is_named_in_the_error() {
    let world = World::connected();
    let (tenant, now) = (world.tenant(), world.clock.now());
    {
        let mut xero = world.xero();
        let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
        let contact = bookkeeper.add_contact("Old Ridge").unwrap();
        bookkeeper
            .edit_contact(contact, |contact| contact.number = Some("SC-cli_1".to_owned()))
            .unwrap();
        bookkeeper.archive_contact(contact).unwrap();
    }
    world.receive(Contact, &a_client("cli_1", 1, "Ridge", "push"));
    let failure = world.mapping(Contact, "cli_1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "contact_archived");
    assert!(failure.message.contains("Old Ridge"), "{failure}");
}
