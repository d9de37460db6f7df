//! Documents that Xero does not show for a while, and then shows again: there is never a second one,
//! and nothing that the CRM voids or removes stays in the books.

use domain::entity::EntityKind::{self, Allocation, CreditNote, Invoice, Payment};
use domain::ids::XeroId;
use domain::operation::OperationState;
use http::{Method, Request};
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_credit_note, a_payment, an_allocation, an_invoice};
use tests::ports::{Intercepted, respond};
use uuid::Uuid;
use xero_sim::{InvoiceEdit, InvoiceStatus, PaymentStatus};

const NOT_FOUND: &str = "The resource you're looking for cannot be found";
const NO_ROWS: &str = r#"{"Invoices":[],"CreditNotes":[],"Payments":[]}"#;
/// The time in which the attempt after a first failure is made.
const NEXT_ATTEMPT: SignedDuration = SignedDuration::from_mins(6);

/// A world with a document of this kind whose changes the poll has read.
fn with_document(kind: EntityKind) -> World {
    with_document_in(World::connected(), kind)
}

fn with_document_in(world: World, kind: EntityKind) -> World {
    world.receive(kind, &document_message(kind, false));
    world.advance(SignedDuration::from_mins(15));
    world.poll_and_wait();
    world
}

/// The message about the document `doc_1`, or about its void at the second revision.
fn document_message(kind: EntityKind, is_voided: bool) -> String {
    if kind == Invoice {
        let invoice = an_invoice("doc_1", "cli_1").number("A-1");
        if is_voided { invoice.revision(2).voided().body() } else { invoice.body() }
    } else {
        let note = a_credit_note("doc_1", "cli_1").number("A-1");
        if is_voided { note.revision(2).voided().body() } else { note.body() }
    }
}

fn xero_id(world: &World, kind: EntityKind, id: &str) -> Uuid {
    world.mapping(kind, id).unwrap().link.unwrap().xero_id.0
}

/// From now on, Xero does not show the documents of the reads that `is_hidden` selects.
fn hide(
    world: &mut World,
    is_hidden: impl Fn(&Request<bytes::Bytes>) -> bool + Send + Sync + 'static,
) {
    let inner = world.engine.transport.clone();
    world.engine.transport = Intercepted::on(inner, move |request| {
        if request.method() != Method::GET || !is_hidden(request) {
            return None;
        }
        let is_list = request.uri().path().matches('/').count() == 3;
        Some(Ok(if is_list { respond(200, NO_ROWS) } else { respond(404, NOT_FOUND) }))
    });
}

/// Hides the document with this id from reads by its id.
fn hide_by_id(world: &mut World, id: Uuid) {
    let name = id.to_string();
    hide(world, move |request| {
        let is_in_query = request.uri().query().is_some_and(|query| query.contains(&name));
        is_in_query || request.uri().path().ends_with(&name)
    });
}

/// Hides all invoices and credit notes.
fn hide_documents(world: &mut World) {
    hide(world, |request| {
        let path = request.uri().path();
        path.contains("/2.0/Invoices") || path.contains("/2.0/CreditNotes")
    });
}

/// The numbers of the documents in Xero and whether they count.
fn documents(world: &World) -> Vec<(String, bool)> {
    let mut found = world.books(|books| {
        let invoices = books.invoices().map(|one| (one.number.clone(), one.status));
        let notes = books.credit_notes().map(|one| (one.number.clone(), one.status));
        let found = invoices.chain(notes);
        found.map(|(number, status)| (number.unwrap(), !status.is_gone())).collect::<Vec<_>>()
    });
    found.sort();
    found
}

#[test]
fn a_document_that_no_read_shows_gets_no_second_copy_under_another_number() {
    for kind in [Invoice, CreditNote] {
        let mut world = with_document(kind);
        let hidden = xero_id(&world, kind, "doc_1");
        let open = world.engine.transport.clone();
        hide_documents(&mut world);
        world.sync_now(kind, "doc_1");
        assert_eq!(documents(&world), [("A-1".to_owned(), true)], "{kind}");
        assert_eq!(world.failure_code(kind, "doc_1"), "number_taken", "{kind}");
        world.engine.transport = open;
        world.advance(SignedDuration::from_hours(1));
        assert_eq!(world.state(kind, "doc_1"), OperationState::Synced, "{kind}");
        assert_eq!(xero_id(&world, kind, "doc_1"), hidden, "{kind}");
        assert_eq!(documents(&world), [("A-1".to_owned(), true)], "{kind}");
    }
}

