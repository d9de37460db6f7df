//! Questions about logins, permissions, limits and idempotency keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use domain::connection::ConnectionState;
use domain::entity::EntityKind::{Allocation, Contact, CreditNote, Invoice, Payment};
use domain::ids::AccountId;
use domain::operation::ParkingReason;
use engine::commands::connect::{CallbackOutcome, ConnectOutcome};
use http::{Method, Request, Response};
use jiff::civil::date;
use secrecy::SecretString;
use tests::builders::{a_client, a_client_of, a_credit_note, a_payment, an_allocation, an_invoice};
use tests::world::{ACCOUNT, app, registered};
use xero::{OAuthApp, Transport, TransportError};
use xero_sim::{Fault, FaultKind, Match};

use super::*;

const TOKEN: &str = "/connect/token";
const INVOICES: &str = "/api.xro/2.0/Invoices";

pub(super) const SCENARIOS: &[Scenario] = &[
    (renew_after_a_lost_answer, &["grace_repeats_the_pair", "grace_starts_anew"]),
    (wait_for_the_right_secret, &["bad_client_status"]),
    (connect_again, &["reconsent_keeps_auth_event"]),
    (
        lack_a_scope,
        &[
            "missing_scope_status",
            "missing_scope_misspelt",
            "missing_scope_in_header",
            "allocations_need_payments",
        ],
    ),
    (lack_a_right, &["missing_permission_status", "problems_in_lower_case"]),
    (wait_for_limits, &["throttle_has_no_body", "app_minute_hyphenated", "concurrent_says_when"]),
    (repeat_a_refused_request, &["refusals_replayed"]),
    (meet_a_used_key, &["key_refusal_is_plain"]),
    (write_for_two_accounts, &["key_per_tenant"]),
];

/// The answer to a renewal is lost, and Xero still accepts the old refresh token. Later renewals
/// use the newest one.
fn renew_after_a_lost_answer(world: &mut World) {
    world.connect();
    world.clock.advance(MINUTES(31));
    world.restart();
    world.inject(Fault { on: Match::next(TOKEN), kind: FaultKind::LostAfter });
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(MINUTES(60));
    assert_synced(world, Invoice, "inv_1");
    for id in ["inv_2", "inv_3"] {
        world.clock.advance(MINUTES(31));
        world.restart();
        world.receive(Invoice, &an_invoice(id, "cli_1").body());
        assert_synced(world, Invoice, id);
    }
    assert_eq!(world.connection().state, ConnectionState::Active);
}

/// Xero refuses the app's own credentials: no connection ends.
fn wait_for_the_right_secret(world: &mut World) {
    world.connect();
    world.clock.advance(MINUTES(31));
    world.restart();
    let secret = SecretString::from("another-secret");
    let right = world.engine.app.clone();
    world.engine.app = registered(OAuthApp { client_secret: secret, ..app() });
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(world.connection().state, ConnectionState::Active);
    world.engine.app = right;
    world.advance(MINUTES(120));
    assert_synced(world, Invoice, "inv_1");
    assert_eq!(world.connection().state, ConnectionState::Active);
}

fn connect_again(world: &mut World) {
    world.connect();
    world.clock.advance(MINUTES(10));
    let again = world.connect();
    assert!(matches!(again, ConnectOutcome::Connected(_)), "{again:?}");
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_synced(world, Invoice, "inv_1");
}

/// The consent lacks the scope of payments. Whether credit needs it, too, is open.
fn lack_a_scope(world: &mut World) {
    let address = world.begin();
    let narrow = address.replace("accounting.payments+", "").replace("accounting.payments%20", "");
    assert!(narrow.len() < address.len(), "{address}");
    let location = world.consent(&narrow, world.user(), &[world.tenant()]);
    let returned = world.follow_callback(&location);
    let CallbackOutcome::Authorised { ticket } = returned else { panic!("{returned:?}") };
    let completed = world.complete(&world.account(), &ticket);
    assert!(matches!(completed, ConnectOutcome::Connected(_)), "{completed:?}");
    world.follow_connects();
    world.choose_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "20.00")]).body());
    world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_1", "10.00").body());
    assert_synced(world, Invoice, "inv_1");
    assert_synced(world, CreditNote, "cn_1");
    assert_lacks_permission(world, Payment, "pay_1.1");
    let needs_payments = world.xero().settings().unconfirmed.allocations_need_payments;
    if needs_payments {
        assert_lacks_permission(world, Allocation, "al_1");
    } else {
        assert_synced(world, Allocation, "al_1");
    }
    let complete = world.connect();
    assert!(matches!(complete, ConnectOutcome::Connected(_)), "{complete:?}");
    world.advance(MINUTES(10));
    assert_synced(world, Payment, "pay_1.1");
    assert_synced(world, Allocation, "al_1");
}

