//! Overpayments and prepayments of clients: read when a payment was seen and once a day, reported,
//! listed, and closed by one answer.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use domain::entity::EntityKind::{Contact, Invoice};
use domain::ids::{CrmId, XeroContactId, XeroId};
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
use tests::gate::run;
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
fn heard(world: &World) -> Vec<String> {
    let events = world.told.news().into_iter().filter_map(|news| {
        let EventContent::PaymentOverpaid(one) = news else { return None };
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
    let news = world.told.news();
    news.iter().filter(|news| matches!(news, EventContent::PaymentImported(_))).count()
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
    assert_eq!(heard(&world), ["1: open overpayment 13.94 of cli_1"]);
    assert_eq!(listed(&world), ["13.94".parse().unwrap()]);
    let candidates = world.told.news().into_iter().find_map(|news| {
        let EventContent::PaymentOverpaid(one) = news else { return None };
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
        let told = [
            "1: open overpayment 13.94 of cli_1".to_owned(),
            format!("2: closed overpayment 13.94 of cli_1{suffix}"),
        ];
        assert_eq!(heard(&world), told);
        // The bookkeeper refunds it, which the CRM no longer asks about.
        let amount = "13.94".parse().unwrap();
        world.by_hand(|hand| hand.refund(Credit::Overpayment(id), amount, &today())).unwrap();
        world.clock.advance(SignedDuration::from_hours(24));
        assert_eq!(surplus_calls(&world), ["GET /Overpayments", "GET /Prepayments"]);
        assert_eq!(heard(&world), told);
    }
}

#[test]
fn a_prepayment_is_found_by_the_daily_check_and_closes_when_it_is_used_up() {
    let world = billed();
    let (id, contact) = invoice(&world);
    let paid = world.by_hand(|hand| hand.prepay(contact, 50.into(), &today())).unwrap();
    assert!(surplus_calls(&world).is_empty());
    world.clock.advance(SignedDuration::from_hours(24));
    world.poll_and_wait();
    assert_eq!(heard(&world), ["1: open prepayment 50 of cli_1"]);
    let credit = Credit::Prepayment(paid);
    let day = date(2026, 11, 3);
    world.by_hand(|hand| hand.allocate(credit, id, 20.into(), day)).unwrap();
    world.poll_and_wait();
    assert_eq!(heard(&world)[1..], ["2: open prepayment 30 of cli_1"]);
    let last = world.by_hand(|hand| hand.allocate(credit, id, 30.into(), day)).unwrap();
    world.poll_and_wait();
    assert_eq!(heard(&world)[2..], ["3: closed prepayment 0 of cli_1"]);
    assert!(listed(&world).is_empty());
    world.by_hand(|hand| hand.remove_allocation(last)).unwrap();
    world.poll_and_wait();
    assert_eq!(heard(&world)[3..], ["4: open prepayment 30 of cli_1"]);
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
        assert_eq!(heard(&world), ["1: open overpayment 13.94 of cli_1"], "{has_ar_types}");
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
    assert!(heard(&world).is_empty());
    world.poll_and_wait();
    assert_eq!(heard(&world), ["1: open overpayment 13.94 of cli_1"]);
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
        let is_stalled = world.measures.all().contains(&Metric::PollStalled);
        assert_eq!(is_stalled, number == 5, "{number}");
    }
    world.poll_and_wait();
    assert_eq!(heard(&world), ["1: open overpayment 13.94 of cli_1"]);
    assert_eq!(world.status().payment_checks_failing_since, None);
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
    let told = ["1: open overpayment 13.94 of cli_1", "2: open overpayment 13.94 of cli_1"];
    assert_eq!(heard(&world), told);
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
        assert_eq!(heard(&world).len(), usize::from(is_client));
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
        assert_eq!(heard(&world), ["1: open overpayment 13.94 of cli_1"], "{is_merged_first}");
        if !is_merged_first {
            merge();
        }
        let amount = "13.94".parse().unwrap();
        world.by_hand(|hand| hand.refund(Credit::Overpayment(id), amount, &today())).unwrap();
        // No invoice is open, so the ledger is verified in one hour of the day.
        for _ in 0..2 * 24 * 4 {
            world.poll_and_wait();
        }
        assert_eq!(heard(&world)[1..], ["2: closed overpayment 0 of cli_1"], "{is_merged_first}");
        assert!(listed(&world).is_empty());
    }
}

/// A user unlinks a client from its contact.
fn unlinks(world: &World, client: &str) {
    let (by, account, client) = (owner(), world.account(), CrmId::new(client).unwrap());
    let unlinked = contacts::unlink_client(&world.engine, &account, &by, client);
    let unlinked = run(unlinked).unwrap().unwrap();
    assert!(matches!(unlinked, LinkOutcome::Done(_)), "{unlinked:?}");
}

/// A user links a client to a contact before anything of the client was sent.
fn links(world: &World, client: &str, contact: Uuid) {
    let (by, invocation) = (owner(), world.invocation());
    let (account, client) = (world.account(), CrmId::new(client).unwrap());
    let contact = XeroContactId(contact);
    let linked = contacts::link_client(&world.engine, &account, &by, client, contact, invocation);
    let linked = run(linked).unwrap().unwrap();
    assert!(matches!(linked, LinkOutcome::Done(_)), "{linked:?}");
}

#[test]
fn an_overpayment_follows_the_link_of_its_contact_from_one_client_to_another() {
    let world = billed();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    world.receive(Contact, &a_client("cli_2", 1, "Another client", "record"));
    let (_, contact) = invoice(&world);
    let id = overpay(&world);
    world.poll_and_wait();
    unlinks(&world, "cli_1");
    let closed = ["1: open overpayment 13.94 of cli_1", "2: closed overpayment 13.94 of cli_1"];
    assert_eq!(heard(&world), closed);
    assert!(listed(&world).is_empty());
    assert_eq!(answer(&world, id, SurplusAnswer::Acknowledged), ResolveSurplusOutcome::NotOpen);
    // Its changes are reported for nobody.
    let amount = "3.94".parse().unwrap();
    world.by_hand(|hand| hand.refund(Credit::Overpayment(id), amount, &today())).unwrap();
    world.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(surplus_calls(&world), ["GET /Overpayments", "GET /Prepayments"]);
    assert_eq!(heard(&world), closed);
    links(&world, "cli_2", contact);
    assert_eq!(heard(&world)[2..], ["3: open overpayment 10 of cli_2"]);
    assert_eq!(listed(&world), [Decimal::from(10)]);
    let acknowledged = answer(&world, id, SurplusAnswer::Acknowledged);
    assert!(matches!(acknowledged, ResolveSurplusOutcome::Done(_)), "{acknowledged:?}");
    assert_eq!(heard(&world)[3..], ["4: closed overpayment 10 of cli_2"]);
    // What a user has decided stays as it is.
    unlinks(&world, "cli_2");
    links(&world, "cli_1", contact);
    assert_eq!(heard(&world).len(), 4);
}

#[test]
fn an_overpayment_of_a_merged_contact_belongs_to_no_client_once_its_client_is_unlinked() {
    let world = billed();
    let (_, merged) = invoice(&world);
    let kept = world.by_hand(|hand| hand.add_contact("Kept")).unwrap();
    world.by_hand(|hand| hand.merge_contacts(merged, kept)).unwrap();
    overpay(&world);
    world.poll_and_wait();
    assert_eq!(heard(&world), ["1: open overpayment 13.94 of cli_1"]);
    unlinks(&world, "cli_1");
    assert_eq!(heard(&world)[1..], ["2: closed overpayment 13.94 of cli_1"]);
    // A contact that has nothing to do with it.
    let other = world.by_hand(|hand| hand.add_contact("Another contact")).unwrap();
    links(&world, "cli_1", other);
    assert_eq!(heard(&world).len(), 2);
    links(&world, "cli_1", kept);
    assert_eq!(heard(&world)[2..], ["3: open overpayment 13.94 of cli_1"]);
}

/// A table in which a user unlinks the client just before a poll writes its overpayment.
#[derive(Debug)]
struct UserUnlinks {
    world: Arc<World>,
    has_unlinked: AtomicBool,
}

#[async_trait]
impl TableInterception for UserUnlinks {
    async fn intercept_request(&self, request: TableRequest<'_>) -> Result<(), TableError> {
        let TableRequest::Write(writes) = request else { return Ok(()) };
        let is_overpayment = writes.iter().any(|write| write.item_key().sk.starts_with("SURPLUS#"));
        if is_overpayment && !self.has_unlinked.swap(true, Ordering::SeqCst) {
            unlinks(&self.world, "cli_1");
        }
        Ok(())
    }
}

#[test]
fn an_overpayment_whose_client_is_unlinked_while_a_poll_reads_it_belongs_to_no_client() {
    for is_known in [false, true] {
        let world = billed();
        world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
        let id = overpay(&world);
        if is_known {
            world.poll_and_wait();
            let amount = "3.94".parse().unwrap();
            world.by_hand(|hand| hand.refund(Credit::Overpayment(id), amount, &today())).unwrap();
            world.clock.advance(SignedDuration::from_hours(24));
        }
        let world = Arc::new(world);
        let unlinks = UserUnlinks { world: world.clone(), has_unlinked: AtomicBool::new(false) };
        let store = InterceptedTable::store_on(world.table.clone(), unlinks);
        let engine = Engine { store, ..world.engine.clone() };
        run(poll_ledgers(&engine, &[world.ledger()], world.invocation())).unwrap();
        let last = heard(&world).pop().unwrap();
        assert!(last.ends_with(": closed overpayment 13.94 of cli_1"), "{last}");
        assert!(listed(&world).is_empty(), "{is_known}");
    }
}

#[test]
fn an_overpayment_is_open_again_for_a_client_that_is_linked_again() {
    let world = billed();
    let (_, contact) = invoice(&world);
    overpay(&world);
    world.poll_and_wait();
    let other = world.by_hand(|hand| hand.add_contact("Another contact")).unwrap();
    links(&world, "cli_1", other);
    assert_eq!(heard(&world)[1..], ["2: closed overpayment 13.94 of cli_1"]);
    links(&world, "cli_1", contact);
    assert_eq!(heard(&world)[2..], ["3: open overpayment 13.94 of cli_1"]);
}

#[test]
fn money_paid_on_the_invoice_of_a_client_that_was_unlinked_before_is_not_reported() {
    let world = billed();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    unlinks(&world, "cli_1");
    overpay(&world);
    assert_eq!(surplus_calls(&world), ["GET /Overpayments", "GET /Prepayments"]);
    assert!(heard(&world).is_empty());
    assert!(listed(&world).is_empty());
}

#[test]
fn an_overpayment_that_no_link_has_closed_is_closed_by_the_daily_check() {
    let world = billed();
    overpay(&world);
    world.poll_and_wait();
    let is_surplus = |item: &StoredItem| item.key.sk.starts_with("SURPLUS#");
    let open = world.table.all_items().into_iter().find(is_surplus).unwrap();
    unlinks(&world, "cli_1");
    // An earlier release has left it open, and did not store the contact.
    let mut record: serde_json::Value = serde_json::from_str(&open.record).unwrap();
    record.as_object_mut().unwrap().remove("contact").unwrap();
    let earlier = StoredItem { record: record.to_string(), ..open };
    let mut items = world.table.all_items();
    items.retain(|item| !is_surplus(item));
    items.push(earlier);
    world.table.restore_items(items);
    assert_eq!(listed(&world).len(), 1);
    // No invoice is open, so the ledger is verified in one hour of the day.
    for _ in 0..2 * 24 * 4 {
        world.poll_and_wait();
    }
    assert!(listed(&world).is_empty());
    let last = heard(&world).pop().unwrap();
    assert!(last.ends_with(": closed overpayment 13.94 of cli_1"), "{last}");
}

#[tokio::test(start_paused = true)]
async fn the_attention_list_shows_an_overpayment_with_the_client_that_is_linked_now_or_not_at_all()
{
    let world = billed();
    let (_, contact) = invoice(&world);
    overpay(&world);
    world.poll_and_wait();
    world.receive(Contact, &a_client("cli_2", 1, "Another client", "record"));
    let gateway = Gateway::new(&world, Delays::default());
    let choice = format!(r#"{{"contact_id":"{contact}"}}"#);
    for (method, client, body, shown) in
        [("DELETE", "cli_1", None, vec![]), ("PUT", "cli_2", Some(choice.as_str()), vec!["cli_2"])]
    {
        let path = format!("/v1/clients/{client}/contact");
        let (_, changed) = gateway.send(&a_request(method, &path, "", "Owner", body)).await;
        assert_eq!(changed.status().as_u16(), 200, "{method}");
        let (_, list) = gateway.send(&a_request("GET", "/v1/attention", "", "Owner", None)).await;
        let list: serde_json::Value = serde_json::from_slice(list.body()).unwrap();
        let overpaid = list["overpaid"].as_array().unwrap();
        let clients = overpaid.iter().map(|one| one["client_id"].as_str().unwrap());
        assert_eq!(clients.collect::<Vec<_>>(), shown, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_attention_list_shows_an_overpayment_and_its_route_takes_the_answer() {
    let world = billed();
    let id = overpay(&world);
    world.poll_and_wait();
    let gateway = Gateway::new(&world, Delays::default());
    let (_, list) = gateway.send(&a_request("GET", "/v1/attention", "", "Owner", None)).await;
    let list: serde_json::Value = serde_json::from_slice(list.body()).unwrap();
    let [shown] = list["overpaid"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!(shown["xero_id"], id.to_string());
    assert_eq!(shown["kind"], "overpayment");
    assert_eq!(shown["client_id"], "cli_1");
    assert_eq!(shown["remaining"]["amount"], "13.94");
    assert_eq!(shown["candidates"][0], "inv_1");
    // The money of an invoice in pounds pays none in euros.
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").currency("EUR").body());
    let path = format!("/v1/overpayments/{id}");
    for (role, body, expected, field) in [
        ("Owner", r#"{"acknowledged":false}"#, 400, Some("acknowledged")),
        ("Owner", r#"{"invoice":"inv_9"}"#, 400, Some("invoice")),
        ("Owner", r#"{"invoice":"inv_2"}"#, 400, Some("invoice")),
        ("Owner", r#"{"invoice":"inv_1"}"#, 200, None),
        ("Owner", r#"{"acknowledged":true}"#, 409, None),
    ] {
        let (_, answered) = gateway.send(&a_request("POST", &path, "", role, Some(body))).await;
        assert_eq!(answered.status().as_u16(), expected, "{body}");
        let answered: serde_json::Value = serde_json::from_slice(answered.body()).unwrap();
        assert_eq!(answered["field"].as_str(), field, "{answered}");
    }
    let (_, list) = gateway.send(&a_request("GET", "/v1/attention", "", "Owner", None)).await;
    let list: serde_json::Value = serde_json::from_slice(list.body()).unwrap();
    assert_eq!(list["overpaid"], serde_json::json!([]));
}
