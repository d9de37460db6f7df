//! Operator commands: disconnect or erase one account, end all connections.

mod operators;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::connection::{ConnectionState, ConnectionStatus};
use domain::entity::EntityKind::{Contact, Invoice};
use domain::ids::{AccountId, TenantId};
use domain::outbound::EventContent;
use engine::commands::status::read_status;
use engine::connection::disconnect::{DisconnectOutcome, disconnect_account};
use engine::inbound::MessageOutcome;
use engine::jobs::erasure::{
    EndConnectionOutcome, ErasureSummary, RevocationSummary, end_connection, erase_account,
    revoke_all_grants,
};
use engine::jobs::health::check_health;
use engine::jobs::sweep::sweep_all_shards;
use engine::ports::Clock;
use engine::sync::push::PushOutcome;
use engine::{Engine, Invocation};
use jiff::SignedDuration;
use serde_json::Value;
use store::table::StoredItem;
use tests::World;
use tests::builders::{a_client, an_invoice};
use tests::io_monitor::{CrashPoint, Moment, run};
use uuid::Uuid;
use xero_sim::{Fault, FaultKind, Match};

const APP: &str = "servicecortex";
/// Longer than a connection attempt or an invocation that began before an account was disconnected
/// can last.
const SETTLED: SignedDuration = SignedDuration::from_mins(21);

fn other() -> AccountId {
    AccountId::new("acc_kauri").unwrap()
}

/// Whether Xero lists a link of the first organisation.
fn is_linked(world: &World) -> bool {
    let tenant = world.tenant();
    world.xero().is_connected(APP, tenant)
}

/// The same for the second organisation.
fn is_second_linked(world: &World) -> bool {
    let tenant = second_tenant(world);
    world.xero().is_connected(APP, tenant)
}

fn second_tenant(world: &World) -> Uuid {
    world.xero().settings().organisations[1].id
}

/// Two accounts, each connected to its own organisation by the same Xero user, each with an
/// invoice.
fn two_accounts() -> World {
    let world = World::connected();
    let tenant = second_tenant(&world);
    let _connected = world.connect_account(&other(), &[tenant]);
    assert_eq!(syncs(&world, "inv_1"), MessageOutcome::Pushed(PushOutcome::Synced));
    assert_eq!(other_syncs(&world, "inv_1"), MessageOutcome::Pushed(PushOutcome::Synced));
    // Consents are too old to be still in use.
    world.clock.advance(SignedDuration::from_mins(11));
    world
}

fn syncs(world: &World, invoice: &str) -> MessageOutcome {
    world.receive(Invoice, &an_invoice(invoice, "cli_1").body())
}

fn other_syncs(world: &World, invoice: &str) -> MessageOutcome {
    let message = an_invoice(invoice, "cli_1").account(other().as_str());
    let organisation = world.connection_of(&other()).organisation.map(|used| used.tenant.0);
    // The second organisation is in New Zealand.
    let message = if organisation == Some(second_tenant(world)) {
        message.currency("NZD").tax_rate("15").price("95.00", "109.25")
    } else {
        message
    };
    world.receive(Invoice, &message.body())
}

fn erases(world: &World) -> ErasureSummary {
    erases_with(world, &[])
}

fn erases_with(world: &World, others: &[TenantId]) -> ErasureSummary {
    run(erase_account(&world.engine, &world.account(), others, world.invocation()))
        .unwrap()
        .unwrap()
}

fn owner(world: &World, tenant: Uuid) -> Option<AccountId> {
    run(world.engine.store.find_organisation_owner(TenantId(tenant))).unwrap().unwrap()
}

fn state(world: &World, account: &AccountId) -> ConnectionState {
    run(world.engine.store.find_connection(account)).unwrap().unwrap().unwrap().record.state
}

/// The keys of all rows that name an account.
fn rows(world: &World, account: &AccountId) -> Vec<String> {
    let names = |text: &str| text.contains(account.as_str());
    let items = world.table.all_items().into_iter();
    let items = items.filter(|item| names(&item.key.to_string()) || names(&item.record));
    items.map(|item| item.key.to_string()).collect()
}

/// The number of events that report an account as disconnected.
fn count_disconnected_events(world: &World, account: &AccountId) -> usize {
    let mut seen = BTreeSet::new();
    let events = world.events.deliveries().into_iter().filter(|event| {
        let is_end = matches!(
            event.content,
            EventContent::Connection { status: ConnectionStatus::Disconnected, .. }
        );
        is_end && event.account_id == *account && seen.insert(event.event_id)
    });
    events.count()
}

