//! Rows of connections that the earlier release wrote have the same effect as new ones.

use domain::connection::ConnectionStatus;
use domain::entity::EntityKind::Invoice;
use domain::ids::TenantId;
use engine::commands::connect::ConnectOutcome;
use engine::connection::disconnect::DisconnectOutcome;
use engine::jobs::health::check_health;
use engine::poll::PollOutcome;
use serde_json::Value;
use store::table::{ItemKey, StoredItem};
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::run;
use tests::world::ACCOUNT;
use uuid::Uuid;

use super::{
    MINUTES, OTHER, REVOCATION, THIRD, account, assert_connected, assert_works, connects,
    organisations, two_accounts, with_a_third,
};

/// Fields that the earlier release did not write.
const NEW_FIELDS: [&str; 14] = [
    "epoch",
    "pending",
    "offered_by",
    "offered_until",
    "look_at",
    "secret_number",
    "kept_from",
    "tokens_since",
    "claims",
    "grants",
    "carried_from",
    "tenants",
    "secret",
    "consent",
];

/// Rows that the earlier release did not have.
fn is_new(item: &StoredItem) -> bool {
    let sk = item.key.sk.as_str();
    sk.starts_with("USE#")
        || sk.starts_with("AWAITED#")
        || ["CLAIM", "UPGRADED", "ACTIVITY", "KEPT"].contains(&sk)
}

fn edited(item: StoredItem, edit: impl FnOnce(&mut Value)) -> StoredItem {
    let mut record: Value = serde_json::from_str(&item.record).unwrap();
    edit(&mut record);
    StoredItem { record: record.to_string(), ..item }
}

/// A row as the earlier release wrote it.
fn as_before(item: StoredItem) -> StoredItem {
    if !["CONNECTION", "GRANT"].contains(&item.key.sk.as_str()) {
        return StoredItem { attention: None, ..item };
    }
    edited(item, |record| {
        for field in NEW_FIELDS {
            record.as_object_mut().unwrap().remove(field);
        }
        if let Some(organisation) = record.get_mut("organisation").and_then(Value::as_object_mut) {
            organisation.remove("serial");
        }
    })
}

/// The table as the earlier release left it, and processes of this one.
fn upgraded_from_before(world: &mut World) {
    let items = world.table.all_items().into_iter().filter(|item| !is_new(item)).map(as_before);
    let items = items.collect();
    world.table.restore_items(items);
    world.restart();
}

fn is_connection_of(item: &StoredItem, id: &str) -> bool {
    item.key.sk == "CONNECTION" && item.key.pk == format!("A#{id}")
}

/// The account that has claimed an organisation.
fn claimed_by(world: &World, tenant: Uuid) -> Option<String> {
    let claim = run(world.engine.store.find_organisation_owner(TenantId(tenant))).unwrap().unwrap();
    claim.map(|account| account.to_string())
}

#[test]
fn connections_of_the_earlier_release_go_on_working_and_are_claimed_by_the_health_check() {
    let mut world = two_accounts();
    let all = organisations(&world);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    upgraded_from_before(&mut world);
    assert_works(&world, ACCOUNT, "cli_2");
    assert_works(&world, OTHER, "cli_2");
    world.clock.advance(MINUTES(15));
    assert!(matches!(world.poll(), PollOutcome::Read { .. }));
    assert_eq!((claimed_by(&world, all[0]), claimed_by(&world, all[1])), (None, None));
    run(check_health(&world.engine, world.invocation())).unwrap().unwrap();
    assert_eq!(claimed_by(&world, all[0]).as_deref(), Some(ACCOUNT));
    assert_eq!(claimed_by(&world, all[1]).as_deref(), Some(OTHER));
    for id in [ACCOUNT, OTHER] {
        let connection = world.connection_of(&account(id));
        assert_eq!((connection.claims.len(), connection.grants.len()), (1, 1), "{connection:?}");
        assert_eq!(
            world.reported_statuses(&account(id)),
            [ConnectionStatus::Active],
            "no account receives an event"
        );
    }
    assert_eq!(world.disconnect(), DisconnectOutcome::Done);
    assert_eq!((world.calls_of(REVOCATION), world.secrets.len()), (0, 1));
    assert_works(&world, OTHER, "cli_3");
}

#[test]
fn a_connection_of_the_earlier_release_keeps_others_out_before_any_health_check() {
    let mut world = two_accounts();
    upgraded_from_before(&mut world);
    for tenant in organisations(&world) {
        assert_eq!(connects(&world, THIRD, &[tenant]), ConnectOutcome::OrganisationInUse);
        world.clock.advance(MINUTES(10));
    }
    assert_works(&world, ACCOUNT, "cli_2");
    assert_works(&world, OTHER, "cli_2");
}

