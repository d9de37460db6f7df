//! The payment poll: payments made in Xero, and the events that the CRM receives.

mod failing_lists;
mod future_dates;
mod read_first;
mod unclear;
mod while_disconnected;

use domain::entity::EntityKind::{Contact, Invoice, Payment};
use domain::ids::{CrmId, PaymentId, XeroPaymentId};
use domain::invoice_payments::{InferredMethod, PaymentDecision};
use domain::operation::{AttentionReason, OperationState};
use domain::outbound::{
    EventContent, PaymentEventContent, PaymentState, RemovalReason, UnclearState,
};
use domain::poll::PollProgress;
use domain::sync_log::{LogStatus, LoggedOperation};
use engine::commands::attention;
use engine::inbound::MessageOutcome;
use engine::poll::PollOutcome;
use engine::ports::Clock;
use engine::sync::invoice_payments;
use jiff::SignedDuration;
use jiff::civil::date;
use store::table::WriteExpectation;
use tests::World;
use tests::builders::{a_client, a_payment, an_invoice};
use tests::io_monitor::{CrashPoint, Moment, run};
use tests::world::owner;
use xero_sim::Receipt;

use crate::sizes::{QUARTER, billed};

fn today() -> Receipt {
    Receipt::on(date(2026, 11, 2))
}

/// The payment events that the CRM received, each as a short text.
fn describe_events(world: &World) -> Vec<String> {
    let describe = |content: EventContent| match content {
        EventContent::PaymentImported(one) => Some(format!("imported {}", one.amount.amount)),
        EventContent::PaymentRemoved { payment, reason: RemovalReason::RemovedInXero, .. } => {
            Some(format!("removed {}", payment.amount.amount))
        }
        EventContent::PaymentRemoved { payment, reason: RemovalReason::SamePayment, .. } => {
            Some(format!("same {}", payment.amount.amount))
        }
        EventContent::PaymentUnclear { payment, state, candidates } => {
            let amount = payment.amount.amount;
            Some(match state {
                UnclearState::Open => format!("unclear {amount}, {} candidates", candidates.len()),
                UnclearState::Closed => format!("clear {amount}"),
            })
        }
        EventContent::PaymentStatus { status, amount_due, .. } => {
            let status = match status {
                PaymentState::Paid => "paid",
                PaymentState::PartPaid => "part paid",
                PaymentState::Unpaid => "unpaid",
            };
            Some(format!("{status} {}", amount_due.amount))
        }
        EventContent::XeroStatus { status, .. } => Some(status),
        EventContent::PaymentOverpaid(_)
        | EventContent::RefundRemoved(_)
        | EventContent::Skipped { .. }
        | EventContent::Connection { .. }
        | EventContent::RecordSynced(_)
        | EventContent::MessageRefused { .. }
        | EventContent::CreditNoteStatus { .. }
        | EventContent::BooksCompared { .. } => None,
    };
    world.events.contents().into_iter().filter_map(describe).collect()
}

/// The payment that was reported as imported.
fn the_import(world: &World) -> PaymentEventContent {
    let import = world.events.contents().into_iter().find_map(|content| {
        let EventContent::PaymentImported(payment) = content else { return None };
        Some(payment)
    });
    import.expect("an import")
}

#[test]
fn a_poll_makes_no_call_without_open_invoices_and_two_without_changes() {
    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge", "push"));
    let calls = world.calls().len();
    assert_eq!(world.poll_and_wait(), PollOutcome::Idle);
    assert_eq!(world.calls().len(), calls);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(QUARTER);
    world.poll_and_wait();
    let calls = world.calls().len();
    assert_eq!(world.poll_and_wait(), PollOutcome::Read { changed: 0 });
    assert_eq!(world.calls().split_off(calls), ["GET /Invoices", "GET /Payments"]);
    assert!(describe_events(&world).is_empty());
}

#[test]
fn a_poll_of_two_thousand_unchanged_invoices_makes_two_calls_and_writes_one_row() {
    let (few, many) = (idle_bytes(20), idle_bytes(2_000));
    // Two empty lists, however many invoices are open.
    assert_eq!(few, many);
    assert!(many < 1_000, "{many} bytes");
}

