//! Access tokens, refreshed by one at a time.

use domain::connection::ConnectionState;
use domain::entity::EntityKind::Invoice;
use domain::operation::{Parking, State};
use engine::Invocation;
use engine::connect::Landing;
use engine::inbound::Received;
use engine::push::Pushed;
use engine::token::{Wanted, access_token};
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use tests::World;
use tests::builders::an_invoice;
use tests::gate::{Death, Moment, run};
use xero_sim::{Fault, FaultKind, Match};

const TOKEN: &str = "/connect/token";

fn wanted(world: &World) -> Wanted<'static> {
    let connection = world.connection();
    let grant = connection.organisation.unwrap().grant;
    Wanted { grant, since: connection.connected_at, rejected: None }
}

fn refreshes(world: &World) -> usize {
    world.xero().calls().iter().filter(|call| call.path == TOKEN).count() - 1
}

#[test]
fn an_expired_token_is_renewed_once_and_used_by_everyone() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_mins(31));
    let mut tokens = Vec::new();
    for _ in 0..20 {
        world.restart();
        let token = run(access_token(&world.engine, wanted(&world), world.invocation()));
        tokens.push(token.unwrap().unwrap().expose_secret().to_owned());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn a_token_that_xero_no_longer_takes_is_renewed_and_the_call_made_again() {
    let world = World::connected();
    // Xero's clock and ours may differ: the token looks fresh here and is over there.
    world.xero_clock.set_ahead(SignedDuration::from_mins(30));
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, Received::Pushed(Pushed::Synced));
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn a_crash_anywhere_in_a_refresh_loses_no_grant() {
    for step in 1..=12 {
        for moment in [Moment::Before, Moment::After] {
            let mut world = World::connected();
            world.clock.advance(SignedDuration::from_mins(31));
            world.restart();
            let (grant, invocation) = (wanted(&world), world.invocation());
            world.gate.arm(Some(Death { step, moment }));
            let first = run(access_token(&world.engine, grant, invocation));
            world.gate.arm(None);
            world.restart();
            world.clock.advance(SignedDuration::from_secs(45));
            let second = run(access_token(&world.engine, wanted(&world), world.invocation()));
            assert!(second.unwrap().is_ok(), "step {step} {moment:?}, first {:?}", first.is_some());
        }
    }
}

#[test]
fn while_one_refreshes_the_others_wait_and_then_use_its_token() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_mins(31));
    world.restart();
    // Dies with the lock in hand: read the row, read the secret, take the lock.
    let grant = wanted(&world);
    world.gate.arm(Some(Death { step: 3, moment: Moment::After }));
    assert!(run(access_token(&world.engine, grant, world.invocation())).is_none());
    world.gate.arm(None);
    let invocation: Invocation = world.invocation();
    let token = run(access_token(&world.engine, wanted(&world), invocation)).unwrap();
    assert!(token.is_ok(), "the lock lapses while the others look");
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn a_dead_refresh_token_parks_the_work_until_the_reconnect_releases_it() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_hours(61 * 24));
    world.restart();
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, Received::Pushed(Pushed::Parked));
    assert_eq!(world.connection().state, ConnectionState::TokenExpired);
    let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
    assert_eq!(operation.state, State::Parked { on: Parking::Reconnect });
    assert_eq!(operation.failures, 0);
    assert!(operation.failure.unwrap().remedy.contains("Reconnect"));

    assert_eq!(world.connect(), Landing::Connected);
    world.advance(SignedDuration::from_mins(2));
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, State::Synced);
}

#[test]
fn trouble_at_the_identity_host_marks_nothing_dead() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_mins(31));
    world.restart();
    world.inject(Fault { on: Match::next(TOKEN), kind: FaultKind::Status500 });
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert!(matches!(received, Received::Pushed(Pushed::Waiting { .. })), "{received:?}");
    assert_eq!(world.connection().state, ConnectionState::Active);
    world.advance(SignedDuration::from_hours(1));
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, State::Synced);
}

#[test]
fn an_unanswered_refresh_is_survived_because_xero_takes_the_old_token_once_more() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_mins(31));
    world.restart();
    world.inject(Fault { on: Match::next(TOKEN), kind: FaultKind::LostAfter });
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(SignedDuration::from_hours(1));
    assert_eq!(world.connection().state, ConnectionState::Active);
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, State::Synced);
}

#[test]
fn a_refresh_whose_end_nobody_knows_is_done_again_while_xero_still_takes_the_old_token() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_mins(31));
    world.inject(Fault { on: Match::next(TOKEN), kind: FaultKind::LostAfter });
    let lost = run(access_token(&world.engine, wanted(&world), world.invocation())).unwrap();
    assert!(lost.is_err());
    // Nobody needs a token for hours; only the sweep comes by.
    world.clock.advance(SignedDuration::from_mins(5));
    let swept = run(engine::sweep::sweep(&world.engine, world.invocation())).unwrap();
    assert_eq!((swept.grants, swept.failed), (1, 0));
    world.clock.advance(SignedDuration::from_hours(3));
    world.restart();
    let token = run(access_token(&world.engine, wanted(&world), world.invocation())).unwrap();
    assert!(token.is_ok());
    let again = run(engine::sweep::sweep(&world.engine, world.invocation())).unwrap();
    assert_eq!(again.grants, 0);
}

/// Found by seed 1389 of the simulation: the answer was thrown away with the token, and its key used again.
#[test]
fn a_token_refused_on_a_write_with_no_new_one_to_be_had_is_an_answer_like_any_other() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_0", "cli_1").body());
    world.xero_clock.set_ahead(SignedDuration::from_mins(30));
    world.inject(Fault { on: Match::next(TOKEN), kind: FaultKind::Unavailable503 });
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
    assert!(matches!(operation.state, State::Waiting { .. }), "{operation:?}");
    assert_eq!(operation.key_serial, 1);
    world.advance(SignedDuration::from_mins(10));
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, State::Synced);
}
