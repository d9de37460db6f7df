//! Access tokens, refreshed by one at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::connection::{ConnectionState, Status};
use domain::entity::EntityKind::{Contact, Invoice};
use domain::ids::{CrmId, TenantId, XeroContactId};
use domain::operation::{Parking, State};
use engine::connect::Completed;
use engine::contacts::{self, Linked, reconcile};
use engine::disconnect::Disconnected;
use engine::health::check;
use engine::inbound::Received;
use engine::keep_alive::keep_alive;
use engine::organisation::{self, Chosen};
use engine::poll::Polled;
use engine::ports::Clock;
use engine::push::Pushed;
use engine::token::{Wanted, access_token};
use engine::{Invocation, choices};
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use tests::World;
use tests::builders::{a_client, an_invoice};
use tests::gate::{Death, Moment, run};
use tests::ports::{Intercepted, refusal};
use tests::world::owner;
use uuid::Uuid;
use xero_sim::{Fault, FaultKind, Match};

const TOKEN: &str = "/connect/token";
const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;

/// Somebody enters a contact in Xero.
fn entered(world: &World, name: &str) -> Uuid {
    let (tenant, now) = (world.tenant(), world.clock.now());
    let mut xero = world.xero();
    xero.bookkeeper(now, tenant).unwrap().add_contact(name).unwrap()
}

fn wanted(world: &World) -> Wanted<'static> {
    let organisation = world.connection().organisation.unwrap();
    Wanted { grant: organisation.grant, consented: organisation.serial, rejected: None }
}

fn refreshes(world: &World) -> usize {
    world.calls_of(TOKEN) - 1
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

    assert!(matches!(world.connect(), Completed::Connected(_)));
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
    let swept = world.sweep();
    assert_eq!((swept.grants, swept.failed), (1, 0));
    world.clock.advance(SignedDuration::from_hours(3));
    world.restart();
    let token = run(access_token(&world.engine, wanted(&world), world.invocation())).unwrap();
    assert!(token.is_ok());
    assert_eq!(world.sweep().grants, 0);
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

/// From now on Xero takes no token that it has given so far: by its clock they are over, by ours they are fresh.
fn reject_early(world: &World) {
    world.xero_clock.set_ahead(MINUTES(31));
}

/// What was done with a token that Xero rejected early was done after all, with one renewal, and the connection
/// stands.
fn assert_renewed(world: &World, before: usize, path: &str) {
    assert_eq!(refreshes(world) - before, 1, "{path}");
    assert_eq!(world.connection().state, ConnectionState::Active, "{path}");
    assert_eq!(world.statuses_told(&world.account()), [Status::Active], "{path}");
}

#[test]
fn a_push_and_a_poll_renew_a_token_that_xero_rejects_early() {
    let world = World::connected();
    reject_early(&world);
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, Received::Pushed(Pushed::Synced));
    assert_renewed(&world, 0, "push");

    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    reject_early(&world);
    assert!(matches!(world.poll(), Polled::Read { .. }));
    assert_renewed(&world, 0, "poll");
}

#[test]
fn contacts_are_searched_linked_and_compared_with_a_renewed_token() {
    let world = World::connected();
    entered(&world, "Ridge Plumbing");
    reject_early(&world);
    let (account, invocation) = (world.account(), world.invocation());
    let found = run(contacts::search(&world.engine, &account, "ridge", invocation)).unwrap();
    assert_eq!(found.unwrap().len(), 1);
    assert_renewed(&world, 0, "search");

    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge Plumbing", "record"));
    let contact = XeroContactId(entered(&world, "Ridge Plumbing"));
    reject_early(&world);
    let client = CrmId::new("cli_1").unwrap();
    let by = owner();
    let link = contacts::link(&world.engine, &account, &by, client, contact, world.invocation());
    assert!(matches!(run(link).unwrap().unwrap(), Linked::Done(_)));
    assert_renewed(&world, 0, "link");

    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge Plumbing", "record"));
    entered(&world, "Ridge Plumbing");
    reject_early(&world);
    run(reconcile::start(&world.engine, &account, owner())).unwrap().unwrap();
    world.advance(MINUTES(1));
    let progress = run(reconcile::progress(&world.engine, &account)).unwrap().unwrap().unwrap();
    assert_eq!(progress.counts.linked, 1, "{progress:?}");
    assert_renewed(&world, 0, "reconciliation");
}