/// The bytes of the responses to a poll of this number of unchanged open invoices.
fn idle_bytes(invoices: usize) -> usize {
    let world = World::connected();
    for number in 0..invoices {
        let message = an_invoice(&format!("inv_{number:04}"), "cli_1");
        world.receive(Invoice, &message.body());
        if number % 40 == 0 {
            world.clock.advance(SignedDuration::from_mins(1));
        }
    }
    world.advance(SignedDuration::from_hours(3));
    let open = world.books(|books| books.invoices().count());
    assert_eq!(open, invoices);
    // The first poll sees the changes made by our own pushes.
    for _ in 0..3 {
        world.poll_and_wait();
    }
    let (calls, rows) = (world.calls().len(), world.table.all_items());
    assert_eq!(world.poll_and_wait(), PollOutcome::Read { changed: 0 });
    assert_eq!(world.calls().len() - calls, 2);
    // The call counts, and the time of the last payment check on the settings page.
    let versions = |items: Vec<store::table::StoredItem>| {
        let kept = items.into_iter().filter(|item| !["CALLS", "POLL"].contains(&&*item.key.sk));
        kept.map(|item| (item.key, item.version)).collect::<Vec<_>>()
    };
    assert_eq!(versions(world.table.all_items()), versions(rows));
    let bytes = world.xero().calls().iter().rev().take(2).map(|call| call.answer.len()).sum();
    println!("{invoices} open invoices, nothing new: 2 calls, {bytes} bytes of answers");
    bytes
}

#[test]
fn a_bank_transfer_reconciled_in_xero_is_imported_into_the_crm_once() {
    let world = billed();
    let receipt = Receipt { reference: Some("RIDGE 4711".to_owned()), ..today() };
    world.is_paid("#INV_1", "114.00", &receipt);
    assert_eq!(world.poll_and_wait(), PollOutcome::Read { changed: 1 });
    assert_eq!(describe_events(&world), ["imported 114.00", "paid 0.00"]);
    let payment = the_import(&world);
    assert_eq!(payment.invoice_id.as_str(), "inv_1");
    assert_eq!(payment.method, InferredMethod::Bank);
    assert_eq!(payment.account.as_deref(), Some("Business Bank Account"));
    assert_eq!(payment.reference.as_deref(), Some("RIDGE 4711"));
    assert_eq!(payment.date, Some(date(2026, 11, 2)));
    // A paid invoice is not open: it causes no more calls and no second event.
    assert_eq!(world.poll_and_wait(), PollOutcome::Idle);
    assert_eq!(describe_events(&world).len(), 2);
    let log = world.log().pop().unwrap();
    assert!(log.message.contains("It is paid in Xero"), "{log:?}");
    assert_eq!((log.operation, log.attempt), (LoggedOperation::Import, 0));
}

#[test]
fn part_payments_a_removal_and_an_overpaid_remainder_are_reported_as_they_happen() {
    let world = billed();
    let first = world.is_paid("#INV_1", "50.00", &today());
    world.poll_and_wait();
    world.is_paid("#INV_1", "20.00", &today());
    world.poll_and_wait();
    world.by_hand(|bookkeeper| bookkeeper.remove_payment(first).unwrap());
    world.poll_and_wait();
    assert_eq!(
        describe_events(&world),
        [
            "imported 50.00",
            "part paid 64.00",
            "imported 20.00",
            "part paid 44.00",
            "removed 50.00",
            "part paid 94.00",
        ]
    );
}

