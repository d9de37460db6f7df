//! Access tokens, which one process at a time refreshes.

mod answers;
mod clocks;
mod paths;
mod secrets;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::connection::{ConnectionState, ConnectionStatus};
use domain::entity::EntityKind::{Contact, Invoice};
use domain::failure::FailureClass;
use domain::operation::{OperationState, ParkingReason};
use engine::Invocation;
use engine::commands::connect::ConnectOutcome;
use engine::connection::token::{TokenRequest, access_token};
use engine::inbound::MessageOutcome;
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::{CrashPoint, Moment, run};
use tests::ports::{Intercepted, refusal};
use xero_sim::{Fault, FaultKind, Match};

const TOKEN: &str = "/connect/token";
const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;

fn token_request(world: &World) -> TokenRequest<'static> {
    let organisation = world.connection().organisation.unwrap();
    TokenRequest { grant: organisation.grant, consented: organisation.serial, rejected: None }
}

fn refreshes(world: &World) -> usize {
    world.calls_of(TOKEN) - 1
}

#[test]
fn an_expired_token_is_renewed_once_and_used_by_all() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_mins(31));
    let mut tokens = Vec::new();
    for _ in 0..20 {
        world.restart();
        let token = run(access_token(&world.engine, token_request(&world), world.invocation()));
        tokens.push(token.unwrap().unwrap().expose_secret().to_owned());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn a_token_that_xero_rejects_is_renewed_and_the_call_repeated() {
    let world = World::connected();
    // Xero's clock and ours may differ: the token is valid here and has expired there.
    world.xero_clock.set_ahead(SignedDuration::from_mins(30));
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced));
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn a_crash_at_any_step_of_a_refresh_loses_no_grant() {
    for step in 1..=12 {
        for moment in [Moment::Before, Moment::After] {
            let mut world = World::connected();
            world.clock.advance(SignedDuration::from_mins(31));
            world.restart();
            let (grant, invocation) = (token_request(&world), world.invocation());
            world.io.crash_at(Some(CrashPoint { step, moment }));
            let first = run(access_token(&world.engine, grant, invocation));
            world.io.crash_at(None);
            world.restart();
            world.clock.advance(SignedDuration::from_secs(45));
            let second =
                run(access_token(&world.engine, token_request(&world), world.invocation()));
            assert!(second.unwrap().is_ok(), "step {step} {moment:?}, first {:?}", first.is_some());
            assert_eq!(world.connection().state, ConnectionState::Active, "{step} {moment:?}");
        }
    }
}

#[test]
fn while_one_refreshes_the_others_wait_and_then_use_its_token() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_mins(31));
    world.restart();
    // Dies while it holds the lock: read the row, read the secret, take the lock.
    let grant = token_request(&world);
    world.io.crash_at(Some(CrashPoint { step: 3, moment: Moment::After }));
    assert!(run(access_token(&world.engine, grant, world.invocation())).is_none());
    world.io.crash_at(None);
    let invocation: Invocation = world.invocation();
    let token = run(access_token(&world.engine, token_request(&world), invocation)).unwrap();
    assert!(token.is_ok(), "the lock expires while the others wait");
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn a_revoked_refresh_token_parks_records_until_a_reconnect_releases_them() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_hours(61 * 24));
    world.restart();
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Parked));
    assert_eq!(world.connection().state, ConnectionState::TokenExpired);
    let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
    assert_eq!(operation.state, OperationState::Parked { on: ParkingReason::Reconnect });
    assert_eq!(operation.failures, 0);
    let failure = operation.failure.unwrap();
    assert_eq!(failure.class, FailureClass::Unauthorized, "{failure:?}");
    assert!(failure.remedy.contains("Reconnect"), "{failure:?}");

    assert!(matches!(world.connect(), ConnectOutcome::Connected(_)));
    world.advance(SignedDuration::from_mins(2));
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Synced);
}

