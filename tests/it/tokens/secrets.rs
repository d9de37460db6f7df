//! Secrets whose reads lag behind their writes, are empty for a while, or return the value of a
//! slow process.

use std::sync::Arc;

use async_trait::async_trait;
use domain::connection::{ConnectionState, ConnectionStatus};
use domain::entity::EntityKind::Invoice;
use domain::operation::{OperationState, ParkingReason};
use engine::commands::connect::ConnectOutcome;
use engine::connection::token::access_token;
use engine::inbound::MessageOutcome;
use engine::poll::PollOutcome;
use engine::ports::{IfMissing, Metric, PortError, SecretStore};
use engine::sync::push::PushOutcome;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::run;
use tests::ports::{Intercepted, respond};
use uuid::Uuid;

use super::{MINUTES, TOKEN, assert_renewed, refreshes, token_request};

/// Secrets that the function may not read, or that are marked for deletion.
#[derive(Debug)]
struct UnreadableSecrets;

fn refused() -> PortError {
    PortError { operation: "use a secret", source: "it is marked for deletion".into() }
}

#[async_trait]
impl SecretStore for UnreadableSecrets {
    async fn get_secret(&self, _: &str) -> Result<Option<SecretString>, PortError> {
        Err(refused())
    }

    async fn get_version(&self, _: &str, _: Uuid) -> Result<Option<SecretString>, PortError> {
        Err(refused())
    }

    async fn write_secret(
        &self,
        _: &str,
        _: &SecretString,
        _: Uuid,
        _: IfMissing,
    ) -> Result<(), PortError> {
        Err(refused())
    }

    async fn delete_secret(&self, _: &str) -> Result<(), PortError> {
        Err(refused())
    }
}

#[test]
fn each_poll_that_cannot_read_its_secret_counts_for_the_operator() {
    let mut world = World::with_seen_invoice();
    world.clock.advance(MINUTES(60));
    world.engine.secrets = Arc::new(UnreadableSecrets);
    for polls in 1..=3 {
        assert_eq!(world.poll_and_wait(), PollOutcome::Failed);
        let counted = world.metrics.all().into_iter().filter(|one| *one == Metric::PollFailed);
        assert_eq!(counted.count(), polls);
    }
    // The connection stays as it is: no user can help.
    assert_eq!(world.connection().state, ConnectionState::Active);
}

#[test]
fn a_push_waits_for_a_secret_that_is_not_visible_yet_after_a_connection() {
    for reads in 1..=6 {
        let mut world = World::new();
        world.secrets.set_lag(reads);
        let (account, user, tenant) = (world.account(), world.user(), world.tenant());
        let ticket = world.authorise(&account, user, &[tenant]);
        let completed = world.complete(&account, &ticket);
        assert!(matches!(completed, ConnectOutcome::Connected(_)), "{reads}: {completed:?}");
        // Another process, immediately afterwards.
        world.restart();
        let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced), "{reads}");
        assert_eq!(refreshes(&world), 0, "{reads}");
        assert_eq!(world.connection().state, ConnectionState::Active, "{reads}");
    }
}

#[test]
fn a_push_waits_for_a_secret_that_still_shows_older_tokens_after_a_refresh() {
    for reads in 1..=6 {
        let mut world = World::connected();
        world.clock.advance(MINUTES(31));
        world.secrets.set_lag(reads);
        for number in 0..3 {
            world.restart();
            let id = format!("inv_{number}");
            let received = world.receive(Invoice, &an_invoice(&id, "cli_1").body());
            assert_eq!(
                received,
                MessageOutcome::Pushed(PushOutcome::Synced),
                "{reads} reads, {id}"
            );
        }
        assert_renewed(&world, 0, &format!("{reads} reads"));
    }
}

#[test]
fn a_secret_that_is_missing_for_ten_minutes_counts_as_deleted() {
    let mut world = World::connected();
    let name = world.secrets.names().remove(0);
    world.secrets.lose(&name);
    world.restart();
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert!(
        matches!(received, MessageOutcome::Pushed(PushOutcome::Waiting { .. })),
        "{received:?}"
    );
    assert_eq!(world.connection().state, ConnectionState::Active, "it may not be visible yet");
    world.advance(MINUTES(10));
    assert_eq!(world.connection().state, ConnectionState::TokenExpired);
    let parked = OperationState::Parked { on: ParkingReason::Reconnect };
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, parked);
    let statuses = world.reported_statuses(&world.account());
    assert_eq!(statuses, [ConnectionStatus::Active, ConnectionStatus::TokenExpired]);
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.failures, 0);
    assert!(matches!(world.connect(), ConnectOutcome::Connected(_)));
    world.advance(MINUTES(5));
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Synced);
}