#[test]
fn a_credit_is_reported_as_a_credit_and_no_payment_is_imported() {
    let world = billed();
    let (tenant, now) = (world.tenant(), world.clock.now());
    {
        let mut xero = world.xero();
        let (invoice, contact) = {
            let books = xero.books(tenant).unwrap();
            let invoice = books.invoices_numbered("#INV_1").next().unwrap();
            (invoice.id, invoice.contact)
        };
        let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
        let amount = "114.00".parse().unwrap();
        let paid = bookkeeper.prepay(contact, amount, &today()).unwrap();
        let credit = xero_sim::Credit::Prepayment(paid);
        bookkeeper.allocate(credit, invoice, amount, date(2026, 11, 2)).unwrap();
    }
    world.poll_and_wait();
    assert_eq!(describe_events(&world), ["paid 0.00"]);
    let paid = world.events.contents().into_iter().rev().find_map(|content| {
        let EventContent::PaymentStatus { amount_credited, credits, .. } = content else {
            return None;
        };
        Some((amount_credited, credits))
    });
    let (credited, credits) = paid.unwrap();
    assert_eq!((credited.amount.to_string(), credits.len()), ("114.00".to_owned(), 1));
}

#[test]
fn one_batch_payment_over_two_invoices_is_one_payment_for_each() {
    let world = billed();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    let (tenant, now) = (world.tenant(), world.clock.now());
    {
        let mut xero = world.xero();
        let ids = xero.books(tenant).unwrap().invoices().map(|one| one.id).collect::<Vec<_>>();
        let all = ids.iter().map(|id| (*id, "114.00".parse().unwrap())).collect::<Vec<_>>();
        xero.bookkeeper(now, tenant).unwrap().batch_pay(&all, &today()).unwrap();
    }
    world.poll_and_wait();
    let events = describe_events(&world);
    assert_eq!(events.iter().filter(|word| *word == "imported 114.00").count(), 2, "{events:?}");
    let batches = world.events.contents().into_iter().filter_map(|content| {
        let EventContent::PaymentImported(one) = content else { return None };
        one.batch_id
    });
    let batches = batches.collect::<Vec<_>>();
    assert_eq!(batches.len(), 2);
    assert_eq!(batches[0], batches[1]);
}

#[test]
fn payments_in_dollars_are_imported_in_dollars() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").currency("USD").body());
    world.advance(QUARTER);
    let rate = Some("1.25".parse().unwrap());
    world.is_paid("#INV_1", "50.00", &Receipt { currency_rate: rate, ..today() });
    world.poll_and_wait();
    assert_eq!(describe_events(&world), ["imported 50.00", "part paid 64.00"]);
    let payment = the_import(&world);
    assert_eq!(payment.amount.currency.to_string(), "USD");
}

#[test]
fn an_unusable_account_is_reported_before_a_push_fails() {
    let world = billed();
    world.poll_and_wait();
    assert!(world.connection().warnings.is_empty(), "{:?}", world.connection().warnings);
    world.by_hand(|bookkeeper| bookkeeper.archive_account("200").unwrap());
    world.clock.advance(SignedDuration::from_hours(24));
    world.poll_and_wait();
    let warnings = world.connection().warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("200"), "{warnings:?}");
}

#[test]
fn an_invoice_voided_in_xero_is_reported_and_syncing_it_again_creates_a_copy() {
    for frees_number in [false, true] {
        let world = World::with(|settings| {
            settings.unconfirmed.voided_frees_number = frees_number;
        });
        world.connect();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        let (tenant, now) = (world.tenant(), world.clock.now());
        let old = world.books(|books| books.invoices().next().unwrap().id);
        world.clock.advance(SignedDuration::from_mins(1));
        world.xero().bookkeeper(now, tenant).unwrap().void(old).unwrap();
        world.poll_and_wait();
        assert_eq!(describe_events(&world), ["VOIDED"]);
        let view = world.sync_now(Invoice, "inv_1");
        let mapping = world.mapping(Invoice, "inv_1").unwrap();
        assert_eq!(mapping.operation.state, OperationState::Synced, "{:?}", mapping.operation);
        assert_eq!((mapping.generation, view.earlier_xero_ids.len()), (2, 1));
        assert_eq!(view.earlier_xero_ids[0].0, old);
        let number = if frees_number { "#INV_1" } else { "#INV_1~2" };
        assert_eq!(view.xero_number.as_deref(), Some(number));
        let live =
            world.books(|books| books.invoices().filter(|one| !one.status.is_gone()).count());
        assert_eq!(live, 1);
        // The copy replaces the invoice: edits go to it, and payments of it are imported.
        let edit = an_invoice("inv_1", "cli_1").revision(2).price("100.00", "120.00");
        world.receive(Invoice, &edit.body());
        assert_eq!(
            world.mapping(Invoice, "inv_1").unwrap().operation.state,
            OperationState::Synced
        );
        world.is_paid(number, "120.00", &today());
        world.clock.advance(QUARTER);
        world.poll_and_wait();
        assert_eq!(describe_events(&world), ["VOIDED", "imported 120.00", "paid 0.00"]);
    }
}

