//! Payments that reach an invoice with the maximum number of payments by other ways than a payment
//! of it alone: at the limit, just above it, and far above it.

use domain::crm::payment::{PaymentMethod, PaymentRecordStatus};
use domain::entity::EntityKind::{Invoice, Payment};
use domain::ids::{CrmId, Ledger, PaymentId, TenantId};
use domain::invoice_payments::{PAYMENTS_MAX, RecordedPayment};
use domain::money::{Currency, Money};
use domain::operation::OperationState;
use engine::inbound::MessageOutcome;
use engine::sync::invoice_payments;
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use jiff::civil::date;
use rust_decimal::Decimal;
use store::InvoicePaymentRows;
use tests::World;
use tests::builders::{a_payment, an_invoice};
use tests::io_monitor::run;
use tests::world::every_account;

use crate::sizes::refused;

const TOO_MANY: &str = "too_many_payments";

/// A payment that the CRM recorded in cash.
pub fn in_cash(id: &str) -> RecordedPayment {
    RecordedPayment {
        payment: PaymentId::new(id).unwrap(),
        revision: 1,
        method: PaymentMethod::Cash,
        amount: Money::new(Decimal::new(5, 2), Currency::new("GBP").unwrap()),
        date: date(2026, 10, 1),
        reference: None,
        standing: PaymentRecordStatus::Recorded,
    }
}

fn earlier(number: usize) -> RecordedPayment {
    in_cash(&format!("earlier_{number}"))
}

/// Records this number of earlier payments on the invoice, in the ledger of the organisation.
fn fill(world: &World, count: usize) {
    let mut rows =
        InvoicePaymentRows::without_payments(world.ledger(), CrmId::new("inv_1").unwrap());
    for start in (0..count).step_by(40) {
        let mut receipts = rows.record.clone();
        receipts.recorded.extend((start..count).take(40).map(earlier));
        let written = world.engine.store.put_invoice_payments(&rows, receipts, None, &[]);
        rows = run(written).unwrap().unwrap();
    }
}

/// The payments of the CRM that are recorded on an invoice.
pub fn recorded(world: &World, invoice: &str) -> Vec<String> {
    let invoice = CrmId::new(invoice).unwrap();
    let known =
        run(invoice_payments::find_invoice_payments(&world.engine, &world.account(), &invoice));
    let known = known.unwrap().unwrap().map(|known| known.recorded).unwrap_or_default();
    known.into_iter().map(|one| one.payment.to_string()).collect()
}

#[test]
fn payments_sent_before_the_connection_are_carried_over_up_to_the_limit_and_others_are_refused() {
    for count in [1, 2, 100] {
        let world = World::new();
        let (account, codes) = (world.account(), every_account());
        run(world.engine.store.replace_account_codes(&account, codes, None)).unwrap().unwrap();
        // There is room for one. The last payment is pushed, the others reach Xero by the bank.
        fill(&world, PAYMENTS_MAX - 1);
        let ids = (0..count).map(|number| format!("pay_{number}")).collect::<Vec<_>>();
        for id in &ids {
            let is_last = Some(id) == ids.last();
            let method = if is_last { "gift_card" } else { "cash" };
            world.receive(Payment, &a_payment(id, &[("inv_1", "0.05")]).method(method).body());
            world.clock.advance(SignedDuration::from_secs(1));
        }
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        world.connect();
        world.advance(SignedDuration::from_mins(60));
        assert!(world.connection().carried_from.is_empty(), "{count}");
        let known = recorded(&world, "inv_1");
        assert_eq!(known.len(), PAYMENTS_MAX, "{count}");
        assert_eq!(known.last(), ids.first(), "{count}");
        let beyond = ids[1..].iter().map(|id| (id.clone(), TOO_MANY.to_owned()));
        let mut reported = refused(&world);
        reported.sort();
        let mut expected = beyond.collect::<Vec<_>>();
        expected.sort();
        assert_eq!(reported, expected, "{count}: each of the others is refused");
        let log = world.log();
        for id in &ids[1..] {
            let is_logged = |code: &str| {
                log.iter()
                    .any(|line| line.crm_id.as_str() == id && line.code.as_deref() == Some(code))
            };
            assert!(is_logged(TOO_MANY), "{count}: {id}");
        }
        // A refused payment is not pushed: the poll would report it as money the CRM does not know.
        let last = world.mapping(Payment, &format!("pay_{}.1", count - 1));
        let state = last.map(|last| last.operation.state);
        assert_eq!(state, (count == 1).then_some(OperationState::Synced), "{count}");
        let waiting = Ledger { account: world.account(), tenant: TenantId::NONE };
        let invoice = CrmId::new("inv_1").unwrap();
        let left = run(world.engine.store.find_invoice_payments(&waiting, &invoice));
        assert!(left.unwrap().unwrap().is_none(), "{count}");
    }
}

#[test]
fn a_payment_with_one_share_too_many_is_refused_as_a_whole() {
    for count in [PAYMENTS_MAX - 1, PAYMENTS_MAX] {
        let world = World::connected();
        fill(&world, count);
        let payment = a_payment("pay_1", &[("inv_2", "1.00"), ("inv_1", "0.05")]).method("cash");
        let received = world.receive(Payment, &payment.body());
        if count < PAYMENTS_MAX {
            assert_eq!(received, MessageOutcome::Recorded);
            assert_eq!(recorded(&world, "inv_2"), ["pay_1"]);
            continue;
        }
        assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Skipped));
        assert!(recorded(&world, "inv_2").is_empty(), "it is recorded on none of its invoices");
        assert_eq!(refused(&world), [("pay_1".to_owned(), TOO_MANY.to_owned())]);
        // There is nothing to refuse about its deletion.
        assert_eq!(world.receive(Payment, &payment.deleted().body()), MessageOutcome::Recorded);
        assert_eq!(recorded(&world, "inv_1").len(), PAYMENTS_MAX);
        assert_eq!(refused(&world).len(), 1);
    }
}
