//! Long walks: an invocation processes as many pages as its time allows, ends in time, and the next
//! one resumes where it stopped, also after a crash.

mod carrying;
mod comparing;
mod jobs;
mod slow_table;

use domain::entity::EntityKind::{Contact, CreditNote, Invoice, Payment};
use domain::envelope::{WakeUp, WakeUpKind};
use domain::ids::UserId;
use domain::operation::OperationState;
use domain::sync_all::SyncAll;
use engine::commands::sync_all;
use engine::inbound::MessageOutcome;
use engine::ports::Clock;
use jiff::SignedDuration;
use tests::World;
use tests::builders::a_client;
use tests::io_monitor::{CrashPoint, Moment, run};

use self::slow_table::slow;

/// The duration of the world's invocations. The last call to Xero begins 30 seconds earlier.
const INVOCATION: SignedDuration = SignedDuration::from_secs(60);
/// A step that no process reaches.
const NEVER: CrashPoint = CrashPoint { step: u32::MAX, moment: Moment::Before };

/// The id of a client.
fn client_id(number: usize) -> String {
    format!("cli_{number:04}")
}

/// Receives this number of clients that are only recorded.
fn record_clients(world: &World, count: usize) {
    for number in 0..count {
        let id = client_id(number);
        world.receive(Contact, &a_client(&id, 1, &format!("Client {id}"), "record"));
    }
}

/// Takes the next wake-up of a walk.
fn next_wake(world: &World, work: &WakeUpKind) -> Option<WakeUp> {
    world.wake_ups.take(|wake| wake.work == *work)
}

/// Receives a wake-up of a walk in one invocation, which ends in time.
fn invoke(world: &World, wake: &WakeUp) {
    let begun_at = world.clock.now();
    let received = world.try_wake(wake, NEVER).expect("the process does not crash");
    assert!(matches!(received, Ok(MessageOutcome::Walked)), "{received:?}");
    let took = world.clock.now().duration_since(begun_at);
    assert!(took <= INVOCATION, "{took:#}");
}

/// Receives the wake-ups of a walk, each in one invocation, until there are none. Returns the number
/// of invocations.
fn invocations(world: &World, work: &WakeUpKind) -> usize {
    let mut count = 0;
    while let Some(wake) = next_wake(world, work) {
        invoke(world, &wake);
        count += 1;
        assert!(count < 100, "the walk makes no progress");
    }
    count
}

fn connected() -> World {
    let world = World::with(|settings| settings.organisations[0].tier = xero_sim::Tier::Core);
    world.connect();
    world
}

fn starts(world: &World) {
    let by = UserId::new("usr_owner").unwrap();
    run(sync_all::start_sync_all(&world.engine, &world.account(), by)).unwrap().unwrap();
}

fn progress(world: &World) -> SyncAll {
    run(sync_all::find_sync_all(&world.engine, &world.account())).unwrap().unwrap().unwrap()
}

#[test]
fn a_sync_all_over_many_pages_takes_one_wake_up_of_each_queue_while_there_is_time() {
    let world = connected();
    record_clients(&world, 300);
    starts(&world);
    for queue in [Contact, Invoice, CreditNote, Payment] {
        let wake = next_wake(&world, &WakeUpKind::SyncAll).unwrap();
        assert_eq!(wake.kind, queue);
        invoke(&world, &wake);
    }
    assert_eq!(next_wake(&world, &WakeUpKind::SyncAll), None);
    let progress = progress(&world);
    assert!(!progress.is_in_progress(), "{progress:?}");
}

