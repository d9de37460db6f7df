//! Connecting an account: start, consent, callback, completion.

use domain::connection::{ConnectionState, ConnectionStatus};
use engine::commands::connect::{CallbackOutcome, ConnectOutcome};
use engine::ports::Clock;
use http::Method;
use jiff::SignedDuration;
use tests::World;
use tests::ports::{Intercepted, respond};
use tests::world::owner;
use uuid::Uuid;
use xero_sim::Consent;

use crate::bad_row::{RowFault, make_row_bad};

const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;

/// A user presses Cancel at Xero. Returns the URL that the browser is redirected to.
fn denied(world: &World, address: &str) -> String {
    let consent = world.xero().deny(world.clock.now(), address);
    let Consent::Redirect(location) = consent else { panic!("{consent:?}") };
    location
}

#[test]
fn a_business_connects_to_its_organisation() {
    let world = World::new();
    let completed = world.connect();
    let ConnectOutcome::Connected(used) = completed else { panic!("{completed:?}") };
    assert_eq!(used.name, "Ridgeway Property Services Ltd");
    let connection = world.connection();
    assert_eq!(connection.state, ConnectionState::Active);
    let organisation = connection.organisation.unwrap();
    assert_eq!(organisation, used);
    assert_eq!(organisation.tenant.0, world.tenant());
    assert_eq!(connection.connected_by.as_deref(), Some("Dana Whitlock"));
    let view = world.status();
    assert_eq!((view.status, &view.pending), (ConnectionStatus::Active, &None));
    assert!(view.choices.is_empty(), "{view:?}");
}

#[test]
fn a_started_connection_attempt_is_only_pending() {
    let world = World::new();
    let address = world.begin();
    assert!(address.starts_with("https://login.xero.com/identity/connect/authorize?"), "{address}");
    assert!(address.contains("code_challenge_method=S256"), "{address}");
    let view = world.status();
    assert_eq!(view.status, ConnectionStatus::Pending);
    let pending = view.pending.unwrap();
    assert_eq!(pending.by, owner());
    assert_eq!(pending.until, world.clock.now() + MINUTES(15));
}

#[test]
fn the_callback_does_not_connect_and_does_not_call_xero() {
    let world = World::new();
    let (account, user, tenant) = (world.account(), world.user(), world.tenant());
    let before = world.xero().calls().len();
    world.authorise(&account, user, &[tenant]);
    assert_eq!(world.xero().calls().len(), before);
    assert!(world.secrets.is_empty());
    assert_ne!(world.connection().state, ConnectionState::Active);
    assert_eq!(world.status().status, ConnectionStatus::Pending);
}

#[test]
fn with_several_organisations_the_first_is_used_and_the_others_are_choices() {
    let world = World::new();
    let all = world.xero().settings().organisations.iter().map(|one| one.id).collect::<Vec<_>>();
    let completed = world.connect_to(&all);
    let ConnectOutcome::Connected(used) = completed else { panic!("{completed:?}") };
    assert_eq!(used.tenant.0, all[0]);
    let view = world.status();
    let choices = view.choices.iter().map(|choice| choice.tenant_id.0).collect::<Vec<_>>();
    assert_eq!(choices, all[1..]);
    assert_eq!(view.choices_by.as_deref(), Some("Dana Whitlock"));
}

#[test]
fn cancelling_at_xero_ends_the_connection_attempt() {
    let world = World::new();
    let location = denied(&world, &world.begin());
    assert!(matches!(world.follow_callback(&location), CallbackOutcome::Denied));
    let view = world.status();
    assert_eq!((view.status, view.pending), (ConnectionStatus::Disconnected, None));
    assert_ne!(world.connection().state, ConnectionState::Active);
}

#[test]
fn cancelling_one_connection_attempt_leaves_a_later_one_pending() {
    let world = World::new();
    let first = world.begin();
    world.clock.advance(MINUTES(1));
    world.begin();
    let location = denied(&world, &first);
    assert!(matches!(world.follow_callback(&location), CallbackOutcome::Denied));
    assert_eq!(world.status().status, ConnectionStatus::Pending);
}

#[test]
fn cancelling_a_reconnect_leaves_the_connection_unchanged() {
    let world = World::connected();
    let before = world.connection();
    let location = denied(&world, &world.begin());
    assert_eq!(world.status().status, ConnectionStatus::Active);
    assert!(matches!(world.follow_callback(&location), CallbackOutcome::Denied));
    assert_eq!(world.connection(), before);
}

#[test]
fn a_callback_without_a_code_for_any_other_reason_ends_the_attempt_too() {
    let world = World::new();
    let address = world.begin();
    let location = denied(&world, &address).replace("access_denied", "server_error");
    assert!(matches!(world.follow_callback(&location), CallbackOutcome::Failed));
    assert_eq!(world.status().status, ConnectionStatus::Disconnected);
}

