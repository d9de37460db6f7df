//! An operator ends connections, of one account or of all.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use store::keys::SHARDS;
use store::table::TableError;
use tests::ports::{InterceptedTable, TableInterception, TableRequest};

use super::*;

fn ends(world: &World, account: &AccountId) -> EndConnectionOutcome {
    run(end_connection(&world.engine, account, world.invocation())).unwrap().unwrap()
}

fn revokes(world: &World) -> RevocationSummary {
    run(revoke_all_grants(&world.engine, world.invocation())).unwrap().unwrap()
}

#[test]
fn an_operator_moves_an_organisation_to_another_account() {
    let world = World::connected();
    let (account, tenant) = (world.account(), world.tenant());
    syncs(&world, "inv_1");
    assert_eq!(owner(&world, tenant), Some(account.clone()));
    let _refused = world.connect_account(&other(), &[tenant]);
    assert_eq!(owner(&world, tenant), Some(account.clone()));
    world.clock.advance(SignedDuration::from_mins(11));

    assert_eq!(
        ends(&world, &account),
        EndConnectionOutcome { done: true, known: true, ended: true }
    );
    assert_eq!(owner(&world, tenant), None);
    assert!(world.mapping(Invoice, "inv_1").is_some(), "its records stay for a reconnect");
    let _connected = world.connect_account(&other(), &[tenant]);
    assert_eq!(owner(&world, tenant), Some(other()));
    assert_eq!(other_syncs(&world, "inv_2"), MessageOutcome::Pushed(PushOutcome::Synced));

    let again = ends(&world, &account);
    assert_eq!(again, EndConnectionOutcome { done: true, known: true, ended: false });
    assert_eq!(other_syncs(&world, "inv_3"), MessageOutcome::Pushed(PushOutcome::Synced));
    let nobody = AccountId::new("acc_nobody").unwrap();
    assert_eq!(
        ends(&world, &nobody),
        EndConnectionOutcome { done: true, known: false, ended: false }
    );
}

#[test]
fn all_connections_end_with_their_grants_and_one_event_each() {
    let world = two_accounts();
    let revoked = revokes(&world);
    let expected = RevocationSummary { done: true, accounts: 2, ended: 2, later: 0, failed: 0 };
    assert_eq!(revoked, expected);
    assert!(world.secrets.is_empty());
    for account in [world.account(), other()] {
        assert_eq!(state(&world, &account), ConnectionState::Disconnected);
        assert_eq!(count_disconnected_events(&world, &account), 1);
    }
    assert!(!is_linked(&world));
    assert!(!is_second_linked(&world));
    assert_eq!(revokes(&world), RevocationSummary { ended: 0, ..expected });
    assert_eq!(count_disconnected_events(&world, &other()), 1);
}

#[test]
fn requests_that_xero_did_not_answer_are_repeated() {
    let world = two_accounts();
    for _ in 0..2 {
        world.inject(Fault { on: Match::next("/connections"), kind: FaultKind::Unavailable503 });
    }
    let first = revokes(&world);
    assert!(!first.done && first.later > 0, "{first:?}");
    for account in [world.account(), other()] {
        assert_eq!(state(&world, &account), ConnectionState::Disconnected, "at once, here");
    }
    world.clock.advance(SignedDuration::from_mins(1));
    let second = revokes(&world);
    assert!(second.done, "{second:?}");
    assert!(world.secrets.is_empty());
    assert_eq!(count_disconnected_events(&world, &world.account()), 1);
}

#[test]
fn the_secret_of_a_connection_that_an_earlier_release_ended_is_deleted() {
    let world = World::connected();
    syncs(&world, "inv_1");
    forget_uses(&world);
    change_connections(&world, |json| json["state"] = "disconnected".into());
    assert_eq!(world.secrets.len(), 1);
    let revoked = revokes(&world);
    assert!(revoked.done, "{revoked:?}");
    assert!(world.secrets.is_empty());
}

#[test]
fn a_grant_is_not_ended_while_its_users_are_unknown() {
    let world = two_accounts();
    forget_uses(&world);
    let ended = run(disconnect_account(&world.engine, &world.account(), world.invocation()));
    assert_eq!(ended.unwrap().unwrap(), DisconnectOutcome::LeftOver);
    assert_eq!(world.secrets.len(), 1);
    // The health check upgrades the rows, and then the sweep finds those of the other account.
    run(check_health(&world.engine, world.invocation())).unwrap().unwrap();
    world.clock.advance(SignedDuration::from_mins(5));
    run(sweep_all_shards(&world.engine, world.invocation())).unwrap();
    assert!(world.connection().leftovers.is_empty());
    assert_eq!(world.secrets.len(), 1);
    assert!(!is_linked(&world));
    assert_eq!(other_syncs(&world, "inv_2"), MessageOutcome::Pushed(PushOutcome::Synced));
}

/// Counts the pages of indexes that are read.
#[derive(Debug, Clone, Default)]
struct IndexPages(Arc<AtomicUsize>);

#[async_trait]
impl TableInterception for IndexPages {
    async fn intercept_request(&self, request: TableRequest<'_>) -> Result<(), TableError> {
        if matches!(request, TableRequest::QueryIndex(_)) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

#[test]
fn the_users_of_grants_are_determined_once_even_if_the_row_of_one_account_cannot_be_read() {
    let mut world = two_accounts();
    forget_uses(&world);
    let mut items = world.table.all_items();
    let is_other = |item: &&mut StoredItem| {
        item.key.sk == "CONNECTION" && item.key.pk.contains(other().as_str())
    };
    items.iter_mut().find(is_other).unwrap().record = "{}".to_owned();
    world.table.restore_items(items);
    let pages = IndexPages::default();
    world.engine.store = InterceptedTable::store_on(world.table.clone(), pages.clone());
    let revoked = revokes(&world);
    assert!(!revoked.done, "{revoked:?}");
    assert_eq!((revoked.accounts, revoked.ended, revoked.failed), (2, 1, 1));
    assert_eq!(state(&world, &world.account()), ConnectionState::Disconnected);
    // Two walks over two indexes: one determines the users, and one ends the connections.
    let shards = usize::try_from(SHARDS).unwrap();
    assert!(pages.0.load(Ordering::SeqCst) <= 5 * shards, "{pages:?}");
}
