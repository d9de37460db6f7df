//! Once a day Xero is asked for the contacts because of which records were given up, so that these
//! records continue although no other record shows the restore.

use super::*;

/// The time between two polls.
const QUARTER: SignedDuration = SignedDuration::from_mins(15);

fn polls_for_a_day(world: &World) {
    for _ in 0..100 {
        world.advance(QUARTER);
        world.poll();
    }
    world.advance(AT_ONCE);
}

/// A day passes. Returns how often contacts were read from Xero.
fn count_contact_reads_of_a_day(world: &World) -> usize {
    let before = world.calls().len();
    polls_for_a_day(world);
    let calls = world.calls().split_off(before);
    calls.iter().filter(|call| call.starts_with("GET /Contacts")).count()
}

fn restore(world: &World, contact: Uuid) {
    bookkeeper_acts(world, |bookkeeper| bookkeeper.restore_contact(contact).unwrap());
}

/// An account with an open invoice and an archived contact, because of which the client and two
/// other invoices were given up.
fn with_given_up_records() -> (World, Uuid) {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_open", "cli_1").body());
    world.poll();
    let contact = contact_of_client(&world);
    bookkeeper_acts(&world, |bookkeeper| bookkeeper.archive_contact(contact).unwrap());
    world.receive(Contact, &a_client("cli_1", 2, "Client one", "push"));
    assert_refused(&world, Contact, "cli_1");
    gives_up(&world, "inv_1");
    gives_up(&world, "inv_2");
    assert_eq!(world.state(Contact, "cli_1"), OperationState::Skipped);
    (world, contact)
}

#[test]
fn a_client_and_its_invoices_that_were_given_up_continue_within_a_day_after_the_restore() {
    let (world, contact) = with_given_up_records();
    restore(&world, contact);
    polls_for_a_day(&world);
    for (kind, id) in [(Contact, "cli_1"), (Invoice, "inv_1"), (Invoice, "inv_2")] {
        assert_eq!(world.state(kind, id), OperationState::Synced, "{id}");
    }
    world.books(|books| {
        assert_eq!(books.contact(contact).unwrap().name, "Client one");
        assert_eq!((books.contacts().count(), books.invoices().count()), (1, 3));
    });
}

#[test]
fn polls_read_an_archived_contact_once_a_day_and_make_no_attempt() {
    let (world, _) = with_given_up_records();
    let given_up = [(Contact, "cli_1"), (Invoice, "inv_1"), (Invoice, "inv_2")];
    let before = given_up.map(|(kind, id)| world.mapping(kind, id));
    let reads = count_contact_reads_of_a_day(&world);
    assert!((1..=2).contains(&reads), "{reads} reads");
    assert_eq!(given_up.map(|(kind, id)| world.mapping(kind, id)), before);
    // The next restore is found nevertheless.
    let contact = contact_of_client(&world);
    restore(&world, contact);
    polls_for_a_day(&world);
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
    assert_eq!(count_contact_reads_of_a_day(&world), 0, "nothing is left to ask");
}

#[test]
fn a_client_whose_own_number_an_archived_contact_has_continues_within_a_day_after_the_restore() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_open", "cli_2").body());
    world.poll();
    let contact = bookkeeper_acts(&world, |bookkeeper| {
        let contact = bookkeeper.add_contact("Client cli_1").unwrap();
        let number = |one: &mut xero_sim::Contact| one.number = Some("SC-cli_1".to_owned());
        bookkeeper.edit_contact(contact, number).unwrap();
        bookkeeper.archive_contact(contact).unwrap();
        contact
    });
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_refused(&world, Contact, "cli_1");
    world.advance(ALL_RETRIES);
    assert_eq!(world.state(Contact, "cli_1"), OperationState::Skipped);
    restore(&world, contact);
    polls_for_a_day(&world);
    assert_eq!(contact_of_client(&world), contact);
    assert_eq!(world.state(Contact, "cli_1"), OperationState::Synced);
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
    assert_eq!(world.books(|books| books.contacts().count()), 2);
}

#[test]
fn the_documents_of_a_restored_contact_continue_although_another_stays_archived() {
    let (world, contact) = with_given_up_records();
    world.receive(Invoice, &an_invoice("inv_other", "cli_2").body());
    let other = world.contact_of("cli_2").unwrap();
    bookkeeper_acts(&world, |bookkeeper| bookkeeper.archive_contact(other).unwrap());
    world.receive(Invoice, &an_invoice("inv_3", "cli_2").body());
    world.advance(ALL_RETRIES);
    restore(&world, contact);
    polls_for_a_day(&world);
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
    assert_eq!(world.state(Invoice, "inv_3"), OperationState::Skipped);
}
