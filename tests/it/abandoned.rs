//! Consents that no account uses: interrupted and unanswered consents leave no login behind.

use std::collections::BTreeSet;

use domain::connection::{ConnectionState, ConnectionStatus, OFFER_HOURS};
use domain::ids::{AccountId, TenantId};
use engine::commands::connect::{ConnectOutcome, complete_connect};
use engine::commands::organisation::{self, OrganisationChoiceOutcome};
use engine::jobs::health::check_health;
use jiff::SignedDuration;
use tests::World;
use tests::io_monitor::{CrashPoint, Moment, run};
use tests::world::owner;
use uuid::Uuid;

const APP: &str = "servicecortex";
const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;

fn users(world: &World) -> BTreeSet<String> {
    let items = world.table.all_items();
    items.iter().filter_map(|item| item.key.sk.strip_prefix("USE#")).map(str::to_owned).collect()
}

fn look_again(world: &World, after: SignedDuration) {
    world.clock.advance(after);
    world.sweep();
    run(check_health(&world.engine, world.invocation())).unwrap().unwrap();
    world.sweep();
    world.sweep();
}

#[test]
fn a_completion_that_dies_at_any_step_and_is_never_repeated_leaves_no_login() {
    let (mut crashes, mut abandoned) = (0, 0);
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let mut world = World::new();
            let account = world.account();
            let ticket = world.authorise(&account, world.user(), &[world.tenant()]);
            let at = CrashPoint { step, moment };
            world.io.crash_at(Some(at));
            let invocation = world.invocation();
            let first =
                run(complete_connect(&world.engine, &account, &owner(), &ticket, invocation));
            world.io.crash_at(None);
            world.restart();
            look_again(&world, MINUTES(20));
            let is_connected = world.connection().state == ConnectionState::Active;
            assert_eq!(world.secrets.len(), usize::from(is_connected), "{at:?}");
            assert_eq!(users(&world).len(), usize::from(is_connected), "{at:?}");
            abandoned += usize::from(!is_connected);
            if first.is_some() {
                assert!(is_connected, "{at:?}");
                break;
            }
            crashes += 1;
        }
    }
    assert!(crashes > 40 && abandoned > 20, "{abandoned} of {crashes}");
}

#[test]
fn a_login_that_another_account_uses_outlives_a_consent_that_was_interrupted() {
    for step in 1..30 {
        let mut world = World::connected();
        world.clock.advance(MINUTES(10));
        let other = other();
        let second = world.xero().settings().organisations[1].id;
        let ticket = world.authorise(&other, world.user(), &[second]);
        world.io.crash_at(Some(CrashPoint { step, moment: Moment::After }));
        let invocation = world.invocation();
        drop(run(complete_connect(&world.engine, &other, &owner(), &ticket, invocation)));
        world.io.crash_at(None);
        world.restart();
        look_again(&world, MINUTES(20));
        assert_eq!(world.connection().state, ConnectionState::Active, "step {step}");
        assert_eq!((world.calls_of("/connect/revocation"), world.secrets.len()), (0, 1));
    }
}

/// An account whose user selected an organisation that the same Xero user had selected before, with
/// a Xero that keeps the id of the first consent.
fn asked() -> (World, Uuid) {
    let world = World::with(|settings| settings.unconfirmed.reconsent_keeps_auth_event = true);
    let (account, login, tenant) = (world.account(), world.user(), world.tenant());
    drop(world.authorise(&other(), login, &[tenant]));
    world.clock.advance(MINUTES(10));
    let asked = world.connect_account(&account, &[tenant]);
    let ConnectOutcome::OtherOrganisation { offered, .. } = asked else { panic!("{asked:?}") };
    assert_eq!(offered.iter().map(|one| one.tenant.0).collect::<Vec<_>>(), [tenant]);
    assert!(!world.connection().state.is_connected());
    (world, tenant)
}

#[test]
fn an_organisation_that_no_link_says_was_ticked_just_now_is_a_question() {
    let (world, tenant) = asked();
    look_again(&world, SignedDuration::from_hours(OFFER_HOURS - 1));
    assert_eq!(world.status().choices.len(), 1);
    let (account, invocation) = (world.account(), world.invocation());
    let choice =
        organisation::choose_organisation(&world.engine, &account, TenantId(tenant), invocation);
    assert_eq!(run(choice).unwrap().unwrap(), OrganisationChoiceOutcome::Done);
    look_again(&world, SignedDuration::from_hours(OFFER_HOURS));
    assert_eq!(world.connection().state, ConnectionState::Active);
    assert_eq!((world.calls_of("/connect/revocation"), world.secrets.len()), (0, 1));
}

#[test]
fn a_question_that_is_not_answered_within_a_day_ends_and_leaves_no_login() {
    let (world, tenant) = asked();
    look_again(&world, SignedDuration::from_hours(OFFER_HOURS + 1));
    let view = world.status();
    assert_eq!((view.status, view.choices.len()), (ConnectionStatus::Disconnected, 0));
    assert!(!world.xero().is_connected(APP, tenant));
    assert_eq!((world.calls_of("/connect/revocation"), world.secrets.len()), (1, 0));
    assert!(users(&world).is_empty());
    let (account, invocation) = (world.account(), world.invocation());
    let choice =
        organisation::choose_organisation(&world.engine, &account, TenantId(tenant), invocation);
    assert_eq!(run(choice).unwrap().unwrap(), OrganisationChoiceOutcome::NotOffered);
    assert!(world.reported_statuses(&account).is_empty());
}

fn other() -> AccountId {
    AccountId::new("acc_summit").unwrap()
}

#[test]
fn an_organisation_that_another_login_offers_to_a_connected_account_is_offered_for_a_day() {
    let world = World::with(|settings| {
        let second = settings.organisations[1].id;
        settings.users[1].organisations.push(second);
    });
    world.connect();
    let (account, first) = (world.account(), world.tenant());
    let second = world.xero().settings().organisations[1].id;
    let sam = world.xero().settings().users[1].id;
    world.clock.advance(MINUTES(10));
    let asked = world.connect_as(&account, sam, &[second]);
    assert!(matches!(asked, ConnectOutcome::OtherOrganisation { .. }), "{asked:?}");
    assert_eq!(world.secrets.len(), 2);
    look_again(&world, SignedDuration::from_hours(OFFER_HOURS + 1));
    assert_eq!((world.status().choices.len(), world.secrets.len()), (0, 1));
    let connection = world.connection();
    assert_eq!(connection.organisation.unwrap().tenant.0, first);
    assert_eq!(connection.state, ConnectionState::Active);
    assert!(!world.xero().is_connected(APP, second));
}

#[test]
fn an_organisation_that_two_accounts_may_choose_stays_linked_when_one_of_them_gives_up() {
    let (world, tenant) = asked();
    world.clock.advance(MINUTES(1));
    let also = world.connect_account(&other(), &[tenant]);
    assert!(matches!(also, ConnectOutcome::OtherOrganisation { .. }), "{also:?}");
    world.disconnect();
    look_again(&world, MINUTES(11));
    assert!(world.xero().is_connected(APP, tenant));
    let (account, invocation) = (other(), world.invocation());
    let choice =
        organisation::choose_organisation(&world.engine, &account, TenantId(tenant), invocation);
    assert_eq!(run(choice).unwrap().unwrap(), OrganisationChoiceOutcome::Done);
    look_again(&world, MINUTES(20));
    assert_eq!(world.connection_of(&other()).state, ConnectionState::Active);
}