#[test]
fn account_choices_codes_and_the_look_at_the_chart_renew_a_rejected_token() {
    let world = World::connected();
    // What was read a minute ago would be shown again.
    world.clock.advance(MINUTES(2));
    reject_early(&world);
    let (account, invocation) = (world.account(), world.invocation());
    let shown = choices::account_choices(&world.engine, &account, invocation);
    assert!(!run(shown).unwrap().unwrap().income.is_empty());
    assert_renewed(&world, 0, "account choices");

    let world = World::connected();
    reject_early(&world);
    world.choose_accounts();
    assert_renewed(&world, 0, "account codes");

    let world = World::new();
    let (user, tenant) = (world.user(), world.tenant());
    let ticket = world.authorise(&account, user, &[tenant]);
    world.complete(&account, &ticket);
    reject_early(&world);
    world.follow_connects();
    let chart = run(world.engine.store.chart(&world.ledger())).unwrap().unwrap();
    assert!(chart.is_some(), "the chart was read");
    assert_renewed(&world, 0, "chart");
}

#[test]
fn the_hourly_look_renews_a_rejected_token() {
    let world = World::connected();
    let mut looks = 0;
    for hour in 1..=24 {
        world.clock.advance(MINUTES(60));
        // A token that looks fresh to us and is over for Xero.
        run(access_token(&world.engine, wanted(&world), world.invocation())).unwrap().unwrap();
        world.xero_clock.set_ahead(MINUTES(31) * hour);
        let (lists, before) = (world.calls_of("/connections"), refreshes(&world));
        let checked = run(check(&world.engine, world.invocation())).unwrap().unwrap();
        assert_eq!((checked.counted.found_disconnected, checked.failed), (0, 0));
        if world.calls_of("/connections") > lists {
            looks += 1;
            assert_eq!(world.calls_of("/connections") - lists, 2, "it is asked again");
            assert_eq!(refreshes(&world) - before, 1);
        }
    }
    assert_eq!(looks, 1);
    assert_eq!(world.connection().state, ConnectionState::Active);
}

#[test]
fn a_disconnect_and_the_sweep_after_it_remove_the_link_with_a_renewed_token() {
    let is_linked = |world: &World| {
        let tenant = world.tenant();
        world.xero().is_connected("servicecortex", tenant)
    };
    let world = World::connected();
    reject_early(&world);
    assert_eq!(world.disconnect(), Disconnected::Done);
    assert!(!is_linked(&world));
    assert_eq!(refreshes(&world), 1);

    let world = World::connected();
    world.inject(Fault { on: Match::next("/connections"), kind: FaultKind::Status500 });
    assert_eq!(world.disconnect(), Disconnected::LeftOver);
    assert!(is_linked(&world));
    reject_early(&world);
    assert_eq!(world.sweep().connections, 1);
    assert!(!is_linked(&world));
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn another_organisation_is_chosen_with_a_renewed_token() {
    let world = World::connected();
    let (user, first) = (world.user(), world.tenant());
    let other = world.xero().settings().organisations[1].id;
    world.xero().disconnect("servicecortex", user, first);
    assert!(matches!(world.connect_to(&[other]), Completed::OtherOrganisation { .. }));
    let before = refreshes(&world);
    reject_early(&world);
    let (account, invocation) = (world.account(), world.invocation());
    let chosen = organisation::choose(&world.engine, &account, TenantId(other), invocation);
    assert_eq!(run(chosen).unwrap().unwrap(), Chosen::Done);
    assert!(world.connection().leftovers.is_empty());
    assert_eq!(refreshes(&world) - before, 1);
    assert_eq!(world.connection().state, ConnectionState::Active);
}

#[test]
fn a_visit_that_keeps_a_connection_alive_renews_by_xeros_clock_and_ours() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_hours(24 * 21));
    world.restart();
    reject_early(&world);
    let kept = run(keep_alive(&world.engine, world.invocation())).unwrap().unwrap();
    assert_eq!((kept.renewed, kept.expired, kept.failed), (1, 0, 0));
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, Received::Pushed(Pushed::Synced));
    assert_renewed(&world, 0, "keep-alive");
}

