//! Documents that Xero no longer has: a read by id answers 404, and lists by ids omit them.

use domain::entity::EntityKind::{self, Allocation, CreditNote, Invoice};
use domain::operation::OperationState;
use domain::outbound::EventContent;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_credit_note, an_allocation, an_invoice};
use tests::ports::{Intercepted, respond};
use uuid::Uuid;
use xero_sim::InvoiceStatus;

/// The credit notes that one call of the daily verification reads.
const NOTES_PER_PAGE: usize = 40;
const QUARTER: SignedDuration = SignedDuration::from_mins(15);

/// A world with a document of this kind for each id, whose changes the poll has read.
fn with_documents(kind: EntityKind, ids: &[&str]) -> World {
    let world = World::connected();
    for id in ids {
        world.receive(kind, &message(kind, id, false));
    }
    world.advance(QUARTER);
    world.poll_and_wait();
    world
}

/// The message about a document, or about its void at the second revision.
fn message(kind: EntityKind, id: &str, is_voided: bool) -> String {
    if kind == Invoice {
        let invoice = an_invoice(id, "cli_1");
        if is_voided { invoice.revision(2).voided().body() } else { invoice.body() }
    } else {
        let note = a_credit_note(id, "cli_1");
        if is_voided { note.revision(2).voided().body() } else { note.body() }
    }
}

fn xero_id(world: &World, kind: EntityKind, id: &str) -> Uuid {
    world.mapping(kind, id).unwrap().link.unwrap().xero_id.0
}

fn lose_document(world: &World, id: Uuid) {
    world.by_hand_apart(|bookkeeper| bookkeeper.lose_document(id).unwrap());
}

