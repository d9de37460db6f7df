//! Connecting an account.

use domain::connection::{ConnectionState, Status};
use engine::connect::Landing;
use engine::ports::Clock;
use engine::settings;
use jiff::SignedDuration;
use tests::World;
use tests::gate::run;
use xero_sim::Consent;

#[test]
fn a_business_connects_to_its_organisation() {
    let world = World::new();
    assert_eq!(world.connect(), Landing::Connected);
    let connection = world.connection();
    assert_eq!(connection.state, ConnectionState::Active);
    let organisation = connection.organisation.unwrap();
    assert_eq!(organisation.name, "Ridgeway Property Services Ltd");
    assert_eq!(organisation.tenant.0, world.tenant());
    assert_eq!(connection.connected_by.as_deref(), Some("Dana Whitlock"));
    let status = run(settings::status(&world.engine, &world.account())).unwrap().unwrap();
    assert_eq!(status.status, Status::Active);
}

#[test]
fn a_connect_that_has_begun_is_pending() {
    let world = World::new();
    let address = world.begin();
    assert!(address.starts_with("https://login.xero.com/identity/connect/authorize?"), "{address}");
    assert!(address.contains("code_challenge_method=S256"), "{address}");
    let status = run(settings::status(&world.engine, &world.account())).unwrap().unwrap();
    assert_eq!(status.status, Status::Pending);
}

#[test]
fn with_several_organisations_the_first_is_used() {
    let world = World::new();
    let all = world.xero().settings().organisations.iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(world.connect_to(&all), Landing::Connected);
    let chosen = world.connection().organisation.unwrap().tenant.0;
    assert!(all.contains(&chosen));
}

#[test]
fn cancel_at_xero_lands_as_denied_and_connects_nothing() {
    let world = World::new();
    let address = world.begin();
    let consent = world.xero().deny(world.clock.now(), &address);
    let Consent::Redirect(location) = consent else { panic!("{consent:?}") };
    assert_eq!(world.finish(&location), Landing::Denied);
    assert_ne!(world.connection().state, ConnectionState::Active);
}

#[test]
fn a_callback_works_once_and_only_for_a_while() {
    let world = World::new();
    let (tenant, user) = (world.tenant(), world.user());
    let consent = |address: &str| {
        let consent = world.xero().consent(world.clock.now(), address, user, &[tenant]);
        let Consent::Redirect(location) = consent else { panic!("{consent:?}") };
        location
    };
    let location = consent(&world.begin());
    assert_eq!(world.finish(&location), Landing::Connected);
    assert_eq!(world.finish(&location), Landing::Expired);

    let late = consent(&world.begin());
    world.clock.advance(SignedDuration::from_mins(16));
    assert_eq!(world.finish(&late), Landing::Expired);
}

#[test]
fn a_callback_nobody_asked_for_is_refused() {
    let world = World::new();
    let forged = "https://api.servicecortex.example/oauth/callback?code=stolen&state=guessed";
    assert_eq!(world.finish(forged), Landing::Expired);
    assert_eq!(world.finish("https://api.servicecortex.example/oauth/callback"), Landing::Expired);
}

#[test]
fn a_reconnect_to_another_organisation_is_refused_and_the_pinned_one_kept() {
    let world = World::connected();
    let tenant = world.tenant();
    let other = world.xero().settings().organisations[1].id;
    let user = world.user();
    world.xero().disconnect("servicecortex", user, tenant);
    assert_eq!(world.connect_to(&[other]), Landing::OtherOrganisation);
    assert_eq!(world.connection().organisation.unwrap().tenant.0, tenant);
}

#[test]
fn neither_state_nor_code_nor_token_is_kept_in_the_table() {
    let world = World::connected();
    let secrets = world.secrets.values().join("\n");
    let items = world.table.items().iter().map(|item| item.record.clone()).collect::<Vec<_>>();
    let kept = items.join("\n");
    for word in secrets.split(['"', ',', ':']).filter(|word| word.len() > 30) {
        assert!(!kept.contains(word), "a token is in the table");
    }
}
