//! The daily verification: a failure of a later part repeats none of the earlier ones, and a long
//! list is read over several polls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::entity::EntityKind::{self, CreditNote, Invoice, Payment};
use domain::outbound::EventContent;
use domain::poll::PollProgress;
use engine::poll::PollOutcome;
use engine::ports::{Clock, Metric};
use http::Method;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use store::table::{IndexKey, ItemKey, StoredItem};
use tests::World;
use tests::builders::{a_credit_note, a_payment, an_invoice};
use tests::io_monitor::run;
use tests::ports::{Intercepted, refusal, respond};
use uuid::Uuid;
use xero_sim::{Fault, FaultKind, Match, Receipt};

const QUARTER: SignedDuration = SignedDuration::from_mins(15);

/// A world with an open invoice and a credit note, a day after the last verification.
fn a_day_later() -> World {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world.advance(QUARTER);
    world.poll();
    world.clock.advance(SignedDuration::from_hours(25));
    world
}

/// Polls, and returns the outcome with how often invoices, credit notes and accounts were read.
fn polls(world: &World) -> (PollOutcome, [usize; 3]) {
    let before = world.calls().len();
    let polled = world.poll();
    world.clock.advance(QUARTER);
    let calls = world.calls().split_off(before);
    let is_of = |made: &str, call: &str| {
        made.strip_prefix(call).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let count = |call: &str| calls.iter().filter(|made| is_of(made, call)).count();
    (polled, ["GET /Invoices", "GET /CreditNotes", "GET /Accounts"].map(count))
}

fn comparisons(world: &World) -> usize {
    let contents = world.events.contents();
    contents.iter().filter(|content| matches!(content, EventContent::BooksCompared { .. })).count()
}

#[test]
fn a_failure_after_the_open_invoices_does_not_verify_them_again() {
    for (failing, first, repeated, recovered) in [
        ("Accounts", [2, 2, 1], [1, 0, 1], [1, 0, 1]),
        // The changed notes; the open one by its id in a list and by itself.
        ("CreditNotes", [2, 3, 1], [1, 3, 0], [1, 2, 0]),
    ] {
        let world = a_day_later();
        let path = format!("/api.xro/2.0/{failing}");
        world.inject(Fault { on: Match::every(&path), kind: FaultKind::Status500 });
        // The lists of changes are read by every poll, open invoices and credit notes by their ids
        // once.
        assert_eq!(polls(&world), (PollOutcome::Later, first), "{failing}");
        for _ in 0..3 {
            assert_eq!(polls(&world), (PollOutcome::Later, repeated), "{failing}");
        }
        world.xero().clear_faults();
        assert_eq!(polls(&world), (PollOutcome::Read { changed: 0 }, recovered), "{failing}");
        assert_eq!(polls(&world), (PollOutcome::Read { changed: 0 }, [1, 0, 0]), "{failing}");
        assert_eq!(comparisons(&world), 1, "{failing}");
    }
}

/// The progress of the account's polls.
fn progress(world: &World) -> PollProgress {
    run(world.engine.store.find_poll_progress(&world.ledger())).unwrap().unwrap().unwrap().record
}

/// A bookkeeper voids the credit note.
fn void_note(world: &World) {
    let note = world.mapping(CreditNote, "cn_1").unwrap().link.unwrap().xero_id.0;
    world.by_hand(|bookkeeper| bookkeeper.void_credit_note(note).unwrap());
}

fn is_note_voided(world: &World) -> bool {
    world.mapping(CreditNote, "cn_1").unwrap().is_gone_in_xero()
}

#[test]
fn a_list_of_changed_credit_notes_that_fails_keeps_its_place_and_delays_nothing_else() {
    let mut world = a_day_later();
    void_note(&world);
    world.is_paid("#INV_1", "50.00", &Receipt::on(date(2026, 11, 2)));
    let inner = world.engine.transport.clone();
    world.engine.transport = Intercepted::on(inner.clone(), |request| {
        let is_list = request.uri().path() == "/api.xro/2.0/CreditNotes";
        is_list.then(|| Ok(refusal(500, "An error occurred")))
    });
    let since = world.clock.now();
    assert_eq!(world.poll_and_wait(), PollOutcome::Later);
    let contents = world.events.contents();
    let imported =
        contents.iter().filter(|content| matches!(content, EventContent::PaymentImported(_)));
    assert_eq!(imported.count(), 1);
    assert!(is_note_voided(&world), "the notes with credit left are read by their ids");
    let place = progress(&world).credit_notes;
    assert!(place.is_some());
    for _ in 0..3 {
        assert_eq!(world.poll_and_wait(), PollOutcome::Later);
        assert_eq!(progress(&world).credit_notes, place);
    }
    assert_eq!(world.poll(), PollOutcome::Later);
    assert_eq!(world.status().payment_checks_failing_since, Some(since));
    assert!(world.metrics.all().contains(&Metric::PollStalled));
    world.engine.transport = inner;
    world.clock.advance(QUARTER);
    assert!(matches!(world.poll(), PollOutcome::Read { .. }));
    assert_eq!(progress(&world).credit_notes, None);
    assert_eq!(world.status().payment_checks_failing_since, None);
    assert_eq!(comparisons(&world), 1);
}

#[test]
fn a_list_of_refunds_that_fails_is_read_later_and_delays_no_credit_note() {
    let mut world = a_day_later();
    world.choose_accounts();
    // Without payments of the CRM, refunds are not read.
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "14.00")]).body());
    void_note(&world);
    let inner = world.engine.transport.clone();
    world.engine.transport = Intercepted::on(inner.clone(), |request| {
        let query = request.uri().query().unwrap_or_default();
        query.contains("ARCREDITPAYMENT").then(|| Ok(refusal(500, "An error occurred")))
    });
    assert_eq!(world.poll_and_wait(), PollOutcome::Later);
    assert!(is_note_voided(&world));
    let PollProgress { credit_notes, refunds, .. } = progress(&world);
    assert!(credit_notes.is_none() && refunds.is_some());
    assert_eq!(world.poll_and_wait(), PollOutcome::Later);
    assert_eq!(progress(&world).refunds, refunds);
    world.engine.transport = inner;
    assert!(matches!(world.poll(), PollOutcome::Read { .. }));
    assert_eq!(progress(&world).refunds, None);
    let xero = world.xero();
    let reads = xero.calls().iter().filter(|call| call.query.contains("ARCREDITPAYMENT"));
    assert_eq!(reads.count(), 1);
}

