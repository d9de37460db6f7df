//! Overpayments and prepayments of clients: read when a payment was seen and once a day, reported,
//! listed, and closed by one answer.

mod interrupted_links;
mod links;

use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use domain::entity::EntityKind::{Contact, Invoice};
use domain::ids::{CrmId, XeroContactId, XeroId};
use domain::money::Currency;
use domain::operation::AttentionReason;
use domain::outbound::EventContent;
use domain::surplus::{SurplusAnswer, SurplusEventContent, SurplusKind, SurplusState};
use engine::Engine;
use engine::commands::attention;
use engine::commands::contacts::{self, LinkOutcome};
use engine::commands::surpluses::{self, ResolveSurplusOutcome};
use engine::poll::{PollOutcome, poll_ledgers};
use engine::ports::Metric;
use jiff::SignedDuration;
use jiff::civil::date;
use rust_decimal::Decimal;
use store::table::{StoredItem, TableError};
use tests::World;
use tests::builders::{a_client, an_invoice};
use tests::io_monitor::run;
use tests::ports::{InterceptedTable, TableInterception, TableRequest};
use tests::world::owner;
use uuid::Uuid;
use xero_sim::{Credit, Fault, FaultKind, Match, Receipt};

use crate::gateway::{Delays, Gateway, a_request};

const QUARTER: SignedDuration = SignedDuration::from_mins(15);

fn today() -> Receipt {
    Receipt::on(date(2026, 11, 2))
}

/// A world with one invoice over 114.00 in Xero, observed by a poll.
fn billed() -> World {
    bill(World::connected())
}

fn bill(world: World) -> World {
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(QUARTER);
    world.poll_and_wait();
    world
}

/// The calls for overpayments and prepayments of a poll.
fn surplus_calls(world: &World) -> Vec<String> {
    let before = world.calls().len();
    world.poll_and_wait();
    let mut calls = world.calls().split_off(before);
    calls.retain(|call| call.ends_with("payments") && call != "GET /Payments");
    calls
}

/// The id and the contact of the invoice in Xero.
fn invoice(world: &World) -> (Uuid, Uuid) {
    world.books(|books| {
        let invoice = books.invoices_numbered("#INV_1").next().unwrap();
        (invoice.id, invoice.contact)
    })
}

/// The client pays 127.94 for the invoice over 114.00. Returns the id of the overpayment.
fn overpay(world: &World) -> Uuid {
    let (id, _) = invoice(world);
    let amount = "127.94".parse().unwrap();
    world.by_hand(|hand| hand.overpay(id, amount, &today())).unwrap().1
}

/// The events about the overpayment or prepayment, each as a short text with its place among them,
/// which its sequence number confirms.
fn describe_events(world: &World) -> Vec<String> {
    let events = world.events.contents().into_iter().filter_map(|content| {
        let EventContent::PaymentOverpaid(one) = content else { return None };
        Some(one)
    });
    let events = events.collect::<Vec<_>>();
    assert!(events.is_sorted_by(|one, next| one.sequence < next.sequence), "{events:?}");
    let describe = |(place, one): (u32, SurplusEventContent)| {
        let state = match one.state {
            SurplusState::Open => "open",
            SurplusState::Closed => "closed",
        };
        let kind = match one.kind {
            SurplusKind::Overpayment => "overpayment",
            SurplusKind::Prepayment => "prepayment",
        };
        let (remaining, client) = (one.remaining.amount.normalize(), one.client_id);
        let invoice = one.invoice_id.map(|id| format!(" for {id}")).unwrap_or_default();
        format!("{place}: {state} {kind} {remaining} of {client}{invoice}")
    };
    (1..).zip(events).map(describe).collect()
}

/// The number of payments that were imported.
fn imports(world: &World) -> usize {
    let contents = world.events.contents();
    contents.iter().filter(|content| matches!(content, EventContent::PaymentImported(_))).count()
}

/// The remaining amounts in the attention list.
fn listed(world: &World) -> Vec<Decimal> {
    let (account, limit) = (world.account(), NonZeroU16::new(50).unwrap());
    let reason = AttentionReason::GivenUp;
    let list = attention::list_attention(&world.engine, &account, reason, None, limit);
    let overpaid = run(list).unwrap().unwrap().overpaid;
    overpaid.iter().map(|one| one.remaining.amount.normalize()).collect()
}

fn answer(world: &World, id: Uuid, answer: SurplusAnswer) -> ResolveSurplusOutcome {
    let account = world.account();
    let resolved = surpluses::resolve_surplus(&world.engine, &account, XeroId(id), answer);
    run(resolved).unwrap().unwrap()
}

#[test]
fn money_paid_in_excess_is_reported_with_its_client_and_listed_with_its_invoice() {
    let world = billed();
    assert!(surplus_calls(&world).is_empty());
    overpay(&world);
    assert_eq!(surplus_calls(&world), ["GET /Overpayments", "GET /Prepayments"]);
    assert_eq!(describe_events(&world), ["1: open overpayment 13.94 of cli_1"]);
    assert_eq!(listed(&world), ["13.94".parse().unwrap()]);
    let candidates = world.events.contents().into_iter().find_map(|content| {
        let EventContent::PaymentOverpaid(one) = content else { return None };
        Some(one.candidates)
    });
    assert_eq!(candidates, Some(vec![CrmId::new("inv_1").unwrap()]));
}

