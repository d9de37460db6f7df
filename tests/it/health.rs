//! The hourly health check: given-up records, overdue records, connections ended in Xero.

use domain::connection::{ConnectionState, ConnectionStatus};
use domain::entity::EntityKind::{Contact, Invoice};
use domain::ids::{CrmId, UserId};
use domain::outbound::EventContent;
use engine::Invocation;
use engine::commands::choices;
use engine::jobs::health::{HealthCheckSummary, check_health};
use engine::jobs::sweep;
use engine::ports::{Clock, GivenUp, HealthCounts, Metric};
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_client, an_invoice};
use tests::io_monitor::{CrashPoint, Moment, run};
use xero_sim::{Fault, FaultKind, Match};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn checks(world: &World) -> HealthCheckSummary {
    run(check_health(&world.engine, world.invocation())).unwrap().unwrap()
}

/// The result of a check that finds one connection, and this number of given-up records.
fn found(given_up: GivenUp) -> HealthCheckSummary {
    let counted =
        HealthCounts { connections: 1, given_up: Some(given_up), ..HealthCounts::default() };
    HealthCheckSummary { counted, ..HealthCheckSummary::default() }
}

fn warned(checked: &HealthCheckSummary) -> usize {
    checked.counted.given_up.unwrap().warned
}

/// An invoice that the product's own rules refuse: it is given up at once.
fn gives_up(world: &World, number: u32) {
    let message = an_invoice(&format!("inv_{number}"), "cli_1").tax_rate("7");
    world.receive(Invoice, &message.body());
}

fn warnings(world: &World) -> (u32, Vec<String>) {
    let view = world.status();
    (view.skipped, view.warnings)
}

fn never_sends(world: &World, number: u32) {
    let (account, by) = (world.account(), UserId::new("usr_owner").unwrap());
    let record = CrmId::new(format!("inv_{number}")).unwrap();
    run(choices::never_send_record(&world.engine, &account, &by, Invoice, record))
        .unwrap()
        .unwrap();
}

#[test]
fn five_given_up_records_raise_a_warning_and_four_do_not() {
    let world = World::connected();
    assert_eq!(checks(&world), found(GivenUp::default()));
    (1..=4).for_each(|number| gives_up(&world, number));
    assert_eq!(checks(&world), found(GivenUp { records: 4, accounts: 1, warned: 0 }));
    assert_eq!(warnings(&world), (4, vec![]));

    gives_up(&world, 5);
    let raised = checks(&world);
    assert_eq!((warned(&raised), raised.raised, raised.lifted), (1, 1, 0));
    let (skipped, reported) = warnings(&world);
    assert_eq!(skipped, 5);
    assert!(reported[0].starts_with("5 records could not be synced"), "{reported:?}");

    // A repeated check has the same result and the same event.
    let again = checks(&world);
    assert_eq!((again.counted, again.raised), (raised.counted, 0));

    never_sends(&world, 3);
    let lifted = checks(&world);
    assert_eq!((warned(&lifted), lifted.raised, lifted.lifted), (0, 0, 1));
    assert_eq!(warnings(&world), (4, vec![]));
    (1..=5).filter(|number| *number != 3).for_each(|number| never_sends(&world, number));
    assert_eq!(checks(&world), found(GivenUp::default()));
    assert_eq!(warnings(&world), (0, vec![]));
}

#[test]
fn a_disconnected_account_is_not_warned_and_its_warning_returns_with_the_connection() {
    let world = World::connected();
    (1..=6).for_each(|number| gives_up(&world, number));
    assert_eq!(checks(&world).raised, 1);
    world.disconnect();
    let checked = checks(&world);
    assert_eq!((checked.counted.given_up, checked.lifted), (Some(GivenUp::default()), 1));
    world.connect();
    let checked = checks(&world);
    assert_eq!((checked.counted.given_up.unwrap().records, checked.raised), (6, 1));
}

