//! Records that failed because of the state of a document in Xero continue after it has changed,
//! even if the process that records the change dies before it releases them, or does not find them.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::entity::EntityKind::{Allocation, CreditNote, Invoice, Payment};
use domain::failure::FailureClass;
use domain::ids::CrmId;
use domain::mapping::MappingKey;
use domain::operation::OperationState;
use engine::poll::poll_ledgers;
use engine::ports::Clock;
use http::Method;
use jiff::SignedDuration;
use jiff::civil::date;
use store::table::WriteExpectation;
use tests::World;
use tests::builders::{a_credit_note, a_payment, an_allocation, an_invoice};
use tests::io_monitor::{CrashPoint, Moment, run};
use tests::ports::{Intercepted, respond};
use uuid::Uuid;
use xero_sim::Receipt;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const QUARTER: SignedDuration = SignedDuration::from_mins(15);
/// The time in which released work continues if its queue is idle.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(2);
const OVER_DUE: &str = "Payment amount exceeds the amount outstanding on this document";

fn pays(world: &World, amount: &str) -> Uuid {
    world.clock.advance(MINUTE);
    let payment = world.is_paid("#INV_1", amount, &Receipt::on(date(2026, 11, 1)));
    world.clock.advance(MINUTE);
    payment
}

/// A world with a payment of the CRM that was given up, because a bookkeeper has recorded another
/// one of 50.00 on its invoice and the poll has seen that. Returns that payment, too.
fn with_given_up_payment() -> (World, Uuid) {
    let world = World::with_seen_invoice();
    let other = pays(&world, "50.00");
    world.advance(QUARTER);
    world.poll();
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).body());
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Skipped);
    (world, other)
}

/// Polls in a process that dies at this step. Returns whether it has finished before.
fn poll_until(world: &World, crash: CrashPoint) -> bool {
    world.io.crash_at(Some(crash));
    let polled = run(poll_ledgers(&world.engine, &[world.ledger()], world.invocation()));
    world.io.crash_at(None);
    polled.is_some()
}

#[test]
fn a_poll_that_dies_at_any_step_after_a_change_leaves_nothing_given_up() {
    let mut crashes = 0;
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let (mut world, other) = with_given_up_payment();
            world.by_hand_apart(|bookkeeper| bookkeeper.remove_payment(other).unwrap());
            world.advance(QUARTER);
            let at = CrashPoint { step, moment };
            let finished = poll_until(&world, at);
            world.restart();
            // The next polls record the change, unless the dead one has. Then only the sweep
            // releases the payment.
            for _ in 0..2 {
                world.advance(QUARTER);
                world.poll();
            }
            world.sweep_twice();
            assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced, "{at:?}");
            if finished {
                break;
            }
            crashes += 1;
        }
    }
    assert!(crashes > 10, "{crashes} crashes");
}

#[test]
fn a_push_that_dies_at_any_step_of_raising_an_invoice_leaves_its_credit_not_given_up() {
    let mut crashes = 0;
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let mut world = World::connected();
            world.receive(Invoice, &an_invoice("inv_2", "cli_1").price("50.00", "60.00").body());
            world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
            world.receive(Allocation, &an_allocation("al_1", "cn_1", "inv_2", "70.00").body());
            assert_eq!(world.state(Allocation, "al_1"), OperationState::Skipped);
            world.clock.advance(MINUTE);
            world.restart();
            let dearer = an_invoice("inv_2", "cli_1").revision(2).price("75.00", "90.00").body();
            let at = CrashPoint { step, moment };
            let finished = world.try_receive(Invoice, &dearer, Some(at)).is_some();
            world.restart();
            // Wake-ups of the dead process fire; then the queue redelivers the message.
            world.advance(SignedDuration::from_mins(6));
            world.receive(Invoice, &dearer);
            world.sweep_twice();
            world.advance(SignedDuration::from_hours(13));
            world.sweep_twice();
            assert_eq!(world.state(Allocation, "al_1"), OperationState::Synced, "{at:?}");
            if finished {
                break;
            }
            crashes += 1;
        }
    }
    assert!(crashes > 10, "{crashes} crashes");
}

