//! Clocks that differ by two minutes: Xero's and ours, and those of two processes.

use std::sync::Arc;

use domain::connection::{ConnectionState, ConnectionStatus};
use domain::entity::EntityKind::Invoice;
use domain::operation::OperationState;
use engine::commands::connect::ConnectOutcome;
use engine::connection::token::{TokenCache, access_token};
use engine::ports::Clock;
use engine::{Engine, Invocation};
use jiff::SignedDuration;
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::{CrashPoint, Moment, run};

use super::{MINUTES, refreshes, token_request};

#[test]
fn clocks_that_differ_by_two_minutes_end_no_connection() {
    // At the time of the connection, and from then on.
    for (at_first, later) in [(-120, -120), (120, 120), (0, 120), (0, -120), (120, -120)] {
        let mut world = World::new();
        world.xero_clock.set_ahead(SignedDuration::from_secs(at_first));
        let completed = world.connect();
        assert!(matches!(completed, ConnectOutcome::Connected(_)), "{at_first}: {completed:?}");
        world.xero_clock.set_ahead(SignedDuration::from_secs(later));
        // Around the expiry of each token, by either clock.
        for number in 0..20 {
            if number % 5 == 0 {
                world.restart();
            }
            world.receive(Invoice, &an_invoice(&format!("inv_{number}"), "cli_1").body());
            world.poll();
            world.advance(SignedDuration::from_secs(205));
        }
        world.advance(MINUTES(10));
        for number in 0..20 {
            let operation = world.mapping(Invoice, &format!("inv_{number}")).unwrap().operation;
            assert_eq!(operation.state, OperationState::Synced, "{later}: {:?}", operation.failure);
        }
        assert_eq!(world.connection().state, ConnectionState::Active);
        assert_eq!(world.reported_statuses(&world.account()), [ConnectionStatus::Active]);
    }
}

#[test]
fn codes_tickets_and_pending_attempts_have_the_same_lifetime_with_differing_clocks() {
    for ahead in [-120, 120] {
        let world = World::new();
        world.xero_clock.set_ahead(SignedDuration::from_secs(ahead));
        let (account, user, tenant) = (world.account(), world.user(), world.tenant());
        let address = world.begin();
        world.clock.advance(SignedDuration::from_secs(14 * 60));
        assert_eq!(world.status().status, ConnectionStatus::Pending, "{ahead}");
        let location = world.consent(&address, user, &[tenant]);
        let engine::commands::connect::CallbackOutcome::Authorised { ticket } =
            world.follow_callback(&location)
        else {
            panic!("{ahead}: the callback has no ticket")
        };
        world.clock.advance(SignedDuration::from_secs(4 * 60 + 50));
        assert_eq!(world.status().status, ConnectionStatus::Pending, "{ahead}");
        let completed = world.complete(&account, &ticket);
        assert!(matches!(completed, ConnectOutcome::Connected(_)), "{ahead}: {completed:?}");
    }
}

#[test]
fn processes_with_differing_clocks_lose_no_grant_wherever_one_dies() {
    for seconds in [-120, 120] {
        for step in 1..=12 {
            for moment in [Moment::Before, Moment::After] {
                let at = format!("{seconds} seconds, step {step} {moment:?}");
                let mut world = World::connected();
                world.clock.advance(MINUTES(31));
                world.restart();
                // For the others, the lease of this process ends too early or too late.
                let clock = world.clock.ahead(SignedDuration::from_secs(seconds));
                let deadline = clock.now() + SignedDuration::from_secs(60);
                let other = Engine {
                    clock: Arc::new(clock),
                    tokens: Arc::new(TokenCache::default()),
                    ..world.engine.clone()
                };
                let grant = token_request(&world);
                world.io.crash_at(Some(CrashPoint { step, moment }));
                drop(run(access_token(&other, grant, Invocation::with_deadline(deadline))));
                world.io.crash_at(None);
                let is_renewed = (0..4).any(|_| {
                    let invocation = world.invocation();
                    let token = run(access_token(&world.engine, token_request(&world), invocation));
                    world.clock.advance(MINUTES(1));
                    token.unwrap().is_ok()
                });
                assert!(is_renewed, "{at}");
                assert!(refreshes(&world) <= 2, "{at}");
                assert_eq!(world.connection().state, ConnectionState::Active, "{at}");
            }
        }
    }
}
