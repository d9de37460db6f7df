//! The refunds of an invoice return together at most what was paid on it.

use super::*;

/// A refund with this id of this amount on the invoice.
pub(super) fn named(id: &str, amount: &str) -> String {
    a_refund("GBP", amount, r#""invoice_id":"inv_1""#).replace("ref_1", id)
}

/// A world whose invoice over 120.00 was paid by this amount through Stripe.
pub(super) fn paid(amount: &str) -> World {
    let world = holding("GBP");
    bill(&world, "GBP");
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", amount)]).body());
    world
}

fn failure_code(world: &World, part: &str) -> String {
    let failure = world.mapping(Payment, part).unwrap().operation.failure;
    failure.unwrap().code.into_owned()
}

#[test]
fn two_refunds_that_together_exceed_what_was_paid_are_not_both_paid() {
    let world = paid("100.00");
    refund(&world, &named("ref_1", "60.00"));
    refund(&world, &named("ref_2", "40.01"));
    assert_eq!(state(&world, "ref_2.note"), OperationState::Skipped);
    let failure = world.mapping(Payment, "ref_2.note").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "refund_over_paid");
    assert_eq!(
        failure.message,
        "GBP 100.00 was paid on #INV_1, of which other refunds return GBP 60.00, so GBP 40.01 cannot be refunded on it."
    );
    assert!(failure.remedy.contains("Never send"), "{failure}");
    assert_eq!((balance(&world).as_str(), notes(&world).len()), ("40.00", 1));
    // What is left of the payment can be returned.
    refund(&world, &named("ref_3", "40.00"));
    assert_eq!((balance(&world).as_str(), notes(&world).len()), ("0.00", 2));
}

#[test]
fn refunds_that_arrive_together_count_together() {
    let world = paid("120.00");
    let both = [named("ref_1", "80.00"), named("ref_2", "80.00")];
    for message in &both {
        world.receive(Payment, message);
    }
    world.advance(SignedDuration::from_hours(1));
    assert_eq!((balance(&world).as_str(), notes(&world).len()), ("40.00", 1));
    // Neither message changes anything when it is sent again.
    for message in &both {
        refund(&world, message);
    }
    assert_eq!((balance(&world).as_str(), notes(&world).len()), ("40.00", 1));
}

#[test]
fn refunds_of_an_invoice_without_a_known_payment_return_at_most_its_total() {
    let world = holding("GBP");
    bill(&world, "GBP");
    refund(&world, &named("ref_1", "100.00"));
    refund(&world, &named("ref_2", "20.01"));
    assert_eq!(failure_code(&world, "ref_2.note"), "refund_over_paid");
    assert_eq!((balance(&world).as_str(), notes(&world).len()), ("-100.00", 1));
}

#[test]
fn a_refund_that_was_refused_is_sent_once_a_further_payment_is_in_xero() {
    let world = paid("60.00");
    refund(&world, &named("ref_1", "100.00"));
    assert_eq!(failure_code(&world, "ref_1.note"), "refund_over_paid");
    world.receive(Payment, &a_payment("pay_2", &[("inv_1", "60.00")]).body());
    world.advance(SignedDuration::from_mins(15));
    world.poll();
    world.advance(SignedDuration::from_mins(15));
    assert_eq!(state(&world, "ref_1.1"), OperationState::Synced);
    assert_eq!(balance(&world), "20.00");
}

#[test]
fn a_payment_that_was_deleted_is_not_returned() {
    let world = paid("100.00");
    let deleted = a_payment("pay_1", &[("inv_1", "100.00")]).deleted();
    world.receive(Payment, &deleted.body());
    refund(&world, &named("ref_1", "60.00"));
    let failure = world.mapping(Payment, "ref_1.note").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "refund_over_paid");
    assert_eq!(
        failure.message,
        "GBP 0.00 was paid on #INV_1, so GBP 60.00 cannot be refunded on it."
    );
    assert_eq!((balance(&world).as_str(), notes(&world).len()), ("0.00", 0));
}