#[test]
fn a_payment_whose_row_among_the_dependants_was_lost_continues_with_the_next_sweep() {
    let (world, other) = with_given_up_payment();
    let key = |kind, id: &str| MappingKey::new(world.ledger(), kind, CrmId::new(id).unwrap());
    let (invoice, payment) = (key(Invoice, "inv_1"), key(Payment, "pay_1.1"));
    run(world.engine.store.remove_dependants(&invoice, &[payment])).unwrap().unwrap();
    world.by_hand_apart(|bookkeeper| bookkeeper.remove_payment(other).unwrap());
    world.advance(QUARTER);
    world.poll();
    world.advance(AT_ONCE);
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Skipped);
    world.sweep();
    world.advance(AT_ONCE);
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
}

/// Another process records a change of the invoice while Xero's refusal of a payment is explained.
/// It does not release the payment, because the attempt has not ended.
#[test]
fn a_change_that_is_recorded_before_the_attempt_ends_releases_the_record_at_once() {
    let mut world = World::with_seen_invoice();
    let other = pays(&world, "50.00");
    let inner = world.engine.transport.clone();
    let (store, clock) = (world.engine.store.clone(), world.clock.clone());
    let key = MappingKey::new(world.ledger(), Invoice, CrmId::new("inv_1").unwrap());
    let (is_sent, is_recorded) = (AtomicBool::new(false), AtomicBool::new(false));
    world.engine.transport = Intercepted::on(inner, move |request| {
        let path = request.uri().path();
        if request.method() == Method::PUT && path == "/api.xro/2.0/Payments" {
            is_sent.store(true, Ordering::SeqCst);
        }
        let explains = request.method() == Method::GET
            && path.starts_with("/api.xro/2.0/Invoices")
            && is_sent.load(Ordering::SeqCst);
        if explains && !is_recorded.swap(true, Ordering::SeqCst) {
            clock.advance(SignedDuration::from_secs(1));
            let row = run(store.find_mapping(&key)).unwrap().unwrap().unwrap();
            let (mut invoice, version) = (row.record, row.version);
            invoice.link.as_mut().unwrap().xero_updated_at = Some(clock.now());
            let expect = WriteExpectation::Version(version);
            run(store.put_mapping(&invoice, expect, None)).unwrap().unwrap();
        }
        None
    });
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).body());
    let state_after = world.state(Payment, "pay_1.1");
    assert!(matches!(state_after, OperationState::Waiting { .. }), "{state_after:?}");
    world.by_hand_apart(|bookkeeper| bookkeeper.remove_payment(other).unwrap());
    world.advance(AT_ONCE);
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
}

#[test]
fn sweeps_make_no_attempt_while_the_document_does_not_change() {
    let (world, _) = with_given_up_payment();
    let before = world.calls().len();
    for _ in 0..12 {
        world.sweep_twice();
    }
    assert_eq!(world.calls().len(), before);
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Skipped);
}

#[test]
fn a_payment_made_and_removed_between_two_polls_releases_what_it_stopped() {
    let mut world = World::with_seen_invoice();
    let other = pays(&world, "50.00");
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).body());
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Skipped);
    world.by_hand_apart(|bookkeeper| bookkeeper.remove_payment(other).unwrap());
    // The amounts that the poll reads are those that it knows. It dies after it has recorded when
    // the invoice has changed, or before.
    for step in 1.. {
        let finished = poll_until(&world, CrashPoint { step, moment: Moment::After });
        world.restart();
        world.sweep_twice();
        if finished {
            break;
        }
    }
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
}

#[test]
fn a_retry_of_a_refusal_that_the_document_does_not_show_begins_when_the_document_changes() {
    let mut world = World::with_seen_invoice();
    let inner = world.engine.transport.clone();
    let body = format!(
        r#"{{"Payments":[{{"HasErrors":true,"ValidationErrors":[{{"Message":"{OVER_DUE}"}}]}}]}}"#
    );
    world.engine.transport = Intercepted::on(inner.clone(), move |request| {
        let is_payment =
            request.method() == Method::PUT && request.uri().path() == "/api.xro/2.0/Payments";
        is_payment.then(|| Ok(respond(200, &body)))
    });
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "14.00")]).body());
    let operation = world.mapping(Payment, "pay_1.1").unwrap().operation;
    let failure = operation.failure.unwrap();
    assert_eq!((failure.class, &*failure.code), (FailureClass::Rejected, "amount_over_due"));
    assert!(matches!(operation.state, OperationState::Waiting { .. }), "{:?}", operation.state);
    world.engine.transport = inner;
    let _other = pays(&world, "10.00");
    world.poll();
    world.advance(AT_ONCE);
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
}