/// The value of the only secret.
fn value(world: &World) -> Value {
    serde_json::from_str(&world.secrets.values().remove(0)).unwrap()
}

/// A delayed process writes this value long after others have taken its lock.
fn writes_late(world: &World, value: &Value) {
    let name = world.secrets.names().remove(0);
    let (value, version) = (SecretString::from(value.to_string()), Uuid::from_u128(7));
    let written = world.engine.secrets.write_secret(&name, &value, version, IfMissing::Fail);
    run(written).unwrap().unwrap();
}

#[test]
fn an_older_secret_that_is_invisible_for_a_while_ends_no_connection() {
    for reads in [1, 6, 40] {
        for minutes in [6, 31] {
            let mut world = World::connected();
            let name = world.secrets.names().remove(0);
            world.clock.advance(MINUTES(minutes));
            world.restart();
            world.secrets.hide(&name, reads);
            let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
            assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced), "{reads}, {minutes}");
            assert_eq!(refreshes(&world), usize::from(minutes > 30), "{reads}, {minutes}");
            let statuses = world.reported_statuses(&world.account());
            assert_eq!(statuses, [ConnectionStatus::Active], "{reads}, {minutes}");
        }
    }
}

#[test]
fn a_secret_that_reappeared_may_be_missing_again_without_counting_as_deleted() {
    let mut world = World::connected();
    let name = world.secrets.names().remove(0);
    for _ in 0..3 {
        world.clock.advance(MINUTES(6));
        world.restart();
        world.secrets.hide(&name, 3);
        let token = run(access_token(&world.engine, token_request(&world), world.invocation()));
        assert!(token.unwrap().is_ok());
    }
    assert_eq!(world.connection().state, ConnectionState::Active);
}

#[test]
fn a_renewal_slower_than_its_lock_does_not_overwrite_a_newer_consent() {
    let mut world = World::connected();
    let older = value(&world);
    world.clock.advance(MINUTES(31));
    assert!(matches!(world.connect(), ConnectOutcome::Connected(_)));
    writes_late(&world, &older);
    world.restart();
    let before = refreshes(&world);
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced));
    assert_eq!(refreshes(&world), before, "the consent's tokens are used");
    // The next renewal uses them, too.
    world.clock.advance(MINUTES(31));
    world.restart();
    let received = world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced));
    assert_renewed(&world, before, "the consent's tokens are renewed");
}

#[test]
fn a_refusal_is_ignored_while_the_secret_holds_a_valid_token() {
    let mut world = World::connected();
    let named = value(&world);
    let refresh_token = named["refresh_token"].as_str().unwrap().to_owned();
    // A slow process has renewed the tokens, and writes them after its lock has expired.
    let used = SecretString::from(refresh_token.clone());
    let renewed =
        run(world.engine.app.refresh_tokens(&*world.engine.transport, &used)).unwrap().unwrap();
    let mut late = named;
    let refreshed = renewed.refresh_token.unwrap();
    late["refresh_token"] = refreshed.expose_secret().into();
    late["access_expires_at"] = "2026-01-01T00:00:00Z".into();
    late["serial"] = 0.into();
    writes_late(&world, &late);
    world.clock.advance(MINUTES(31));
    world.restart();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), move |request| {
        let body = String::from_utf8_lossy(request.body());
        let is_met = request.uri().path() == TOKEN && body.contains(&refresh_token);
        is_met.then(|| Ok(respond(400, r#"{"error":"invalid_grant"}"#)))
    });
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced));
    assert_eq!(world.reported_statuses(&world.account()), [ConnectionStatus::Active]);
}

#[test]
fn tokens_newer_than_a_restored_row_are_renewed_once_when_they_expire() {
    let mut world = World::connected();
    let yesterday = world.table.all_items();
    let use_token = |world: &World| {
        let token = run(access_token(&world.engine, token_request(world), world.invocation()));
        assert!(token.unwrap().is_ok());
    };
    for _ in 0..5 {
        world.clock.advance(MINUTES(31));
        use_token(&world);
    }
    world.table.restore_items(yesterday);
    world.restart();
    use_token(&world);
    let before = refreshes(&world);
    world.clock.advance(MINUTES(31));
    for _ in 0..3 {
        use_token(&world);
    }
    assert_renewed(&world, before, "after a restore");
}