#[test]
fn an_invoice_that_was_renumbered_in_xero_is_found_by_that_number_before_it_is_copied() {
    let mut world = with_document(Invoice);
    let hidden = xero_id(&world, Invoice, "doc_1");
    let edit = InvoiceEdit { number: Some("X-9".to_owned()), ..InvoiceEdit::default() };
    world.by_hand_apart(|bookkeeper| bookkeeper.edit_invoice(hidden, edit).unwrap());
    world.poll_and_wait();
    let number = world.mapping(Invoice, "doc_1").unwrap().link.unwrap().number;
    assert_eq!(number.as_deref(), Some("X-9"));
    hide_by_id(&mut world, hidden);
    world.sync_now(Invoice, "doc_1");
    assert_eq!(world.state(Invoice, "doc_1"), OperationState::Synced);
    assert_eq!(xero_id(&world, Invoice, "doc_1"), hidden);
    assert_eq!(documents(&world), [("A-1".to_owned(), true)]);
}

#[test]
fn a_copy_is_found_by_its_own_number_before_it_is_copied_and_keeps_it() {
    for kind in [Invoice, CreditNote] {
        let world = World::with(|settings| {
            settings.unconfirmed.voided_frees_number = false;
        });
        world.connect();
        let mut world = with_document_in(world, kind);
        let first = xero_id(&world, kind, "doc_1");
        world.by_hand_apart(|bookkeeper| {
            if kind == Invoice {
                bookkeeper.void(first).unwrap();
            } else {
                bookkeeper.void_credit_note(first).unwrap();
            }
        });
        world.sync_now(kind, "doc_1");
        let expected = [("A-1".to_owned(), false), ("A-1~2".to_owned(), true)];
        assert_eq!(documents(&world), expected, "{kind}");
        let copy = xero_id(&world, kind, "doc_1");
        hide_by_id(&mut world, copy);
        world.sync_now(kind, "doc_1");
        assert_eq!(world.state(kind, "doc_1"), OperationState::Synced, "{kind}");
        let mapping = world.mapping(kind, "doc_1").unwrap();
        assert_eq!(mapping.link.unwrap().xero_id.0, copy, "{kind}");
        assert_eq!(mapping.previous_xero_ids, [XeroId(first)], "{kind}");
        assert_eq!(documents(&world), expected, "{kind}");
    }
}

#[test]
fn a_document_that_only_its_number_shows_is_voided_with_its_record() {
    for kind in [Invoice, CreditNote] {
        let mut world = with_document(kind);
        let hidden = xero_id(&world, kind, "doc_1");
        hide_by_id(&mut world, hidden);
        world.receive(kind, &document_message(kind, true));
        assert_eq!(world.state(kind, "doc_1"), OperationState::Synced, "{kind}");
        let statuses = world.books(|books| {
            let invoices = books.invoices().map(|one| one.status);
            invoices.chain(books.credit_notes().map(|one| one.status)).collect::<Vec<_>>()
        });
        assert_eq!(statuses, [InvoiceStatus::Voided], "{kind}");
        assert!(world.mapping(kind, "doc_1").unwrap().is_gone_in_xero(), "{kind}");
    }
}

#[test]
fn credit_is_removed_from_a_note_that_only_a_list_shows() {
    let mut world = World::connected();
    world.receive(CreditNote, &a_credit_note("doc_1", "cli_1").body());
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let applied = an_allocation("al_1", "doc_1", "inv_1", "50.00");
    world.receive(CreditNote, &applied.body());
    assert_eq!(world.books(|books| books.allocations().count()), 1);
    let name = xero_id(&world, CreditNote, "doc_1").to_string();
    hide(&mut world, move |request| request.uri().path().ends_with(&name));
    world.receive(CreditNote, &applied.removed().body());
    assert_eq!(world.state(Allocation, "al_1"), OperationState::Synced);
    assert_eq!(world.books(|books| books.allocations().count()), 0);
}