/// The connecting user may only read.
fn lack_a_right(world: &mut World) {
    world.connect();
    let user = world.user();
    world.by_hand(|bookkeeper| bookkeeper.restrict_user(user));
    world.receive(Contact, &a_client("cli_1", 1, "Ridge", "push"));
    assert_lacks_permission(world, Contact, "cli_1");
    world.by_hand(|bookkeeper| bookkeeper.unrestrict_user(user));
    world.connect();
    world.advance(MINUTES(10));
    assert_synced(world, Contact, "cli_1");
}

fn assert_lacks_permission(world: &World, kind: EntityKind, id: &str) {
    assert_eq!(failure_code(world, kind, id), "permission_missing");
    let state = world.mapping(kind, id).unwrap().operation.state;
    assert_eq!(state, OperationState::Parked { on: ParkingReason::Reconnect }, "{id}");
}

/// Every limit is a wait and no failed attempt, however Xero writes it.
fn wait_for_limits(world: &mut World) {
    world.connect();
    let limits = [
        ("minute", Some(5)),
        ("day", Some(3_600)),
        ("appminute", Some(30)),
        ("app-minute", Some(30)),
        ("concurrent", None),
        ("concurrent", Some(1)),
    ];
    for (number, (problem, retry_after_seconds)) in limits.into_iter().enumerate() {
        let id = format!("inv_{number}");
        let kind = FaultKind::RateLimited { problem: problem.to_owned(), retry_after_seconds };
        world.inject(Fault { on: Match::next(INVOICES), kind });
        world.receive(Invoice, &an_invoice(&id, "cli_1").body());
        assert_eq!(world.mapping(Invoice, &id).unwrap().operation.failures, 0, "{problem}");
        world.advance(MINUTES(180));
        assert_synced(world, Invoice, &id);
    }
}

/// A request that Xero refused is sent again, unchanged, once its cause has ended.
fn repeat_a_refused_request(world: &mut World) {
    world.connect();
    world.by_hand(|bookkeeper| bookkeeper.lock_period(Some(date(2026, 10, 31))));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(failure_code(world, Invoice, "inv_1"), "period_locked");
    world.by_hand(|bookkeeper| bookkeeper.lock_period(None));
    world.sync_now(Invoice, "inv_1");
    assert_synced(world, Invoice, "inv_1");
    assert_eq!(world.count_live_invoices(), 1);
}

/// A transport on which another request with the same key precedes the first new invoice.
#[derive(Debug)]
struct WithUsedKey {
    inner: Arc<dyn Transport>,
    is_left: AtomicBool,
}

#[async_trait]
impl Transport for WithUsedKey {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let is_new = request.method() == Method::PUT && request.uri().path() == INVOICES;
        if is_new && self.is_left.swap(false, Ordering::SeqCst) {
            let (head, body) = request.clone().into_parts();
            let other = [&body[..], b" ".as_slice()].concat();
            self.inner.send_request(Request::from_parts(head, Bytes::from(other))).await?;
        }
        self.inner.send_request(request).await
    }
}

/// Xero has used the key for another request, whose document it has.
fn meet_a_used_key(world: &mut World) {
    world.connect();
    let inner = world.engine.transport.clone();
    world.engine.transport = Arc::new(WithUsedKey { inner, is_left: AtomicBool::new(true) });
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(MINUTES(60));
    assert_synced(world, Invoice, "inv_1");
    assert_eq!(world.count_live_invoices(), 1);
}

/// Two accounts send records with the same ids to their organisations.
fn write_for_two_accounts(world: &mut World) {
    const OTHER: &str = "acc_summit";
    world.connect();
    world.clock.advance(MINUTES(10));
    let second = world.xero().settings().organisations[1].id;
    let connected = world.connect_account(&AccountId::new(OTHER).unwrap(), &[second]);
    assert!(matches!(connected, ConnectOutcome::Connected(_)), "{connected:?}");
    for account in [ACCOUNT, OTHER] {
        world.receive(Contact, &a_client_of(account, "cli_1", 1));
    }
    for tenant in [world.tenant(), second] {
        let contacts = world.xero().books(tenant).unwrap().contacts().count();
        assert_eq!(contacts, 1, "{tenant}");
    }
    assert!(world.xero().calls().iter().all(|call| !call.replayed));
}