/// A world with an open invoice and this many documents of this kind, a day after the last
/// verification. Xero fails at every call that names one of the first ones, as many as `failing`.
fn with_failing_documents(kind: EntityKind, count: usize, failing: usize) -> World {
    let mut world = World::connected();
    // A ledger without an open invoice is verified in one hour of the day only.
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    for number in 1..=count {
        let invoice = an_invoice(&format!("inv_{number}"), "cli_1");
        let note = a_credit_note(&format!("cn_{number}"), "cli_1");
        world.receive(kind, &if kind == Invoice { invoice.body() } else { note.body() });
    }
    world.advance(QUARTER);
    world.poll();
    world.clock.advance(SignedDuration::from_hours(25));
    let prefix = if kind == Invoice { "inv" } else { "cn" };
    let id_in_xero = |number: usize| {
        let link = world.mapping(kind, &format!("{prefix}_{number}")).unwrap().link.unwrap();
        link.xero_id.0.to_string()
    };
    let failing = (1..=failing).map(id_in_xero).collect::<Vec<_>>();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), move |request| {
        let uri = request.uri().to_string();
        let is_named = failing.iter().any(|id| uri.contains(id));
        is_named.then(|| Ok(refusal(500, "An error occurred")))
    });
    world
}

#[test]
fn documents_at_which_xero_always_fails_do_not_stop_the_daily_verification() {
    for kind in [Invoice, CreditNote] {
        for (count, failing) in [(1, 1), (2, 1), (5, 1), (5, 2)] {
            let world = with_failing_documents(kind, count, failing);
            let (polled, _) = polls(&world);
            assert_eq!(polled, PollOutcome::Read { changed: 0 }, "{kind} {count} {failing}");
            assert_eq!(comparisons(&world), 1, "{kind} {count} {failing}");
        }
    }
}