#[test]
fn one_answer_closes_an_overpayment_for_good() {
    let invoice = || SurplusAnswer::Invoice(CrmId::new("inv_1").unwrap());
    for (says, suffix) in [(SurplusAnswer::Acknowledged, ""), (invoice(), " for inv_1")] {
        let world = billed();
        world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
        let id = overpay(&world);
        world.poll_and_wait();
        let unknown = SurplusAnswer::Invoice(CrmId::new("inv_9").unwrap());
        assert_eq!(answer(&world, id, unknown), ResolveSurplusOutcome::UnknownInvoice);
        let other = Uuid::from_u128(9);
        assert_eq!(answer(&world, other, invoice()), ResolveSurplusOutcome::Unknown);
        let ResolveSurplusOutcome::Done(closed) = answer(&world, id, says.clone()) else {
            panic!("it is open")
        };
        assert_eq!(closed.answer, Some(says));
        assert_eq!(answer(&world, id, invoice()), ResolveSurplusOutcome::NotOpen);
        assert!(listed(&world).is_empty());
        let expected = [
            "1: open overpayment 13.94 of cli_1".to_owned(),
            format!("2: closed overpayment 13.94 of cli_1{suffix}"),
        ];
        assert_eq!(describe_events(&world), expected);
        // The bookkeeper refunds it, which the CRM no longer asks about.
        let amount = "13.94".parse().unwrap();
        world.by_hand(|hand| hand.refund(Credit::Overpayment(id), amount, &today())).unwrap();
        world.clock.advance(SignedDuration::from_hours(24));
        assert_eq!(surplus_calls(&world), ["GET /Overpayments", "GET /Prepayments"]);
        assert_eq!(describe_events(&world), expected);
    }
}

#[test]
fn an_overpayment_belongs_to_no_invoice_in_another_currency_whether_or_not_xero_has_it() {
    let world = billed();
    let id = overpay(&world);
    world.poll_and_wait();
    // The organisation has euros, and no kronor.
    for (crm_id, currency, is_in_xero) in [("inv_2", "EUR", true), ("inv_3", "SEK", false)] {
        world.receive(Invoice, &an_invoice(crm_id, "cli_1").currency(currency).body());
        assert_eq!(world.mapping(Invoice, crm_id).unwrap().link.is_some(), is_in_xero);
        let answered = answer(&world, id, SurplusAnswer::Invoice(CrmId::new(crm_id).unwrap()));
        let pounds = Currency::new("GBP").unwrap();
        assert_eq!(answered, ResolveSurplusOutcome::OtherCurrency(pounds), "{currency}");
    }
    assert_eq!(listed(&world), ["13.94".parse().unwrap()]);
}

#[test]
fn a_prepayment_is_found_by_the_daily_check_and_closes_when_it_is_used_up() {
    let world = billed();
    let (id, contact) = invoice(&world);
    let paid = world.by_hand(|hand| hand.prepay(contact, 50.into(), &today())).unwrap();
    assert!(surplus_calls(&world).is_empty());
    world.clock.advance(SignedDuration::from_hours(24));
    world.poll_and_wait();
    assert_eq!(describe_events(&world), ["1: open prepayment 50 of cli_1"]);
    let credit = Credit::Prepayment(paid);
    let day = date(2026, 11, 3);
    world.by_hand(|hand| hand.allocate(credit, id, 20.into(), day)).unwrap();
    world.poll_and_wait();
    assert_eq!(describe_events(&world)[1..], ["2: open prepayment 30 of cli_1"]);
    let last = world.by_hand(|hand| hand.allocate(credit, id, 30.into(), day)).unwrap();
    world.poll_and_wait();
    assert_eq!(describe_events(&world)[2..], ["3: closed prepayment 0 of cli_1"]);
    assert!(listed(&world).is_empty());
    world.by_hand(|hand| hand.remove_allocation(last)).unwrap();
    world.poll_and_wait();
    assert_eq!(describe_events(&world)[3..], ["4: open prepayment 30 of cli_1"]);
    assert_eq!(listed(&world), [Decimal::from(30)]);
}

#[test]
fn an_overpayment_is_recognised_by_either_form_of_its_type() {
    for has_ar_types in [false, true] {
        let world = World::with(|settings| {
            settings.unconfirmed.deposits_have_ar_types = has_ar_types;
        });
        world.connect();
        let world = bill(world);
        overpay(&world);
        world.poll_and_wait();
        assert_eq!(
            describe_events(&world),
            ["1: open overpayment 13.94 of cli_1"],
            "{has_ar_types}"
        );
    }
}

