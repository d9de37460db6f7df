//! Payments that were given up, because Xero had one that might be the same, continue once that is
//! decided, even if the process that records the decision dies before it releases them, or no poll
//! has seen the other payment.

use domain::entity::EntityKind::Payment;
use domain::ids::{CrmId, XeroPaymentId};
use domain::invoice_payments::PaymentDecision;
use domain::operation::OperationState;
use engine::poll::poll_ledgers;
use engine::sync::invoice_payments;
use jiff::SignedDuration;
use jiff::civil::date;
use tests::World;
use tests::builders::a_payment;
use tests::io_monitor::{CrashPoint, Moment, run};
use tests::world::owner;
use uuid::Uuid;
use xero_sim::Receipt;

use crate::released_at_once::{is_counted_once, with_doubtful_cheque};

const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;

/// An account with a payment in Xero that may be a cheque of the CRM. The cheque was given up,
/// because no poll has asked a user. Returns the payment in Xero.
fn with_given_up_cheque() -> (World, Uuid) {
    let (world, doubtful) = with_doubtful_cheque();
    world.advance(SignedDuration::from_hours(24));
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Skipped);
    (world, doubtful)
}

/// A quarter of an hour passes, and a poll runs in a process that dies at this step. Returns
/// whether it has finished before.
fn poll_until(world: &World, crash: Option<CrashPoint>) -> bool {
    world.advance(MINUTES(15));
    world.io.crash_at(crash);
    let polled = run(poll_ledgers(&world.engine, &[world.ledger()], world.invocation()));
    world.io.crash_at(None);
    polled.is_some()
}

/// The cheque reaches Xero, or is found there, at whichever step the process that decides about it
/// dies. The decision is then repeated, as a user, the schedule or the queue repeats it.
fn continues_after_any_crash(
    prepare: impl Fn(&World, Uuid),
    decide: impl Fn(&World, Uuid, Option<CrashPoint>) -> bool,
    check: impl Fn(&World),
) {
    let mut crashes = 0;
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let (mut world, doubtful) = with_given_up_cheque();
            prepare(&world, doubtful);
            assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Skipped);
            world.restart();
            let at = CrashPoint { step, moment };
            let is_finished = decide(&world, doubtful, Some(at));
            world.restart();
            // Wake-ups of the dead process fire.
            world.advance(MINUTES(6));
            for _ in 0..2 {
                assert!(decide(&world, doubtful, None));
            }
            world.sweep_twice();
            assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced, "{at:?}");
            check(&world);
            if is_finished {
                break;
            }
            crashes += 1;
        }
    }
    assert!(crashes > 5, "{crashes} crashes");
}

/// Xero has both payments.
fn has_both(world: &World) {
    assert_eq!(world.books(|books| books.payments().count()), 2);
}

#[test]
fn a_users_decision_that_dies_at_any_step_leaves_nothing_given_up() {
    let ask = |world: &World, _: Uuid| assert!(poll_until(world, None));
    let answer = |world: &World, doubtful: Uuid, crash: Option<CrashPoint>| {
        let (account, by, invoice) = (world.account(), owner(), CrmId::new("inv_1").unwrap());
        let (payment, new) = (XeroPaymentId(doubtful), PaymentDecision::New);
        world.io.crash_at(crash);
        let engine = &world.engine;
        let decided =
            run(invoice_payments::resolve_payment(engine, &account, &by, &invoice, payment, new));
        world.io.crash_at(None);
        decided.map(Result::unwrap).is_some()
    };
    continues_after_any_crash(ask, answer, has_both);
}

#[test]
fn a_poll_that_dies_at_any_step_of_recognising_a_payment_leaves_it_not_given_up() {
    let enter_as_itself = |world: &World, doubtful: Uuid| {
        world.by_hand(|bookkeeper| bookkeeper.remove_payment(doubtful).unwrap());
        world.is_paid("#INV_1", "57.00", &Receipt::on(date(2026, 10, 11)));
    };
    let poll = |world: &World, _: Uuid, crash: Option<CrashPoint>| poll_until(world, crash);
    continues_after_any_crash(enter_as_itself, poll, is_counted_once);
}

#[test]
fn a_message_that_dies_at_any_step_of_naming_the_payment_in_xero_leaves_nothing_given_up() {
    let ask = |world: &World, _: Uuid| assert!(poll_until(world, None));
    let record = |world: &World, _: Uuid, crash: Option<CrashPoint>| {
        let transfer = a_payment("pay_2", &[("inv_1", "57.00")]).method("bank_transfer");
        world.try_receive(Payment, &transfer.body(), crash).map(Result::unwrap).is_some()
    };
    continues_after_any_crash(ask, record, has_both);
}

#[test]
fn a_payment_continues_after_the_one_it_might_be_was_removed_before_a_poll_saw_it() {
    let (world, doubtful) = with_given_up_cheque();
    world.by_hand_apart(|bookkeeper| bookkeeper.remove_payment(doubtful).unwrap());
    assert!(poll_until(&world, None));
    world.sweep_twice();
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    is_counted_once(&world);
}

#[test]
fn sweeps_make_no_attempt_before_the_decision() {
    for is_asked in [false, true] {
        let (world, _) = with_given_up_cheque();
        if is_asked {
            assert!(poll_until(&world, None));
        }
        let before = world.calls().len();
        for _ in 0..12 {
            world.sweep_twice();
        }
        assert_eq!(world.calls().len(), before, "{is_asked}");
        assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Skipped, "{is_asked}");
    }
}
