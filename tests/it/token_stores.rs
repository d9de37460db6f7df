//! Tokens in Secrets Manager, in the table, and on their way from one to the other.

use std::sync::Arc;

use async_trait::async_trait;
use domain::connection::ConnectionState;
use domain::entity::EntityKind::Invoice;
use domain::grant::SealedTokens;
use engine::commands::connect::ConnectOutcome;
use engine::connection::token::{SealedSecrets, TokenPlace, TokenStores};
use engine::inbound::MessageOutcome;
use engine::jobs::keep_alive::renew_unused_tokens;
use engine::ports::{IfMissing, PortError, SecretStore};
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use store::table::WriteExpectation;
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::run;
use tests::token_keys::MemoryKeys;
use uuid::Uuid;

const NAME: &str = "stage/grant/one";

const fn version(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn value(serial: u64) -> SecretString {
    let expires_at = "2026-11-02T09:00:00Z";
    SecretString::from(format!(
        r#"{{"access_token":"access","refresh_token":"refresh-{serial}","access_expires_at":"{expires_at}","serial":{serial}}}"#
    ))
}

fn sealed_store(world: &World, keys: &MemoryKeys) -> SealedSecrets {
    SealedSecrets::new(world.engine.store.clone(), Arc::new(keys.clone()))
}

fn both(world: &World, keys: &MemoryKeys, wanted: TokenPlace) -> TokenStores {
    TokenStores {
        secrets: Arc::new(world.secrets.clone()),
        table: Arc::new(sealed_store(world, keys)),
        wanted,
    }
}

fn read(store: &dyn SecretStore, name: &str) -> Option<String> {
    let found = run(store.get_secret(name)).unwrap().unwrap();
    found.map(|found| found.expose_secret().to_owned())
}

fn put(store: &dyn SecretStore, serial: u64) {
    let version = version(u128::from(serial));
    run(store.write_secret(NAME, &value(serial), version, IfMissing::Create)).unwrap().unwrap();
}

fn replace(store: &dyn SecretStore, serial: u64) -> bool {
    let version = version(u128::from(serial));
    run(store.write_secret(NAME, &value(serial), version, IfMissing::Fail)).unwrap().is_ok()
}

fn text(serial: u64) -> String {
    value(serial).expose_secret().to_owned()
}

fn sealed_rows(world: &World) -> Vec<String> {
    let items = world.table.all_items().into_iter();
    items.filter(|item| item.key.sk == "TOKENS").map(|item| item.record).collect()
}

#[test]
fn the_table_holds_the_tokens_encrypted_and_bound_to_their_name_and_version() {
    let (world, keys) = (World::new(), MemoryKeys::default());
    let store = sealed_store(&world, &keys);
    put(&store, 1);
    assert_eq!(read(&store, NAME), Some(text(1)));
    let rows = sealed_rows(&world);
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].contains("refresh-1") && !rows[0].contains("data key"), "{rows:?}");

    let row = run(world.engine.store.find_sealed_tokens(NAME)).unwrap().unwrap().unwrap();
    let elsewhere = SealedTokens { name: "stage/grant/two".to_owned(), ..row.record.clone() };
    run(world.engine.store.put_sealed_tokens(&elsewhere, WriteExpectation::Absent))
        .unwrap()
        .unwrap();
    assert!(run(store.get_secret("stage/grant/two")).unwrap().is_err());
    let mut renamed = row.record;
    renamed.values[0].version = version(2);
    let expect = WriteExpectation::Version(row.version);
    run(world.engine.store.put_sealed_tokens(&renamed, expect)).unwrap().unwrap();
    assert!(run(store.get_secret(NAME)).unwrap().is_err());
}

/// `infra/scale.py` computes the price of sealed tokens from these counts.
#[test]
fn a_process_calls_the_key_service_once_for_each_value() {
    let counts = include_str!("../../infra/scale-counts.json");
    let counts: serde_json::Value = serde_json::from_str(counts).unwrap();
    let count = |name: &str| usize::try_from(counts["asserted"][name].as_u64().unwrap()).unwrap();
    let of_a_renewal = count("kms_calls_of_a_renewal");
    let (mut world, keys) = (World::new(), MemoryKeys::default());
    world.engine.secrets = Arc::new(sealed_store(&world, &keys));
    assert!(matches!(world.connect(), ConnectOutcome::Connected(_)));

    // Another process renews the tokens: it decrypts the value in the row, and writes the next one.
    world.engine.secrets = Arc::new(sealed_store(&world, &keys));
    let before = keys.calls();
    renew(&mut world, "inv_1");
    assert_eq!(keys.calls() - before, of_a_renewal);
    // It forgets the tokens and reads them again.
    world.restart();
    push(&world, "inv_2");
    assert_eq!(keys.calls() - before, of_a_renewal);

    // A third process reads what the second one wrote.
    world.restart();
    world.engine.secrets = Arc::new(sealed_store(&world, &keys));
    push(&world, "inv_3");
    assert_eq!(keys.calls() - before, of_a_renewal + count("kms_calls_of_a_read"));
}

