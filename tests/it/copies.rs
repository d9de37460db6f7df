//! New copies of documents that were voided in Xero, where Xero does not accept their numbers again.

use domain::entity::EntityKind::{self, CreditNote, Invoice};
use domain::ids::CrmId;
use domain::operation::OperationState;
use engine::commands::records;
use engine::inbound::MessageOutcome;
use engine::ports::Clock;
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_credit_note, an_invoice};
use tests::io_monitor::{CrashPoint, Moment, run};
use xero_sim::{Fault, FaultKind, Match, OddRow};

/// A connected world whose Xero keeps the numbers of voided documents.
fn keeping_numbers() -> World {
    let world = World::with(|settings| {
        settings.unconfirmed.voided_frees_number = false;
    });
    world.connect();
    world
}

fn body(kind: EntityKind, id: &str, number: &str) -> String {
    if kind == Invoice {
        an_invoice(id, "cli_1").number(number).body()
    } else {
        a_credit_note(id, "cli_1").number(number).body()
    }
}

/// A bookkeeper voids the document with this number.
fn void(world: &World, kind: EntityKind, number: &str) {
    let (tenant, now) = (world.tenant(), world.clock.now());
    let id = world.books(|books| {
        if kind == Invoice {
            books.invoices_numbered(number).next().unwrap().id
        } else {
            books.credit_notes_numbered(number).next().unwrap().id
        }
    });
    let mut xero = world.xero();
    let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
    if kind == Invoice {
        bookkeeper.void(id).unwrap();
    } else {
        bookkeeper.void_credit_note(id).unwrap();
    }
}

/// The message about the record `doc_1` with the number `A-1`, at this revision.
fn at_revision(kind: EntityKind, revision: u64, is_voided: bool) -> String {
    if kind == Invoice {
        let invoice = an_invoice("doc_1", "cli_1").number("A-1").revision(revision);
        if is_voided { invoice.voided().body() } else { invoice.body() }
    } else {
        let note = a_credit_note("doc_1", "cli_1").number("A-1").revision(revision);
        if is_voided { note.voided().body() } else { note.body() }
    }
}

/// The numbers of the documents that count in Xero, sorted.
fn live(world: &World, kind: EntityKind) -> Vec<String> {
    let mut numbers = world.books(|books| {
        if kind == Invoice {
            let live = books.invoices().filter(|one| !one.status.is_gone());
            live.filter_map(|one| one.number.clone()).collect::<Vec<_>>()
        } else {
            let live = books.credit_notes().filter(|one| !one.status.is_gone());
            live.filter_map(|one| one.number.clone()).collect::<Vec<_>>()
        }
    });
    numbers.sort();
    numbers
}

#[test]
fn a_copy_and_a_record_with_a_similar_number_are_both_written_in_either_order() {
    for kind in [Invoice, CreditNote] {
        for is_first in [true, false] {
            let world = keeping_numbers();
            let other = || {
                let received = world.receive(kind, &body(kind, "doc_2", "A-1-2"));
                assert_eq!(
                    received,
                    MessageOutcome::Pushed(PushOutcome::Synced),
                    "{kind} {is_first}"
                );
            };
            world.receive(kind, &body(kind, "doc_1", "A-1"));
            if is_first {
                other();
            }
            void(&world, kind, "A-1");
            world.sync_now(kind, "doc_1");
            if !is_first {
                other();
            }
            assert_eq!(live(&world, kind), ["A-1-2", "A-1~2"], "{kind} {is_first}");
            assert_eq!(world.state(kind, "doc_1"), OperationState::Synced);
        }
    }
}

#[test]
fn the_longest_numbers_can_be_copied_and_copies_of_similar_ones_differ() {
    for kind in [Invoice, CreditNote] {
        let world = keeping_numbers();
        let numbers = ["a", "b"].map(|end| format!("{}{end}", "x".repeat(254)));
        for (id, number) in ["doc_1", "doc_2"].into_iter().zip(&numbers) {
            world.receive(kind, &body(kind, id, number));
            void(&world, kind, number);
            world.sync_now(kind, id);
            assert_eq!(world.state(kind, id), OperationState::Synced, "{kind}");
        }
        let live = live(&world, kind);
        assert_eq!(live.len(), 2, "{kind}");
        assert!(live.iter().all(|number| number.len() <= 255 && number.ends_with("~2")));
    }
}

