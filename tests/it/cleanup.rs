//! The daily cleanup: sync log entries older than 30 days, and authorisations that were never
//! completed.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use domain::entity::EntityKind::Invoice;
use engine::Invocation;
use engine::inbound::MessageOutcome;
use engine::jobs::cleanup::{CleanupSummary, remove_expired_rows};
use engine::ports::Clock;
use engine::sync::push::PushOutcome;
use jiff::{SignedDuration, Timestamp};
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::{CrashPoint, Moment, run};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn cleans(world: &World) -> CleanupSummary {
    cleans_within(world, world.invocation())
}

fn cleans_within(world: &World, invocation: Invocation) -> CleanupSummary {
    run(remove_expired_rows(&world.engine.store, &world.clock, invocation)).unwrap().unwrap()
}

/// The rows of the table whose partition key has this prefix.
fn rows(world: &World, partition: &str) -> usize {
    world.table.all_items().iter().filter(|item| item.key.pk.starts_with(partition)).count()
}

fn logs(world: &World, number: u32) {
    world.receive(Invoice, &an_invoice(&format!("inv_{number}"), "cli_1").body());
    world.clock.advance(SignedDuration::from_mins(1));
}

#[test]
fn entries_are_removed_after_thirty_days_and_not_an_hour_before() {
    let world = World::connected();
    logs(&world, 1);
    let before = rows(&world, "LOG#");
    // The client's entry, and the invoice's.
    assert_eq!(before, 2);
    world.clock.advance(DAY * 30 - SignedDuration::from_mins(2));
    assert_eq!(cleans(&world).entries, 0);
    assert_eq!(world.log().len(), 2);
    world.clock.advance(SignedDuration::from_mins(2));
    logs(&world, 2);
    assert_eq!(
        cleans(&world),
        CleanupSummary { accounts: 1, entries: 2, ..CleanupSummary::default() }
    );
    assert_eq!(rows(&world, "LOG#"), 1);
    assert_eq!(world.log().len(), 1);
    // A second run has nothing to do.
    assert_eq!(cleans(&world), CleanupSummary { accounts: 1, ..CleanupSummary::default() });
}

#[test]
fn the_log_of_an_account_that_never_connected_is_cleaned_up_too() {
    let world = World::new();
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Parked));
    world.clock.advance(DAY * 31);
    // The client's entry, and the invoice's.
    assert_eq!(cleans(&world).entries, 2);
    assert_eq!(rows(&world, "LOG#"), 0);
}

#[test]
fn abandoned_authorisations_are_removed_and_a_pending_one_is_kept() {
    let world = World::new();
    world.begin();
    world.begin();
    world.clock.advance(SignedDuration::from_mins(16));
    world.begin();
    assert_eq!(rows(&world, "O#"), 3);
    assert_eq!(cleans(&world).attempts, 2);
    assert_eq!(rows(&world, "O#"), 1);
    assert_eq!(cleans(&world).attempts, 0);
}

/// Every read of the clock takes a second.
#[derive(Debug)]
struct Ticking(Mutex<Timestamp>);

#[async_trait]
impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let mut now = self.0.lock().unwrap();
        *now += SignedDuration::from_secs(1);
        *now
    }

    async fn sleep_for(&self, _: Duration) {}
}

fn with_logs(accounts: u32) -> World {
    let world = World::new();
    for number in 0..accounts {
        let account = format!("acc_{number}");
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").account(&account).body());
    }
    world.clock.advance(DAY * 31);
    world
}

#[test]
fn a_cleanup_that_runs_out_of_time_resumes_where_it_stopped() {
    let world = with_logs(600);
    let (mut runs, mut looked_at) = (0, 0);
    while rows(&world, "LOG#") > 0 {
        let clock = Ticking(Mutex::new(world.clock.now()));
        let until = Invocation::interactive(world.clock.now() + SignedDuration::from_secs(120));
        let cleaned =
            run(remove_expired_rows(&world.engine.store, &clock, until)).unwrap().unwrap();
        assert!(cleaned.is_cut_short);
        runs += 1;
        looked_at += cleaned.accounts;
        assert!(runs < 30, "it makes no progress");
    }
    // Each run repeated only the page where it had stopped.
    assert!(runs > 3 && looked_at < 600 + runs * 50, "{runs} runs, {looked_at} accounts");
    assert!(!cleans(&world).is_cut_short);
    // Without any time it only records its position.
    let over = Invocation::interactive(world.clock.now() - SignedDuration::from_secs(1));
    assert_eq!(
        cleans_within(&world, over),
        CleanupSummary { is_cut_short: true, ..CleanupSummary::default() }
    );
    assert_eq!(cleans(&world), CleanupSummary { accounts: 600, ..CleanupSummary::default() });
}

#[test]
fn the_next_cleanup_completes_one_that_died_at_any_step() {
    let world = with_logs(60);
    let mut died = 0;
    for step in (20..).step_by(7) {
        world.io.crash_at(Some(CrashPoint { step, moment: Moment::After }));
        let ended = run(remove_expired_rows(&world.engine.store, &world.clock, world.invocation()));
        world.io.crash_at(None);
        if ended.is_some() {
            break;
        }
        died += 1;
    }
    assert!(died > 3, "{died}");
    assert_eq!(rows(&world, "LOG#"), 0);
}