#[test]
fn a_process_remembers_a_limited_number_of_keys() {
    let (world, keys) = (World::new(), MemoryKeys::default());
    let store = sealed_store(&world, &keys);
    let names = (0..65).map(|number| format!("stage/grant/{number}")).collect::<Vec<_>>();
    for name in &names {
        run(store.write_secret(name, &value(1), version(1), IfMissing::Create)).unwrap().unwrap();
    }
    let written = keys.calls();
    assert_eq!(read(&store, &names[64]), Some(text(1)));
    assert_eq!(keys.calls(), written);
    assert_eq!(read(&store, &names[0]), Some(text(1)));
    assert_eq!(keys.calls(), written + 1, "the oldest one is forgotten");
}

#[test]
fn a_process_forgets_the_keys_of_tokens_that_it_deletes() {
    let (world, keys) = (World::new(), MemoryKeys::default());
    let store = sealed_store(&world, &keys);
    put(&store, 1);
    let row = run(world.engine.store.find_sealed_tokens(NAME)).unwrap().unwrap().unwrap();
    run(store.delete_secret(NAME)).unwrap().unwrap();
    let restored = run(world.engine.store.put_sealed_tokens(&row.record, WriteExpectation::Absent));
    restored.unwrap().unwrap();
    let calls = keys.calls();
    assert_eq!(read(&store, NAME), Some(text(1)));
    assert_eq!(keys.calls(), calls + 1);
}

#[test]
fn the_newest_two_values_are_readable_by_their_versions_and_each_is_written_once() {
    let (world, keys) = (World::new(), MemoryKeys::default());
    let store = sealed_store(&world, &keys);
    for serial in [1, 2, 2, 3, 2] {
        put(&store, serial);
    }
    assert_eq!(read(&store, NAME), Some(text(3)));
    let by_version = |number| run(store.get_version(NAME, version(number))).unwrap().unwrap();
    assert_eq!(by_version(2).map(|found| found.expose_secret().to_owned()), Some(text(2)));
    assert!(by_version(1).is_none());
}

#[test]
fn deleted_tokens_are_not_created_again_by_a_renewal() {
    let (world, keys) = (World::new(), MemoryKeys::default());
    let (secrets, sealed) = (world.secrets.clone(), sealed_store(&world, &keys));
    let (to_table, to_secrets) =
        (both(&world, &keys, TokenPlace::Table), both(&world, &keys, TokenPlace::Secrets));
    let stores: [&dyn SecretStore; 4] = [&secrets, &sealed, &to_table, &to_secrets];
    for store in stores {
        assert!(!replace(store, 1), "{store:?}");
        put(store, 1);
        assert!(replace(store, 2), "{store:?}");
        run(store.delete_secret(NAME)).unwrap().unwrap();
        run(store.delete_secret(NAME)).unwrap().unwrap();
        assert!(!replace(store, 3), "{store:?}");
        assert_eq!((read(store, NAME), sealed_rows(&world).len()), (None, 0), "{store:?}");
    }
}

/// A place whose tokens are deleted right after each read.
#[derive(Debug)]
struct DeletedMeanwhile(SealedSecrets);

#[async_trait]
impl SecretStore for DeletedMeanwhile {
    async fn get_secret(&self, name: &str) -> Result<Option<SecretString>, PortError> {
        let found = self.0.get_secret(name).await;
        self.0.delete_secret(name).await?;
        found
    }

    async fn get_version(
        &self,
        name: &str,
        version: Uuid,
    ) -> Result<Option<SecretString>, PortError> {
        self.0.get_version(name, version).await
    }

    async fn write_secret(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
        if_missing: IfMissing,
    ) -> Result<(), PortError> {
        self.0.write_secret(name, value, version, if_missing).await
    }

    async fn delete_secret(&self, name: &str) -> Result<(), PortError> {
        self.0.delete_secret(name).await
    }
}