#[test]
fn a_failed_reading_of_overpayments_loses_nothing_and_is_repeated_by_the_next_poll() {
    let world = billed();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    overpay(&world);
    let path = "/api.xro/2.0/Overpayments";
    world.inject(Fault { on: Match::next(path), kind: FaultKind::Unavailable503 });
    assert_eq!(world.poll_and_wait(), PollOutcome::Later);
    assert_eq!(imports(&world), 1);
    assert!(describe_events(&world).is_empty());
    world.poll_and_wait();
    assert_eq!(describe_events(&world), ["1: open overpayment 13.94 of cli_1"]);
    assert_eq!(imports(&world), 1);
}

#[test]
fn overpayments_that_cannot_be_read_for_an_hour_alert_an_operator() {
    let world = billed();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    overpay(&world);
    for number in 1..=5 {
        let on = Match::next("/api.xro/2.0/Overpayments");
        world.inject(Fault { on, kind: FaultKind::Status500 });
        assert_eq!(world.poll_and_wait(), PollOutcome::Later, "{number}");
        let is_stalled = world.metrics.all().contains(&Metric::PollStalled);
        assert_eq!(is_stalled, number == 5, "{number}");
    }
    world.poll_and_wait();
    assert_eq!(describe_events(&world), ["1: open overpayment 13.94 of cli_1"]);
    assert_eq!(world.status().payment_checks_failing_since, None);
}

#[test]
fn overpayments_that_cannot_be_read_do_not_delay_prepayments() {
    let world = billed();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    let (_, contact) = invoice(&world);
    world.by_hand(|hand| hand.prepay(contact, 50.into(), &today())).unwrap();
    overpay(&world);
    let reported = || {
        let contents = world.events.contents().into_iter();
        let kinds = contents.filter_map(|content| {
            let EventContent::PaymentOverpaid(one) = content else { return None };
            Some(one.kind)
        });
        kinds.collect::<Vec<_>>()
    };
    let on = Match::next("/api.xro/2.0/Overpayments");
    world.inject(Fault { on, kind: FaultKind::Status500 });
    assert_eq!(world.poll_and_wait(), PollOutcome::Later);
    assert_eq!(reported(), [SurplusKind::Prepayment]);
    world.poll_and_wait();
    assert_eq!(reported(), [SurplusKind::Prepayment, SurplusKind::Overpayment]);
}

#[test]
fn after_a_restore_the_events_about_an_overpayment_are_newer_than_the_earlier_ones() {
    let mut world = billed();
    let backup = world.table.all_items();
    overpay(&world);
    world.poll_and_wait();
    world.table.restore_items(backup);
    world.restart();
    world.poll_and_wait();
    let expected = ["1: open overpayment 13.94 of cli_1", "2: open overpayment 13.94 of cli_1"];
    assert_eq!(describe_events(&world), expected);
}

#[test]
fn money_of_a_contact_is_reported_only_if_the_contact_is_a_client() {
    for is_client in [false, true] {
        let world = billed();
        let (_, client) = invoice(&world);
        let payee = world.by_hand(|hand| hand.add_contact("Bank of Ridge")).unwrap();
        let contact = if is_client { client } else { payee };
        world.by_hand(|hand| hand.receive_overpayment(contact, 7.into(), &today())).unwrap();
        world.clock.advance(SignedDuration::from_hours(24));
        assert_eq!(surplus_calls(&world), ["GET /Overpayments", "GET /Prepayments"]);
        assert_eq!(describe_events(&world).len(), usize::from(is_client));
        // What was read is not read again.
        assert!(surplus_calls(&world).is_empty());
    }
}

#[test]
fn money_of_a_contact_into_which_a_client_was_merged_is_reported_with_the_client() {
    for is_merged_first in [true, false] {
        let world = billed();
        let (_, merged) = invoice(&world);
        let kept = world.by_hand(|hand| hand.add_contact("Kept")).unwrap();
        let merge = || world.by_hand(|hand| hand.merge_contacts(merged, kept)).unwrap();
        if is_merged_first {
            merge();
        }
        let id = overpay(&world);
        world.poll_and_wait();
        assert_eq!(
            describe_events(&world),
            ["1: open overpayment 13.94 of cli_1"],
            "{is_merged_first}"
        );
        if !is_merged_first {
            merge();
        }
        let amount = "13.94".parse().unwrap();
        world.by_hand(|hand| hand.refund(Credit::Overpayment(id), amount, &today())).unwrap();
        // No invoice is open, so the ledger is verified in one hour of the day.
        for _ in 0..2 * 24 * 4 {
            world.poll_and_wait();
        }
        assert_eq!(
            describe_events(&world)[1..],
            ["2: closed overpayment 0 of cli_1"],
            "{is_merged_first}"
        );
        assert!(listed(&world).is_empty());
    }
}

/// A contact without a client that has paid, and a poll that has left out its money.
fn a_world_with_money_of_no_client() -> (World, Uuid) {
    let world = billed();
    let contact = world.by_hand(|hand| hand.add_contact("Client cli_2")).unwrap();
    world.by_hand(|hand| hand.receive_overpayment(contact, 7.into(), &today())).unwrap();
    world.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(surplus_calls(&world), ["GET /Overpayments", "GET /Prepayments"]);
    assert!(describe_events(&world).is_empty());
    (world, contact)
}
