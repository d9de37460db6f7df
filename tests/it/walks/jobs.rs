//! Jobs and operators' commands over many pages, in runs with too little time for all of them.

use std::collections::BTreeSet;

use domain::connection::ConnectionStatus;
use domain::ids::AccountId;
use domain::outbound::{EventContent, EventMessage, OutboundEvent};
use engine::jobs::erasure::{ErasureSummary, erase_account};
use engine::jobs::sweep::{SweepSummary, sweep_all_shards};
use engine::ports::Clock;
use jiff::SignedDuration;
use tests::World;
use tests::io_monitor::{CrashPoint, Moment, run};
use uuid::Uuid;

use super::slow_table::slow;
use super::{INVOCATION, record_clients};

/// The number of accounts with an undelivered event.
const ACCOUNTS: u128 = 64;

/// A world with an undelivered event of each account, and slow outboxes.
fn with_undelivered_events() -> World {
    let world = World::new();
    for number in 0..ACCOUNTS {
        let account = AccountId::new(format!("acc_{number}")).unwrap();
        let message = String::new();
        let content = EventContent::Connection {
            status: ConnectionStatus::Active,
            organisation: None,
            message,
        };
        let event =
            OutboundEvent::new(Uuid::from_u128(number + 1), account, content, world.clock.now());
        run(world.engine.store.put_event(&EventMessage::from(&event))).unwrap().unwrap();
    }
    world.clock.advance(SignedDuration::from_mins(5));
    slow(world, |page| page.contains("OUT#"), SignedDuration::from_secs(10))
}

fn sweeps(world: &World) -> SweepSummary {
    let begun_at = world.clock.now();
    let swept = run(sweep_all_shards(&world.engine, world.invocation())).unwrap();
    let took = world.clock.now().duration_since(begun_at);
    assert!(took <= INVOCATION, "{took:#}");
    swept
}

#[test]
fn sweeps_without_enough_time_end_in_time_and_together_process_everything_once() {
    let world = with_undelivered_events();
    let mut runs = 0;
    while world.events.deliveries().len() < usize::try_from(ACCOUNTS).unwrap() {
        let swept = sweeps(&world);
        assert!(swept.events > 0, "{swept:?}");
        runs += 1;
        world.clock.advance(SignedDuration::from_mins(5));
    }
    // Deliveries begin until the last call, 32 seconds after the start: four outboxes in each run.
    assert_eq!(runs, usize::try_from(ACCOUNTS.div_ceil(4)).unwrap());
    let delivered: BTreeSet<_> =
        world.events.deliveries().iter().map(|event| event.event_id).collect();
    assert_eq!(delivered.len(), world.events.deliveries().len(), "each event once");
    assert_eq!(sweeps(&world), SweepSummary::default());
}

#[test]
fn the_next_sweeps_complete_one_that_died_at_any_step() {
    for moment in [Moment::Before, Moment::After] {
        for step in (1..).step_by(3) {
            let world = with_undelivered_events();
            world.io.crash_at(Some(CrashPoint { step, moment }));
            let died = run(sweep_all_shards(&world.engine, world.invocation())).is_none();
            world.io.crash_at(None);
            for _ in 0..40 {
                world.clock.advance(SignedDuration::from_mins(5));
                sweeps(&world);
            }
            let delivered: BTreeSet<_> =
                world.events.deliveries().iter().map(|event| event.event_id).collect();
            assert_eq!(u128::try_from(delivered.len()).unwrap(), ACCOUNTS, "step {step}");
            let left = world.table.all_items();
            assert!(!left.iter().any(|item| item.key.sk.starts_with("OUT#")), "step {step}");
            // The event that was delivered right before the process died is delivered again, with
            // the same id.
            assert!(world.events.deliveries().len() <= delivered.len() + 1, "step {step}");
            if !died {
                assert!(step > 5, "{step}");
                break;
            }
        }
    }
}

fn erases(world: &World) -> ErasureSummary {
    let begun_at = world.clock.now();
    let erased = run(erase_account(&world.engine, &world.account(), &[], world.invocation()));
    let took = world.clock.now().duration_since(begun_at);
    assert!(took <= INVOCATION, "{took:#}");
    erased.unwrap().unwrap()
}

#[test]
fn an_erasure_of_many_pages_takes_as_few_runs_as_its_pages_need() {
    let world = World::connected();
    record_clients(&world, 1_000);
    // Reading a page of the records takes time.
    let world = slow(
        world,
        |page| page.starts_with("L#") && page.ends_with(' '),
        SignedDuration::from_secs(8),
    );
    let (mut runs, mut rows) = (0, 0);
    loop {
        let erased = erases(&world);
        (runs, rows) = (runs + 1, rows + erased.rows);
        if erased.done {
            break;
        }
        assert!(runs < 10, "it makes no progress: {erased:?}");
        // Work that was in progress when the account was disconnected is over.
        world.clock.advance(SignedDuration::from_mins(21));
    }
    assert!(rows > 1_000, "{rows}");
    // Ten full pages and those with the rest, five in each run. A run without records to remove
    // reads each of the two partitions once.
    assert!((3..=4).contains(&runs), "{runs}");
    let account = world.account();
    let is_left = |text: &str| text.contains(account.as_str());
    assert!(!world.table.all_items().iter().any(|item| is_left(&item.key.to_string())));
}
