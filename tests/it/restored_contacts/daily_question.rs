//! Once a day Xero is asked for the contacts because of which records were given up, so that these
//! records continue although no other record shows the restore.

use domain::entity::EntityKind::Payment;
use tests::builders::a_payment;
use tests::ports::{Intercepted, respond};
use xero_sim::InvoiceStatus;

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

/// From now on, Xero fails at each call whose address contains this text.
fn fail_calls(world: &mut World, text: &'static str, (status, body): (u16, &'static str)) {
    let inner = world.engine.transport.clone();
    world.engine.transport = Intercepted::on(inner, move |request| {
        request.uri().to_string().contains(text).then(|| Ok(respond(status, body)))
    });
}

#[test]
fn invoices_of_a_restored_contact_continue_although_xero_fails_to_show_kept_payments() {
    let (mut world, contact) = with_given_up_records();
    world.choose_accounts();
    let payment = a_payment("pay_1", &[("inv_open", "50.00")]);
    world.receive(Payment, &payment.body());
    let kept = world.books(|books| books.payments().next().unwrap().id);
    world.by_hand_apart(|bookkeeper| bookkeeper.reconcile_payment(kept).unwrap());
    world.receive(Payment, &payment.deleted().body());
    world.advance(ALL_RETRIES);
    assert_eq!(world.failure_code(Payment, "pay_1.1"), "payment_reconciled");
    fail_calls(&mut world, "PaymentID%3D%3Dguid", (200, r#"{"Payments":7}"#));
    restore(&world, contact);
    polls_for_a_day(&world);
    for (kind, id) in [(Contact, "cli_1"), (Invoice, "inv_1"), (Invoice, "inv_2")] {
        assert_eq!(world.state(kind, id), OperationState::Synced, "{id}");
    }
}

#[test]
fn invoices_of_a_restored_contact_continue_although_xero_fails_to_show_the_number_of_another() {
    let (mut world, contact) = with_given_up_records();
    bookkeeper_acts(&world, |bookkeeper| {
        let contact = bookkeeper.add_contact("Client cli_9").unwrap();
        let number = |one: &mut xero_sim::Contact| one.number = Some("SC-cli_9".to_owned());
        bookkeeper.edit_contact(contact, number).unwrap();
        bookkeeper.archive_contact(contact).unwrap();
    });
    world.receive(Invoice, &an_invoice("inv_9", "cli_9").body());
    world.advance(ALL_RETRIES);
    assert_eq!(world.state(Contact, "cli_9"), OperationState::Skipped);
    let broken = r#"{"Title":"Refused","Status":500,"Detail":"Broken"}"#;
    fail_calls(&mut world, "/Contacts/SC-cli_9", (500, broken));
    restore(&world, contact);
    polls_for_a_day(&world);
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
    assert_eq!(world.state(Contact, "cli_9"), OperationState::Skipped);
}

#[test]
fn an_invoice_of_a_merged_contact_continues_within_a_day_after_the_restore_of_its_target() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_open", "cli_1").body());
    world.poll();
    let merged = contact_of_client(&world);
    let target = bookkeeper_acts(&world, |bookkeeper| {
        let target = bookkeeper.add_contact("Ridge Holdings").unwrap();
        bookkeeper.merge_contacts(merged, target).unwrap();
        bookkeeper.archive_contact(target).unwrap();
        target
    });
    gives_up(&world, "inv_1");
    restore(&world, target);
    polls_for_a_day(&world);
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
    assert_eq!(contact_of_client(&world), target);
}

/// An account in whose organisation Xero refuses to void documents of archived contacts, with a
/// void that was given up, and the contact.
fn with_given_up_void() -> (World, Uuid) {
    let world = World::with(|settings| settings.unconfirmed.archived_takes_voids = false);
    world.connect();
    for id in ["inv_open", "inv_1"] {
        world.receive(Invoice, &an_invoice(id, "cli_1").body());
    }
    world.poll();
    let contact = contact_of_client(&world);
    bookkeeper_acts(&world, |bookkeeper| bookkeeper.archive_contact(contact).unwrap());
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").revision(2).voided().body());
    assert_refused(&world, Invoice, "inv_1");
    let failure = world.mapping(Invoice, "inv_1").unwrap().operation.failure.unwrap();
    assert!(failure.message.contains("does not void"), "{failure}");
    assert!(failure.remedy.contains("Restore the contact"), "{failure}");
    assert!(!failure.remedy.contains("another contact"), "{failure}");
    world.advance(ALL_RETRIES);
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Skipped);
    (world, contact)
}

fn assert_voided(world: &World) {
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
    let id = world.mapping(Invoice, "inv_1").unwrap().link.unwrap().xero_id.0;
    let status = world.books(|books| books.invoice(id).unwrap().status);
    assert_eq!(status, InvoiceStatus::Voided);
}

#[test]
fn a_void_that_xero_refuses_for_an_archived_contact_continues_within_a_day_after_the_restore() {
    let (world, contact) = with_given_up_void();
    restore(&world, contact);
    polls_for_a_day(&world);
    assert_voided(&world);
}

#[test]
fn polls_do_not_repeat_the_void_of_a_document_whose_client_has_another_contact_now() {
    let (world, archived) = with_given_up_void();
    let other = add_numbered_contact(&world);
    world.clock.advance(MINUTES(1));
    let (account, by, client) = (world.account(), owner(), CrmId::new("cli_1").unwrap());
    let (contact, invocation) = (XeroContactId(other), world.invocation());
    let link = contacts::link_client(&world.engine, &account, &by, client, contact, invocation);
    run(link).unwrap().unwrap();
    assert_eq!(contact_of_client(&world), other);
    world.advance(ALL_RETRIES);
    let count_writes = || {
        let calls = world.calls().into_iter();
        calls.filter(|call| call.starts_with("POST /Invoices")).count()
    };
    let before = count_writes();
    polls_for_a_day(&world);
    assert_eq!(count_writes(), before);
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Skipped);
    restore(&world, archived);
    let named = NamedRecord { kind: Invoice, crm_id: CrmId::new("inv_1").unwrap() };
    let account = world.account();
    assert_eq!(
        run(retry_records(&world.engine, &account, vec![named])).unwrap().unwrap().done.len(),
        1
    );
    world.advance(AT_ONCE);
    assert_voided(&world);
}
