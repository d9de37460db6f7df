//! An organisation that Xero refuses although it is still connected, as after the end of a trial: told once, looked
//! at a few times a day, and used again by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::connection::{ConnectionState, Status};
use domain::entity::EntityKind::Invoice;
use domain::operation::{Parking, State};
use engine::health::check;
use engine::ports::Clock;
use jiff::SignedDuration;
use tests::World;
use tests::builders::an_invoice;
use tests::gate::run;
use tests::ports::{Intercepted, refusal};

const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;

fn closes(world: &World) {
    let (tenant, now) = (world.tenant(), world.clock.now());
    world.xero().bookkeeper(now, tenant).unwrap().close_organisation();
}

fn reopens(world: &World) {
    let (tenant, now) = (world.tenant(), world.clock.now());
    world.xero().bookkeeper(now, tenant).unwrap().reopen_organisation();
}

fn state(world: &World, id: &str) -> State {
    world.mapping(Invoice, id).unwrap().operation.state
}

/// Calls of accounting, and of the list of connections.
fn calls(world: &World) -> usize {
    world.calls().len() + world.calls_of("/connections")
}

/// An hour passes, with everything that comes on a schedule.
fn an_hour_passes(world: &World) {
    for _ in 0..4 {
        for _ in 0..3 {
            world.advance(MINUTES(5));
            world.sweep();
        }
        world.poll();
    }
    run(check(&world.engine, world.invocation())).unwrap().unwrap();
}

/// Connected, with an invoice that waits for its money.
fn billed() -> World {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_0", "cli_1").body());
    world.clock.advance(MINUTES(1));
    world
}

#[test]
fn a_day_of_a_closed_organisation_costs_a_handful_of_calls_and_is_told_once() {
    let world = billed();
    closes(&world);
    let before = calls(&world);
    for hour in 0..24 {
        if hour % 5 == 0 {
            world.receive(Invoice, &an_invoice(&format!("inv_{}", hour + 1), "cli_1").body());
        }
        an_hour_passes(&world);
    }
    let made = calls(&world) - before;
    assert!(made <= 12, "{made} calls in a day");
    assert_eq!(world.connection().state, ConnectionState::Unavailable);
    let told = world.statuses_told(&world.account());
    assert_eq!(told, [Status::Active, Status::OrganisationUnavailable]);
    let view = world.status();
    assert_eq!(view.status, Status::OrganisationUnavailable);
    let problem = view.connection_problem.unwrap();
    assert_eq!(problem.code, "organisation_unavailable");
    assert!(problem.remedy.contains("plan in Xero"), "{problem:?}");
    assert!(view.next_look_at.unwrap() > world.clock.now());
    assert_eq!((view.failing, view.skipped), (0, 0), "no record is to blame");
    for hour in [0, 5, 10, 15, 20] {
        let parked = State::Parked { on: Parking::Reconnect };
        assert_eq!(state(&world, &format!("inv_{}", hour + 1)), parked);
    }

    // Somebody subscribes again, and tells nobody.
    reopens(&world);
    (0..7).for_each(|_| an_hour_passes(&world));
    assert_eq!(world.connection().state, ConnectionState::Active);
    for hour in [0, 5, 10, 15, 20] {
        assert_eq!(state(&world, &format!("inv_{}", hour + 1)), State::Synced);
    }
    assert_eq!(world.books(|books| books.invoices().count()), 6);
    let told = world.statuses_told(&world.account());
    assert_eq!(told, [Status::Active, Status::OrganisationUnavailable, Status::Active]);
    assert_eq!(world.status().status, Status::Active);
    // It is polled again, too.
    let before = world.calls().len();
    world.poll();
    assert!(world.calls().len() > before);
}

#[test]
fn a_closed_organisation_that_only_the_poll_meets_is_noticed_by_it() {
    let world = billed();
    closes(&world);
    let before = calls(&world);
    (0..24).for_each(|_| an_hour_passes(&world));
    assert_eq!(world.connection().state, ConnectionState::Unavailable);
    assert!(calls(&world) - before <= 12, "{} calls", calls(&world) - before);
}

#[test]
fn a_reconnect_looks_at_once_and_a_closed_organisation_is_told_again_once() {
    let world = billed();
    closes(&world);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(world.connection().state, ConnectionState::Unavailable);
    // Nothing has changed at Xero.
    world.connect();
    let before = calls(&world);
    (0..6).for_each(|_| an_hour_passes(&world));
    assert_eq!(world.connection().state, ConnectionState::Unavailable);
    assert!(calls(&world) - before <= 12, "{} calls", calls(&world) - before);
    let unavailable = Status::OrganisationUnavailable;
    let told = world.statuses_told(&world.account());
    assert_eq!(told, [Status::Active, unavailable, Status::Active, unavailable]);
    // And then it has.
    reopens(&world);
    world.connect();
    world.advance(MINUTES(5));
    assert_eq!(state(&world, "inv_1"), State::Synced);
}

#[test]
fn a_closed_organisation_can_be_disconnected() {
    let world = billed();
    closes(&world);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.disconnect();
    assert_eq!(world.status().status, Status::Disconnected);
    let tenant = world.tenant();
    assert!(!world.xero().is_connected("servicecortex", tenant));
    let before = calls(&world);
    (0..12).for_each(|_| an_hour_passes(&world));
    assert_eq!(calls(&world), before);
}

#[test]
fn a_link_that_is_removed_while_the_organisation_is_closed_is_noticed_by_the_next_look() {
    let world = billed();
    closes(&world);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let (user, tenant) = (world.user(), world.tenant());
    world.xero().disconnect("servicecortex", user, tenant);
    (0..24).for_each(|_| an_hour_passes(&world));
    assert_eq!(world.connection().state, ConnectionState::Disconnected);
    let told = world.statuses_told(&world.account());
    assert_eq!(told, [Status::Active, Status::OrganisationUnavailable, Status::Disconnected]);
}

#[test]
fn a_single_refusal_by_an_organisation_that_works_costs_a_retry_and_no_connection() {
    let mut world = billed();
    let refusals = Arc::new(AtomicU32::new(1));
    let left = refusals.clone();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), move |request| {
        let is_write = request.uri().path().ends_with("/Invoices") && request.method() != "GET";
        let is_met = is_write
            && left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_ok();
        is_met.then(|| Ok(refusal(403, "AuthenticationUnsuccessful")))
    });
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(refusals.load(Ordering::SeqCst), 0);
    assert_eq!(world.connection().state, ConnectionState::Active);
    an_hour_passes(&world);
    assert_eq!(state(&world, "inv_1"), State::Synced, "it was tried again by itself");
    assert_eq!(world.statuses_told(&world.account()), [Status::Active]);
}
