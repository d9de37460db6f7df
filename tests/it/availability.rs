//! An organisation that Xero refuses although it is still connected, for example after a trial has
//! ended: the CRM receives one event, Xero is checked a few times a day, and syncing resumes by
//! itself.

mod paths;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use domain::connection::{ConnectionState, ConnectionStatus};
use domain::entity::EntityKind::Invoice;
use domain::operation::{OperationState, ParkingReason};
use engine::jobs::health::check_health;
use engine::ports::Clock;
use jiff::SignedDuration;
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::run;
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

/// Accounting calls, and calls to the list of connections.
fn calls(world: &World) -> usize {
    world.calls().len() + world.calls_of("/connections")
}

/// One hour passes, with all scheduled jobs.
fn an_hour_passes(world: &World) {
    for _ in 0..4 {
        for _ in 0..3 {
            world.advance(MINUTES(5));
            world.sweep();
        }
        world.poll();
    }
    run(check_health(&world.engine, world.invocation())).unwrap().unwrap();
}

/// A connected account with an unpaid invoice.
fn billed() -> World {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_0", "cli_1").body());
    world.clock.advance(MINUTES(1));
    world
}

#[test]
fn a_closed_organisation_costs_a_few_calls_a_day_and_one_event() {
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
    let statuses = world.reported_statuses(&world.account());
    assert_eq!(statuses, [ConnectionStatus::Active, ConnectionStatus::OrganisationUnavailable]);
    let view = world.status();
    assert_eq!(view.status, ConnectionStatus::OrganisationUnavailable);
    let problem = view.connection_problem.unwrap();
    assert_eq!(problem.code, "organisation_unavailable");
    assert!(problem.remedy.contains("plan in Xero"), "{problem:?}");
    assert!(view.next_look_at.unwrap() > world.clock.now());
    assert_eq!((view.failing, view.skipped), (0, 0), "no record has failed");
    for hour in [0, 5, 10, 15, 20] {
        let parked = OperationState::Parked { on: ParkingReason::Reconnect };
        assert_eq!(world.state(Invoice, &format!("inv_{}", hour + 1)), parked);
    }

    // The customer subscribes again; Xero sends no notification.
    reopens(&world);
    (0..7).for_each(|_| an_hour_passes(&world));
    assert_eq!(world.connection().state, ConnectionState::Active);
    for hour in [0, 5, 10, 15, 20] {
        assert_eq!(world.state(Invoice, &format!("inv_{}", hour + 1)), OperationState::Synced);
    }
    assert_eq!(world.books(|books| books.invoices().count()), 6);
    let statuses = world.reported_statuses(&world.account());
    assert_eq!(
        statuses,
        [
            ConnectionStatus::Active,
            ConnectionStatus::OrganisationUnavailable,
            ConnectionStatus::Active
        ]
    );
    assert_eq!(world.status().status, ConnectionStatus::Active);
    // It is polled again, too.
    let before = world.calls().len();
    world.poll();
    assert!(world.calls().len() > before);
}

#[test]
fn the_poll_detects_a_closed_organisation() {
    let world = billed();
    closes(&world);
    let before = calls(&world);
    (0..24).for_each(|_| an_hour_passes(&world));
    assert_eq!(world.connection().state, ConnectionState::Unavailable);
    assert!(calls(&world) - before <= 12, "{} calls", calls(&world) - before);
}

#[test]
fn a_reconnect_checks_at_once_and_reports_a_closed_organisation_once_more() {
    let world = billed();
    closes(&world);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(world.connection().state, ConnectionState::Unavailable);
    // Nothing has changed in Xero.
    world.connect();
    let before = calls(&world);
    (0..6).for_each(|_| an_hour_passes(&world));
    assert_eq!(world.connection().state, ConnectionState::Unavailable);
    assert!(calls(&world) - before <= 12, "{} calls", calls(&world) - before);
    let unavailable = ConnectionStatus::OrganisationUnavailable;
    let statuses = world.reported_statuses(&world.account());
    assert_eq!(
        statuses,
        [ConnectionStatus::Active, unavailable, ConnectionStatus::Active, unavailable]
    );
    // Then the organisation is open again.
    reopens(&world);
    world.connect();
    world.advance(MINUTES(5));
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
}

#[test]
fn a_closed_organisation_can_be_disconnected() {
    let world = billed();
    closes(&world);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.disconnect();
    assert_eq!(world.status().status, ConnectionStatus::Disconnected);
    let tenant = world.tenant();
    assert!(!world.xero().is_connected("servicecortex", tenant));
    let before = calls(&world);
    (0..12).for_each(|_| an_hour_passes(&world));
    assert_eq!(calls(&world), before);
}

