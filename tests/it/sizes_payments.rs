//! Numbers of payments on invoices: at a limit, just above it, and far above it.

use std::collections::BTreeSet;

use domain::connection::ConnectionStatus;
use domain::entity::EntityKind::Payment;
use domain::ids::CrmId;
use domain::invoice_payments::{InvoicePayments, PAYMENTS_MAX, PaymentMatch, RecordedPayment};
use domain::outbound::{EventContent, EventMessage, OutboundEvent};
use engine::inbound::MessageOutcome;
use engine::jobs::sweep::sweep_all_shards;
use engine::poll::{PollOutcome, poll_ledgers};
use engine::ports::{Clock, Metric};
use engine::sync::invoice_payments;
use engine::sync::push::PushOutcome;
use jiff::civil::date;
use store::table::{ItemVersion, NewItem};
use store::{InvoicePaymentRows, StoreError};
use tests::World;
use tests::builders::a_payment;
use tests::io_monitor::{CrashPoint, Moment, run};
use uuid::Uuid;
use xero_sim::Receipt;

use crate::sizes::{QUARTER, billed, bytes, damage, refused, row, two_paid_invoices};
use crate::sizes_shares::in_cash;

/// This number of payments of 5p in Xero.
fn pay(world: &World, count: usize) -> Vec<Uuid> {
    let receipt = Receipt::on(date(2026, 11, 2));
    (0..count).map(|_| world.is_paid("#INV_1", "0.05", &receipt)).collect()
}

fn unpay(world: &World, payments: &[Uuid]) {
    let (tenant, now) = (world.tenant(), world.clock.now());
    let mut xero = world.xero();
    let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
    for payment in payments {
        bookkeeper.remove_payment(*payment).unwrap();
    }
}

/// The payments that were reported as imported, and those reported as removed.
fn reported(world: &World) -> (Vec<Uuid>, Vec<Uuid>) {
    let (mut imported, mut removed) = (Vec::new(), Vec::new());
    for content in world.events.contents() {
        match content {
            EventContent::PaymentImported(payment) => imported.push(payment.xero_payment_id.0),
            EventContent::PaymentRemoved { payment, .. } => removed.push(payment.xero_payment_id.0),
            EventContent::Skipped { .. }
            | EventContent::RecordSynced(_)
            | EventContent::PaymentUnclear { .. }
            | EventContent::RefundRemoved(_)
            | EventContent::PaymentOverpaid(_)
            | EventContent::MessageRefused { .. }
            | EventContent::CreditNoteStatus { .. }
            | EventContent::BooksCompared { .. }
            | EventContent::PaymentStatus { .. }
            | EventContent::XeroStatus { .. }
            | EventContent::Connection { .. } => {}
        }
    }
    (imported, removed)
}

fn is_once(reported: &[Uuid], expected: &[Uuid]) -> bool {
    let set = |ids: &[Uuid]| ids.iter().copied().collect::<BTreeSet<_>>();
    reported.len() == expected.len() && set(reported) == set(expected)
}

/// Whether the CRM received the invoice's events in the order of their sequence.
fn is_in_order(world: &World) -> bool {
    let contents = world.events.contents();
    contents
        .iter()
        .filter_map(|content| content.invoice_sequence().map(|(_, number)| number))
        .is_sorted()
}

fn known(world: &World) -> InvoicePayments {
    let invoice = CrmId::new("inv_1").unwrap();
    run(invoice_payments::find_invoice_payments(&world.engine, &world.account(), &invoice))
        .unwrap()
        .unwrap()
        .unwrap()
}

#[test]
fn any_number_of_payments_is_imported_and_removed_once_each_and_in_order() {
    for count in [40, 41, 120, 619, 1_300] {
        let world = billed();
        let payments = pay(&world, count);
        assert_eq!(world.wait_and_poll(), PollOutcome::Read { changed: 1 }, "{count}");
        assert!(is_once(&reported(&world).0, &payments), "{count}");
        assert_eq!(known(&world).received.len(), count);
        assert_eq!(world.wait_and_poll(), PollOutcome::Read { changed: 0 }, "{count}");
        unpay(&world, &payments);
        assert_eq!(world.wait_and_poll(), PollOutcome::Read { changed: 1 }, "{count}");
        assert!(is_once(&reported(&world).1, &payments), "{count}");
        assert!(known(&world).received.iter().all(|one| one.is == PaymentMatch::Removed));
        assert!(is_in_order(&world), "{count}");
        assert_eq!(reported(&world).0.len(), count, "nothing is imported again");
        let money = world.table.all_items().into_iter();
        let money = money.filter(|item| item.key.sk.starts_with("MONEY#"));
        assert!(money.map(|item| bytes(&item)).all(|bytes| bytes < 8 * 1024), "{count}");
    }
}

