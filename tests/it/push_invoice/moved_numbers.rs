//! Numbers that move between documents of the same books.

use domain::entity::EntityKind::{self, CreditNote};
use domain::failure::FailureCause;
use tests::builders::a_credit_note;

use super::*;

/// The message about a document at a revision, with a number.
fn message(kind: EntityKind, id: &str, revision: u64, number: &str) -> String {
    if kind == Invoice {
        an_invoice(id, "cli_1").revision(revision).number(number).body()
    } else {
        a_credit_note(id, "cli_1").revision(revision).number(number).body()
    }
}

/// The numbers of the documents of these records in Xero.
fn numbers_of(world: &World, kind: EntityKind, ids: &[&str]) -> Vec<String> {
    let number = |id: &&str| {
        let document = world.mapping(kind, id).unwrap().link.unwrap().xero_id.0;
        world.books(|books| {
            let invoices = books.invoices().map(|one| (one.id, one.number.clone()));
            let notes = books.credit_notes().map(|one| (one.id, one.number.clone()));
            let found = invoices.chain(notes).find(|(one, _)| *one == document);
            found.unwrap().1.unwrap()
        })
    };
    ids.iter().map(number).collect()
}

const IDS: [&str; 3] = ["doc_1", "doc_2", "doc_3"];

#[test]
fn documents_that_swap_their_numbers_have_them_within_the_first_retries() {
    for kind in [Invoice, CreditNote] {
        for count in [2, 3] {
            for is_together in [false, true] {
                let world = World::connected();
                let ids = &IDS[..count];
                for (at, id) in ids.iter().enumerate() {
                    world.receive(kind, &message(kind, id, 1, &format!("N-{at}")));
                }
                let moved = |at: usize| format!("N-{}", (at + 1) % count);
                let bodies = ids.iter().enumerate();
                let bodies = bodies.map(|(at, id)| message(kind, id, 2, &moved(at)));
                let bodies = bodies.collect::<Vec<_>>();
                if is_together {
                    world.receive_together(kind, &bodies);
                } else {
                    for body in &bodies {
                        world.receive(kind, body);
                    }
                }
                world.advance(SignedDuration::from_hours(2));
                let expected = (0..count).map(moved).collect::<Vec<_>>();
                let case = format!("{kind} {count} {is_together}");
                assert_eq!(numbers_of(&world, kind, ids), expected, "{case}");
                for id in ids {
                    assert_eq!(world.state(kind, id), OperationState::Synced, "{case}");
                }
            }
        }
    }
}

#[test]
fn a_number_moves_to_a_new_document_once_the_old_one_has_another() {
    for kind in [Invoice, CreditNote] {
        let world = World::connected();
        world.receive(kind, &message(kind, "doc_1", 1, "N-1"));
        world.receive(kind, &message(kind, "doc_2", 1, "N-1"));
        let failure = world.mapping(kind, "doc_2").unwrap().operation.failure.unwrap();
        assert_eq!(failure.cause, Some(FailureCause::NumberTaken), "{kind}");
        assert!(failure.message.contains("doc_1 has the number N-1, too"), "{failure}");
        world.receive(kind, &message(kind, "doc_1", 2, "N-2"));
        world.advance(SignedDuration::from_mins(30));
        assert_eq!(numbers_of(&world, kind, &IDS[..2]), ["N-2", "N-1"], "{kind}");
    }
}

#[test]
fn a_document_whose_new_number_another_one_keeps_says_so_and_keeps_its_own() {
    let world = World::connected();
    world.receive(Invoice, &message(Invoice, "doc_1", 1, "N-1"));
    world.receive(Invoice, &message(Invoice, "doc_2", 1, "N-2"));
    world.receive(Invoice, &message(Invoice, "doc_1", 2, "N-2"));
    let failure = world.mapping(Invoice, "doc_1").unwrap().operation.failure.unwrap();
    assert!(failure.message.contains("doc_2 has the number N-2, too"), "{failure}");
    assert_eq!(numbers_of(&world, Invoice, &IDS[..2]), ["N-1", "N-2"]);
}

#[test]
fn a_document_that_another_installation_made_is_named_as_such() {
    let world = World::connected();
    world.receive(Invoice, &message(Invoice, "doc_1", 1, "N-1"));
    // The table of this installation does not know it.
    let unknown = world.mapping(Invoice, "doc_1").unwrap().link.unwrap().xero_id.0.to_string();
    let mut items = world.table.all_items();
    items.retain(|item| !item.key.sk.contains(&unknown) && !item.key.sk.ends_with("#doc_1"));
    world.table.restore_items(items);
    world.receive(Invoice, &message(Invoice, "doc_2", 1, "N-1"));
    let failure = world.mapping(Invoice, "doc_2").unwrap().operation.failure.unwrap();
    assert_eq!(failure.cause, Some(FailureCause::NumberTaken));
    assert!(failure.message.contains("another installation"), "{failure}");
    assert!(failure.remedy.contains("Connected apps"), "{failure}");
}

#[test]
fn an_invoice_of_a_closed_period_keeps_its_number_and_the_other_one_waits() {
    let world = World::connected();
    world.receive(Invoice, &message(Invoice, "doc_1", 1, "N-1"));
    let closed = an_invoice("doc_2", "cli_1").number("N-2").issue_date("2026-09-15");
    world.receive(Invoice, &closed.body());
    let until = jiff::civil::date(2026, 9, 30);
    world.by_hand(|bookkeeper| bookkeeper.lock_period(Some(until)));
    world.receive(Invoice, &message(Invoice, "doc_2", 2, "N-3"));
    world.receive(Invoice, &message(Invoice, "doc_1", 2, "N-2"));
    let failure = world.mapping(Invoice, "doc_1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.cause, Some(FailureCause::NumberTaken));
    assert!(failure.message.contains("is to have the number N-3"), "{failure}");
    assert_eq!(numbers_of(&world, Invoice, &IDS[..2]), ["N-1", "N-2"]);
}
