//! The daily comparison of the books: the open balances in the CRM with those in Xero.

#![allow(clippy::disallowed_methods, reason = "responses are compared, not computed with")]

use domain::books::{BooksTally, DifferenceCode};
use domain::entity::EntityKind::{Allocation, CreditNote, Invoice, Payment};
use domain::outbound::EventContent;
use engine::commands::books;
use engine::poll::{PollOutcome, poll_ledgers};
use engine::ports::Clock;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::World;
use tests::builders::{a_credit_note, a_payment, an_allocation, an_invoice};
use tests::io_monitor::{CrashPoint, Moment, run};
use xero_sim::{Credit, Receipt};

use crate::gateway::{Delays, Gateway, a_request};

const QUARTER: SignedDuration = SignedDuration::from_mins(15);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The results that the CRM received, each event counted once.
fn compared(world: &World) -> Vec<(bool, BooksTally)> {
    let result = |content: EventContent| {
        let EventContent::BooksCompared { is_equal, tally, verified_at: _ } = content else {
            return None;
        };
        Some((is_equal, tally))
    };
    world.events.contents().into_iter().filter_map(result).collect()
}

/// The balances of the newest result, as texts: the CRM's and Xero's.
fn balances(world: &World) -> Vec<(String, String)> {
    let (_, tally) = compared(world).pop().unwrap();
    let texts = tally.balances.iter().map(|sums| (sums.crm.to_string(), sums.xero.to_string()));
    texts.collect()
}

/// The differences of the newest result: the record and the codes.
fn differences(world: &World) -> Vec<(String, Vec<DifferenceCode>)> {
    let (is_equal, tally) = compared(world).pop().unwrap();
    assert_eq!(is_equal, tally.differences.is_empty());
    let codes = tally.differences.into_iter().map(|one| {
        let codes = one.reasons.into_iter().map(|reason| reason.code);
        (one.crm_id.to_string(), codes.collect())
    });
    codes.collect()
}

/// A world with these invoices over 114.00 in Xero, whose changes were read.
fn billed(invoices: &[&str]) -> World {
    let world = World::connected();
    for id in invoices {
        world.receive(Invoice, &an_invoice(id, "cli_1").body());
        world.advance(QUARTER);
    }
    world.poll_and_wait();
    world
}

fn a_day_passes(world: &World) {
    world.clock.advance(DAY);
    world.poll_and_wait();
}

/// Polls every quarter of an hour for a day.
fn polls_for_a_day(world: &World) -> Vec<PollOutcome> {
    (0..96).map(|_| world.poll_and_wait()).collect()
}

#[test]
fn equal_books_are_reported_once_a_day_without_a_further_call() {
    let world = billed(&["inv_1", "inv_2"]);
    assert!(compared(&world).is_empty());
    let calls = world.calls().len();
    a_day_passes(&world);
    let of_verification = world.calls().split_off(calls);
    let results = compared(&world);
    assert_eq!(results.len(), 1);
    let (is_equal, tally) = &results[0];
    assert!(is_equal, "{tally:?}");
    assert_eq!((tally.invoices, tally.not_compared), (2, 0));
    assert_eq!(balances(&world), [("GBP 228.00".to_owned(), "GBP 228.00".to_owned())]);
    // The list of changes, and the open invoices by their ids.
    let reads = of_verification.iter().filter(|call| *call == "GET /Invoices");
    assert_eq!(reads.count(), 2, "{of_verification:?}");
    world.poll_and_wait();
    assert_eq!(compared(&world).len(), 1);
    a_day_passes(&world);
    assert_eq!(compared(&world).len(), 2);
}

#[test]
fn each_currency_has_its_own_sum() {
    let world = billed(&["inv_1"]);
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").currency("USD").body());
    world.advance(QUARTER);
    a_day_passes(&world);
    let sums = [("GBP 114.00", "GBP 114.00"), ("USD 114.00", "USD 114.00")];
    assert_eq!(balances(&world), sums.map(|(crm, xero)| (crm.to_owned(), xero.to_owned())));
}

#[test]
fn an_invoice_that_is_not_in_xero_is_a_difference() {
    let world = billed(&["inv_1"]);
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").tax_rate("7").body());
    a_day_passes(&world);
    assert_eq!(differences(&world), [("inv_2".to_owned(), vec![DifferenceCode::GivenUp])]);
    assert_eq!(balances(&world), [("GBP 228.00".to_owned(), "GBP 114.00".to_owned())]);
}