#[test]
fn a_callback_works_once_and_for_a_limited_time() {
    let world = World::new();
    let (tenant, user) = (world.tenant(), world.user());
    let location = world.consent(&world.begin(), user, &[tenant]);
    assert!(matches!(world.follow_callback(&location), CallbackOutcome::Authorised { .. }));
    assert!(matches!(world.follow_callback(&location), CallbackOutcome::Expired));

    let late = world.consent(&world.begin(), user, &[tenant]);
    world.clock.advance(MINUTES(16));
    assert!(matches!(world.follow_callback(&late), CallbackOutcome::Expired));
}

#[test]
fn an_unsolicited_callback_is_refused() {
    let world = World::new();
    let forged = "https://api.servicecortex.example/oauth/callback?code=stolen&state=guessed";
    assert!(matches!(world.follow_callback(forged), CallbackOutcome::Expired));
    let bare = "https://api.servicecortex.example/oauth/callback";
    assert!(matches!(world.follow_callback(bare), CallbackOutcome::Expired));
}

#[test]
fn a_reconnect_to_another_organisation_needs_confirmation_and_keeps_the_pinned_one() {
    let world = World::connected();
    let tenant = world.tenant();
    let other = world.xero().settings().organisations[1].id;
    let user = world.user();
    world.xero().disconnect("servicecortex", user, tenant);
    let asked = world.connect_to(&[other]);
    assert!(matches!(asked, ConnectOutcome::OtherOrganisation { .. }), "{asked:?}");
    assert_eq!(world.connection().organisation.unwrap().tenant.0, tenant);
}

#[test]
fn neither_state_nor_token_is_stored_in_the_table() {
    let world = World::connected();
    let secrets = world.secrets.values().join("\n");
    let items = world.table.all_items().iter().map(|item| item.record.clone()).collect::<Vec<_>>();
    let kept = items.join("\n");
    for word in secrets.split(['"', ',', ':']).filter(|word| word.len() > 30) {
        assert!(!kept.contains(word), "a token is in the table");
    }
}

#[test]
fn a_connect_whose_link_cannot_be_read_is_repeated_with_the_same_ticket() {
    let mut world = World::connected();
    let (account, user, tenant) = (world.account(), world.user(), world.tenant());
    let ticket = world.authorise(&account, user, &[tenant]);
    let whole = world.engine.transport.clone();
    world.engine.transport = Intercepted::on(whole.clone(), |request| {
        let is_list = request.method() == Method::GET && request.uri().path() == "/connections";
        is_list.then(|| Ok(respond(200, r#"[{"id":"not an id"}]"#)))
    });
    assert!(world.try_complete(&account, &owner(), &ticket).is_err());
    assert_eq!(world.connection().state, ConnectionState::Active);
    world.engine.transport = whole;
    let completed = world.complete(&account, &ticket);
    assert!(matches!(completed, ConnectOutcome::Connected(_)), "{completed:?}");
}

#[test]
fn of_the_links_that_name_no_consent_organisations_linked_within_three_minutes_are_offered() {
    let mut world = World::new();
    let now = world.clock.now();
    let link = |(number, kind, seconds): (u128, &str, i64)| {
        let (id, at) = (Uuid::from_u128(number), now - SignedDuration::from_secs(seconds));
        let at = at.strftime("%Y-%m-%dT%H:%M:%S.0000000");
        format!(
            r#"{{"id":"{id}","tenantId":"{id}","tenantType":"{kind}","tenantName":"Books","createdDateUtc":"{at}","updatedDateUtc":"{at}"}}"#
        )
    };
    // A practice has no books of its own.
    let links = [
        (1, "ORGANISATION", 0),
        (2, "PRACTICEMANAGER", 0),
        (3, "ORGANISATION", 180),
        (4, "ORGANISATION", 181),
    ];
    let list = format!("[{}]", links.map(link).join(","));
    let xero = world.engine.transport.clone();
    world.engine.transport = Intercepted::on(xero, move |request| {
        let is_list = request.method() == Method::GET && request.uri().path() == "/connections";
        is_list.then(|| Ok(respond(200, &list)))
    });
    let asked = world.connect();
    let ConnectOutcome::OtherOrganisation { offered, .. } = asked else { panic!("{asked:?}") };
    let offered = offered.iter().map(|one| one.tenant.0).collect::<Vec<_>>();
    assert_eq!(offered, [1, 3].map(Uuid::from_u128));
}

#[test]
fn an_account_that_no_operator_command_would_find_is_not_connected_and_its_ticket_stays_valid() {
    let mut world = World::new();
    let (account, user, tenant) = (world.account(), world.user(), world.tenant());
    let ticket = world.authorise(&account, user, &[tenant]);
    let store = world.engine.store.clone();
    make_row_bad(&mut world, "LOGGED", RowFault::IsOutOfReach);
    assert!(world.try_complete(&account, &owner(), &ticket).is_err());
    assert!(world.secrets.is_empty(), "the code was not exchanged");
    world.engine.store = store;
    let completed = world.complete(&account, &ticket);
    assert!(matches!(completed, ConnectOutcome::Connected(_)), "{completed:?}");
}