/// Copies the row of the open invoice, so that there are this many.
fn with_open_invoices(count: usize) -> World {
    let world = a_day_later();
    let mut items = world.table.all_items();
    let one = items.iter().find(|item| item.key.sk == "MAP#invoice#inv_1").unwrap().clone();
    let open = one.open.clone().unwrap();
    items.extend((1..count).map(|number| {
        let id = format!("inv_1_{number}");
        StoredItem {
            key: ItemKey::new(&one.key.pk, format!("MAP#invoice#{id}")),
            record: one.record.replace("inv_1", &id),
            open: Some(IndexKey::new(&open.pk, open.sk.replace("inv_1", &id))),
            ..one.clone()
        }
    }));
    world.table.restore_items(items);
    world
}

#[test]
fn open_invoices_beyond_ten_calls_are_verified_by_the_next_poll() {
    // A call reads forty invoices. Each poll also reads the list of changes.
    for (count, reads) in [(40, [2, 1, 1]), (41, [3, 1, 1]), (400, [11, 1, 1]), (401, [11, 2, 1])] {
        let world = with_open_invoices(count);
        let polled = [(); 3].map(|()| {
            let (polled, [invoices, ..]) = polls(&world);
            assert_eq!(polled, PollOutcome::Read { changed: 0 }, "{count}");
            invoices
        });
        assert_eq!(polled, reads, "{count}");
    }
}

/// An answer with one changed credit note of another app, after which Xero reports more.
fn a_page(number: usize) -> String {
    let start: Timestamp = "2026-11-02T10:00:00Z".parse().unwrap();
    let minutes = i64::try_from(number).unwrap();
    let changed = (start + SignedDuration::from_mins(minutes)).as_millisecond();
    let id = Uuid::from_u128(u128::try_from(number).unwrap() + 1);
    format!(
        r#"{{"pagination":{{"page":1,"pageSize":1,"pageCount":2}},
        "CreditNotes":[{{"CreditNoteID":"{id}","Type":"ACCRECCREDIT","Status":"AUTHORISED",
        "CurrencyCode":"GBP","Total":1.00,"RemainingCredit":1.00,
        "UpdatedDateUTC":"/Date({changed}+0000)/"}}]}}"#
    )
}

#[test]
fn changed_credit_notes_on_more_pages_than_a_poll_reads_are_read_by_the_next_polls() {
    const PAGES: usize = 24;
    let mut world = a_day_later();
    let reads = Arc::new(AtomicUsize::new(0));
    let count = reads.clone();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), move |request| {
        let is_list = request.uri().path() == "/api.xro/2.0/CreditNotes";
        if !is_list || request.method() != Method::GET {
            return None;
        }
        let number = count.fetch_add(1, Ordering::SeqCst);
        let body = if number < PAGES { a_page(number) } else { r#"{"CreditNotes":[]}"#.to_owned() };
        Some(Ok(respond(200, &body)))
    });
    for (pages, compared) in [(10, 0), (20, 0), (PAGES + 1, 1), (PAGES + 1, 1)] {
        let (polled, _) = polls(&world);
        assert!(matches!(polled, PollOutcome::Read { .. }), "{polled:?}");
        assert_eq!(reads.load(Ordering::SeqCst), pages);
        assert_eq!(comparisons(&world), compared, "{pages}");
    }
}