#[test]
fn a_credit_note_that_is_not_in_xero_is_one_difference_with_its_allocations() {
    let world = billed(&["inv_1"]);
    // A total that rounding cannot explain is not sent.
    let note = a_credit_note("cn_1", "cli_1").price("95.00", "64.00");
    world.receive(CreditNote, &note.body());
    world.receive(Allocation, &an_allocation("alc_1", "cn_1", "inv_1", "10.00").body());
    a_day_passes(&world);
    assert_eq!(differences(&world), [("cn_1".to_owned(), vec![DifferenceCode::GivenUp])]);
    assert_eq!(balances(&world), [("GBP 50.00".to_owned(), "GBP 114.00".to_owned())]);
}

#[test]
fn a_credit_note_voided_in_xero_is_a_difference_with_or_without_an_open_invoice() {
    for is_idle in [false, true] {
        let invoices: &[&str] = if is_idle { &[] } else { &["inv_1"] };
        let world = billed(invoices);
        world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
        world.advance(QUARTER);
        let id = world.books(|books| books.credit_notes().next().unwrap().id);
        world.by_hand(|bookkeeper| bookkeeper.void_credit_note(id).unwrap());
        world.clock.advance(QUARTER);
        polls_for_a_day(&world);
        let gone = vec![DifferenceCode::GoneInXero];
        assert_eq!(differences(&world), [("cn_1".to_owned(), gone)], "{is_idle}");
        let logged = world.log().into_iter().any(|entry| entry.message.contains("voided in Xero"));
        assert!(logged, "{is_idle}");
        let statuses = world.events.contents().into_iter().filter_map(|content| {
            let EventContent::CreditNoteStatus { credit_note_id, status, .. } = content else {
                return None;
            };
            Some((credit_note_id.to_string(), status))
        });
        let expected = [("cn_1".to_owned(), "VOIDED".to_owned())];
        assert_eq!(statuses.collect::<Vec<_>>(), expected, "{is_idle}");
    }
}

#[test]
fn credit_that_both_sides_have_leaves_the_books_equal() {
    let world = billed(&["inv_1"]);
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world.receive(Allocation, &an_allocation("alc_1", "cn_1", "inv_1", "10.00").body());
    a_day_passes(&world);
    assert!(differences(&world).is_empty(), "{:?}", differences(&world));
    assert_eq!(balances(&world), [("GBP 104.00".to_owned(), "GBP 104.00".to_owned())]);
}

#[test]
fn credit_that_a_bookkeeper_refunds_is_a_difference_of_the_credit_that_is_left() {
    let world = billed(&["inv_1"]);
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world.receive(Allocation, &an_allocation("alc_1", "cn_1", "inv_1", "10.00").body());
    world.advance(QUARTER);
    let (tenant, now) = (world.tenant(), world.clock.now());
    let note = world.books(|books| books.credit_notes().next().unwrap().id);
    let receipt = Receipt::on(date(2026, 11, 2));
    let credit = Credit::CreditNote(note);
    world.xero().bookkeeper(now, tenant).unwrap().refund(credit, 50.into(), &receipt).unwrap();
    a_day_passes(&world);
    let used = vec![DifferenceCode::CreditUsedInXero];
    assert_eq!(differences(&world), [("cn_1".to_owned(), used)]);
    // The invoice: 104.00. The credit note: 104.00 are left in the CRM, 54.00 in Xero.
    assert_eq!(balances(&world), [("GBP 0.00".to_owned(), "GBP 50.00".to_owned())]);
}

#[test]
fn cash_that_xero_does_not_have_is_a_difference_until_it_is_banked() {
    let world = billed(&["inv_1", "inv_2"]);
    let cash = a_payment("pay_1", &[("inv_1", "50.00")]).method("cash");
    world.receive(Payment, &cash.body());
    a_day_passes(&world);
    let banked = vec![DifferenceCode::PaymentNotBanked];
    assert_eq!(differences(&world), [("inv_1".to_owned(), banked)]);
    assert_eq!(balances(&world), [("GBP 178.00".to_owned(), "GBP 228.00".to_owned())]);
    world.is_paid("#INV_1", "50.00", &Receipt::on(date(2026, 11, 3)));
    world.poll_and_wait();
    a_day_passes(&world);
    assert!(differences(&world).is_empty());
    assert_eq!(balances(&world), [("GBP 178.00".to_owned(), "GBP 178.00".to_owned())]);
}

