//! Accounts that share a Xero user, or want the same organisation: none ever accesses the data of
//! another, and none is disconnected by the actions of another.

mod earlier_release;

use std::collections::BTreeSet;

use domain::connection::{ConnectionState, ConnectionStatus};
use domain::entity::EntityKind::{Contact, Invoice};
use domain::ids::{AccountId, CrmId, TenantId};
use domain::operation::OperationState;
use engine::commands::choices::{self, NeverSendOutcome};
use engine::commands::connect::ConnectOutcome;
use engine::commands::organisation::{self, OrganisationChoiceOutcome};
use engine::connection::disconnect::DisconnectOutcome;
use engine::inbound::MessageOutcome;
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_client_of, an_invoice};
use tests::io_monitor::run;
use tests::world::{ACCOUNT, owner};
use uuid::Uuid;
use xero_sim::{Fault, FaultKind, Match, Organisation, Region, Settings};

const OTHER: &str = "acc_summit";
const THIRD: &str = "acc_valley";
const REVOCATION: &str = "/connect/revocation";
const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;

fn account(id: &str) -> AccountId {
    AccountId::new(id).unwrap()
}

/// A third organisation with a copy of the first one's books, which the first user may connect.
fn with_a_third(settings: &mut Settings) {
    let organisation = Organisation::demo(Region::UnitedKingdom, "Valley Lettings Ltd");
    settings.users[0].organisations.push(organisation.id);
    settings.organisations.push(organisation);
}

fn organisations(world: &World) -> Vec<Uuid> {
    world.xero().settings().organisations.iter().map(|one| one.id).collect()
}

fn connects(world: &World, id: &str, tenants: &[Uuid]) -> ConnectOutcome {
    world.connect_account(&account(id), tenants)
}

fn assert_connected(completed: &ConnectOutcome, tenant: Uuid) {
    let ConnectOutcome::Connected(used) = completed else { panic!("{completed:?}") };
    assert_eq!(used.tenant.0, tenant);
}

fn state(world: &World, id: &str) -> ConnectionState {
    world.connection_of(&account(id)).state
}

/// A client that only this test knows arrives in Xero: the account's connection works.
fn assert_works(world: &World, id: &str, client: &str) {
    let received = world.receive(Contact, &a_client_of(id, client, 1));
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced), "{id}");
    assert_eq!(state(world, id), ConnectionState::Active, "{id}");
}

/// Two accounts with one Xero user, each with its own organisation.
fn two_accounts() -> World {
    let world = World::connected();
    let second = organisations(&world)[1];
    world.clock.advance(MINUTES(10));
    assert_connected(&connects(&world, OTHER, &[second]), second);
    world.clock.advance(MINUTES(10));
    world
}

fn chooses(world: &World, id: &str, tenant: Uuid) -> OrganisationChoiceOutcome {
    let (account, invocation) = (account(id), world.invocation());
    let chosen =
        organisation::choose_organisation(&world.engine, &account, TenantId(tenant), invocation);
    run(chosen).unwrap().unwrap()
}

/// Connects an account to an organisation that the same login selected for another account before:
/// because Xero may keep the id of the first consent, the user is asked.
fn confirms(world: &World, id: &str, tenant: Uuid) {
    let asked = connects(world, id, &[tenant]);
    let ConnectOutcome::OtherOrganisation { offered, .. } = asked else { panic!("{asked:?}") };
    assert_eq!(offered.iter().map(|one| one.tenant.0).collect::<Vec<_>>(), [tenant]);
    assert_eq!(chooses(world, id, tenant), OrganisationChoiceOutcome::Done);
    world.follow_connects();
}