#[test]
fn changes_that_the_list_misses_are_found_by_the_daily_check() {
    let world = billed();
    world.is_paid("#INV_1", "14.00", &today());
    let invoice = world.books(|books| books.invoices().next().unwrap().id);
    world.poll_and_wait();
    // Another change moves the poll's position beyond the invoice's own last change.
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    world.is_paid("#INV_2", "4.00", &today());
    world.poll_and_wait();
    let before = describe_events(&world).len();
    // On a part-paid invoice this does not move the date of its last change.
    let (tenant, now) = (world.tenant(), world.clock.now());
    let edit = xero_sim::InvoiceEdit { due_date: Some(date(2026, 12, 24)), ..Default::default() };
    world.xero().bookkeeper(now, tenant).unwrap().edit_invoice(invoice, edit).unwrap();
    world.poll_and_wait();
    assert_eq!(describe_events(&world).len(), before);
    world.clock.advance(SignedDuration::from_hours(24));
    world.poll_and_wait();
    assert_eq!(describe_events(&world).split_off(before), ["AUTHORISED"]);
}
#[test]
fn a_payment_read_before_its_invoice_was_linked_is_not_lost() {
    let body = an_invoice("inv_2", "cli_1").body();
    let mut paid = 0;
    for step in 1.. {
        let world = billed();
        let died =
            world.try_receive(Invoice, &body, Some(CrashPoint { step, moment: Moment::After }));
        if died.is_some() {
            break;
        }
        let is_there = world.books(|books| books.invoices_numbered("#INV_2").next().is_some());
        if is_there {
            paid += 1;
            world.is_paid("#INV_2", "114.00", &today());
        }
        // The lists of changes are read beyond the payment before the message is redelivered.
        world.poll_and_wait();
        world.is_paid("#INV_1", "14.00", &today());
        world.poll_and_wait();
        world.receive(Invoice, &body);
        world.advance(SignedDuration::from_hours(1));
        world.poll_and_wait();
        let mut events = describe_events(&world);
        events.sort();
        let expected: &[&str] = if is_there {
            &["imported 114.00", "imported 14.00", "paid 0.00", "part paid 100.00"]
        } else {
            &["imported 14.00", "part paid 100.00"]
        };
        assert_eq!(events, expected, "step {step}");
    }
    assert!(paid > 1, "{paid} crashes between Xero's answer and the write of the mapping");
}

#[test]
fn a_poll_that_dies_at_any_step_imports_every_payment_once() {
    for step in 1..60 {
        for moment in [Moment::Before, Moment::After] {
            let world = billed();
            world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
            world.is_paid("#INV_1", "50.00", &today());
            world.is_paid("#INV_2", "114.00", &today());
            world.io.crash_at(Some(CrashPoint { step, moment }));
            let ledger = world.ledger();
            let died =
                run(engine::poll::poll_ledgers(&world.engine, &[ledger], world.invocation()));
            world.io.crash_at(None);
            world.clock.advance(SignedDuration::from_mins(3));
            world.poll_and_wait();
            run(engine::jobs::sweep::sweep_all_shards(&world.engine, world.invocation())).unwrap();
            let mut events = describe_events(&world);
            events.sort();
            assert_eq!(
                events,
                ["imported 114.00", "imported 50.00", "paid 0.00", "part paid 64.00"],
                "step {step}, {moment:?}"
            );
            if died.is_some() {
                return;
            }
        }
    }
    panic!("it did not finish");
}
