//! Records that wait for another one: they are found by its key, continue at once, and are not lost
//! when a process dies.

use domain::entity::EntityKind::{Allocation, CreditNote, Invoice, Payment};
use domain::operation::OperationState;
use engine::inbound::MessageOutcome;
use engine::jobs::health::check_health;
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_payment, an_allocation, an_invoice};
use tests::io_monitor::{CrashPoint, Moment, run};

/// Longer than the visibility timeout of a message.
const VISIBILITY: SignedDuration = SignedDuration::from_mins(12);

fn payment() -> String {
    a_payment("pay_1", &[("inv_1", "114.00")]).body()
}

fn invoice() -> String {
    an_invoice("inv_1", "cli_1").body()
}

/// An account whose payment waits for its invoice.
fn waiting() -> World {
    let world = World::with_accounts();
    let parked = MessageOutcome::Pushed(PushOutcome::Parked);
    assert_eq!(world.receive(Payment, &payment()), parked);
    world
}

fn is_paid(world: &World) -> bool {
    world.mapping(Payment, "pay_1.1").unwrap().operation.state == OperationState::Synced
}

/// Removes these rows, which an earlier release did not write.
fn forget_hints(world: &World) {
    let mut items = world.table.all_items();
    items.retain(|item| !item.key.sk.starts_with("AWAITED#"));
    world.table.restore_items(items);
}

#[test]
fn a_payment_continues_at_once_when_its_invoice_is_in_xero() {
    let world = waiting();
    assert_eq!(world.count_awaited_rows(), 2);
    world.receive(Invoice, &invoice());
    world.advance(SignedDuration::from_secs(2));
    assert!(is_paid(&world));
    assert_eq!(world.count_awaited_rows(), 1, "only the mark of the invoice is left");
}

#[test]
fn an_allocation_continues_when_the_negative_invoice_that_it_names_is_in_xero() {
    let world = World::connected();
    world.receive(Invoice, &invoice());
    let allocation = an_allocation("al_1", "inv_9", "inv_1", "10.00").note_number("#INV_9");
    let parked = MessageOutcome::Pushed(PushOutcome::Parked);
    assert_eq!(world.receive(CreditNote, &allocation.body()), parked);
    assert_eq!(world.count_awaited_rows(), 2);
    let negative = an_invoice("inv_9", "cli_1").price("-95.00", "-114.00");
    world.receive(Invoice, &negative.body());
    assert_eq!(world.count_awaited_rows(), 1, "one mark stands for all ids that may mean the note");
    world.advance(SignedDuration::from_secs(2));
    let allocation = world.mapping(Allocation, "al_1").unwrap();
    assert_eq!(allocation.operation.state, OperationState::Synced);
}

#[test]
fn a_record_that_an_earlier_release_parked_is_released_by_the_sweep_until_the_upgrade() {
    let world = waiting();
    forget_hints(&world);
    world.receive(Invoice, &invoice());
    world.advance(SignedDuration::from_secs(2));
    assert!(!is_paid(&world));
    world.sweep();
    world.advance(SignedDuration::from_secs(2));
    assert!(is_paid(&world));
}

#[test]
fn a_record_that_an_earlier_release_parked_is_found_by_its_key_after_the_upgrade() {
    let world = waiting();
    forget_hints(&world);
    run(check_health(&world.engine, world.invocation())).unwrap().unwrap();
    assert_eq!(world.count_awaited_rows(), 2);
    world.receive(Invoice, &invoice());
    world.advance(SignedDuration::from_secs(2));
    assert!(is_paid(&world));
}

#[test]
fn a_payment_whose_process_dies_at_any_step_reaches_xero_once() {
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let mut world = World::with_accounts();
            world.restart();
            let at = CrashPoint { step, moment };
            let is_finished = world.try_receive(Payment, &payment(), Some(at)).is_some();
            world.restart();
            world.receive(Invoice, &invoice());
            world.advance(VISIBILITY);
            world.receive(Payment, &payment());
            settle(&world);
            assert!(is_paid(&world), "{at:?}");
            assert_eq!(world.books(|books| books.payments().count()), 1, "{at:?}");
            if is_finished {
                assert!(step > 5, "{step}");
                break;
            }
        }
    }
}

#[test]
fn a_payment_reaches_xero_once_although_the_process_of_its_invoice_dies_at_any_step() {
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let mut world = waiting();
            world.restart();
            let at = CrashPoint { step, moment };
            let is_finished = world.try_receive(Invoice, &invoice(), Some(at)).is_some();
            world.restart();
            world.advance(VISIBILITY);
            world.receive(Invoice, &invoice());
            settle(&world);
            assert!(is_paid(&world), "{at:?}");
            assert_eq!(world.books(|books| books.payments().count()), 1, "{at:?}");
            if is_finished {
                assert!(step > 10, "{step}");
                break;
            }
        }
    }
}

/// Everything that waits has had its time, and the sweep has found what lost its wake-up.
fn settle(world: &World) {
    for _ in 0..3 {
        world.advance(SignedDuration::from_hours(2));
        world.sweep();
    }
    world.advance(SignedDuration::from_hours(1));
}