#[test]
fn an_organisation_of_another_account_is_refused_and_that_account_goes_on() {
    for login in 0..2 {
        let world = World::connected();
        let (tenant, user) = (world.tenant(), world.xero().settings().users[login].id);
        world.clock.advance(MINUTES(10));
        let other = account(OTHER);
        let refused = world.connect_as(&other, user, &[tenant]);
        assert_eq!(refused, ConnectOutcome::OrganisationInUse, "login {login}");
        let connection = world.connection_of(&other);
        assert!(!connection.state.is_connected());
        assert!(connection.offered.is_empty() && connection.pending.is_none(), "{connection:?}");
        assert!(connection.grants.is_empty() && connection.claims.is_empty(), "{connection:?}");
        assert!(world.reported_statuses(&other).is_empty());
        // The unused grant of another login is revoked; that of the same login belongs to the first
        // account.
        assert_eq!(world.calls_of(REVOCATION), login);
        assert_eq!(world.secrets.len(), 1);
        assert_works(&world, ACCOUNT, "cli_1");
        assert_eq!(world.reported_statuses(&world.account()), [ConnectionStatus::Active]);
    }
}

#[test]
fn an_organisation_that_is_taken_is_mentioned_before_another_one_that_was_ticked_is_used() {
    let world = World::with(|settings| settings.unconfirmed.reconsent_keeps_auth_event = false);
    world.connect();
    let all = organisations(&world);
    world.clock.advance(MINUTES(10));
    let ConnectOutcome::OtherOrganisation { offered, is_any_in_use, .. } =
        connects(&world, OTHER, &all)
    else {
        panic!("it is a question")
    };
    assert!(is_any_in_use);
    assert_eq!(offered.iter().map(|one| one.tenant.0).collect::<Vec<_>>(), [all[1]]);
    assert!(!state(&world, OTHER).is_connected());
    assert_eq!(chooses(&world, OTHER, all[1]), OrganisationChoiceOutcome::Done);
    assert_works(&world, OTHER, "cli_1");
    assert_works(&world, ACCOUNT, "cli_1");
}

#[test]
fn a_consent_with_nothing_ticked_connects_nothing() {
    for keeps in [true, false] {
        let world = World::with(|settings| settings.unconfirmed.reconsent_keeps_auth_event = keeps);
        let all = organisations(&world);
        // One of the two is in use; the other is linked and belongs to no account.
        assert_connected(&connects(&world, ACCOUNT, &all), all[0]);
        world.clock.advance(MINUTES(10));
        assert_eq!(connects(&world, OTHER, &[]), ConnectOutcome::NoOrganisation, "{keeps}");
        assert!(!state(&world, OTHER).is_connected());
        assert_eq!(world.calls_of(REVOCATION), 0);
        assert_works(&world, ACCOUNT, "cli_1");
        assert_eq!(chooses(&world, ACCOUNT, all[1]), OrganisationChoiceOutcome::Done);
    }
    // A login that no other account uses is not kept.
    let world = World::new();
    assert_eq!(connects(&world, ACCOUNT, &[]), ConnectOutcome::NoOrganisation);
    assert_eq!((world.calls_of(REVOCATION), world.secrets.len()), (1, 0));
    let view = world.status();
    assert_eq!((view.status, view.pending), (ConnectionStatus::Disconnected, None));
}

#[test]
fn ticking_only_the_second_organisation_connects_to_the_second() {
    for keeps in [true, false] {
        // The first one was linked by the same login before, and belongs to no account.
        let world = World::with(|settings| settings.unconfirmed.reconsent_keeps_auth_event = keeps);
        let (all, login) = (organisations(&world), world.user());
        world.authorise(&account(OTHER), login, &all[..1]);
        world.clock.advance(MINUTES(10));
        assert_connected(&connects(&world, ACCOUNT, &all[1..]), all[1]);
        let connection = world.connection();
        assert!(connection.offered.is_empty(), "{keeps}: {connection:?}");
        // The first one belongs to another account.
        let world = two_accounts();
        world.disconnect_account(&account(OTHER));
        world.clock.advance(MINUTES(10));
        assert_connected(&connects(&world, THIRD, &all[1..]), all[1]);
    }
}

