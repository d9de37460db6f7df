//! The refunds of an invoice return together at most what was paid on it.

use domain::ids::CrmId;
use domain::invoice_payments::InvoicePayments;
use tests::io_monitor::{CrashPoint, Moment, run};

use super::*;

/// The time in which released work continues if its queue is idle.
pub(super) const AT_ONCE: SignedDuration = SignedDuration::from_secs(2);

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

#[test]
fn two_refunds_that_together_exceed_what_was_paid_are_not_both_paid() {
    let world = paid("100.00");
    refund(&world, &named("ref_1", "60.00"));
    refund(&world, &named("ref_2", "40.01"));
    assert_eq!(world.state(Payment, "ref_2.note"), OperationState::Skipped);
    let failure = world.mapping(Payment, "ref_2.note").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "refund_over_paid");
    assert_eq!(
        failure.message,
        "GBP 100.00 was paid on #INV_1, of which other refunds return GBP 60.00, so GBP 40.01 cannot be refunded on it."
    );
    assert!(failure.remedy.contains("Never send"), "{failure}");
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("40.00", 1));
    // What is left of the payment can be returned.
    refund(&world, &named("ref_3", "40.00"));
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("0.00", 2));
}

#[test]
fn refunds_that_arrive_together_count_together() {
    let world = paid("120.00");
    let both = [named("ref_1", "80.00"), named("ref_2", "80.00")];
    for message in &both {
        world.receive(Payment, message);
    }
    world.advance(SignedDuration::from_hours(1));
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("40.00", 1));
    // Neither message changes anything when it is sent again.
    for message in &both {
        refund(&world, message);
    }
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("40.00", 1));
}

/// Receives a refund that Xero accepts, but not at the first attempt, and then its second revision.
fn change_before_it_is_written(world: &World, first: &str, second: &str) {
    let on = Match::next("/api.xro/2.0/CreditNotes").method(http::Method::PUT);
    let problem = "minute".to_owned();
    let kind = FaultKind::RateLimited { problem, retry_after_seconds: Some(60) };
    world.inject(Fault { on, kind });
    world.receive(Payment, first);
    let second = second.replacen(r#""revision":1"#, r#""revision":2"#, 1);
    assert!(second.contains(r#""revision":2"#), "{second}");
    refund(world, &second);
}

#[test]
fn a_refund_that_is_raised_before_it_is_written_counts_with_its_new_amount() {
    let world = paid("100.00");
    refund(&world, &named("ref_2", "60.00"));
    change_before_it_is_written(&world, &named("ref_1", "40.00"), &named("ref_1", "40.01"));
    assert_eq!(world.failure_code(Payment, "ref_1.note"), "refund_over_paid");
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("40.00", 1));
    // It takes no room any more.
    refund(&world, &named("ref_3", "40.00"));
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("0.00", 2));
}

#[test]
fn a_refund_that_moves_to_another_invoice_before_it_is_written_takes_no_room_on_the_first() {
    let world = paid("100.00");
    let other = an_invoice("inv_2", "cli_1").currency("GBP").price("120.00", "120.00");
    world.receive(Invoice, &other.tax_rate("0").body());
    world.receive(Payment, &a_payment("pay_2", &[("inv_2", "120.00")]).body());
    let first = named("ref_1", "100.00");
    change_before_it_is_written(&world, &first, &first.replace("inv_1", "inv_2"));
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("120.00", 1));
    refund(&world, &named("ref_2", "100.00"));
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("20.00", 2));
}

#[test]
fn refunds_of_an_invoice_without_a_known_payment_return_at_most_its_total() {
    let world = holding("GBP");
    bill(&world, "GBP");
    refund(&world, &named("ref_1", "100.00"));
    refund(&world, &named("ref_2", "20.01"));
    assert_eq!(world.failure_code(Payment, "ref_2.note"), "refund_over_paid");
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("-100.00", 1));
}

#[test]
fn a_refund_that_was_refused_is_sent_once_a_further_payment_is_in_xero() {
    let world = paid("60.00");
    refund(&world, &named("ref_1", "100.00"));
    assert_eq!(world.failure_code(Payment, "ref_1.note"), "refund_over_paid");
    world.receive(Payment, &a_payment("pay_2", &[("inv_1", "60.00")]).body());
    world.advance(SignedDuration::from_mins(15));
    world.poll();
    world.advance(SignedDuration::from_mins(15));
    assert_eq!(world.state(Payment, "ref_1.1"), OperationState::Synced);
    assert_eq!(world.balance_of("092"), "20.00");
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
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("0.00", 0));
}

/// Forgets which refunds count, as the rows of a release that did not follow them do.
fn forget_refunds(world: &World) {
    let (store, invoice) = (&world.engine.store, CrmId::new("inv_1").unwrap());
    let rows = run(store.find_invoice_payments(&world.ledger(), &invoice)).unwrap().unwrap();
    let rows = rows.unwrap();
    assert!(!rows.record.refunds.is_empty());
    let earlier = InvoicePayments { refunds: Vec::new(), ..rows.record.clone() };
    run(store.put_invoice_payments(&rows, earlier, None, &[])).unwrap().unwrap();
}

#[test]
fn a_refund_that_an_earlier_release_sent_counts() {
    let world = paid("120.00");
    refund(&world, &named("ref_1", "80.00"));
    forget_refunds(&world);
    refund(&world, &named("ref_2", "40.01"));
    let failure = world.mapping(Payment, "ref_2.note").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "refund_over_paid");
    assert!(failure.message.contains("of which other refunds return GBP 80.00"), "{failure}");
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("40.00", 1));
    refund(&world, &named("ref_3", "40.00"));
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("0.00", 2));
}

