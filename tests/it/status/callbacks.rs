//! After any outcome of a callback, the account has the status that it had before the connect
//! began.

use domain::connection::ConnectionStatus;
use domain::entity::EntityKind::Invoice;
use engine::ports::Clock;
use jiff::SignedDuration;
use tests::World;
use tests::builders::an_invoice;
use xero_sim::Consent;

use super::MINUTES;

fn never_connected() -> World {
    World::new()
}

fn disconnected() -> World {
    let world = World::connected();
    world.disconnect();
    world
}

fn expired() -> World {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_hours(61 * 24));
    world.restart();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world
}

fn unavailable() -> World {
    let world = World::connected();
    let (tenant, now) = (world.tenant(), world.clock.now());
    world.xero().bookkeeper(now, tenant).unwrap().close_organisation();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world
}

/// A user begins to connect and presses Cancel in Xero. Returns the URL that the browser is
/// redirected to.
fn cancels(world: &World) -> String {
    let address = world.begin();
    let consent = world.xero().deny(world.clock.now(), &address);
    let Consent::Redirect(location) = consent else { panic!("{consent:?}") };
    location
}

fn is_denied(world: &World) {
    let location = cancels(world);
    world.follow_callback(&location);
}

fn fails(world: &World) {
    let location = cancels(world).replace("access_denied", "server_error");
    world.follow_callback(&location);
}

fn lacks_a_scope(world: &World) {
    let location = cancels(world).replace("access_denied", "invalid_scope");
    world.follow_callback(&location);
}

fn is_used_twice(world: &World) {
    let location = cancels(world);
    world.follow_callback(&location);
    world.follow_callback(&location);
}

fn comes_too_late(world: &World) {
    let (user, tenant) = (world.user(), world.tenant());
    let location = world.consent(&world.begin(), user, &[tenant]);
    world.clock.advance(MINUTES(16));
    world.follow_callback(&location);
}

fn has_a_guessed_state(world: &World) {
    world.follow_callback("https://api.servicecortex.example/oauth/callback?code=a&state=guessed");
}

fn has_no_state(world: &World) {
    world.follow_callback("https://api.servicecortex.example/oauth/callback?error=access_denied");
}

fn never_comes(world: &World) {
    world.begin();
    world.clock.advance(MINUTES(15));
}

fn is_never_completed(world: &World) {
    let (account, user, tenant) = (world.account(), world.user(), world.tenant());
    world.authorise(&account, user, &[tenant]);
    world.clock.advance(MINUTES(5));
}

/// The outcome of a connection attempt.
type Ending = fn(&World);

#[test]
fn every_outcome_of_a_callback_leaves_every_status_as_it_was() {
    let accounts: [(ConnectionStatus, fn() -> World); 5] = [
        (ConnectionStatus::Disconnected, never_connected),
        (ConnectionStatus::Active, World::connected),
        (ConnectionStatus::Disconnected, disconnected),
        (ConnectionStatus::TokenExpired, expired),
        (ConnectionStatus::OrganisationUnavailable, unavailable),
    ];
    let outcomes: [(&str, Ending); 9] = [
        ("denied", is_denied),
        ("failed", fails),
        ("scope missing", lacks_a_scope),
        ("used twice", is_used_twice),
        ("too late", comes_too_late),
        ("guessed state", has_a_guessed_state),
        ("no state", has_no_state),
        ("never", never_comes),
        ("not completed", is_never_completed),
    ];
    for (status, account) in accounts {
        for (outcome, comes) in outcomes {
            let world = account();
            let before = world.status();
            assert_eq!(before.status, status, "{outcome}");
            let statuses = world.reported_statuses(&world.account());
            comes(&world);
            let after = world.status();
            assert_eq!(after, before, "{outcome} of {status:?}");
            assert_eq!(after.pending, None, "{outcome} of {status:?}");
            assert_eq!(
                world.reported_statuses(&world.account()),
                statuses,
                "{outcome} of {status:?}"
            );
        }
    }
}

#[test]
fn a_callback_without_a_state_leaves_a_connect_that_is_under_way_pending() {
    let callbacks: [fn(&World); 2] = [has_a_guessed_state, has_no_state];
    for comes in callbacks {
        let world = World::new();
        world.begin();
        comes(&world);
        assert_eq!(world.status().status, ConnectionStatus::Pending);
        world.clock.advance(MINUTES(15));
        assert_eq!(world.status().status, ConnectionStatus::Disconnected);
    }
}