#[test]
fn an_unreadable_connection_of_the_earlier_release_keeps_no_other_account_out() {
    let mut world = World::with(with_a_third);
    let all = organisations(&world);
    assert_connected(&connects(&world, ACCOUNT, &all[..1]), all[0]);
    world.clock.advance(MINUTES(10));
    upgraded_from_before(&mut world);
    let unreadable = |item: StoredItem| {
        let is_it = is_connection_of(&item, ACCOUNT);
        if is_it { StoredItem { record: "{}".to_owned(), ..item } } else { item }
    };
    let items = world.table.all_items().into_iter().map(unreadable).collect();
    world.table.restore_items(items);
    assert_connected(&connects(&world, OTHER, &all[2..]), all[2]);
    assert_works(&world, OTHER, "cli_1");
    // Whether the unreadable account uses the grant is unknown, so the grant stays.
    run(check_health(&world.engine, world.invocation())).unwrap().unwrap();
    world.disconnect_account(&account(OTHER));
    assert_eq!((world.calls_of(REVOCATION), world.secrets.len()), (0, 1));
}

#[test]
fn a_disconnect_before_any_health_check_leaves_the_login_to_those_who_use_it() {
    let mut world = two_accounts();
    upgraded_from_before(&mut world);
    world.disconnect();
    for _ in 0..3 {
        world.clock.advance(MINUTES(5));
        world.sweep();
    }
    assert_eq!(world.calls_of(REVOCATION), 0);
    assert_works(&world, OTHER, "cli_2");
    run(check_health(&world.engine, world.invocation())).unwrap().unwrap();
    world.clock.advance(MINUTES(5));
    world.sweep();
    assert_eq!((world.calls_of(REVOCATION), world.secrets.len()), (0, 1));
    assert_works(&world, OTHER, "cli_3");
}

/// Two accounts that use the first organisation, as the earlier release let them, after the health
/// check.
fn with_shared_organisation() -> World {
    let mut world = two_accounts();
    upgraded_from_before(&mut world);
    let items = world.table.all_items();
    let first = items.iter().find(|item| is_connection_of(item, ACCOUNT)).unwrap();
    let first: Value = serde_json::from_str(&first.record).unwrap();
    let shared = |item: StoredItem| {
        if !is_connection_of(&item, OTHER) {
            return item;
        }
        edited(item, |record| record["organisation"] = first["organisation"].clone())
    };
    world.table.restore_items(items.into_iter().map(shared).collect());
    run(check_health(&world.engine, world.invocation())).unwrap().unwrap();
    world
}

#[test]
fn two_accounts_that_shared_an_organisation_before_both_go_on_until_each_disconnects() {
    let world = with_shared_organisation();
    assert_works(&world, ACCOUNT, "cli_2");
    assert_works(&world, OTHER, "cli_3");
    assert_eq!(connects(&world, THIRD, &[world.tenant()]), ConnectOutcome::OrganisationInUse);
    world.disconnect();
    for _ in 0..3 {
        world.clock.advance(MINUTES(5));
        world.sweep();
    }
    assert_eq!(world.calls_of(REVOCATION), 0);
    assert_works(&world, OTHER, "cli_4");
}

/// Adds accounts with the same login, whose ids come before that of the second account.
fn add_accounts_of_the_login(world: &World, count: usize) {
    let mut items = world.table.all_items();
    let sk = format!("USE#{OTHER}");
    let one = items.iter().find(|item| item.key.sk == sk).unwrap().clone();
    items.extend((0..count).map(|number| {
        let id = format!("acc_a{number:04}");
        StoredItem {
            key: ItemKey::new(&one.key.pk, format!("USE#{id}")),
            record: one.record.replace(OTHER, &id),
            ..one.clone()
        }
    }));
    world.table.restore_items(items);
}

#[test]
fn a_link_stays_for_another_account_whatever_the_number_of_accounts_of_the_login() {
    // The other account is on the first page, on a later one, or on none that is read.
    for count in [10, 150, 600] {
        let world = with_shared_organisation();
        add_accounts_of_the_login(&world, count);
        let tenant = world.tenant();
        world.disconnect();
        for _ in 0..3 {
            world.clock.advance(MINUTES(5));
            world.sweep();
        }
        assert!(world.xero().is_connected("servicecortex", tenant), "{count}");
        assert_eq!(world.calls_of(REVOCATION), 0, "{count}");
        assert_works(&world, OTHER, "cli_1");
    }
}

#[test]
fn a_row_that_the_earlier_release_wrote_once_more_is_still_one_that_can_be_changed() {
    // During a deployment, a function of the earlier release records a pause on the connection: it
    // does not know the claims in the row, and drops them.
    let world = two_accounts();
    let items = world.table.all_items().into_iter().map(as_before).collect();
    world.table.restore_items(items);
    let tenant = world.tenant();
    assert_works(&world, ACCOUNT, "cli_2");
    assert_connected(&world.connect(), tenant);
    assert_eq!(world.disconnect(), DisconnectOutcome::Done);
    assert_eq!(claimed_by(&world, tenant), None, "it is free");
    assert_works(&world, OTHER, "cli_2");
    assert_connected(&connects(&world, THIRD, &[tenant]), tenant);
}
