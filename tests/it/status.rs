//! The status page: stored facts, and the records that are failing now.

mod callbacks;
mod contended;

use domain::connection::ConnectionStatus;
use domain::entity::EntityKind::{Contact, Invoice};
use domain::ids::CrmId;
use engine::commands::choices;
use engine::commands::views::RecordState;
use engine::poll::PollOutcome;
use engine::ports::Clock;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_client, an_invoice};
use tests::io_monitor::run;
use tests::world::owner;
use xero_sim::{Fault, FaultKind, Match};

const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;

fn sends(world: &World, id: &str) {
    world.receive(Invoice, &an_invoice(id, "cli_1").body());
    world.clock.advance(SignedDuration::from_secs(5));
}

/// One that our own rules refuse: it is given up at once.
fn sends_hopeless(world: &World, id: &str) {
    world.receive(Invoice, &an_invoice(id, "cli_1").tax_rate("7").body());
    world.clock.advance(SignedDuration::from_secs(5));
}

#[test]
fn a_connect_that_nobody_finishes_is_over_after_its_fifteen_minutes() {
    let world = World::new();
    world.begin();
    world.clock.advance(MINUTES(14));
    assert_eq!(world.status().status, ConnectionStatus::Pending);
    world.clock.advance(MINUTES(1));
    let view = world.status();
    assert_eq!((view.status, view.pending), (ConnectionStatus::Disconnected, None));
}

#[test]
fn a_reconnect_under_way_is_shown_beside_a_connection_that_works() {
    let world = World::connected();
    world.begin();
    let view = world.status();
    assert_eq!(view.status, ConnectionStatus::Active);
    assert!(view.pending.is_some());
    sends(&world, "inv_1");
    assert_eq!(world.status().failing, 0);
    world.clock.advance(MINUTES(15));
    assert_eq!(world.status().pending, None);
}

#[test]
fn a_first_connect_that_is_pending_can_be_ended_like_a_connection() {
    let world = World::new();
    world.begin();
    world.disconnect();
    let view = world.status();
    assert_eq!((view.status, view.pending), (ConnectionStatus::Disconnected, None));
    assert!(
        world.reported_statuses(&world.account()).is_empty(),
        "nothing has changed for the CRM"
    );
}

#[test]
fn six_records_that_fail_and_one_that_arrives_are_an_error_until_the_last_has_arrived() {
    let world = World::connected();
    sends(&world, "inv_0");
    assert_eq!(world.status().status, ConnectionStatus::Active);
    world.lock_books(Some("2026-12-31"));
    for number in 1..=6 {
        sends(&world, &format!("inv_{number}"));
    }
    // One more arrives after them.
    world.receive(Contact, &a_client("cli_9", 1, "Summit", "push"));
    let view = world.status();
    assert_eq!((view.status, view.failing, view.skipped), (ConnectionStatus::Error, 6, 0));
    let problem = view.problem.unwrap();
    assert_eq!(problem.record.crm_id.as_str(), "inv_6", "the newest");
    assert_eq!(problem.record.entity, Invoice);
    assert_eq!(problem.record.state, RecordState::Waiting);
    assert!(problem.record.next_attempt_at.unwrap() > world.clock.now());
    assert!(!problem.failure.code.is_empty(), "{problem:?}");
    assert!(!problem.failure.message.is_empty() && !problem.failure.remedy.is_empty());
    assert!(problem.failed_at.unwrap() <= world.clock.now());
    assert_eq!(view.connection_problem, None);
    // No delay: as soon as a record is in Xero, it is no longer counted.
    world.lock_books(None);
    world.advance(MINUTES(60));
    let view = world.status();
    assert_eq!((view.status, view.failing, view.problem), (ConnectionStatus::Active, 0, None));
}

#[test]
fn what_was_given_up_is_counted_at_once_and_named_with_its_document_in_xero() {
    let world = World::connected();
    sends(&world, "inv_1");
    sends_hopeless(&world, "inv_2");
    let view = world.status();
    assert_eq!((view.status, view.failing, view.skipped), (ConnectionStatus::Error, 0, 1));
    let problem = view.problem.unwrap();
    assert_eq!(problem.record.crm_id.as_str(), "inv_2");
    assert_eq!((problem.xero_url, problem.record.next_attempt_at), (None, None));

    // An edit that fails concerns a document that Xero has.
    world.lock_books(Some("2026-12-31"));
    let edit = an_invoice("inv_1", "cli_1").revision(2).price("100.00", "120.00");
    world.receive(Invoice, &edit.body());
    let view = world.status();
    assert_eq!((view.failing, view.skipped), (1, 1));
    let problem = view.problem.unwrap();
    assert_eq!(problem.record.crm_id.as_str(), "inv_1", "the newest of both");
    let id = world.books(|books| books.invoices().next().unwrap().id);
    let url = format!("https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID={id}");
    assert_eq!(problem.xero_url.as_deref(), Some(url.as_str()));
}

