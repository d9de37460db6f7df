//! Documents that wait for their clients, or failed because of their clients' contacts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use domain::envelope::WakeUpKind;
use domain::failure::FailureCause;
use domain::reconciliation::ReconciliationProgress;
use engine::Engine;
use engine::commands::contacts::reconcile;
use store::table::{ItemWrite, TableError};
use tests::ports::{InterceptedTable, TableInterception, TableRequest};

use super::*;

fn start_comparison(world: &World) {
    let account = world.account();
    let started = reconcile::start_reconciliation(&world.engine, &account, owner());
    run(started).unwrap().unwrap().unwrap();
}

fn is_compared(world: &World) -> bool {
    let account = world.account();
    let found = reconcile::find_reconciliation(&world.engine, &account);
    let found = run(found).unwrap().unwrap().unwrap();
    matches!(found.place, ReconciliationProgress::Done { .. })
}

#[test]
fn an_invoice_continues_at_once_when_a_comparison_finds_the_contact_of_its_client() {
    let (world, contact) = with_taken_name();
    let other = world.by_hand(|bookkeeper| {
        let other = bookkeeper.add_contact("Another client").unwrap();
        let rename = |one: &mut xero_sim::Contact| one.name = "CLIENT CLI_1".to_owned();
        bookkeeper.edit_contact(other, rename).unwrap();
        other
    });
    start_comparison(&world);
    world.advance(AT_ONCE);
    assert!(is_compared(&world));
    assert!(is_waiting_for_another_record(&world, Invoice, "inv_1"), "two contacts match");
    // The bookkeeper leaves one of them.
    world.by_hand(|bookkeeper| bookkeeper.rename_contact(other, "Another client").unwrap());
    world.clock.advance(SignedDuration::from_secs(1));
    start_comparison(&world);
    continues_at_once(&world, Invoice, "inv_1");
    let link = world.mapping(Contact, "cli_1").unwrap().link.unwrap();
    assert_eq!(link.xero_id.0, contact);
}

#[test]
fn a_waiting_invoice_that_the_crm_voids_is_complete_although_its_client_fails() {
    for is_given_up in [false, true] {
        let (world, _) = with_taken_name();
        if is_given_up {
            world.advance(SignedDuration::from_hours(14));
            assert_eq!(world.state(Contact, "cli_1"), OperationState::Skipped);
        }
        let before = world.calls().len();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").revision(2).voided().body());
        world.advance(AT_ONCE);
        assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
        assert_eq!(world.calls().len(), before, "nothing was ever sent");
    }
}

#[test]
fn invoices_continue_at_once_when_the_message_of_a_voided_one_corrects_their_client() {
    for is_given_up in [false, true] {
        for is_burst in [false, true] {
            let (world, _) = with_taken_name();
            if is_given_up {
                world.advance(SignedDuration::from_hours(14));
                assert_eq!(world.state(Contact, "cli_1"), OperationState::Skipped);
            }
            let voided = an_invoice("inv_2", "cli_1").revision(2).voided();
            let voided = voided.client_revision(2).client_name("Client one").body();
            if is_burst {
                world.receive_together(Invoice, &[voided]);
            } else {
                world.receive(Invoice, &voided);
            }
            continues_at_once(&world, Invoice, "inv_1");
            assert_eq!(world.state(Invoice, "inv_2"), OperationState::Synced);
            assert_eq!(invoices(&world).len(), 1, "the voided one was never sent");
        }
    }
}

