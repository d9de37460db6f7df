//! Writes whose answer was lost.

use super::*;

#[test]
fn after_a_lost_answer_the_outcome_is_resolved_before_a_second_write() {
    let world = World::connected();
    world.inject(fail_next(Method::PUT, INVOICES, FaultKind::LostAfter));
    let first = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert!(matches!(first, MessageOutcome::Pushed(PushOutcome::Waiting { .. })), "{first:?}");
    world.advance(SignedDuration::from_mins(6));
    assert_eq!(numbers(&world), ["#INV_1"]);
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Synced);
    let puts = world.calls().iter().filter(|call| *call == "PUT /Invoices").count();
    assert_eq!(puts, 1, "the second attempt found what the first had written");
}

#[test]
fn a_retry_uses_a_new_key_so_that_a_cached_error_is_not_replayed() {
    let world = World::connected();
    world.inject(fail_next(Method::PUT, INVOICES, FaultKind::Status500));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    // The first retry is within the six minutes for which Xero caches the error under its key.
    world.advance(SignedDuration::from_secs(5 * 60 + 31));
    assert_eq!(numbers(&world), ["#INV_1"]);
    // Once for the error, once for the success.
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.key_serial, 2);
}

#[test]
fn an_invoice_renumbered_while_its_answer_was_lost_is_found_under_the_old_number() {
    let world = World::connected();
    world.inject(fail_next(Method::PUT, INVOICES, FaultKind::LostAfter));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").number("#OLD").body());
    let renumbered = an_invoice("inv_1", "cli_1").number("#NEW").revision(2);
    // The unanswered write may still take effect, so no other write is made until that is certain.
    let received = world.receive(Invoice, &renumbered.body());
    assert!(
        matches!(received, MessageOutcome::Pushed(PushOutcome::Waiting { .. })),
        "{received:?}"
    );
    assert_eq!(numbers(&world), ["#OLD"]);
    world.advance(SignedDuration::from_mins(2));
    assert_eq!(numbers(&world), ["#NEW"]);
}

#[test]
fn a_void_finds_the_invoice_whose_answer_was_lost() {
    let world = World::connected();
    world.inject(fail_next(Method::PUT, INVOICES, FaultKind::LostAfter));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").number("#OLD").body());
    let voided = an_invoice("inv_1", "cli_1").number("#NEW").revision(2).voided();
    world.receive(Invoice, &voided.body());
    world.advance(SignedDuration::from_mins(2));
    let statuses = world.books(|books| books.invoices().map(|one| one.status).collect::<Vec<_>>());
    assert_eq!(statuses, [InvoiceStatus::Voided]);
}