#[test]
fn a_refund_of_an_earlier_release_whose_answer_was_lost_counts_and_is_completed() {
    let world = paid("120.00");
    let path = "/api.xro/2.0/CreditNotes";
    let on = Match { method: Some(http::Method::PUT), ..Match::next(path) };
    world.inject(Fault { on, kind: FaultKind::LostAfter });
    world.receive(Payment, &named("ref_1", "80.00"));
    assert_eq!(notes(&world).len(), 1);
    forget_refunds(&world);
    world.receive(Payment, &named("ref_2", "80.00"));
    assert_eq!(world.failure_code(Payment, "ref_2.note"), "refund_over_paid");
    // Now nothing is paid: only its credit note in Xero shows that the refund was admitted.
    forget_refunds(&world);
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "120.00")]).deleted().body());
    world.advance(SignedDuration::from_hours(1));
    assert_eq!(world.state(Payment, "ref_1.1"), OperationState::Synced);
    assert_eq!(notes(&world).len(), 1);
}

#[test]
fn refunds_on_another_invoice_of_the_client_do_not_count() {
    let world = paid("120.00");
    let other = an_invoice("inv_2", "cli_1").price("120.00", "120.00");
    world.receive(Invoice, &other.tax_rate("0").body());
    world.receive(Payment, &a_payment("pay_2", &[("inv_2", "120.00")]).body());
    let of_other = named("ref_9", "120.00").replace("inv_1", "inv_2");
    refund(&world, &of_other);
    refund(&world, &named("ref_1", "120.00"));
    assert_eq!(world.state(Payment, "ref_1.1"), OperationState::Synced);
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("0.00", 2));
}

/// A payment in cash, which is recorded and not written to Xero.
fn cash(id: &str, amount: &str) -> String {
    a_payment(id, &[("inv_1", amount)]).method("cash").body()
}

#[test]
fn a_refund_continues_at_once_after_a_payment_that_only_the_crm_records() {
    let world = paid("60.00");
    refund(&world, &named("ref_1", "100.00"));
    assert_eq!(world.failure_code(Payment, "ref_1.note"), "refund_over_paid");
    let calls = world.calls().len();
    // This is not enough, so the refund is not tried.
    world.receive(Payment, &cash("pay_2", "39.99"));
    world.advance(AT_ONCE);
    assert_eq!(world.failure_code(Payment, "ref_1.note"), "refund_over_paid");
    assert_eq!(world.calls().len(), calls);
    world.receive(Payment, &cash("pay_3", "0.01"));
    world.advance(AT_ONCE);
    assert_eq!(world.state(Payment, "ref_1.note"), OperationState::Synced);
    world.advance(AT_ONCE);
    assert_eq!(world.state(Payment, "ref_1.1"), OperationState::Synced);
    assert_eq!(world.balance_of("092"), "-40.00");
}

#[test]
fn a_process_that_dies_after_it_records_a_payment_leaves_no_refund_given_up() {
    let mut crashes = 0;
    for step in 1.. {
        let mut world = paid("60.00");
        refund(&world, &named("ref_1", "100.00"));
        let at = CrashPoint { step, moment: Moment::After };
        let message = cash("pay_2", "60.00");
        let is_done = world.try_receive(Payment, &message, Some(at)).is_some();
        world.restart();
        // The message returns to its queue. The payment is recorded, so nothing changes then.
        world.receive(Payment, &message);
        for _ in 0..4 {
            world.advance(SignedDuration::from_mins(5));
            world.sweep();
        }
        world.advance(SignedDuration::from_mins(5));
        assert_eq!(world.state(Payment, "ref_1.1"), OperationState::Synced, "{at:?}");
        assert_eq!(world.balance_of("092"), "-40.00", "{at:?}");
        if is_done {
            break;
        }
        crashes += 1;
    }
    assert!(crashes > 3, "{crashes} crashes");
}

#[test]
fn refunds_of_an_overpaid_invoice_return_together_at_most_its_total() {
    let world = paid("120.00");
    world.receive(Payment, &cash("pay_2", "60.00"));
    refund(&world, &named("ref_1", "100.00"));
    refund(&world, &named("ref_2", "60.01"));
    let failure = world.mapping(Payment, "ref_2.note").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "refund_over_paid");
    assert_eq!(
        failure.message,
        "The total of #INV_1 is GBP 120.00, of which other refunds return GBP 100.00, so GBP 60.01 cannot be refunded on it."
    );
    assert!(failure.remedy.contains("refund the overpayment in Xero"), "{failure}");
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("20.00", 1));
}

#[test]
fn money_that_was_paid_in_excess_is_not_returned_by_a_credit_note() {
    let world = paid("120.00");
    world.receive(Payment, &cash("pay_2", "60.00"));
    refund(&world, &named("ref_1", "60.00"));
    let failure = world.mapping(Payment, "ref_1.note").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "refund_over_paid");
    assert_eq!(
        failure.message,
        "GBP 60.00 more than its total was paid on #INV_1, so a refund of GBP 60.00 does not reduce what was billed."
    );
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("120.00", 0));
    // The second payment was recorded by mistake, so the refund returns what was billed.
    let mistaken = a_payment("pay_2", &[("inv_1", "60.00")]).method("cash").deleted();
    world.receive(Payment, &mistaken.body());
    world.sweep_twice();
    world.sweep_twice();
    assert_eq!(world.state(Payment, "ref_1.1"), OperationState::Synced);
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("60.00", 1));
}