#[test]
fn a_consent_offers_what_it_ticked_and_the_organisation_the_account_is_pinned_to() {
    for keeps in [true, false] {
        let world = World::with(|settings| {
            settings.unconfirmed.reconsent_keeps_auth_event = keeps;
            with_a_third(settings);
        });
        let all = organisations(&world);
        assert_connected(&connects(&world, ACCOUNT, &all[..1]), all[0]);
        world.clock.advance(MINUTES(10));
        assert_connected(&connects(&world, OTHER, &all[1..2]), all[1]);
        world.clock.advance(MINUTES(10));
        // The third one is free; the second belongs to the other account.
        assert_connected(&connects(&world, ACCOUNT, &all), all[0]);
        let offered = world.connection().offered;
        let offered = offered.iter().map(|one| one.tenant.0).collect::<Vec<_>>();
        assert_eq!(offered, [all[0], all[2]], "{keeps}");
        world.clock.advance(MINUTES(10));
        // After another consent, whether or not Xero names the first one.
        assert_connected(&connects(&world, ACCOUNT, &all[..1]), all[0]);
        assert!(world.connection().offered.is_empty(), "{keeps}");
    }
}

#[test]
fn what_was_offered_and_then_taken_by_another_account_can_no_longer_be_chosen() {
    let world = World::new();
    let all = organisations(&world);
    assert_connected(&connects(&world, ACCOUNT, &all), all[0]);
    world.clock.advance(MINUTES(10));
    confirms(&world, OTHER, all[1]);
    assert_eq!(chooses(&world, ACCOUNT, all[1]), OrganisationChoiceOutcome::InUse);
    assert_eq!(world.connection().organisation.unwrap().tenant.0, all[0]);
    assert_works(&world, ACCOUNT, "cli_1");
    assert_works(&world, OTHER, "cli_1");
}

#[test]
fn a_grant_is_revoked_and_its_secret_deleted_with_its_last_connection_only() {
    let world = World::with(with_a_third);
    let all = organisations(&world);
    for (id, tenant) in [ACCOUNT, OTHER, THIRD].into_iter().zip(&all) {
        assert_connected(&connects(&world, id, &[*tenant]), *tenant);
        world.clock.advance(MINUTES(10));
    }
    assert_eq!(world.secrets.len(), 1);
    assert_eq!(world.disconnect(), DisconnectOutcome::Done);
    assert_eq!((world.calls_of(REVOCATION), world.secrets.len()), (0, 1));
    assert!(!world.xero().is_connected("servicecortex", all[0]));
    assert_works(&world, OTHER, "cli_1");
    assert_works(&world, THIRD, "cli_1");
    assert_eq!(world.disconnect_account(&account(OTHER)), DisconnectOutcome::Done);
    assert_eq!((world.calls_of(REVOCATION), world.secrets.len()), (0, 1));
    assert_works(&world, THIRD, "cli_2");
    assert_eq!(world.disconnect_account(&account(THIRD)), DisconnectOutcome::Done);
    assert_eq!((world.calls_of(REVOCATION), world.secrets.len()), (1, 0));
    // The same login connects again.
    assert_connected(&connects(&world, OTHER, &all[1..2]), all[1]);
    assert_works(&world, OTHER, "cli_3");
    assert_eq!(
        world.reported_statuses(&account(THIRD)),
        [ConnectionStatus::Active, ConnectionStatus::Disconnected]
    );
}

#[test]
fn a_login_that_was_replaced_by_another_is_revoked_and_its_secret_deleted() {
    let world = World::connected();
    let (account, tenant) = (world.account(), world.tenant());
    let sam = world.xero().settings().users[1].id;
    world.clock.advance(MINUTES(30));
    assert_connected(&world.connect_as(&account, sam, &[tenant]), tenant);
    assert_eq!(world.connection().connected_by.as_deref(), Some("Sam Okafor"));
    for _ in 0..3 {
        world.advance(MINUTES(5));
        world.sweep();
    }
    assert_eq!((world.calls_of(REVOCATION), world.secrets.len()), (1, 1));
    assert!(world.xero().is_connected("servicecortex", tenant));
    assert_works(&world, ACCOUNT, "cli_1");
}