#[test]
fn an_edit_goes_to_the_copy_which_keeps_its_number() {
    let world = keeping_numbers();
    world.receive(Invoice, &body(Invoice, "doc_1", "A-1"));
    void(&world, Invoice, "A-1");
    world.sync_now(Invoice, "doc_1");
    let edit = an_invoice("doc_1", "cli_1").number("A-1").revision(2).price("100.00", "120.00");
    assert_eq!(world.receive(Invoice, &edit.body()), MessageOutcome::Pushed(PushOutcome::Synced));
    let total = world.books(|books| books.invoices_numbered("A-1~2").next().unwrap().total);
    assert_eq!(total.to_string(), "120.00");
    // A copy of the copy has the next number.
    void(&world, Invoice, "A-1~2");
    world.sync_now(Invoice, "doc_1");
    assert_eq!(live(&world, Invoice), ["A-1~3"]);
}

#[test]
fn a_copy_is_made_once_wherever_the_process_dies() {
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let mut world = keeping_numbers();
            world.receive(Invoice, &body(Invoice, "doc_1", "A-1"));
            world.receive(Invoice, &body(Invoice, "doc_2", "A-1-2"));
            void(&world, Invoice, "A-1");
            world.io.crash_at(Some(CrashPoint { step, moment }));
            let (account, id) = (world.account(), CrmId::new("doc_1").unwrap());
            let invocation = world.invocation();
            let synced = records::sync_record_now(&world.engine, &account, Invoice, id, invocation);
            let is_finished = run(synced).is_some();
            world.io.crash_at(None);
            world.restart();
            world.advance(SignedDuration::from_hours(13));
            world.sync_now(Invoice, "doc_1");
            assert_eq!(live(&world, Invoice), ["A-1-2", "A-1~2"], "{moment:?} {step}");
            assert_eq!(world.state(Invoice, "doc_1"), OperationState::Synced, "{moment:?} {step}");
            if is_finished {
                assert!(step > 8, "{step} steps");
                break;
            }
        }
    }
}

