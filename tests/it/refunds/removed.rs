//! Refunds as the bookkeeper sees them: the deletion of one in Xero is reported, and the others
//! leave the books equal.

use domain::outbound::EventContent;

use super::limits::{named, paid};
use super::*;

const QUARTER: SignedDuration = SignedDuration::from_mins(15);

/// Deletes the refund with this id in Xero.
fn delete(world: &World, id: &str) {
    world.clock.advance(SignedDuration::from_mins(1));
    let tag = format!("(SC-{id})");
    let found = world.books(|books| {
        let is_it = |one: &&xero_sim::Payment| {
            one.reference.as_deref().is_some_and(|text| text.ends_with(&tag))
        };
        books.payments().find(is_it).unwrap().id
    });
    let (tenant, now) = (world.tenant(), world.clock.now());
    world.xero().bookkeeper(now, tenant).unwrap().remove_payment(found).unwrap();
}

/// Polls every quarter of an hour for more than a day: without an open invoice, Xero is read once a
/// day.
fn polls_for_a_day(world: &World) {
    for _ in 0..100 {
        world.advance(QUARTER);
        world.poll();
    }
}

/// The refunds that were reported as deleted, with their amounts.
fn removed(world: &World) -> Vec<(String, String)> {
    let refunds = world.told.news().into_iter().filter_map(|news| {
        let EventContent::RefundRemoved(refund) = news else { return None };
        Some((refund.refund_id.to_string(), refund.amount.to_string()))
    });
    refunds.collect()
}

#[test]
fn a_refund_that_is_deleted_in_xero_is_reported_once() {
    let world = paid("120.00");
    refund(&world, &named("ref_1", "80.00"));
    polls_for_a_day(&world);
    assert!(removed(&world).is_empty());
    delete(&world, "ref_1");
    polls_for_a_day(&world);
    assert_eq!(removed(&world), [("ref_1".to_owned(), "GBP 80.00".to_owned())]);
    let sentence = "The refund of GBP 80.00 was deleted in Xero.";
    let logged = world.log().into_iter().filter(|entry| entry.message.starts_with(sentence));
    assert_eq!(logged.count(), 1);
    polls_for_a_day(&world);
    assert_eq!(removed(&world).len(), 1);
}

#[test]
fn a_refund_of_a_credit_note_that_is_deleted_is_reported_too() {
    let world = holding("GBP");
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    refund(&world, &a_refund("GBP", "50.00", r#""credit_note_id":"cn_1""#));
    delete(&world, "ref_1");
    polls_for_a_day(&world);
    assert_eq!(removed(&world), [("ref_1".to_owned(), "GBP 50.00".to_owned())]);
}

#[test]
fn a_refund_of_a_credit_note_that_the_crm_recorded_leaves_the_books_equal() {
    let world = holding("GBP");
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    refund(&world, &a_refund("GBP", "50.00", r#""credit_note_id":"cn_1""#));
    polls_for_a_day(&world);
    let mut compared = world.told.news().into_iter().filter_map(|news| {
        let EventContent::BooksCompared { is_equal, tally, .. } = news else { return None };
        Some((is_equal, tally.differences))
    });
    assert_eq!(compared.next_back(), Some((true, Vec::new())));
}

#[test]
fn a_refund_that_was_refused_is_sent_once_the_other_one_is_deleted() {
    let world = paid("120.00");
    refund(&world, &named("ref_1", "80.00"));
    refund(&world, &named("ref_2", "80.00"));
    assert_eq!(state(&world, "ref_2.note"), OperationState::Skipped);
    assert_eq!(balance(&world), "40.00");
    delete(&world, "ref_1");
    polls_for_a_day(&world);
    assert_eq!(state(&world, "ref_2.1"), OperationState::Synced);
    assert_eq!(balance(&world), "40.00");
}