#[test]
fn a_token_that_xero_rejects_even_when_renewed_is_no_reason_to_connect_again() {
    let mut world = World::connected();
    let is_odd = Arc::new(AtomicBool::new(true));
    let odd = is_odd.clone();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), move |request| {
        let is_met = request.uri().path().starts_with("/api.xro") && odd.load(Ordering::SeqCst);
        is_met.then(|| Ok(refusal(401, "AuthenticationUnsuccessful")))
    });
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let client = world.mapping(Contact, "cli_1").unwrap().operation;
    assert!(matches!(client.state, State::Waiting { .. }), "{client:?}");
    assert_eq!(world.connection().state, ConnectionState::Active);
    assert!(refreshes(&world) <= 3, "{}", refreshes(&world));
    is_odd.store(false, Ordering::SeqCst);
    world.advance(MINUTES(60));
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, State::Synced);
    assert_eq!(world.statuses_told(&world.account()), [Status::Active]);
}

#[test]
fn clocks_that_are_two_minutes_apart_cost_no_connection() {
    // At the connect, and from then on.
    for (at_first, later) in [(-120, -120), (120, 120), (0, 120), (0, -120), (120, -120)] {
        let mut world = World::new();
        world.xero_clock.set_ahead(SignedDuration::from_secs(at_first));
        let completed = world.connect();
        assert!(matches!(completed, Completed::Connected(_)), "{at_first}: {completed:?}");
        world.xero_clock.set_ahead(SignedDuration::from_secs(later));
        // Around the end of each token's life, by either clock.
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
            assert_eq!(operation.state, State::Synced, "{later}: {:?}", operation.failure);
        }
        assert_eq!(world.connection().state, ConnectionState::Active);
        assert_eq!(world.statuses_told(&world.account()), [Status::Active]);
    }
}

#[test]
fn a_secret_that_is_not_visible_yet_after_a_connect_is_waited_for() {
    for reads in 1..=6 {
        let mut world = World::new();
        world.secrets.set_lag(reads);
        let (account, user, tenant) = (world.account(), world.user(), world.tenant());
        let ticket = world.authorise(&account, user, &[tenant]);
        let completed = world.complete(&account, &ticket);
        assert!(matches!(completed, Completed::Connected(_)), "{reads}: {completed:?}");
        // Another process, right after.
        world.restart();
        let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        assert_eq!(received, Received::Pushed(Pushed::Synced), "{reads}");
        assert_eq!(refreshes(&world), 0, "{reads}");
        assert_eq!(world.connection().state, ConnectionState::Active, "{reads}");
    }
}

#[test]
fn a_secret_that_still_shows_older_tokens_after_a_refresh_is_waited_for() {
    for reads in 1..=6 {
        let mut world = World::connected();
        world.clock.advance(MINUTES(31));
        world.secrets.set_lag(reads);
        for number in 0..3 {
            world.restart();
            let id = format!("inv_{number}");
            let received = world.receive(Invoice, &an_invoice(&id, "cli_1").body());
            assert_eq!(received, Received::Pushed(Pushed::Synced), "{reads} reads, {id}");
        }
        assert_renewed(&world, 0, &format!("{reads} reads"));
    }
}

#[test]
fn a_secret_that_is_missing_for_ten_minutes_is_gone() {
    let mut world = World::connected();
    let name = world.secrets.names().remove(0);
    world.secrets.lose(&name);
    world.restart();
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert!(matches!(received, Received::Pushed(Pushed::Waiting { .. })), "{received:?}");
    assert_eq!(world.connection().state, ConnectionState::Active, "it may not be visible yet");
    world.advance(MINUTES(10));
    assert_eq!(world.connection().state, ConnectionState::TokenExpired);
    let parked = State::Parked { on: Parking::Reconnect };
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, parked);
    let told = world.statuses_told(&world.account());
    assert_eq!(told, [Status::Active, Status::TokenExpired]);
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.failures, 0);
    assert!(matches!(world.connect(), Completed::Connected(_)));
    world.advance(MINUTES(5));
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, State::Synced);
}
