//! Responses of the token endpoint: only a refusal of the refresh token ends a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::connection::{ConnectionState, ConnectionStatus};
use domain::entity::EntityKind::Invoice;
use domain::operation::{OperationState, ParkingReason};
use engine::connection::token::access_token;
use jiff::SignedDuration;
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::run;
use tests::ports::{Intercepted, respond};

use super::{MINUTES, TOKEN, token_request};

/// A connected world with expired tokens, in which the token endpoint gives this response while the
/// switch is on.
fn answering(status: u16, body: &'static str) -> (World, Arc<AtomicBool>) {
    let mut world = World::connected();
    world.clock.advance(MINUTES(31));
    world.restart();
    let is_on = Arc::new(AtomicBool::new(true));
    let on = is_on.clone();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), move |request| {
        let is_met = request.uri().path() == TOKEN && on.load(Ordering::SeqCst);
        is_met.then(|| Ok(respond(status, body)))
    });
    (world, is_on)
}

#[test]
fn a_refusal_of_the_refresh_token_ends_the_connection_and_is_reported_once() {
    for status in [400, 401, 403] {
        let (world, _) = answering(status, r#"{"error":"invalid_grant"}"#);
        for number in 1..=3 {
            world.receive(Invoice, &an_invoice(&format!("inv_{number}"), "cli_1").body());
        }
        assert_eq!(world.connection().state, ConnectionState::TokenExpired, "{status}");
        let parked = OperationState::Parked { on: ParkingReason::Reconnect };
        assert_eq!(world.mapping(Invoice, "inv_3").unwrap().operation.state, parked, "{status}");
        let statuses = world.reported_statuses(&world.account());
        assert_eq!(
            statuses,
            [ConnectionStatus::Active, ConnectionStatus::TokenExpired],
            "{status}"
        );
    }
}

#[test]
fn no_other_answer_of_the_token_endpoint_ends_a_connection() {
    let refused = r#"{"error":"invalid_grant"}"#;
    let page = "<html><head><title>Blocked</title></head></html>";
    let answers = [
        (200, ""),
        (200, page),
        (200, "{}"),
        (400, ""),
        (400, page),
        (400, r#"{"error":"invalid_request"}"#),
        (400, r#"{"Type":"Other"}"#),
        (401, page),
        (401, r#"{"error":"invalid_client"}"#),
        (403, page),
        (403, r#"{"error":"access_denied"}"#),
        (404, ""),
        (408, refused),
        (429, refused),
        (500, refused),
        (502, page),
        (503, refused),
    ];
    for (status, body) in answers {
        let (world, is_on) = answering(status, body);
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        assert_eq!(world.connection().state, ConnectionState::Active, "{status} {body}");
        is_on.store(false, Ordering::SeqCst);
        world.advance(SignedDuration::from_hours(2));
        let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
        assert_eq!(
            operation.state,
            OperationState::Synced,
            "{status} {body}: {:?}",
            operation.failure
        );
        let statuses = world.reported_statuses(&world.account());
        assert_eq!(statuses, [ConnectionStatus::Active], "{status} {body}");
    }
}

/// An access token in Xero's format, of the first Xero user.
const ACCESS_TOKEN: &str = r#"{"access_token":"e30.eyJ4ZXJvX3VzZXJpZCI6IjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwMSJ9.e30","expires_in":1800,"token_type":"Bearer"}"#;

#[test]
fn a_renewal_without_a_new_refresh_token_leaves_the_old_one_in_use() {
    let (mut world, is_on) = answering(200, ACCESS_TOKEN);
    let token =
        run(access_token(&world.engine, token_request(&world), world.invocation())).unwrap();
    assert!(token.is_ok(), "{:?}", token.err());
    is_on.store(false, Ordering::SeqCst);
    world.clock.advance(MINUTES(31));
    world.restart();
    let token =
        run(access_token(&world.engine, token_request(&world), world.invocation())).unwrap();
    assert!(token.is_ok(), "{:?}", token.err());
    assert_eq!(world.connection().state, ConnectionState::Active);
}
