//! Records whose rows cannot be read or written, among others: polls, releases, disconnects, payments
//! and searches handle the others.

use std::collections::BTreeSet;

use domain::entity::EntityKind::{Contact, Invoice, Payment};
use domain::ids::{AccountId, CrmId, PaymentId};
use domain::operation::OperationState;
use domain::outbound::EventContent;
use engine::commands::contacts;
use engine::commands::payments::{self, PaymentNeverSendOutcome};
use engine::connection::disconnect::DisconnectOutcome;
use engine::inbound::MessageOutcome;
use engine::poll::PollOutcome;
use engine::ports::Metric;
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use store::table::StoredItem;
use tests::World;
use tests::builders::{a_client, a_client_of, a_payment, an_invoice};
use tests::io_monitor::run;
use tests::world::owner;
use uuid::Uuid;

use crate::bad_row::{RowFault, make_row_bad};
use crate::sizes::{damage, two_paid_invoices};

/// The payments that were reported as imported.
fn imported(world: &World) -> Vec<Uuid> {
    let imported = |content: EventContent| {
        let EventContent::PaymentImported(payment) = content else { return None };
        Some(payment.xero_payment_id.0)
    };
    world.events.contents().into_iter().filter_map(imported).collect()
}

fn is_defect_counted(world: &World) -> bool {
    world.metrics.all().contains(&Metric::Defect)
}

#[test]
fn an_invoice_with_an_unreadable_reverse_link_delays_no_other() {
    let (world, other) = two_paid_invoices();
    let link = world.mapping(Invoice, "inv_1").unwrap().link.unwrap();
    damage(&world, &format!("XID#invoice#{}", link.xero_id));
    assert_eq!(world.wait_and_poll(), PollOutcome::Read { changed: 1 });
    assert_eq!(imported(&world), [other]);
    assert!(is_defect_counted(&world));
}

#[test]
fn an_invoice_whose_money_cannot_be_processed_delays_no_other_and_is_reported() {
    for row in ["MONEY#inv_1", "MAP#invoice#inv_1"] {
        for fault in [RowFault::Panics, RowFault::IsCorrupt, RowFault::IsTooLarge] {
            let (mut world, other) = two_paid_invoices();
            make_row_bad(&mut world, row, fault);
            assert_eq!(world.wait_and_poll(), PollOutcome::Read { changed: 1 }, "{row} {fault:?}");
            assert_eq!(imported(&world), [other], "{row} {fault:?}");
            assert!(is_defect_counted(&world), "{row} {fault:?}");
            let lines = world.log().into_iter();
            let lines = lines.filter(|line| line.message.contains("Contact support"));
            let reported = lines.map(|line| line.crm_id.to_string()).collect::<BTreeSet<_>>();
            let expected = BTreeSet::from(["inv_1".to_owned()]);
            assert_eq!(reported, expected, "{row} {fault:?}");
        }
    }
}

#[test]
fn a_parked_record_that_cannot_be_released_holds_up_no_other() {
    for fault in [RowFault::Panics, RowFault::IsCorrupt, RowFault::IsTooLarge] {
        let mut world = World::with_accounts();
        for id in ["pay_1", "pay_2"] {
            let received = world.receive(Payment, &a_payment(id, &[("inv_1", "10.00")]).body());
            assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Parked));
        }
        make_row_bad(&mut world, "MAP#payment#pay_1.1", fault);
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        world.advance(SignedDuration::from_mins(2));
        let released = world.mapping(Payment, "pay_2.1").unwrap();
        assert_eq!(released.operation.state, OperationState::Synced, "{fault:?}");
        assert!(is_defect_counted(&world), "{fault:?}");
    }
}