#[test]
fn invoices_continue_at_once_when_a_retry_of_their_client_finds_that_its_contact_was_restored() {
    let world = World::connected();
    let contact = world.by_hand(|bookkeeper| {
        let contact = bookkeeper.add_contact("Client cli_1").unwrap();
        let number = |one: &mut xero_sim::Contact| one.number = Some("SC-cli_1".to_owned());
        bookkeeper.edit_contact(contact, number).unwrap();
        bookkeeper.archive_contact(contact).unwrap();
        contact
    });
    for invoice in ["inv_1", "inv_2"] {
        world.receive(Invoice, &an_invoice(invoice, "cli_1").body());
        assert!(is_waiting_for_another_record(&world, Invoice, invoice), "{invoice}");
    }
    let failure = world.mapping(Contact, "cli_1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.cause, Some(FailureCause::ContactArchived));
    world.by_hand(|bookkeeper| bookkeeper.restore_contact(contact).unwrap());
    retries_only(&world, Contact, "cli_1");
    assert!(matches!(world.state(Invoice, "inv_2"), OperationState::Waiting { .. }));
    continues_at_once(&world, Invoice, "inv_1");
    assert_eq!(world.state(Invoice, "inv_2"), OperationState::Synced);
}

/// An account whose client's contact a bookkeeper has archived.
fn with_archived_contact() -> (World, Uuid) {
    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Client cli_1", "push"));
    let contact = world.mapping(Contact, "cli_1").unwrap().link.unwrap().xero_id.0;
    world.by_hand(|bookkeeper| bookkeeper.archive_contact(contact).unwrap());
    (world, contact)
}

/// Receives an invoice that Xero refuses because the contact is archived.
fn receives_refused_invoice(world: &World, id: &str) {
    world.receive(Invoice, &an_invoice(id, "cli_1").body());
    let failure = world.mapping(Invoice, id).unwrap().operation.failure.unwrap();
    assert_eq!(failure.cause, Some(FailureCause::ContactArchived), "{id}");
}

/// The next retry of one record begins, and no other, and succeeds.
fn retries_only(world: &World, kind: EntityKind, id: &str) {
    let record = WakeUpKind::Records(vec![CrmId::new(id).unwrap()]);
    let retry = world.wake_ups.take(|wake| wake.work == record).unwrap();
    world.clock.advance(MINUTES(10));
    world.try_wake(&retry, NEVER).unwrap().unwrap();
    assert_eq!(world.state(kind, id), OperationState::Synced, "{id}");
}

#[test]
fn invoices_continue_at_once_when_the_retry_of_one_finds_that_their_contact_was_restored() {
    let (world, contact) = with_archived_contact();
    receives_refused_invoice(&world, "inv_1");
    world.advance(SignedDuration::from_hours(14));
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Skipped);
    receives_refused_invoice(&world, "inv_2");
    world.by_hand(|bookkeeper| bookkeeper.restore_contact(contact).unwrap());
    retries_only(&world, Invoice, "inv_2");
    continues_at_once(&world, Invoice, "inv_1");
    assert_eq!(world.count_awaited_rows(), 1, "only the mark of the client is left");
}

