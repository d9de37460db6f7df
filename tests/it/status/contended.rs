//! Facts that several processes write at the same time, and facts that cannot be written.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use domain::connection::{ConnectionState, ConnectionStatus};
use domain::entity::EntityKind::{Invoice, Payment};
use domain::operation::{OperationState, ParkingReason};
use engine::commands::connect::ConnectOutcome;
use engine::ports::Clock;
use jiff::SignedDuration;
use store::Store;
use store::table::TableError;
use tests::World;
use tests::builders::{a_payment, an_invoice};
use tests::ports::{
    Intercepted, InterceptedTable, TableInterception, TableRequest, refusal, respond,
};

/// A table that fails to write the rows of this sort key a number of times.
#[derive(Debug)]
struct Contended {
    sk: &'static str,
    left: AtomicU32,
    /// Whether another process has changed the row first. Otherwise the table does not answer.
    is_conflict: bool,
}

impl Contended {
    fn at(world: &World, sk: &'static str, left: u32, is_conflict: bool) -> Store {
        let contended = Self { sk, left: AtomicU32::new(left), is_conflict };
        InterceptedTable::store_on(world.table.clone(), contended)
    }
}

#[async_trait]
impl TableInterception for Contended {
    async fn intercept_request(&self, request: TableRequest<'_>) -> Result<(), TableError> {
        let TableRequest::Write(writes) = request else { return Ok(()) };
        let is_met = writes.iter().any(|write| write.is_change() && write.item_key().sk == self.sk)
            && self
                .left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_ok();
        if is_met && self.is_conflict {
            return Err(TableError::Conflict);
        } else if is_met {
            let source = io::Error::other("the table does not answer").into();
            return Err(TableError::Unavailable { operation: "write", source });
        }
        Ok(())
    }
}

#[test]
fn a_success_at_the_moment_of_other_attempts_is_remembered() {
    let mut world = World::connected();
    world.engine.store = Contended::at(&world, "ACTIVITY", 12, true);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let view = world.status();
    assert!(view.last_sync_at.is_some());
    assert_eq!(view.last_sync_at, view.last_attempt_at);
}

/// An invoice that is attempted while the result of the attempt cannot be recorded on the
/// connection.
fn attempts_without_update(world: &mut World) -> OperationState {
    world.engine.store = Contended::at(world, "CONNECTION", 4, false);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.engine.store = Store::new(Arc::new(world.table.clone()));
    assert_eq!(world.connection().state, ConnectionState::Active, "it could not be updated");
    world.mapping(Invoice, "inv_1").unwrap().operation.state
}

#[test]
fn a_record_does_not_wait_for_a_connection_that_could_not_be_marked_unavailable() {
    let mut world = World::connected();
    let (tenant, now) = (world.tenant(), world.clock.now());
    world.receive(Invoice, &an_invoice("inv_0", "cli_1").body());
    world.xero().bookkeeper(now, tenant).unwrap().close_organisation();
    let state = attempts_without_update(&mut world);
    assert!(matches!(state, OperationState::Waiting { .. }), "{state:?}");
    // The next attempt detects it again, and is released with the connection.
    world.advance(SignedDuration::from_hours(1));
    assert_eq!(world.connection().state, ConnectionState::Unavailable);
    let now = world.clock.now();
    world.xero().bookkeeper(now, tenant).unwrap().reopen_organisation();
    world.connect();
    world.advance(SignedDuration::from_mins(5));
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Synced);
}

#[test]
fn a_record_does_not_wait_for_a_connection_whose_expiry_could_not_be_noted() {
    let mut world = World::connected();
    let refuses = Arc::new(AtomicU32::new(1));
    let left = refuses.clone();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), move |request| {
        let is_met = request.uri().path() == "/connect/token" && left.load(Ordering::SeqCst) > 0;
        is_met.then(|| Ok(respond(400, r#"{"error":"invalid_grant"}"#)))
    });
    // The access token has expired.
    world.clock.advance(SignedDuration::from_mins(40));
    let state = attempts_without_update(&mut world);
    assert!(matches!(state, OperationState::Waiting { .. }), "{state:?}");
    world.advance(SignedDuration::from_hours(1));
    assert_eq!(world.connection().state, ConnectionState::TokenExpired);
    refuses.store(0, Ordering::SeqCst);
    assert!(matches!(world.connect(), ConnectOutcome::Connected(_)));
    world.advance(SignedDuration::from_mins(5));
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Synced);
}

#[test]
fn a_permission_that_the_consent_lacks_is_named_and_a_new_consent_resolves_it() {
    let mut world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let lacks = Arc::new(AtomicU32::new(1));
    let left = lacks.clone();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), move |request| {
        let is_met = request.uri().path().ends_with("/Payments")
            && request.method() == http::Method::PUT
            && left.load(Ordering::SeqCst) > 0;
        is_met.then(|| Ok(refusal(401, "AuthorizationUnsuccessful")))
    });
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "20.00")]).body());
    let id = "pay_1.1";
    let operation = world.mapping(Payment, id).unwrap().operation;
    assert_eq!(operation.state, OperationState::Parked { on: ParkingReason::Reconnect });
    assert_eq!(operation.failure.unwrap().code, "permission_missing");
    assert_eq!(world.status().status, ConnectionStatus::Error);
    lacks.store(0, Ordering::SeqCst);
    assert!(matches!(world.connect(), ConnectOutcome::Connected(_)));
    world.advance(SignedDuration::from_mins(5));
    assert_eq!(world.mapping(Payment, id).unwrap().operation.state, OperationState::Synced);
}