#[test]
fn tokens_that_are_deleted_during_a_renewal_stay_deleted() {
    let (world, keys) = (World::new(), MemoryKeys::default());
    let sealed = sealed_store(&world, &keys);
    put(&sealed, 1);
    // Values of an earlier place may remain beside the moved ones.
    put(&world.secrets, 1);
    let table = Arc::new(DeletedMeanwhile(sealed));
    let stores = TokenStores { table, ..both(&world, &keys, TokenPlace::Table) };
    assert!(!replace(&stores, 2));
    assert!(sealed_rows(&world).is_empty());
}

#[test]
fn the_newer_of_two_places_is_read_and_a_slow_process_writes_beside_it() {
    let (world, keys) = (World::new(), MemoryKeys::default());
    let (secrets, sealed) = (world.secrets.clone(), sealed_store(&world, &keys));
    let to_table = both(&world, &keys, TokenPlace::Table);
    put(&secrets, 5);
    assert!(replace(&to_table, 4));
    assert_eq!((read(&secrets, NAME), read(&sealed, NAME)), (Some(text(4)), None));
    assert!(replace(&to_table, 6));
    assert_eq!((read(&secrets, NAME), read(&sealed, NAME)), (Some(text(4)), Some(text(6))));
    // A process of the former release.
    put(&secrets, 7);
    assert_eq!(read(&to_table, NAME), Some(text(7)));
    let earlier = run(to_table.get_version(NAME, version(5))).unwrap().unwrap();
    assert_eq!(earlier.map(|found| found.expose_secret().to_owned()), Some(text(5)));
}

#[test]
fn what_remains_in_the_former_place_is_removed_once_the_newest_version_has_moved() {
    let (world, keys) = (World::new(), MemoryKeys::default());
    let (secrets, sealed) = (world.secrets.clone(), sealed_store(&world, &keys));
    let to_table = both(&world, &keys, TokenPlace::Table);
    put(&secrets, 1);
    run(to_table.remove_moved(NAME, version(1))).unwrap().unwrap();
    assert_eq!(read(&secrets, NAME), Some(text(1)), "the only copy");
    put(&to_table, 2);
    run(to_table.remove_moved(NAME, version(2))).unwrap().unwrap();
    assert_eq!((read(&secrets, NAME), read(&sealed, NAME)), (None, Some(text(2))));
    // With one place, there is nothing to remove.
    run(sealed.remove_moved(NAME, version(2))).unwrap().unwrap();
    assert_eq!(read(&sealed, NAME), Some(text(2)));
}

/// A push with expired tokens, by a new process.
fn renew(world: &mut World, id: &str) {
    world.clock.advance(SignedDuration::from_mins(31));
    world.restart();
    push(world, id);
    assert_eq!(world.connection().state, ConnectionState::Active, "{id}");
}

fn push(world: &World, id: &str) {
    let received = world.receive(Invoice, &an_invoice(id, "cli_1").body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced), "{id}");
}

/// The daily job, after every process of the last renewal has ended.
fn clean_up(world: &World) {
    world.clock.advance(SignedDuration::from_mins(20));
    let summary = run(renew_unused_tokens(&world.engine, world.invocation())).unwrap().unwrap();
    assert_eq!((summary.in_use, summary.failed), (1, 0), "{summary:?}");
}

#[test]
fn an_account_connects_and_syncs_with_tokens_in_the_table() {
    let (mut world, keys) = (World::new(), MemoryKeys::default());
    world.engine.secrets = Arc::new(sealed_store(&world, &keys));
    assert!(matches!(world.connect(), ConnectOutcome::Connected(_)));
    for id in ["inv_1", "inv_2"] {
        renew(&mut world, id);
    }
    assert!(world.secrets.is_empty());
    assert_eq!(sealed_rows(&world).len(), 1);
}

#[test]
fn tokens_move_to_the_table_and_back_while_the_account_syncs() {
    let (mut world, keys) = (World::connected(), MemoryKeys::default());
    let steps = [
        ("inv_1", TokenPlace::Secrets, (1, 0)),
        ("inv_2", TokenPlace::Table, (0, 1)),
        ("inv_3", TokenPlace::Table, (0, 1)),
        ("inv_4", TokenPlace::Secrets, (1, 0)),
    ];
    for (id, wanted, places) in steps {
        world.engine.secrets = Arc::new(both(&world, &keys, wanted));
        renew(&mut world, id);
        clean_up(&world);
        assert_eq!((world.secrets.len(), sealed_rows(&world).len()), places, "{id}");
    }
    // The former place is not needed any more.
    world.engine.secrets = Arc::new(world.secrets.clone());
    renew(&mut world, "inv_5");
}