#[test]
fn invoices_continue_at_once_when_the_update_of_their_client_finds_that_its_contact_was_restored() {
    let (world, contact) = with_archived_contact();
    world.receive(Contact, &a_client("cli_1", 2, "Client cli_1", "push"));
    let failure = world.mapping(Contact, "cli_1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.cause, Some(FailureCause::ContactArchived));
    receives_refused_invoice(&world, "inv_1");
    world.by_hand(|bookkeeper| bookkeeper.restore_contact(contact).unwrap());
    retries_only(&world, Contact, "cli_1");
    continues_at_once(&world, Invoice, "inv_1");
}

/// A bookkeeper enters a contact.
fn adds_contact(world: &World, name: &str, number: &str) -> Uuid {
    world.by_hand(|bookkeeper| {
        let contact = bookkeeper.add_contact(name).unwrap();
        let number = |one: &mut xero_sim::Contact| one.number = Some(number.to_owned());
        bookkeeper.edit_contact(contact, number).unwrap();
        contact
    })
}

/// A user links the client to a contact, in a process with this engine.
fn links_client(world: &World, engine: &Engine, contact: Uuid) {
    let (account, by, client) = (world.account(), owner(), CrmId::new("cli_1").unwrap());
    let (contact, invocation) = (XeroContactId(contact), world.invocation());
    let linked = contacts::link_client(engine, &account, &by, client, contact, invocation);
    let linked = run(linked).unwrap().unwrap();
    assert!(matches!(linked, LinkOutcome::Done(_)), "{linked:?}");
}

#[test]
fn invoices_continue_at_once_when_a_user_links_their_client_to_a_contact_in_use() {
    let (world, _) = with_archived_contact();
    receives_refused_invoice(&world, "inv_1");
    let other = adds_contact(&world, "Client one", "OLD-1");
    links_client(&world, &world.engine, other);
    continues_at_once(&world, Invoice, "inv_1");
    let billed = world.books(|books| books.invoices().next().unwrap().contact);
    assert_eq!(billed, other);
}

#[test]
fn invoices_continue_at_once_when_a_user_retries_them_after_their_contact_was_restored() {
    let (world, contact) = with_archived_contact();
    let named = ["inv_1", "inv_2"].map(|invoice| {
        receives_refused_invoice(&world, invoice);
        NamedRecord { kind: Invoice, crm_id: CrmId::new(invoice).unwrap() }
    });
    world.by_hand(|bookkeeper| bookkeeper.restore_contact(contact).unwrap());
    let account = world.account();
    let retried = retry_records(&world.engine, &account, named.to_vec());
    assert_eq!(run(retried).unwrap().unwrap().done.len(), 2);
    continues_at_once(&world, Invoice, "inv_1");
    assert_eq!(world.state(Invoice, "inv_2"), OperationState::Synced);
}

/// A table in which something happens once: just before what waited for the client is removed.
#[derive(Debug)]
struct BeforeRemoval {
    world: Arc<World>,
    act: fn(&World),
    has_acted: AtomicBool,
}

#[async_trait]
impl TableInterception for BeforeRemoval {
    async fn intercept_request(&self, request: TableRequest<'_>) -> Result<(), TableError> {
        let TableRequest::Write(writes) = request else { return Ok(()) };
        let is_removal = writes.iter().any(|write| match write {
            ItemWrite::Delete { key, expect: _ } => key.sk.starts_with("AWAITED#contact#cli_1"),
            ItemWrite::Put { item: _, expect: _ } | ItemWrite::Check { key: _, expect: _ } => false,
        });
        if is_removal && !self.has_acted.swap(true, Ordering::SeqCst) {
            (self.act)(&self.world);
        }
        Ok(())
    }
}

/// A user links the client to a contact. This happens before the process removes what waited for
/// the client.
fn links_client_while(world: &Arc<World>, contact: Uuid, act: fn(&World)) {
    let before = BeforeRemoval { world: world.clone(), act, has_acted: AtomicBool::new(false) };
    let store = InterceptedTable::store_on(world.table.clone(), before);
    let engine = Engine { store, ..world.engine.clone() };
    links_client(world, &engine, contact);
}

#[test]
fn an_invoice_that_is_refused_while_another_is_released_continues_at_once_after_the_next_link() {
    let (world, _) = with_archived_contact();
    receives_refused_invoice(&world, "inv_1");
    let second = adds_contact(&world, "Client one", "OLD-1");
    let third = adds_contact(&world, "Client one again", "OLD-2");
    let world = Arc::new(world);
    links_client_while(&world, second, |world| {
        let linked = world.mapping(Contact, "cli_1").unwrap().link.unwrap().xero_id.0;
        world.by_hand(|bookkeeper| bookkeeper.archive_contact(linked).unwrap());
        receives_refused_invoice(world, "inv_2");
    });
    links_client(&world, &world.engine, third);
    continues_at_once(&world, Invoice, "inv_2");
}

#[test]
fn an_invoice_that_waits_for_a_client_just_unlinked_continues_at_once_after_the_next_link() {
    let (world, contact) = with_taken_name();
    let world = Arc::new(world);
    links_client_while(&world, contact, |world| {
        let (account, by, client) = (world.account(), owner(), CrmId::new("cli_1").unwrap());
        let unlinked = contacts::unlink_client(&world.engine, &account, &by, client);
        let unlinked = run(unlinked).unwrap().unwrap();
        assert!(matches!(unlinked, LinkOutcome::Done(_)), "{unlinked:?}");
        world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
        assert!(is_waiting_for_another_record(world, Invoice, "inv_2"));
    });
    links_client(&world, &world.engine, contact);
    continues_at_once(&world, Invoice, "inv_2");
}