#[test]
fn a_grant_with_an_unreadable_user_is_not_revoked_and_others_disconnect() {
    let world = World::connected();
    let second = world.xero().settings().organisations[1].id;
    world.clock.advance(SignedDuration::from_mins(10));
    world.connect_account(&AccountId::new("acc_summit").unwrap(), &[second]);
    damage(&world, "USE#acc_summit");
    assert_eq!(world.disconnect(), DisconnectOutcome::Done);
    assert!(world.connection().leftovers.is_empty());
    assert_eq!((world.calls_of("/connect/revocation"), world.secrets.len()), (0, 1));
    assert!(is_defect_counted(&world));
    let received = world.receive(Contact, &a_client_of("acc_summit", "cli_1", 1));
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced));
}

/// A payment with two parts in Xero.
fn a_payment_of_two_invoices() -> (World, PaymentId, String) {
    let world = World::with_accounts();
    for id in ["inv_1", "inv_2"] {
        world.receive(Invoice, &an_invoice(id, "cli_1").body());
    }
    let body = a_payment("pay_1", &[("inv_1", "10.00"), ("inv_2", "20.00")]).body();
    world.receive(Payment, &body);
    (world, PaymentId::new("pay_1").unwrap(), body)
}

/// The parts that users see.
fn parts(world: &World, payment: &PaymentId) -> Vec<String> {
    let view = run(payments::find_payment_view(&world.engine, &world.account(), payment));
    let view = view.unwrap().unwrap().unwrap();
    view.parts.iter().map(|part| part.crm_id.to_string()).collect()
}

#[test]
fn a_payment_with_an_unreadable_part_shows_and_changes_the_others() {
    let (world, payment, _) = a_payment_of_two_invoices();
    damage(&world, "MAP#payment#pay_1.1");
    assert_eq!(parts(&world, &payment), ["pay_1.2"]);
    assert!(is_defect_counted(&world));
    let (account, by) = (world.account(), owner());
    let never = run(payments::never_send_payment(&world.engine, &account, &by, &payment));
    assert_eq!(never.unwrap().unwrap(), PaymentNeverSendOutcome::Done);
    // A payment without a readable part is not an unknown payment.
    damage(&world, "MAP#payment#pay_1.2");
    let none = run(payments::find_payment_view(&world.engine, &account, &payment)).unwrap();
    assert!(none.is_err(), "{none:?}");
    let unknown = PaymentId::new("pay").unwrap();
    let unknown = run(payments::find_payment_view(&world.engine, &account, &unknown)).unwrap();
    assert!(matches!(unknown, Ok(None)), "{unknown:?}");
}

#[test]
fn a_payment_part_without_text_is_shown_and_accepts_the_same_revision_again() {
    let (world, payment, body) = a_payment_of_two_invoices();
    let without_text = |item: StoredItem| {
        let is_it = item.key.sk == "MAP#payment#pay_1.1";
        if is_it { StoredItem { snapshot: None, ..item } } else { item }
    };
    let items = world.table.all_items().into_iter().map(without_text).collect();
    world.table.restore_items(items);
    assert!(world.mapping(Payment, "pay_1.1").unwrap().snapshot.json.is_empty());
    assert_eq!(parts(&world, &payment), ["pay_1.1", "pay_1.2"]);
    world.receive(Payment, &body);
    let part = world.mapping(Payment, "pay_1.1").unwrap();
    assert!(!part.snapshot.json.is_empty());
    assert_eq!(part.operation.state, OperationState::Synced);
    assert_eq!(world.books(|books| books.payments().count()), 2);
}

#[test]
fn a_search_shows_a_contact_whose_link_cannot_be_read() {
    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge Plumbing", "push"));
    world.receive(Contact, &a_client("cli_2", 1, "Ridge Heating", "push"));
    let link = world.mapping(Contact, "cli_1").unwrap().link.unwrap();
    damage(&world, &format!("XID#contact#{}", link.xero_id));
    let (account, invocation) = (world.account(), world.invocation());
    let found = run(contacts::search_contacts(&world.engine, &account, "ridge", invocation));
    let found = found.unwrap().unwrap();
    let clients = found.into_iter().map(|contact| contact.client_id).collect::<BTreeSet<_>>();
    assert_eq!(clients, BTreeSet::from([None, Some(CrmId::new("cli_2").unwrap())]));
    assert!(is_defect_counted(&world));
}