#[test]
fn the_next_check_detects_a_link_removed_while_the_organisation_is_closed() {
    let world = billed();
    closes(&world);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let (user, tenant) = (world.user(), world.tenant());
    world.xero().disconnect("servicecortex", user, tenant);
    (0..24).for_each(|_| an_hour_passes(&world));
    assert_eq!(world.connection().state, ConnectionState::Disconnected);
    let statuses = world.reported_statuses(&world.account());
    assert_eq!(
        statuses,
        [
            ConnectionStatus::Active,
            ConnectionStatus::OrganisationUnavailable,
            ConnectionStatus::Disconnected
        ]
    );
}

#[test]
fn a_single_refusal_by_a_working_organisation_costs_a_retry_and_no_connection() {
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
    assert_eq!(
        world.state(Invoice, "inv_1"),
        OperationState::Synced,
        "it was retried automatically"
    );
    assert_eq!(world.reported_statuses(&world.account()), [ConnectionStatus::Active]);
}

/// Makes Xero refuse every accounting call for this reason while the switch is on, and counts the
/// calls.
fn forbids(world: &mut World, detail: &'static str) -> (Arc<AtomicBool>, Arc<AtomicU32>) {
    let (is_on, count) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU32::new(0)));
    let (on, counted) = (is_on.clone(), count.clone());
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), move |request| {
        let is_met = request.uri().path().starts_with("/api.xro") && on.load(Ordering::SeqCst);
        counted.fetch_add(u32::from(is_met), Ordering::SeqCst);
        is_met.then(|| Ok(refusal(403, detail)))
    });
    (is_on, count)
}

#[test]
fn an_organisation_refused_for_any_other_reason_is_unavailable_too() {
    for detail in ["AuthenticationUnsuccessful", "OrganisationInactive", ""] {
        let mut world = billed();
        let (is_on, count) = forbids(&mut world, detail);
        let lists = world.calls_of("/connections");
        for hour in 0..24 {
            if hour % 5 == 0 {
                world.receive(Invoice, &an_invoice(&format!("inv_{}", hour + 1), "cli_1").body());
            }
            an_hour_passes(&world);
        }
        assert_eq!(world.connection().state, ConnectionState::Unavailable, "{detail}");
        let lists = world.calls_of("/connections") - lists;
        let calls = count.load(Ordering::SeqCst);
        assert!(calls <= 8 && lists <= 6, "{detail}: {calls} calls, {lists} lists");
        let failure = world.mapping(Invoice, "inv_1").unwrap().operation.failure.unwrap();
        assert_eq!(failure.code, "organisation_unavailable", "{detail}");
        let statuses = world.reported_statuses(&world.account());
        assert_eq!(
            statuses,
            [ConnectionStatus::Active, ConnectionStatus::OrganisationUnavailable],
            "{detail}"
        );
        is_on.store(false, Ordering::SeqCst);
        (0..7).for_each(|_| an_hour_passes(&world));
        assert_eq!(world.connection().state, ConnectionState::Active, "{detail}");
        assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced, "{detail}");
    }
}

#[test]
fn a_forbidden_call_fails_its_record_and_no_connection() {
    let mut world = billed();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), |request| {
        let is_write = request.uri().path().ends_with("/Invoices") && request.method() != "GET";
        is_write.then(|| Ok(refusal(403, "RoleMissing")))
    });
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
    assert_eq!(operation.failure.unwrap().code, "not_permitted");
    assert!(matches!(operation.state, OperationState::Waiting { .. }), "{:?}", operation.state);
    assert_eq!(world.connection().state, ConnectionState::Active);
    assert_eq!(world.reported_statuses(&world.account()), [ConnectionStatus::Active]);
}

#[test]
fn an_organisation_closed_for_longer_than_the_token_lifetime_works_again() {
    let world = billed();
    closes(&world);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    for _ in 0..70 * 4 {
        world.advance(MINUTES(6 * 60));
        world.sweep();
    }
    assert_eq!(world.connection().state, ConnectionState::Unavailable);
    reopens(&world);
    for _ in 0..3 {
        world.advance(MINUTES(6 * 60));
        world.sweep();
    }
    world.advance(MINUTES(5));
    assert_eq!(world.connection().state, ConnectionState::Active);
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
}