#[test]
fn a_poll_that_dies_at_any_step_of_a_large_change_is_completed_by_the_next() {
    for step in (1..).step_by(7) {
        let world = billed();
        let payments = pay(&world, 90);
        world.clock.advance(QUARTER);
        world.io.crash_at(Some(CrashPoint { step, moment: Moment::Before }));
        let died = run(poll_ledgers(&world.engine, &[world.ledger()], world.invocation()));
        world.io.crash_at(None);
        world.wait_and_poll();
        run(sweep_all_shards(&world.engine, world.invocation())).unwrap();
        assert!(is_once(&reported(&world).0, &payments), "step {step}");
        assert!(is_in_order(&world), "step {step}");
        let left =
            world.table.all_items().into_iter().filter(|item| item.key.sk.starts_with("OUT#"));
        assert_eq!(left.count(), 0, "step {step}");
        assert_eq!(world.wait_and_poll(), PollOutcome::Read { changed: 0 }, "step {step}");
        if died.is_some() {
            assert!(step > 100, "{step}");
            return;
        }
    }
}

#[test]
fn payments_in_the_row_of_an_earlier_release_are_read_and_moved_to_separate_rows() {
    let world = billed();
    let mut payments = pay(&world, 60);
    world.wait_and_poll();
    // An earlier release stored them all in one row.
    let old = known(&world);
    let key = row(&world, "MONEY#inv_1").key;
    let others = world.table.all_items().into_iter();
    let others = others.filter(|item| !item.key.sk.starts_with("MONEY#"));
    let whole =
        NewItem::new(key, serde_json::to_string(&old).unwrap()).into_stored(ItemVersion::FIRST);
    world.table.restore_items(others.chain([whole]).collect());
    assert_eq!(known(&world), old);
    let in_first_row = |world: &World| {
        let record: serde_json::Value =
            serde_json::from_str(&row(world, "MONEY#inv_1").record).unwrap();
        record.get("received").and_then(|list| list.as_array().map(Vec::len)).unwrap_or(0)
    };
    assert_eq!(in_first_row(&world), 60);
    let order =
        |world: &World| known(world).received.iter().map(|one| one.id.0).collect::<Vec<_>>();
    let before = order(&world);
    unpay(&world, &payments[..50]);
    world.wait_and_poll();
    assert!(is_once(&reported(&world).1, &payments[..50]));
    assert_eq!(order(&world), before);
    assert!(in_first_row(&world) < 60);
    while in_first_row(&world) > 0 {
        payments.extend(pay(&world, 1));
        world.wait_and_poll();
        assert_eq!(order(&world).get(..60), Some(&before[..]));
    }
    assert!(is_once(&reported(&world).0, &payments));
    let removed =
        known(&world).received.iter().filter(|one| one.is == PaymentMatch::Removed).count();
    assert_eq!(removed, 50);
}

/// A payment that the CRM recorded in cash.
fn recorded(number: usize) -> RecordedPayment {
    in_cash(&format!("pay_{number}"))
}

fn no_rows(world: &World) -> InvoicePaymentRows {
    InvoicePaymentRows::without_payments(world.ledger(), CrmId::new("inv_1").unwrap())
}

#[test]
fn a_change_of_more_rows_than_a_transaction_allows_is_an_error_and_no_panic() {
    let world = billed();
    for (count, is_written) in [(99, true), (100, false), (9_900, false)] {
        let world_store = &world.engine.store;
        let mut changed = no_rows(&world).record;
        changed.recorded = (0..count).map(recorded).collect();
        let written =
            run(world_store.put_invoice_payments(&no_rows(&world), changed, None, &[])).unwrap();
        match written {
            Ok(_) => assert!(is_written, "{count}"),
            Err(StoreError::Conflict) => panic!("{count}: there is no other writer"),
            Err(error) => {
                assert!(!is_written && error.is_about_the_record(), "{count}: {error}");
            }
        }
        let kept = world.table.all_items().into_iter();
        let kept = kept.filter(|item| !item.key.sk.starts_with("MONEY#"));
        world.table.restore_items(kept.collect());
    }
}