#[test]
fn a_sync_all_that_an_earlier_release_began_continues_on_the_queues_of_its_kinds() {
    // Every earlier wake-up of a Sync All was on the queue of invoices.
    let earlier = |wake: WakeUp| WakeUp { kind: Invoice, ..wake };
    for pages in 0..3 {
        let world = connected();
        record_clients(&world, 120);
        let world = slow(world, |page| page.contains("MAP#"), SignedDuration::from_secs(20));
        starts(&world);
        let mut wake = next_wake(&world, &WakeUpKind::SyncAll).unwrap();
        // One page for each invocation.
        for _ in 0..pages {
            invoke(&world, &wake);
            wake = next_wake(&world, &WakeUpKind::SyncAll).unwrap();
        }
        let before = progress(&world);
        invoke(&world, &earlier(wake.clone()));
        let passed_on = next_wake(&world, &WakeUpKind::SyncAll).unwrap();
        assert_eq!(passed_on, wake, "{pages}");
        assert_eq!(progress(&world), before, "{pages}");
        invoke(&world, &passed_on);
        invocations(&world, &WakeUpKind::SyncAll);
        let progress = progress(&world);
        assert!(!progress.is_in_progress(), "{pages}: {progress:?}");
        assert_eq!((progress.counts.looked_at, progress.counts.synced), (120, 120), "{pages}");
        assert_eq!(world.books(|books| books.contacts().count()), 120, "{pages}");
    }
}

#[test]
fn a_sync_all_over_many_pages_takes_few_calls() {
    let world = connected();
    record_clients(&world, 300);
    starts(&world);
    let (_, wake) = world.wake_ups.take_first().unwrap();
    assert_eq!(wake.work, WakeUpKind::SyncAll);
    run(world.engine.wake_ups.enqueue(&wake)).unwrap().unwrap();
    // A moment: immediate wake-ups are processed, and no schedule fires.
    world.advance(SignedDuration::from_secs(1));
    let progress = progress(&world);
    assert!(!progress.is_in_progress(), "{progress:?}");
    assert_eq!((progress.counts.looked_at, progress.counts.synced), (300, 300));
    assert_eq!(world.books(|books| books.contacts().count()), 300);
    let calls = world.calls();
    assert!(calls.len() < 40, "{} calls for six pages", calls.len());
}

#[test]
fn a_sync_all_takes_as_few_invocations_as_its_pages_need() {
    let world = connected();
    record_clients(&world, 300);
    // A step begins until 15 seconds before the last call, which is 32 seconds after the start: at
    // 0, 6 and 12 seconds.
    let world = slow(world, |page| page.contains("MAP#"), SignedDuration::from_secs(6));
    starts(&world);
    // Six full pages of clients and an empty one. Then one invocation for each other queue, with a
    // page of each of its kinds.
    let (pages, per_invocation, other_queues) = (6 + 1_usize, 3, 3);
    let expected = pages.div_ceil(per_invocation) + other_queues;
    assert_eq!(invocations(&world, &WakeUpKind::SyncAll), expected);
    let progress = progress(&world);
    assert!(!progress.is_in_progress(), "{progress:?}");
    assert_eq!((progress.counts.looked_at, progress.counts.synced), (300, 300));
    assert_eq!(world.books(|books| books.contacts().count()), 300);
}

#[test]
fn a_sync_all_that_dies_between_pages_resumes_and_writes_no_client_twice() {
    const CLIENTS: usize = 120;
    let mut crashes = 0;
    for moment in [Moment::Before, Moment::After] {
        for step in (1..).step_by(31) {
            let world = connected();
            record_clients(&world, CLIENTS);
            let mut world = slow(world, |page| page.contains("MAP#"), SignedDuration::from_secs(6));
            starts(&world);
            let wake = next_wake(&world, &WakeUpKind::SyncAll).unwrap();
            let died = world.try_wake(&wake, CrashPoint { step, moment }).is_none();
            world.restart();
            if died {
                // The queue delivers the wake-up again, after the leases of the process have ended.
                world.clock.advance(SignedDuration::from_mins(12));
                invoke(&world, &wake);
            }
            invocations(&world, &WakeUpKind::SyncAll);
            world.advance(SignedDuration::from_hours(2));
            world.sweep();
            world.advance(SignedDuration::from_hours(2));
            let progress = progress(&world);
            assert!(!progress.is_in_progress(), "step {step} {moment:?}: {progress:?}");
            for number in 0..CLIENTS {
                let state = world.state(Contact, &client_id(number));
                assert_eq!(state, OperationState::Synced, "step {step} {moment:?}: {number}");
            }
            let contacts = world.books(|books| books.contacts().count());
            assert_eq!(contacts, CLIENTS, "step {step} {moment:?}");
            if !died {
                break;
            }
            crashes += 1;
        }
    }
    assert!(crashes > 5, "{crashes} crashes");
}