/// From now on, lists by ids that would contain this document are empty.
fn is_omitted(world: &mut World, id: Uuid) {
    let (inner, name) = (world.engine.transport.clone(), id.to_string());
    world.engine.transport = Intercepted::on(inner, move |request| {
        let is_listed = request.uri().query().is_some_and(|query| query.contains(&name));
        is_listed.then(|| Ok(respond(200, r#"{"Invoices":[],"CreditNotes":[]}"#)))
    });
}

/// From now on, Xero shows this document to no read by its id.
fn is_hidden(world: &mut World, id: Uuid) {
    let (inner, name) = (world.engine.transport.clone(), id.to_string());
    world.engine.transport = Intercepted::on(inner, move |request| {
        if request.uri().path().ends_with(&name) {
            return Some(Ok(respond(404, "The resource you're looking for cannot be found")));
        }
        let is_listed = request.uri().query().is_some_and(|query| query.contains(&name));
        is_listed.then(|| Ok(respond(200, r#"{"Invoices":[],"CreditNotes":[]}"#)))
    });
}

/// Whether the last read did not show the first document.
fn is_missing(world: &World, kind: EntityKind) -> bool {
    let mapping = world.mapping(kind, "doc_1").unwrap();
    mapping.amounts_in_xero().unwrap().missing_since.is_some()
}

/// Polls until one has read the first document by its id and not found it.
fn polls_until_missing(world: &World, kind: EntityKind) {
    for _ in 0..2 * 24 * 4 {
        if is_missing(world, kind) {
            return;
        }
        world.poll_and_wait();
    }
    panic!("no poll has read the {kind} by its id");
}

fn poll_for_two_days(world: &World) {
    for _ in 0..2 * 24 * 4 {
        world.poll_and_wait();
    }
}

/// The documents that the CRM was told to be in another status, with these statuses.
fn reported_statuses(world: &World) -> Vec<(String, String)> {
    let changed = world.events.contents().into_iter().filter_map(|content| {
        if let EventContent::CreditNoteStatus { credit_note_id, status, .. } = content {
            Some((credit_note_id.to_string(), status))
        } else if let EventContent::XeroStatus { invoice_id, status, .. } = content {
            Some((invoice_id.to_string(), status))
        } else {
            None
        }
    });
    changed.collect()
}

#[test]
fn a_document_that_vanished_is_reported_once_as_deleted_and_the_others_are_not() {
    for kind in [Invoice, CreditNote] {
        for ids in [["doc_1"].as_slice(), &["doc_1", "doc_2"]] {
            let world = with_documents(kind, ids);
            let vanished = xero_id(&world, kind, "doc_1");
            lose_document(&world, vanished);
            poll_for_two_days(&world);
            let expected = [("doc_1".to_owned(), "DELETED".to_owned())];
            assert_eq!(reported_statuses(&world), expected, "{kind} {ids:?}");
            assert!(world.mapping(kind, "doc_1").unwrap().is_gone_in_xero());
            world.sync_now(kind, "doc_1");
            let mapping = world.mapping(kind, "doc_1").unwrap();
            assert_eq!(mapping.operation.state, OperationState::Synced, "{kind} {ids:?}");
            assert_eq!((mapping.generation, mapping.previous_xero_ids[0].0), (2, vanished));
        }
    }
}

#[test]
fn a_document_that_xero_does_not_show_to_one_poll_stays_as_it_is() {
    for kind in [Invoice, CreditNote] {
        let mut world = with_documents(kind, &["doc_1", "doc_2"]);
        let (hidden, open) = (xero_id(&world, kind, "doc_1"), world.engine.transport.clone());
        is_hidden(&mut world, hidden);
        polls_until_missing(&world, kind);
        assert!(reported_statuses(&world).is_empty(), "{kind}");
        assert!(!world.mapping(kind, "doc_1").unwrap().is_gone_in_xero(), "{kind}");
        world.engine.transport = open;
        poll_for_two_days(&world);
        assert!(reported_statuses(&world).is_empty(), "{kind}");
        assert!(!is_missing(&world, kind), "{kind}");
        assert_eq!(xero_id(&world, kind, "doc_1"), hidden, "{kind}");
    }
}

#[test]
fn a_document_that_vanished_costs_the_next_poll_two_calls_and_no_later_one() {
    let world = with_documents(Invoice, &["doc_1", "doc_2"]);
    lose_document(&world, xero_id(&world, Invoice, "doc_1"));
    polls_until_missing(&world, Invoice);
    let polls = || {
        let before = world.calls().len();
        world.poll_and_wait();
        let calls = world.calls().split_off(before);
        calls.iter().filter(|call| call.starts_with("GET /Invoices")).count()
    };
    // The list of changes, and the document by its id: as one of a group, then by itself.
    assert_eq!(polls(), 3);
    assert_eq!(reported_statuses(&world), [("doc_1".to_owned(), "DELETED".to_owned())]);
    assert_eq!(polls(), 1);
}

#[test]
fn credit_notes_are_verified_beyond_the_first_page() {
    let ids = (0..=NOTES_PER_PAGE * 2).map(|number| format!("crn_{number:03}"));
    let ids = ids.collect::<Vec<_>>();
    let world = with_documents(CreditNote, &ids.iter().map(String::as_str).collect::<Vec<_>>());
    let lost = [0, NOTES_PER_PAGE, NOTES_PER_PAGE * 2].map(|number| ids[number].as_str());
    for id in lost {
        lose_document(&world, xero_id(&world, CreditNote, id));
    }
    poll_for_two_days(&world);
    let expected = lost.map(|id| (id.to_owned(), "DELETED".to_owned()));
    assert_eq!(reported_statuses(&world), expected);
}

#[test]
fn a_document_that_only_a_list_omits_stays_as_it_is() {
    for kind in [Invoice, CreditNote] {
        let mut world = with_documents(kind, &["doc_1", "doc_2"]);
        let omitted = xero_id(&world, kind, "doc_1");
        is_omitted(&mut world, omitted);
        poll_for_two_days(&world);
        assert!(reported_statuses(&world).is_empty(), "{kind}");
        let bodies = ["doc_1", "doc_2"].map(|id| message(kind, id, true));
        world.receive_together(kind, &bodies);
        world.advance(QUARTER);
        let statuses = world.books(|books| {
            let invoices = books.invoices().map(|one| one.status);
            let notes = books.credit_notes().map(|one| one.status);
            invoices.chain(notes).collect::<Vec<_>>()
        });
        assert_eq!(statuses, [InvoiceStatus::Voided; 2], "{kind}");
    }
}

#[test]
fn one_sync_of_a_document_that_vanished_creates_a_new_copy() {
    for kind in [Invoice, CreditNote] {
        let world = with_documents(kind, &["doc_1"]);
        let vanished = xero_id(&world, kind, "doc_1");
        lose_document(&world, vanished);
        world.sync_now(kind, "doc_1");
        let mapping = world.mapping(kind, "doc_1").unwrap();
        assert_eq!(mapping.operation.state, OperationState::Synced, "{kind}");
        assert_eq!((mapping.generation, mapping.previous_xero_ids[0].0), (2, vanished));
        world.sync_now(kind, "doc_1");
        assert_eq!(world.mapping(kind, "doc_1").unwrap().generation, 2, "{kind}");
    }
}

#[test]
fn the_void_of_a_document_that_vanished_needs_no_write_and_is_not_reported() {
    for kind in [Invoice, CreditNote] {
        let world = with_documents(kind, &["doc_1"]);
        let vanished = xero_id(&world, kind, "doc_1");
        lose_document(&world, vanished);
        world.receive(kind, &message(kind, "doc_1", true));
        assert_eq!(world.failure_code(kind, "doc_1"), "document_not_shown", "{kind}");
        world.advance(QUARTER);
        let mapping = world.mapping(kind, "doc_1").unwrap();
        assert_eq!(mapping.operation.state, OperationState::Synced, "{kind}");
        assert!(mapping.is_gone_in_xero(), "{kind}");
        poll_for_two_days(&world);
        assert!(reported_statuses(&world).is_empty(), "{kind}");
    }
}

#[test]
fn the_void_of_a_document_that_a_poll_has_missed_needs_no_second_attempt() {
    for kind in [Invoice, CreditNote] {
        let world = with_documents(kind, &["doc_1"]);
        lose_document(&world, xero_id(&world, kind, "doc_1"));
        polls_until_missing(&world, kind);
        world.receive(kind, &message(kind, "doc_1", true));
        assert_eq!(world.state(kind, "doc_1"), OperationState::Synced, "{kind}");
        assert!(world.mapping(kind, "doc_1").unwrap().is_gone_in_xero(), "{kind}");
    }
}

#[test]
fn credit_of_a_note_that_vanished_is_applied_from_its_new_copy() {
    let world = with_documents(CreditNote, &["cn_1"]);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let vanished = xero_id(&world, CreditNote, "cn_1");
    lose_document(&world, vanished);
    world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_1", "50.00").body());
    assert_eq!(world.failure_code(Allocation, "al_1"), "document_not_shown");
    world.advance(QUARTER);
    assert_eq!(world.failure_code(Allocation, "al_1"), "credit_note_gone");
    assert_eq!(world.state(Allocation, "al_1"), OperationState::Skipped);
    world.sync_now(CreditNote, "cn_1");
    world.advance(SignedDuration::from_secs(2));
    assert_eq!(world.state(Allocation, "al_1"), OperationState::Synced);
}

#[test]
fn credit_of_a_note_that_vanished_is_removed_without_a_person() {
    let world = with_documents(CreditNote, &["cn_1"]);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let applied = an_allocation("al_1", "cn_1", "inv_1", "50.00");
    world.receive(CreditNote, &applied.body());
    let vanished = xero_id(&world, CreditNote, "cn_1");
    lose_document(&world, vanished);
    world.sync_now(Allocation, "al_1");
    world.advance(QUARTER);
    assert!(world.is_logged("Its credit note is no longer in Xero"), "{:?}", world.log());
    world.receive(CreditNote, &applied.removed().body());
    assert_eq!(world.failure_code(Allocation, "al_1"), "document_not_shown");
    world.advance(QUARTER);
    assert_eq!(world.state(Allocation, "al_1"), OperationState::Synced);
}

/// Xero does not show a document for a while, and then shows it again.
#[test]
fn a_document_that_xero_only_did_not_show_gets_no_second_copy() {
    for kind in [Invoice, CreditNote] {
        let mut world = with_documents(kind, &["doc_1"]);
        let hidden = xero_id(&world, kind, "doc_1");
        let inner = world.engine.transport.clone();
        let name = hidden.to_string();
        world.engine.transport = Intercepted::on(inner, move |request| {
            let is_it = request.uri().path().ends_with(&name);
            let sentence = "The resource you're looking for cannot be found";
            is_it.then(|| Ok(respond(404, sentence)))
        });
        world.sync_now(kind, "doc_1");
        let mapping = world.mapping(kind, "doc_1").unwrap();
        assert_eq!(mapping.operation.state, OperationState::Synced, "{kind}");
        assert_eq!(mapping.link.unwrap().xero_id.0, hidden, "{kind}");
        let count = world.books(|books| books.invoices().count() + books.credit_notes().count());
        assert_eq!(count, 1, "{kind}");
    }
}