#[test]
fn a_change_of_more_events_than_a_transaction_allows_is_an_error_and_no_panic() {
    for (count, is_written) in [(99, true), (100, false), (9_900, false)] {
        let world = billed();
        let event = |number: u128| {
            let content = EventContent::Connection {
                status: ConnectionStatus::Active,
                organisation: None,
                message: String::new(),
            };
            let (id, now) = (Uuid::from_u128(number), world.clock.now());
            EventMessage::from(&OutboundEvent::new(id, world.account(), content, now))
        };
        let events = (1..=count).map(event).collect::<Vec<_>>();
        let (rows, store) = (no_rows(&world), &world.engine.store);
        let written = store.put_invoice_payments(&rows, rows.record.clone(), None, &events);
        match run(written).unwrap() {
            Ok(_) => assert!(is_written, "{count}"),
            Err(error) => {
                assert!(!is_written && error.is_about_the_record(), "{count}: {error}");
            }
        }
    }
}

#[test]
fn a_payment_beyond_the_limit_of_its_invoice_is_refused_with_a_log_entry_and_an_event() {
    let world = billed();
    let mut rows = no_rows(&world);
    for start in (0..PAYMENTS_MAX - 1).step_by(40) {
        let mut receipts = rows.record.clone();
        receipts.recorded.extend((start..PAYMENTS_MAX - 1).take(40).map(recorded));
        rows = run(world.engine.store.put_invoice_payments(&rows, receipts, None, &[]))
            .unwrap()
            .unwrap();
    }
    let cash = |id: &str| a_payment(id, &[("inv_1", "0.05")]).method("cash").body();
    assert_eq!(world.receive(Payment, &cash("pay_last")), MessageOutcome::Recorded);
    assert_eq!(known(&world).recorded.len(), PAYMENTS_MAX);
    for number in 0..3 {
        let received = world.receive(Payment, &cash(&format!("pay_beyond_{number}")));
        assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Skipped));
    }
    assert_eq!(known(&world).recorded.len(), PAYMENTS_MAX);
    let beyond = refused(&world);
    assert_eq!(beyond.len(), 3);
    assert!(beyond.iter().all(|(_, code)| code == "too_many_payments"), "{beyond:?}");
    let line = world.log().pop().unwrap();
    assert_eq!(line.code.as_deref(), Some("too_many_payments"), "{line:?}");
}

#[test]
fn an_invoice_with_an_unreadable_row_delays_no_other() {
    let (world, other) = two_paid_invoices();
    damage(&world, "MAP#invoice#inv_1");
    assert_eq!(world.wait_and_poll(), PollOutcome::Read { changed: 1 });
    assert_eq!(reported(&world).0, [other]);
    let lines = world.log().into_iter().filter(|line| line.message.contains("Contact support"));
    assert_eq!(lines.map(|line| line.crm_id.to_string()).collect::<Vec<_>>(), ["inv_1"]);
    assert!(world.metrics.all().contains(&Metric::Defect));
}

#[test]
fn a_failing_poll_is_counted_and_recorded_until_one_succeeds() {
    let world = billed();
    let failing_since = |world: &World| {
        let progress =
            run(world.engine.store.find_poll_progress(&world.ledger())).unwrap().unwrap();
        progress.unwrap().record.failing_since
    };
    let failures = |world: &World| {
        world.metrics.all().iter().filter(|one| **one == Metric::PollFailed).count()
    };
    world.wait_and_poll();
    let whole = damage(&world, "CONNECTION");
    assert_eq!(world.wait_and_poll(), PollOutcome::Failed);
    let since = failing_since(&world);
    assert_eq!((since, failures(&world)), (Some(world.clock.now()), 1));
    assert_eq!(world.wait_and_poll(), PollOutcome::Failed);
    assert_eq!((failing_since(&world), failures(&world)), (since, 2));
    let mut items = world.table.all_items();
    items.retain(|item| item.key != whole.key);
    items.push(whole);
    world.table.restore_items(items);
    assert_eq!(world.wait_and_poll(), PollOutcome::Read { changed: 0 });
    assert_eq!((failing_since(&world), failures(&world)), (None, 2));
}