#[test]
fn a_payment_that_was_imported_and_a_credit_in_xero_leave_the_books_equal() {
    let world = billed(&["inv_1", "inv_2"]);
    world.is_paid("#INV_1", "114.00", &Receipt::on(date(2026, 11, 2)));
    a_day_passes(&world);
    assert!(differences(&world).is_empty(), "{:?}", differences(&world));
    assert_eq!(balances(&world), [("GBP 114.00".to_owned(), "GBP 114.00".to_owned())]);
}

#[test]
fn an_invoice_voided_in_xero_is_a_difference_even_without_any_open_invoice() {
    let world = billed(&["inv_1"]);
    let id = world.books(|books| books.invoices().next().unwrap().id);
    world.by_hand(|bookkeeper| bookkeeper.void(id).unwrap());
    world.poll_and_wait();
    let calls = world.calls().len();
    let polled = polls_for_a_day(&world);
    // Each account has its hour of the day, in which Xero is read once.
    let read = polled.iter().filter(|one| **one != PollOutcome::Idle).collect::<Vec<_>>();
    assert_eq!(read, [&PollOutcome::Read { changed: 0 }]);
    let lists = world.calls().split_off(calls).into_iter();
    let lists = lists.filter(|call| matches!(call.as_str(), "GET /Invoices" | "GET /Payments"));
    assert_eq!(lists.count(), 2);
    assert_eq!(compared(&world).len(), 1);
    assert_eq!(differences(&world), [("inv_1".to_owned(), vec![DifferenceCode::GoneInXero])]);
}

#[test]
fn a_payment_removed_in_xero_is_seen_within_a_day_without_any_open_invoice() {
    let world = billed(&["inv_1"]);
    let payment = world.is_paid("#INV_1", "114.00", &Receipt::on(date(2026, 11, 2)));
    world.poll_and_wait();
    assert_eq!(world.poll_and_wait(), PollOutcome::Idle);
    world.by_hand(|bookkeeper| bookkeeper.remove_payment(payment).unwrap());
    polls_for_a_day(&world);
    let contents = world.events.contents();
    let removed = contents.iter().filter(|one| matches!(one, EventContent::PaymentRemoved { .. }));
    assert_eq!(removed.count(), 1);
    assert!(differences(&world).is_empty(), "{:?}", differences(&world));
    assert_eq!(balances(&world), [("GBP 114.00".to_owned(), "GBP 114.00".to_owned())]);
}

#[test]
fn an_account_without_invoices_or_connection_is_not_compared() {
    let world = World::connected();
    let calls = world.calls().len();
    polls_for_a_day(&world);
    assert!(compared(&world).is_empty());
    assert_eq!(world.calls().len(), calls);
    let other = billed(&["inv_1"]);
    other.disconnect();
    other.clock.advance(DAY);
    polls_for_a_day(&other);
    assert!(compared(&other).is_empty());
}

#[test]
fn a_comparison_that_is_interrupted_anywhere_is_reported_once() {
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let world = billed(&["inv_1"]);
            world.clock.advance(DAY);
            world.io.crash_at(Some(CrashPoint { step, moment }));
            let ledgers = [world.ledger()];
            let polled = run(poll_ledgers(&world.engine, &ledgers, world.invocation()));
            world.io.crash_at(None);
            for _ in 0..3 {
                world.clock.advance(QUARTER);
                world.poll();
            }
            let _swept = world.sweep();
            let results = compared(&world);
            assert_eq!(results.len(), 1, "{step} {moment:?}: {polled:?}");
            assert!(results[0].0, "{results:?}");
            if polled.is_some() {
                assert!(step > 10, "{step}");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_api_returns_the_newest_comparison_and_nothing_before_the_first() {
    let world = billed(&["inv_1"]);
    let gateway = Gateway::new(&world, Delays::default());
    let request = || a_request("GET", "/v1/books", "", "Member", None);
    let (_, answer) = gateway.send(&request()).await;
    let empty: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!((answer.status().as_u16(), empty), (200, json!({ "is_running": false })));
    a_day_passes(&world);
    let (_, answer) = gateway.send(&request()).await;
    let shown: Value = serde_json::from_slice(answer.body()).unwrap();
    let comparison = &shown["comparison"];
    assert_eq!(comparison["is_equal"], true, "{shown}");
    assert_eq!(comparison["invoices"], 1);
    assert_eq!(comparison["balances"][0]["xero"]["amount"], "114.00");
    let known = run(books::find_comparison(&world.engine, &world.account()));
    let newest = known.unwrap().unwrap().unwrap().newest.unwrap();
    let compared_at = comparison["compared_at"].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert_eq!(compared_at, newest.compared_at);
}
