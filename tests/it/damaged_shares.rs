//! A payment over several invoices, one of which has damaged rows: its share fails alone, with its
//! reason, and the other shares take effect.

use domain::entity::EntityKind::{Invoice, Payment};
use domain::envelope::QueueSource;
use domain::operation::OperationState;
use tests::World;
use tests::builders::{PaymentMessage, a_payment, an_invoice};
use tests::world::ACCOUNT;

use crate::bad_row::{RowFault, make_row_bad};
use crate::faulty_messages::is_alone_aside;
use crate::function::Queues;
use crate::sizes::{damage, refused};
use crate::sizes_shares::recorded;

const INVOICES: [&str; 3] = ["inv_1", "inv_2", "inv_3"];
const BAD_ROW: &str = "MONEY#inv_2";

/// Faults that no repetition ends, with the reasons that are recorded.
const PERMANENT: [(RowFault, &str); 3] = [
    (RowFault::Panics, "panicked"),
    (RowFault::IsCorrupt, "corrupt_row"),
    (RowFault::IsTooLarge, "too_large"),
];

/// A payment over all three invoices.
fn over_three() -> PaymentMessage {
    a_payment("pay_1", &INVOICES.map(|invoice| (invoice, "10.00")))
}

/// Three invoices in Xero. One of them has a payment already, so that it has rows.
fn three_invoices() -> World {
    let world = World::with_accounts();
    for invoice in INVOICES {
        world.receive(Invoice, &an_invoice(invoice, "cli_1").body());
    }
    let earlier = a_payment("pay_0", &[("inv_2", "5.00")]).method("cash");
    world.receive(Payment, &earlier.body());
    while world.wake_ups.take_first().is_some() {}
    world
}

/// The message is dead-lettered alone, and the account learns of it.
fn assert_aside(world: &World, message: &PaymentMessage, code: &str) {
    let mut queues = Queues::of(world, Payment);
    let id = queues.send(QueueSource::Messages, ACCOUNT, message.body());
    let took = queues.work(|_| false);
    is_alone_aside(&queues, &id, took, code);
    assert_eq!(refused(world), [("pay_1".to_owned(), code.to_owned())]);
    let lines = world.log().into_iter().filter(|line| line.code.as_deref() == Some(code));
    assert_eq!(lines.map(|line| line.crm_id.to_string()).collect::<Vec<_>>(), ["pay_1"], "{code}");
}

#[test]
fn a_damaged_share_leaves_the_other_parts_of_a_pushed_payment_unaffected() {
    for (fault, code) in PERMANENT {
        let mut world = three_invoices();
        make_row_bad(&mut world, BAD_ROW, fault);
        assert_aside(&world, &over_three().fee("3.20"), code);
        for part in ["pay_1.1", "pay_1.3", "pay_1.fee"] {
            let mapping = world.mapping(Payment, part).unwrap_or_else(|| panic!("{code}: {part}"));
            assert_eq!(mapping.operation.state, OperationState::Synced, "{code}: {part}");
        }
        assert_eq!(world.mapping(Payment, "pay_1.2"), None, "{code}");
        assert_eq!(world.books(|books| books.payments().count()), 2, "{code}");
        for invoice in ["inv_1", "inv_3"] {
            assert_eq!(recorded(&world, invoice), ["pay_1"], "{code}: {invoice}");
        }
    }
}

#[test]
fn a_damaged_share_leaves_the_other_shares_of_a_payment_through_the_bank_unaffected() {
    for (fault, code) in PERMANENT {
        let mut world = three_invoices();
        make_row_bad(&mut world, BAD_ROW, fault);
        assert_aside(&world, &over_three().method("cash"), code);
        for invoice in ["inv_1", "inv_3"] {
            assert_eq!(recorded(&world, invoice), ["pay_1"], "{code}: {invoice}");
        }
    }
}

#[test]
fn a_share_whose_row_was_repaired_is_recorded_when_the_message_is_received_again() {
    let world = three_invoices();
    let whole = damage(&world, BAD_ROW);
    let message = over_three().body();
    let received = world.try_receive(Payment, &message, None);
    assert!(received.is_some_and(|received| received.is_err()));
    assert_eq!(world.books(|books| books.payments().count()), 2);
    let mut items = world.table.all_items();
    items.retain(|item| item.key != whole.key);
    items.push(whole);
    world.table.restore_items(items);
    world.receive(Payment, &message);
    assert_eq!(recorded(&world, "inv_2"), ["pay_0", "pay_1"]);
    assert_eq!(world.books(|books| books.payments().count()), 3, "each share once");
}

#[test]
fn a_damaged_share_of_a_payment_before_the_first_connection_leaves_the_others_unaffected() {
    let world = World::new();
    let earlier = a_payment("pay_0", &[("inv_2", "5.00")]).method("cash");
    world.receive(Payment, &earlier.body());
    damage(&world, BAD_ROW);
    assert_aside(&world, &over_three().method("cash"), "unreadable_row");
    for invoice in ["inv_1", "inv_3"] {
        assert_eq!(recorded(&world, invoice), ["pay_1"], "{invoice}");
    }
}