#[test]
fn choosing_another_organisation_in_one_account_leaves_the_others_alone() {
    let world = World::with(with_a_third);
    let all = organisations(&world);
    assert_connected(&connects(&world, ACCOUNT, &all[..2]), all[0]);
    world.clock.advance(MINUTES(10));
    assert_connected(&connects(&world, OTHER, &all[2..]), all[2]);
    world.clock.advance(MINUTES(10));
    assert_eq!(chooses(&world, ACCOUNT, all[1]), OrganisationChoiceOutcome::Done);
    world.follow_connects();
    assert_works(&world, ACCOUNT, "cli_1");
    assert_works(&world, OTHER, "cli_1");
    assert_eq!(world.calls_of(REVOCATION), 0);
    // The organisation that is no longer in use is free for other accounts.
    confirms(&world, THIRD, all[0]);
    assert_works(&world, THIRD, "cli_1");
    assert_works(&world, OTHER, "cli_2");
    assert_eq!(world.reported_statuses(&account(OTHER)), [ConnectionStatus::Active]);
}

#[test]
fn an_operator_moves_an_organisation_from_one_account_to_another() {
    let world = World::connected();
    let tenant = world.tenant();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(world.disconnect(), DisconnectOutcome::Done);
    assert_connected(&connects(&world, OTHER, &[tenant]), tenant);
    world.receive(Invoice, &an_invoice("inv_2", "cli_2").account(OTHER).body());
    let numbers = world.books(|books| {
        books.invoices().filter_map(|one| one.number.clone()).collect::<BTreeSet<_>>()
    });
    assert_eq!(numbers.into_iter().collect::<Vec<_>>(), ["#INV_1", "#INV_2"]);
    // The first account still owns its records there, and cannot connect to it again.
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Synced);
    world.clock.advance(MINUTES(10));
    assert_eq!(connects(&world, ACCOUNT, &[tenant]), ConnectOutcome::OrganisationInUse);
    world.receive(Invoice, &an_invoice("inv_3", "cli_1").body());
    world.advance(MINUTES(60));
    assert_eq!(world.books(|books| books.invoices().count()), 2);
    assert_works(&world, OTHER, "cli_3");
}

#[test]
fn an_organisation_whose_link_is_still_to_be_removed_is_not_free_yet() {
    let world = World::connected();
    let tenant = world.tenant();
    world.inject(Fault { on: Match::next("/connections"), kind: FaultKind::Status500 });
    assert_eq!(world.disconnect(), DisconnectOutcome::LeftOver);
    world.clock.advance(MINUTES(10));
    assert_eq!(connects(&world, OTHER, &[tenant]), ConnectOutcome::OrganisationInUse);
    world.clock.advance(MINUTES(10));
    world.sweep();
    assert!(world.connection().leftovers.is_empty());
    assert_connected(&connects(&world, OTHER, &[tenant]), tenant);
    world.sweep();
    assert_works(&world, OTHER, "cli_1");
}

#[test]
fn records_of_one_account_are_never_those_of_another() {
    let world = two_accounts();
    let second = organisations(&world)[1];
    for id in [ACCOUNT, OTHER] {
        world.receive(Contact, &a_client_of(id, "cli_1", 1));
    }
    let counted = [world.tenant(), second]
        .map(|tenant| world.xero().books(tenant).unwrap().contacts().count());
    assert_eq!(counted, [1, 1]);
    let client = CrmId::new("cli_1").unwrap();
    let (third, by) = (account(THIRD), owner());
    let never = choices::never_send_record(&world.engine, &third, &by, Contact, client);
    assert_eq!(run(never).unwrap().unwrap(), NeverSendOutcome::Unknown);
}