#[test]
fn a_copys_number_that_a_person_used_in_xero_is_named() {
    let world = keeping_numbers();
    world.receive(Invoice, &body(Invoice, "doc_1", "A-1"));
    world.receive(Invoice, &body(Invoice, "doc_2", "B-1"));
    let (tenant, now) = (world.tenant(), world.clock.now());
    let other = world.books(|books| books.invoices_numbered("B-1").next().unwrap().id);
    let edit = xero_sim::InvoiceEdit { number: Some("A-1~2".to_owned()), ..Default::default() };
    world.xero().bookkeeper(now, tenant).unwrap().edit_invoice(other, edit).unwrap();
    void(&world, Invoice, "A-1");
    world.sync_now(Invoice, "doc_1");
    let failure = world.mapping(Invoice, "doc_1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "number_taken");
    assert!(failure.message.contains("A-1~2"), "{failure}");
    assert_eq!(live(&world, Invoice), ["A-1~2"]);
}

#[test]
fn one_sync_of_a_document_whose_change_xero_refused_because_it_is_voided_creates_a_copy() {
    for kind in [Invoice, CreditNote] {
        let world = keeping_numbers();
        world.receive(kind, &at_revision(kind, 1, false));
        void(&world, kind, "A-1");
        world.receive(kind, &at_revision(kind, 2, false));
        assert_eq!(world.state(kind, "doc_1"), OperationState::Skipped, "{kind}");
        world.sync_now(kind, "doc_1");
        assert_eq!(live(&world, kind), ["A-1~2"], "{kind}");
        let mapping = world.mapping(kind, "doc_1").unwrap();
        assert_eq!(mapping.operation.state, OperationState::Synced, "{kind}");
        assert_eq!((mapping.generation, mapping.synced_revision), (2, Some(2)), "{kind}");
    }
}

#[test]
fn a_document_that_is_restored_while_its_void_is_unanswered_is_copied_only_if_it_was_voided() {
    for kind in [Invoice, CreditNote] {
        let path =
            if kind == Invoice { "/api.xro/2.0/Invoices" } else { "/api.xro/2.0/CreditNotes" };
        for fault in [FaultKind::LostAfter, FaultKind::Status500Applied, FaultKind::LostBefore] {
            let world = keeping_numbers();
            world.receive(kind, &at_revision(kind, 1, false));
            let on = Match::next(path).method(http::Method::POST);
            world.inject(Fault { on, kind: fault.clone() });
            world.receive(kind, &at_revision(kind, 2, true));
            world.receive(kind, &at_revision(kind, 3, false));
            world.advance(SignedDuration::from_hours(1));
            let number = if fault == FaultKind::LostBefore { "A-1" } else { "A-1~2" };
            assert_eq!(live(&world, kind), [number], "{kind} {fault:?}");
            let mapping = world.mapping(kind, "doc_1").unwrap();
            assert_eq!(mapping.operation.state, OperationState::Synced, "{kind} {fault:?}");
            assert_eq!((mapping.synced_revision, mapping.is_restored), (Some(3), false));
        }
    }
}

#[test]
fn a_document_that_is_restored_after_its_void_died_at_any_step_is_in_the_books_once() {
    for (kind, moment) in [
        (Invoice, Moment::Before),
        (Invoice, Moment::After),
        (CreditNote, Moment::Before),
        (CreditNote, Moment::After),
    ] {
        for step in 1.. {
            let mut world = keeping_numbers();
            world.receive(kind, &at_revision(kind, 1, false));
            let voided = at_revision(kind, 2, true);
            let at = CrashPoint { step, moment };
            let is_finished = world.try_receive(kind, &voided, Some(at)).is_some();
            world.restart();
            world.receive(kind, &at_revision(kind, 3, false));
            world.advance(SignedDuration::from_hours(13));
            // The queue redelivers the message of the dead process.
            world.receive(kind, &voided);
            world.sweep_twice();
            world.advance(SignedDuration::from_hours(13));
            assert_eq!(live(&world, kind).len(), 1, "{kind} {at:?}");
            let mapping = world.mapping(kind, "doc_1").unwrap();
            assert_eq!(mapping.operation.state, OperationState::Synced, "{kind} {at:?}");
            assert_eq!(mapping.synced_revision, Some(3), "{kind} {at:?}");
            if is_finished {
                assert!(step > 3, "{step} steps");
                break;
            }
        }
    }
}

#[test]
fn a_change_or_a_void_that_follows_a_copy_that_died_at_any_step_is_carried_out_once() {
    for (kind, moment, is_voided) in [
        (Invoice, Moment::After, false),
        (Invoice, Moment::After, true),
        (CreditNote, Moment::Before, false),
        (CreditNote, Moment::After, true),
    ] {
        for step in 1.. {
            let mut world = keeping_numbers();
            world.receive(kind, &at_revision(kind, 1, false));
            void(&world, kind, "A-1");
            let at = CrashPoint { step, moment };
            world.io.crash_at(Some(at));
            let (account, id) = (world.account(), CrmId::new("doc_1").unwrap());
            let invocation = world.invocation();
            let synced = records::sync_record_now(&world.engine, &account, kind, id, invocation);
            let is_finished = run(synced).is_some();
            world.io.crash_at(None);
            world.restart();
            world.receive(kind, &at_revision(kind, 2, is_voided));
            world.advance(SignedDuration::from_hours(13));
            if !is_voided {
                // If the copy was not begun, a person has to ask for it again.
                world.sync_now(kind, "doc_1");
            }
            let expected: &[&str] = if is_voided { &[] } else { &["A-1~2"] };
            assert_eq!(live(&world, kind), expected, "{kind} {at:?}");
            let mapping = world.mapping(kind, "doc_1").unwrap();
            assert_eq!(mapping.operation.state, OperationState::Synced, "{kind} {at:?}");
            assert_eq!(mapping.synced_revision, Some(2), "{kind} {at:?}");
            if is_finished {
                assert!(step > 3, "{step} steps");
                break;
            }
        }
    }
}

#[test]
fn after_a_duplicate_was_voided_in_xero_a_sync_keeps_the_invoice_and_writes_nothing() {
    let world = World::connected();
    world.receive(Invoice, &body(Invoice, "doc_1", "A-1"));
    let synced = world.mapping(Invoice, "doc_1").unwrap().link.unwrap().xero_id;
    world.by_hand(|bookkeeper| {
        let duplicate = bookkeeper.insert_odd(OddRow::FarDueDate);
        bookkeeper.void(duplicate).unwrap();
    });
    let calls = world.calls().len();
    let view = world.sync_now(Invoice, "doc_1");
    assert_eq!((view.xero_id, view.xero_number.as_deref()), (Some(synced), Some("A-1")));
    assert_eq!(live(&world, Invoice), ["A-1"]);
    let made = world.calls().split_off(calls);
    assert!(made.iter().all(|call| call.starts_with("GET")), "{made:?}");
}

#[test]
fn the_documents_that_many_copies_replace_are_read_in_one_call() {
    let world = keeping_numbers();
    let deliver = |revision: u64, is_voided: bool| {
        let body = |number: usize| {
            let invoice = an_invoice(&format!("doc_{number}"), "cli_1");
            let invoice = invoice.number(format!("A-{number}")).revision(revision);
            if is_voided { invoice.voided().body() } else { invoice.body() }
        };
        let before = world.calls().len();
        world.receive_together(Invoice, &(0..10).map(body).collect::<Vec<_>>());
        world.advance(SignedDuration::from_secs(10));
        world.calls().split_off(before)
    };
    deliver(1, false);
    deliver(2, true);
    let calls = deliver(3, false);
    assert_eq!(calls, ["PUT /Invoices", "GET /Invoices", "GET /Invoices", "PUT /Invoices"]);
    let copies = (0..10).map(|number| format!("A-{number}~2")).collect::<Vec<_>>();
    assert_eq!(live(&world, Invoice), copies);
}