#[test]
fn five_given_up_records_are_warned_of_at_once() {
    let world = World::connected();
    for number in 1..=4 {
        sends_hopeless(&world, &format!("inv_{number}"));
    }
    assert!(world.status().warnings.is_empty());
    sends_hopeless(&world, "inv_5");
    let warnings = world.status().warnings;
    assert!(warnings[0].starts_with("5 records could not be synced"), "{warnings:?}");
}

#[test]
fn the_last_sync_the_last_attempt_and_the_last_payment_check_are_facts_of_their_own() {
    let world = World::connected();
    let view = world.status();
    assert_eq!((view.last_attempt_at, view.last_sync_at), (None, None));
    sends(&world, "inv_1");
    let first = world.status();
    let synced_at = first.last_sync_at.unwrap();
    assert_eq!(first.last_attempt_at, Some(synced_at));

    // A failure changes only the time of the last attempt.
    world.clock.advance(MINUTES(10));
    sends_hopeless(&world, "inv_2");
    let failed = world.status();
    assert_eq!(failed.last_sync_at, Some(synced_at));
    assert!(failed.last_attempt_at.unwrap() > synced_at);

    // A poll without changes changes only the time of the last payment check.
    world.clock.advance(MINUTES(10));
    assert!(matches!(world.poll(), PollOutcome::Read { .. }));
    let polled = world.status();
    assert_eq!(polled.last_payment_check_at, Some(world.clock.now()));
    assert_eq!(polled.last_sync_at, failed.last_sync_at);
    assert_eq!(polled.last_attempt_at, failed.last_attempt_at);

    // A message that changes nothing, and one for a record whose retry is not due, are no attempts.
    world.clock.advance(MINUTES(10));
    sends(&world, "inv_1");
    assert_eq!(world.status().last_attempt_at, failed.last_attempt_at);
}

#[test]
fn a_message_for_a_record_that_waits_for_its_retry_is_no_attempt() {
    let world = World::connected();
    sends(&world, "inv_0");
    world.inject(Fault { on: Match::next("/api.xro/2.0/Invoices"), kind: FaultKind::Status500 });
    sends(&world, "inv_1");
    let before = world.status().last_attempt_at;
    sends(&world, "inv_1");
    assert_eq!(world.status().last_attempt_at, before);
}

#[test]
fn an_expired_connection_says_what_to_do_and_forgets_it_when_it_is_mended() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_hours(61 * 24));
    world.restart();
    sends(&world, "inv_1");
    let view = world.status();
    assert_eq!(view.status, ConnectionStatus::TokenExpired);
    let problem = view.connection_problem.unwrap();
    assert_eq!(problem.code, "reconnect_needed");
    assert!(problem.remedy.contains("Reconnect"), "{problem:?}");
    assert_eq!((view.failing, view.skipped), (0, 0), "no record is to blame");
    world.connect();
    world.advance(MINUTES(5));
    let view = world.status();
    assert_eq!((view.status, view.connection_problem), (ConnectionStatus::Active, None));
}

#[test]
fn when_the_newest_failure_is_resolved_the_next_newest_is_named() {
    let world = World::connected();
    sends(&world, "inv_0");
    sends_hopeless(&world, "inv_1");
    world.lock_books(Some("2026-12-31"));
    sends(&world, "inv_2");
    sends(&world, "inv_3");
    for (newest, counts) in [("inv_3", (2, 1)), ("inv_2", (1, 1)), ("inv_1", (0, 1))] {
        let view = world.status();
        assert_eq!((view.status, (view.failing, view.skipped)), (ConnectionStatus::Error, counts));
        assert_eq!(view.problem.unwrap().record.crm_id.as_str(), newest);
        let (account, by, record) = (world.account(), owner(), CrmId::new(newest).unwrap());
        run(choices::never_send_record(&world.engine, &account, &by, Invoice, record))
            .unwrap()
            .unwrap();
    }
    let view = world.status();
    assert_eq!((view.status, view.failing, view.skipped), (ConnectionStatus::Active, 0, 0));
    assert_eq!(view.problem, None);
}