#[test]
fn failures_of_the_identity_host_end_no_connection() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_mins(31));
    world.restart();
    world.inject(Fault { on: Match::next(TOKEN), kind: FaultKind::Status500 });
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    // It waits for its own retry, or for its client, which is retried.
    let MessageOutcome::Pushed(pushed) = &received else { panic!("{received:?}") };
    assert!(matches!(pushed, PushOutcome::Waiting { .. } | PushOutcome::Parked), "{pushed:?}");
    assert_eq!(world.connection().state, ConnectionState::Active);
    world.advance(SignedDuration::from_hours(1));
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Synced);
}

#[test]
fn after_an_unanswered_refresh_xero_still_accepts_the_old_token() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_mins(31));
    world.restart();
    world.inject(Fault { on: Match::next(TOKEN), kind: FaultKind::LostAfter });
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(SignedDuration::from_hours(1));
    assert_eq!(world.connection().state, ConnectionState::Active);
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Synced);
}

#[test]
fn a_refresh_with_an_unknown_outcome_is_repeated_while_xero_accepts_the_old_token() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_mins(31));
    world.inject(Fault { on: Match::next(TOKEN), kind: FaultKind::LostAfter });
    let lost = run(access_token(&world.engine, token_request(&world), world.invocation())).unwrap();
    assert!(lost.is_err());
    // No token is needed for hours; only the sweep runs.
    world.clock.advance(SignedDuration::from_mins(5));
    let swept = world.sweep();
    assert_eq!((swept.grants, swept.failed), (1, 0));
    world.clock.advance(SignedDuration::from_hours(3));
    world.restart();
    let token =
        run(access_token(&world.engine, token_request(&world), world.invocation())).unwrap();
    assert!(token.is_ok(), "{token:?}");
    assert_eq!(world.sweep().grants, 0);
    assert_eq!(world.connection().state, ConnectionState::Active);
}

/// Found by seed 1389 of the simulation: the response was discarded with the token, and its key was
/// reused.
#[test]
fn a_write_refused_for_its_token_is_final_if_no_new_token_is_available() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_0", "cli_1").body());
    world.xero_clock.set_ahead(SignedDuration::from_mins(30));
    world.inject(Fault { on: Match::next(TOKEN), kind: FaultKind::Unavailable503 });
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
    assert!(matches!(operation.state, OperationState::Waiting { .. }), "{operation:?}");
    assert_eq!(operation.key_serial, 1);
    world.advance(SignedDuration::from_mins(10));
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Synced);
}

/// Makes Xero reject every token that it has issued so far: by its clock they have expired, by ours
/// they have not.
fn reject_early(world: &World) {
    world.xero_clock.set_ahead(MINUTES(31));
}

/// Asserts that an operation whose token Xero rejected early succeeded with one renewal, and that
/// the connection is active.
fn assert_renewed(world: &World, before: usize, path: &str) {
    assert_eq!(refreshes(world) - before, 1, "{path}");
    assert_eq!(world.connection().state, ConnectionState::Active, "{path}");
    assert_eq!(world.reported_statuses(&world.account()), [ConnectionStatus::Active], "{path}");
}

#[test]
fn a_token_that_xero_rejects_even_after_renewal_does_not_end_the_connection() {
    let mut world = World::connected();
    let is_odd = Arc::new(AtomicBool::new(true));
    let odd = is_odd.clone();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), move |request| {
        let is_met = request.uri().path().starts_with("/api.xro") && odd.load(Ordering::SeqCst);
        is_met.then(|| Ok(refusal(401, "AuthenticationUnsuccessful")))
    });
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let client = world.mapping(Contact, "cli_1").unwrap().operation;
    assert!(matches!(client.state, OperationState::Waiting { .. }), "{client:?}");
    assert_eq!(world.connection().state, ConnectionState::Active);
    assert!(refreshes(&world) <= 3, "{}", refreshes(&world));
    is_odd.store(false, Ordering::SeqCst);
    world.advance(MINUTES(60));
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Synced);
    assert_eq!(world.reported_statuses(&world.account()), [ConnectionStatus::Active]);
}
