//! Which credit note an allocation means, by the note's id and number.

use super::*;

/// The amounts applied of the credit note with this number in Xero.
fn applied_of(world: &World, number: &str) -> Vec<String> {
    world.books(|books| {
        let notes = books.credit_notes_numbered(number);
        let applied = notes.flat_map(|note| books.allocations_of(Credit::CreditNote(note.id)));
        applied.map(|one| one.amount.to_string()).collect()
    })
}

#[test]
fn credit_is_taken_from_the_record_with_the_stated_number_whatever_arrives_first() {
    let negative = an_invoice("7", "cli_1").number("INV-7").price("-95.00", "-114.00").body();
    let note = a_credit_note("7", "cli_1").number("CN-7").body();
    for number in ["CN-7", "INV-7"] {
        let allocation = an_allocation("al_1", "7", "inv_1", "10.00").note_number(number);
        let body = allocation.body();
        let messages = [(CreditNote, &body), (Invoice, &negative), (CreditNote, &note)];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let world = World::connected();
            world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
            for at in order {
                let (kind, body) = messages[at];
                world.receive(kind, body);
                world.advance(SignedDuration::from_mins(2));
            }
            assert_eq!(applied_of(&world, number), ["10.00"], "{number} {order:?}");
            assert_eq!(applied(&world).len(), 1, "{number} {order:?}");
            assert_eq!(world.mapping(Allocation, "al_1").unwrap().operation.failures, 0);
            world.receive(CreditNote, &allocation.clone().removed().body());
            assert!(applied(&world).is_empty(), "{number} {order:?}");
        }
    }
}

#[test]
fn credit_is_not_taken_while_id_and_number_name_two_records() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(CreditNote, &a_credit_note("7", "cli_1").number("7").body());
    let negative = an_invoice("7", "cli_1").number("7").price("-95.00", "-114.00");
    world.receive(Invoice, &negative.body());
    let allocation = an_allocation("al_1", "7", "inv_1", "10.00").note_number("7");
    world.receive(CreditNote, &allocation.body());
    let failure = why(&world, "al_1");
    assert_eq!(failure.code, "credit_note_ambiguous");
    assert!(failure.remedy.contains("Change the number"), "{failure}");
    assert!(applied(&world).is_empty());
    world.receive(Invoice, &negative.revision(2).number("INV-7").body());
    world.advance(SignedDuration::from_hours(1));
    assert_eq!(applied_of(&world, "7"), ["10.00"]);
    assert_eq!(applied(&world).len(), 1);
}

#[test]
fn credit_of_a_renumbered_note_is_applied_and_taken_back_under_either_number() {
    let renumbered = a_credit_note("cn_1", "cli_1").revision(2).number("CN-NEW").body();
    for (first, second) in [("CN_1", "CN-NEW"), ("CN-NEW", "CN_1"), ("cn_1", "cn-new")] {
        let world = credited();
        // This one was sent before, and waits for its invoice.
        world.receive(CreditNote, &an_allocation("al_2", "cn_1", "inv_2", "5.00").body());
        world.receive(CreditNote, &renumbered);
        let allocation = an_allocation("al_1", "cn_1", "inv_1", "10.00");
        world.receive(CreditNote, &allocation.clone().note_number(first).body());
        assert_eq!(applied_of(&world, "CN-NEW"), ["10.00"], "{first}");
        world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
        world.advance(SignedDuration::from_mins(2));
        assert_eq!(applied_of(&world, "CN-NEW").len(), 2, "{first}");
        world.receive(CreditNote, &allocation.note_number(second).removed().body());
        assert_eq!(applied_of(&world, "CN-NEW"), ["5.00"], "{second}");
    }
}

#[test]
fn credit_that_is_applied_is_taken_back_whatever_number_the_message_gives() {
    let world = credited();
    let allocation = an_allocation("al_1", "cn_1", "inv_1", "10.00");
    world.receive(CreditNote, &allocation.body());
    let removed = allocation.note_number("CN-UNKNOWN").removed();
    world.receive(CreditNote, &removed.body());
    assert!(applied(&world).is_empty());
    // Nothing was sent for this one.
    let never = an_allocation("al_2", "cn_1", "inv_1", "10.00").note_number("CN-UNKNOWN");
    world.receive(CreditNote, &never.removed().body());
    assert_eq!(self::allocation(&world, "al_2").0, OperationState::Synced);
}