#[test]
fn records_that_are_overdue_after_three_sweeps_are_counted_until_they_are_done() {
    let world = World::connected();
    world.inject(Fault { on: Match::next("/api.xro/2.0/Contacts"), kind: FaultKind::Status500 });
    world.receive(Contact, &a_client("cli_1", 1, "Ridge", "push"));
    while world.wake_ups.take_first().is_some() {}
    // Its retry is due after a little more than five minutes.
    world.clock.advance(SignedDuration::from_mins(15));
    assert_eq!(checks(&world).counted.overdue, 0);
    world.clock.advance(SignedDuration::from_mins(10));
    assert_eq!(checks(&world).counted.overdue, 1);
    run(sweep::sweep_all_shards(&world.engine, world.invocation())).unwrap();
    world.advance(SignedDuration::from_mins(1));
    assert_eq!(checks(&world).counted.overdue, 0);
    let overdue = |metric| {
        let Metric::Health(counted) = metric else { return None };
        Some(counted.overdue)
    };
    let health = world.metrics.all().into_iter().filter_map(overdue);
    assert_eq!(health.collect::<Vec<_>>(), [0, 1, 0]);
}

#[test]
fn a_connection_ended_in_xero_is_detected_within_a_day_by_one_call() {
    let world = World::connected();
    let (user, tenant) = (world.user(), world.tenant());
    let before = world.xero().calls().len();
    for _ in 0..24 {
        assert_eq!(checks(&world).counted.found_disconnected, 0);
        world.clock.advance(HOUR);
    }
    let paths = |from: usize| {
        let xero = world.xero();
        let paths = xero.calls()[from..].iter().map(|call| call.path.clone());
        paths.filter(|path| path != "/connect/token").collect::<Vec<_>>()
    };
    assert_eq!(paths(before), ["/connections"]);

    world.xero().disconnect("servicecortex", user, tenant);
    let mut found = 0;
    for _ in 0..24 {
        found += checks(&world).counted.found_disconnected;
        world.clock.advance(HOUR);
    }
    assert_eq!(found, 1);
    assert_eq!(world.connection().state, ConnectionState::Disconnected);
    let reported = world.events.contents().into_iter().filter(
        |content| matches!(content, EventContent::Connection { status, .. } if *status == ConnectionStatus::Disconnected),
    );
    assert_eq!(reported.count(), 1);
    // From then on no further calls are made.
    let before = world.xero().calls().len();
    (0..24).for_each(|_| {
        checks(&world);
        world.clock.advance(HOUR);
    });
    assert_eq!(world.xero().calls().len(), before);
}

#[test]
fn the_next_check_corrects_one_that_died_at_any_step() {
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let world = World::connected();
            (1..=5).for_each(|number| gives_up(&world, number));
            let now = world.clock.now();
            world.io.crash_at(Some(CrashPoint { step, moment }));
            let died = run(check_health(&world.engine, world.invocation())).is_none();
            world.io.crash_at(None);
            let checked = checks(&world);
            assert_eq!(warned(&checked), 1, "step {step}, {moment:?}");
            assert_eq!(warnings(&world).0, 5);
            assert_eq!(world.clock.now(), now);
            if !died {
                assert!(step > 30, "{step}");
                break;
            }
        }
    }
}

#[test]
fn a_check_without_time_lifts_no_warning_and_records_no_false_zero() {
    let world = World::connected();
    (1..=5).for_each(|number| gives_up(&world, number));
    assert_eq!(checks(&world).raised, 1);
    let over = Invocation::interactive(world.clock.now() - SignedDuration::from_secs(1));
    let checked = run(check_health(&world.engine, over)).unwrap().unwrap();
    assert_eq!((checked.counted.given_up, checked.is_cut_short), (None, true));
    assert_eq!(warnings(&world).0, 5);
}

#[test]
fn an_account_that_could_not_be_checked_is_counted_as_failed() {
    let mut world = World::connected();
    world.clock.advance(HOUR);
    world.restart();
    world.inject(Fault { on: Match::every("/connect/token"), kind: FaultKind::Unavailable503 });
    let failed = (0..24).map(|_| {
        let failed = checks(&world).failed;
        world.clock.advance(HOUR);
        failed
    });
    assert_eq!(failed.sum::<usize>(), 1);
    assert_eq!(world.connection().state, ConnectionState::Active);
}
