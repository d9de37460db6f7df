//! Idle connections.

use domain::connection::{ConnectionState, ConnectionStatus};
use domain::entity::EntityKind::Invoice;
use domain::outbound::EventContent;
use engine::inbound::MessageOutcome;
use engine::jobs::keep_alive::{KeepAliveSummary, renew_unused_tokens};
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::{CrashPoint, Moment, run};
use xero_sim::{Fault, FaultKind, Match};

const TOKEN: &str = "/connect/token";
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn visits(world: &World) -> KeepAliveSummary {
    run(renew_unused_tokens(&world.engine, world.invocation())).unwrap().unwrap()
}

fn refreshes(world: &World) -> usize {
    world.xero().calls().iter().filter(|call| call.path == TOKEN).count() - 1
}

/// Advances the given number of days, with a run of keep-alive on each in a new process.
fn days(world: &mut World, count: u32) -> usize {
    let before = refreshes(world);
    for _ in 0..count {
        world.clock.advance(DAY);
        world.restart();
        visits(world);
    }
    refreshes(world) - before
}

fn expirations(world: &World) -> usize {
    let expired = |content: &EventContent| matches!(content, EventContent::Connection { status, .. } if *status == ConnectionStatus::TokenExpired);
    world.events.contents().iter().filter(|content| expired(content)).count()
}

#[test]
fn a_connection_idle_for_a_year_still_works() {
    let mut world = World::connected();
    assert_eq!(visits(&world), KeepAliveSummary { in_use: 1, ..KeepAliveSummary::default() });
    let renewed = days(&mut world, 365);
    // Twice a month: on the first day, and twenty days later.
    assert!((20..=26).contains(&renewed), "{renewed}");
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced));
}

#[test]
fn without_keep_alive_an_idle_connection_expires() {
    let mut world = World::connected();
    world.clock.advance(DAY * 61);
    world.restart();
    assert_eq!(visits(&world), KeepAliveSummary { expired: 1, ..KeepAliveSummary::default() });
    assert_eq!(world.connection().state, ConnectionState::TokenExpired);
    // The CRM receives one event, however often keep-alive runs.
    days(&mut world, 3);
    assert_eq!(expirations(&world), 1);
}

#[test]
fn the_next_run_makes_up_for_a_failed_one() {
    let mut world = World::connected();
    world.clock.advance(DAY * 21);
    world.restart();
    world.inject(Fault { on: Match::next(TOKEN), kind: FaultKind::Unavailable503 });
    assert_eq!(visits(&world).failed, 1);
    assert_eq!(world.connection().state, ConnectionState::Active);
    assert_eq!(days(&mut world, 1), 1);
}

#[test]
fn a_run_that_dies_at_any_step_loses_no_connection() {
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let mut world = World::connected();
            world.clock.advance(DAY * 21);
            world.restart();
            world.io.crash_at(Some(CrashPoint { step, moment }));
            let died = run(renew_unused_tokens(&world.engine, world.invocation())).is_none();
            world.io.crash_at(None);
            world.restart();
            // A sweep completes a refresh with an unknown outcome; the next run is a day later.
            world.clock.advance(SignedDuration::from_mins(5));
            run(engine::jobs::sweep::sweep_all_shards(&world.engine, world.invocation())).unwrap();
            days(&mut world, 1);
            let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
            assert_eq!(
                received,
                MessageOutcome::Pushed(PushOutcome::Synced),
                "step {step}, {moment:?}"
            );
            if !died {
                assert!(step > 5);
                break;
            }
        }
    }
}