#[test]
fn an_erased_account_leaves_no_rows_and_keeps_its_documents_in_xero() {
    let world = World::connected();
    syncs(&world, "inv_1");
    let tenant = world.tenant();
    let first = erases(&world);
    assert!(first.disconnected && !first.done && first.rows > 5, "{first:?}");
    assert_eq!(first.organisations, [TenantId(tenant)]);
    // Work in progress may still write: the connection, which names the rest, is kept until then.
    assert!(first.repeat_after.is_some_and(|at| at > world.clock.now()));
    assert_eq!(rows(&world, &world.account()), ["A#acc_ridgeway CONNECTION"]);
    assert!(world.secrets.is_empty());
    assert!(!world.xero().is_connected(APP, tenant));

    world.clock.advance(SETTLED);
    let last = erases(&world);
    assert!(last.done, "{last:?}");
    assert_eq!(rows(&world, &world.account()), [""; 0]);
    assert_eq!(count_disconnected_events(&world, &world.account()), 1);
    world.books(|books| {
        assert_eq!((books.invoices().count(), books.contacts().count()), (1, 1));
    });
    let again = erases(&world);
    assert!(again.done && again.rows == 0, "{again:?}");
}

#[test]
fn another_account_of_the_same_xero_user_is_unaffected() {
    let world = two_accounts();
    let before = rows(&world, &other());
    erases(&world);
    world.clock.advance(SETTLED);
    assert!(erases(&world).done);
    assert_eq!(rows(&world, &world.account()), [""; 0]);
    assert_eq!(rows(&world, &other()), before);
    assert_eq!(world.secrets.len(), 1);
    assert!(is_second_linked(&world));
    assert_eq!(other_syncs(&world, "inv_2"), MessageOutcome::Pushed(PushOutcome::Synced));
    assert_eq!(count_disconnected_events(&world, &other()), 0);
}

#[test]
fn an_erasure_that_dies_at_any_step_is_completed_by_the_next() {
    let mut crashes = 0;
    for moment in [Moment::Before, Moment::After] {
        for step in (1..).step_by(2) {
            let mut world = World::connected();
            syncs(&world, "inv_1");
            world.io.crash_at(Some(CrashPoint { step, moment }));
            let first =
                run(erase_account(&world.engine, &world.account(), &[], world.invocation()));
            world.io.crash_at(None);
            world.restart();
            let is_erased = (0..5).any(|_| {
                world.clock.advance(SETTLED);
                erases(&world).done
            });
            assert!(is_erased, "{step} {moment:?}");
            assert_eq!(rows(&world, &world.account()), [""; 0], "{step} {moment:?}");
            assert!(world.secrets.is_empty(), "{step} {moment:?}");
            assert!(!is_linked(&world), "{step} {moment:?}");
            assert_eq!(count_disconnected_events(&world, &world.account()), 1, "{step} {moment:?}");
            if first.is_some() {
                break;
            }
            crashes += 1;
        }
    }
    assert!(crashes > 20, "{crashes} crashes");
}

#[test]
fn an_erasure_without_time_removes_nothing_and_can_be_repeated() {
    let world = World::connected();
    for number in 0..250 {
        let id = format!("cli_{number}");
        world.receive(Contact, &a_client(&id, 1, &id, "record"));
    }
    let over = world.clock.now() - SignedDuration::from_secs(1);
    let late = Invocation::interactive(over);
    let erased = run(erase_account(&world.engine, &world.account(), &[], late)).unwrap().unwrap();
    assert_eq!((erased.done, erased.rows), (false, 0));
    assert_eq!(world.connection().state, ConnectionState::Disconnected);
    // More rows than one transaction deletes.
    assert!(erases(&world).rows >= 250);
    world.clock.advance(SETTLED);
    assert!(erases(&world).done);
}

#[test]
fn an_account_that_was_never_connected_is_erased_at_once() {
    let world = World::new();
    syncs(&world, "inv_1");
    assert!(!rows(&world, &world.account()).is_empty());
    assert!(erases(&world).done);
    assert_eq!(rows(&world, &world.account()), [""; 0]);
}