#[test]
fn a_payment_that_only_its_reference_shows_is_removed_with_its_record() {
    let mut world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let payment = a_payment("pay_1", &[("inv_1", "114.00")]);
    world.receive(Payment, &payment.body());
    let name = xero_id(&world, Payment, "pay_1.1").to_string();
    hide(&mut world, move |request| request.uri().path().ends_with(&name));
    world.sync_now(Payment, "pay_1.1");
    let message = world.log().last().unwrap().message.clone();
    assert!(message.contains("Look for it in Xero"), "{message}");
    world.receive(Payment, &payment.deleted().body());
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    let statuses = world.books(|books| books.payments().map(|one| one.status).collect::<Vec<_>>());
    assert_eq!(statuses, [PaymentStatus::Deleted]);
}

/// Hides all payments.
fn hide_payments(world: &mut World) {
    hide(world, |request| request.uri().path().contains("/2.0/Payments"));
}

#[test]
fn a_document_that_no_read_shows_once_is_voided_by_the_next_attempt() {
    for kind in [Invoice, CreditNote] {
        let mut world = with_document(kind);
        let open = world.engine.transport.clone();
        hide_documents(&mut world);
        world.receive(kind, &document_message(kind, true));
        assert_eq!(world.failure_code(kind, "doc_1"), "document_not_shown", "{kind}");
        world.engine.transport = open;
        world.advance(NEXT_ATTEMPT);
        assert_eq!(world.state(kind, "doc_1"), OperationState::Synced, "{kind}");
        assert_eq!(documents(&world), [("A-1".to_owned(), false)], "{kind}");
    }
}

#[test]
fn credit_of_a_note_that_no_read_shows_once_is_applied_and_removed_by_the_next_attempt() {
    let mut world = World::connected();
    world.receive(CreditNote, &a_credit_note("doc_1", "cli_1").body());
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let applied = an_allocation("al_1", "doc_1", "inv_1", "50.00");
    let open = world.engine.transport.clone();
    for (body, left) in [(applied.body(), 1), (applied.removed().body(), 0)] {
        hide_documents(&mut world);
        world.receive(CreditNote, &body);
        assert_eq!(world.failure_code(Allocation, "al_1"), "document_not_shown");
        world.engine.transport = open.clone();
        world.advance(NEXT_ATTEMPT);
        assert_eq!(world.state(Allocation, "al_1"), OperationState::Synced);
        assert_eq!(world.books(|books| books.allocations().count()), left);
    }
}

#[test]
fn a_payment_that_no_read_shows_once_is_removed_by_the_next_attempt() {
    let mut world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let payment = a_payment("pay_1", &[("inv_1", "114.00")]);
    world.receive(Payment, &payment.body());
    let open = world.engine.transport.clone();
    hide_payments(&mut world);
    world.receive(Payment, &payment.deleted().body());
    assert_eq!(world.failure_code(Payment, "pay_1.1"), "document_not_shown");
    world.engine.transport = open;
    world.advance(NEXT_ATTEMPT);
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    let statuses = world.books(|books| books.payments().map(|one| one.status).collect::<Vec<_>>());
    assert_eq!(statuses, [PaymentStatus::Deleted]);
}

#[test]
fn a_payment_recorded_again_that_xero_does_not_show_is_written_once_that_is_confirmed() {
    for is_shown_again in [false, true] {
        let mut world = World::with_accounts();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        let payment = a_payment("pay_1", &[("inv_1", "114.00")]);
        world.receive(Payment, &payment.body());
        world.receive(Payment, &payment.clone().deleted().body());
        let open = world.engine.transport.clone();
        hide_payments(&mut world);
        let again = payment.body().replacen(r#""revision":1"#, r#""revision":3"#, 1);
        world.receive(Payment, &again);
        assert_eq!(world.failure_code(Payment, "pay_1.1"), "document_not_shown");
        if is_shown_again {
            world.engine.transport = open;
        }
        world.advance(NEXT_ATTEMPT);
        assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced, "{is_shown_again}");
        let in_effect = world.books(|books| {
            let authorised = |status: &PaymentStatus| *status == PaymentStatus::Authorised;
            books.payments().filter(|one| authorised(&one.status)).count()
        });
        assert_eq!(in_effect, 1, "{is_shown_again}");
    }
}