#[test]
fn the_connection_of_an_account_that_returns_never_has_an_earlier_version_again() {
    let world = two_accounts();
    let find_version = || {
        let row = run(world.engine.store.find_connection(&world.account())).unwrap().unwrap();
        row.unwrap().version
    };
    let before = find_version();
    erases(&world);
    let at_the_end = find_version();
    assert!(at_the_end > before);
    world.clock.advance(SETTLED);
    assert!(erases(&world).done);
    let _connected = world.connect();
    assert!(find_version() > at_the_end, "{at_the_end}");
}

/// Whether the jobs that process every account's log find this account's.
fn is_log_found(world: &World) -> bool {
    let keys = rows(world, &world.account());
    keys.iter().any(|key| key == "A#acc_ridgeway LOGGED")
}

#[test]
fn the_log_of_an_account_that_returns_after_its_erasure_is_found_again() {
    let world = World::connected();
    syncs(&world, "inv_1");
    assert!(is_log_found(&world));
    // The process that erases is not the one that registered the log.
    let sweep = Engine { logged_accounts: Arc::default(), ..world.engine.clone() };
    for _ in 0..2 {
        run(erase_account(&sweep, &world.account(), &[], world.invocation())).unwrap().unwrap();
        world.clock.advance(SETTLED);
    }
    assert_eq!(rows(&world, &world.account()), [""; 0]);
    let _connected = world.connect();
    syncs(&world, "inv_2");
    assert!(is_log_found(&world));

    // The same process, without delay.
    let world = World::new();
    syncs(&world, "inv_1");
    let was_found = is_log_found(&world);
    assert!(erases(&world).done);
    syncs(&world, "inv_1");
    assert_eq!(is_log_found(&world), was_found);
}

#[test]
fn an_account_stays_connected_and_keeps_its_records_while_the_users_of_its_grant_are_unknown() {
    let world = two_accounts();
    forget_uses(&world);
    let before = rows(&world, &world.account()).len();
    let late = Invocation::interactive(world.clock.now() - SignedDuration::from_secs(1));
    let erased = run(erase_account(&world.engine, &world.account(), &[], late)).unwrap().unwrap();
    assert!(!erased.done && !erased.disconnected, "{erased:?}");
    assert_eq!(world.connection().state, ConnectionState::Active);
    assert_eq!(rows(&world, &world.account()).len(), before);
}

#[test]
fn the_operator_names_organisations_that_the_connection_does_not_list() {
    let world = World::connected();
    syncs(&world, "inv_1");
    change_items(&world, |item| item.key.sk != "CONNECTION");
    assert!(erases(&world).done);
    assert!(
        !rows(&world, &world.account()).is_empty(),
        "the connection does not list that organisation"
    );
    let erased = erases_with(&world, &[TenantId(world.tenant())]);
    assert!(erased.done && erased.rows > 0, "{erased:?}");
    let left = rows(&world, &world.account());
    assert!(left.iter().all(|key| key.starts_with("T#") || key.starts_with("G#")), "{left:?}");
}

#[test]
fn a_connection_attempt_started_before_the_erasure_is_erased_with_the_account() {
    let world = World::connected();
    world.begin();
    assert!(!erases(&world).done);
    let pending = run(read_status(&world.engine, &world.account())).unwrap().unwrap();
    assert_eq!(pending.status, ConnectionStatus::Disconnected);
    world.clock.advance(SETTLED);
    assert!(erases(&world).done);
}

/// Keeps the items of the table that match.
fn change_items(world: &World, wanted: impl Fn(&StoredItem) -> bool) {
    let items = world.table.all_items().into_iter().filter(|item| wanted(item));
    world.table.restore_items(items.collect());
}

fn change_connections(world: &World, change: impl Fn(&mut Value)) {
    let mut items = world.table.all_items();
    for item in items.iter_mut().filter(|item| item.key.sk == "CONNECTION") {
        let mut json: Value = serde_json::from_str(&item.record).unwrap();
        change(&mut json);
        item.record = json.to_string();
    }
    world.table.restore_items(items);
}

/// Turns the rows into those of an earlier release: without claims, and without uses of grants.
fn forget_uses(world: &World) {
    change_items(world, |item| {
        let StoredItem { key, .. } = item;
        key.sk != "CLAIM" && !key.sk.starts_with("USE#") && key.sk != "UPGRADED"
    });
    change_connections(world, |json| {
        let fields = json.as_object_mut().unwrap();
        fields.remove("claims");
        fields.remove("grants");
    });
}
