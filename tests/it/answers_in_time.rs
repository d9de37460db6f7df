//! Every request is answered within 25 seconds, however long Xero and AWS take, and no work is
//! lost. The routes are those that the settings API declares.

use std::time::Duration;

use domain::connection::ConnectionState;
use domain::entity::EntityKind::{CreditNote, Invoice, Payment};
use domain::operation::OperationState;
use domain::sync_log::LoggedOperation;
use engine::ports::Clock;
use http::Response;
use jiff::SignedDuration;
use lambda_http::{Body, Request};
use runtime::api::{describe_api, list_routes};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tests::World;
use tests::builders::{a_credit_note, a_payment, an_allocation, an_invoice};
use tokio::time::advance;
use uuid::Uuid;

use crate::gateway::{Delays, Gateway, a_callback, a_request};

const IN_TIME: Duration = Duration::from_secs(25);
/// A Xero that takes 16 seconds for every call, including its token endpoint.
const SLOW_XERO: Delays = Delays {
    request: Duration::from_secs(7),
    answer: Duration::from_secs(9),
    aws: Duration::from_millis(10),
};
/// AWS at the timeout of its clients.
const SLOW_AWS: Delays =
    Delays { request: Duration::ZERO, answer: Duration::ZERO, aws: Duration::from_secs(5) };
const FAST: Delays =
    Delays { request: Duration::ZERO, answer: Duration::ZERO, aws: Duration::ZERO };
/// The number of times a user repeats a request until it has to succeed.
const TRIES_MAX: usize = 3;
/// Longer than the lifetime of an access token.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(31);

/// A connected account with records that wait to be pushed, a second organisation to choose, a
/// contact to link, and a connection attempt to complete.
struct Business {
    world: World,
    ticket: SecretString,
    second: Uuid,
    contact: Uuid,
}

impl Business {
    fn new(is_token_over: bool) -> Self {
        let world = World::new();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        world.receive(CreditNote, &a_credit_note("crn_1", "cli_1").body());
        world.receive(CreditNote, &an_allocation("alo_1", "crn_1", "inv_1", "10.00").body());
        let gift_card = a_payment("pay_1", &[("inv_1", "20.00")]).method("gift_card");
        world.receive(Payment, &gift_card.body());
        let xero = world.xero();
        let all = xero.settings().organisations.iter().map(|one| one.id).collect::<Vec<_>>();
        drop(xero);
        world.connect_to(&all);
        world.choose_accounts();
        let (account, login, tenant, now) =
            (world.account(), world.user(), world.tenant(), world.clock.now());
        let contact = world.xero().bookkeeper(now, tenant).unwrap().add_contact("Ridge").unwrap();
        if is_token_over {
            world.clock.advance(TOKEN_LIFE);
        }
        let ticket = world.authorise(&account, login, &[tenant]);
        Self { world, ticket, second: all[1], contact }
    }

    /// A request of a user with this role to that route.
    fn request(&self, name: &str, role: &str) -> Request {
        let (method, template) = name.split_once(' ').unwrap();
        let path = template.split('/').map(|part| match part {
            "{invoice_id}" => "inv_1",
            "{client_id}" => "cli_1",
            "{credit_note_id}" => "crn_1",
            "{allocation_id}" => "alo_1",
            "{payment_id}" => "pay_1",
            "{xero_payment_id}" => "0f1e2d3c-4b5a-4678-8796-a5b4c3d2e1f0",
            "{xero_id}" => "1f1e2d3c-4b5a-4678-8796-a5b4c3d2e1f0",
            part => {
                assert!(
                    !part.starts_with('{'),
                    "{name} has a parameter that this test does not know"
                );
                part
            }
        });
        let path = path.collect::<Vec<_>>().join("/");
        let query = if name == "GET /v1/contacts" { "query=ridge" } else { "" };
        a_request(method, &path, query, role, self.body(name).as_deref())
    }

    /// The body of a request to a route that takes one. A new one fails here until it is known.
    fn body(&self, name: &str) -> Option<String> {
        let (ticket, second, contact) = (self.ticket.expose_secret(), self.second, self.contact);
        match name {
            "POST /v1/connection/complete" => Some(format!(r#"{{"ticket":"{ticket}"}}"#)),
            "POST /v1/connection/organisation" => Some(format!(r#"{{"tenant_id":"{second}"}}"#)),
            "PUT /v1/account-codes" => Some(r#"{"sales":"200"}"#.to_owned()),
            "PUT /v1/sync-preferences" => Some(r#"{"mark_as_sent":true}"#.to_owned()),
            "PUT /v1/matching" => Some(r#"{"automatic":["email"]}"#.to_owned()),
            "PUT /v1/clients/{client_id}/contact" => {
                Some(format!(r#"{{"contact_id":"{contact}"}}"#))
            }
            "POST /v1/invoices/{invoice_id}/payments/{xero_payment_id}" => {
                Some(r#"{"import":true}"#.to_owned())
            }
            "POST /v1/overpayments/{xero_id}" => Some(r#"{"acknowledged":true}"#.to_owned()),
            "POST /v1/attention/retry" | "POST /v1/attention/never-send" => {
                Some(r#"{"records":[{"entity":"invoice","crm_id":"inv_9"}]}"#.to_owned())
            }
            name => {
                assert!(!takes_body(name), "{name} has a body that this test does not know");
                None
            }
        }
    }

    /// Advances the time with a fast Xero: its books contain no duplicates, and every record is
    /// synced.
    fn settles(&self, name: &str) {
        let world = &self.world;
        for _ in 0..4 {
            world.advance(SignedDuration::from_mins(40));
            world.sweep();
        }
        let (invoices, notes) =
            world.books(|books| (books.invoices().count(), books.credit_notes().count()));
        assert!(invoices <= 1 && notes <= 1, "{name}: {invoices} invoices, {notes} credit notes");
        assert!(world.xero().violations().is_empty(), "{name}");
        if name == "DELETE /v1/connection" {
            assert_eq!(world.connection().state, ConnectionState::Disconnected, "{name}");
            assert!(world.connection().leftovers.is_empty(), "{name}");
        } else if name == "POST /v1/connection/organisation" {
            let used = world.connection().organisation.unwrap();
            assert_eq!(used.tenant.0, self.second, "{name}");
        } else if !name.ends_with("/never-send") && name != "DELETE /v1/clients/{client_id}/contact"
        {
            let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
            assert_eq!(operation.state, OperationState::Synced, "{name}: {:?}", operation.failure);
            assert_eq!(invoices, 1, "{name}");
        }
    }
}

/// Whether the OpenAPI document says that a route takes a body.
fn takes_body(name: &str) -> bool {
    let (method, path) = name.split_once(' ').unwrap();
    let document: Value = serde_json::from_str(describe_api()).unwrap();
    document["paths"][path][method.to_lowercase()]["requestBody"].is_object()
}

/// The response to a request if everything is fast.
async fn expected(name: &str) -> u16 {
    let business = Business::new(false);
    let gateway = Gateway::new(&business.world, FAST);
    let (_, answer) = gateway.send(&business.request(name, "Owner")).await;
    let status = answer.status().as_u16();
    assert!(status < 500, "{name}: {status} {}", text(&answer));
    status
}

fn text(answer: &Response<Body>) -> String {
    String::from_utf8_lossy(answer.body()).into_owned()
}

/// An error is a problem document, and a temporary one has a `Retry-After`.
fn assert_explained(name: &str, answer: &Response<Body>) {
    let status = answer.status().as_u16();
    let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap());
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    if status >= 400 {
        assert_eq!(header("content-type"), Some("application/problem+json"), "{name}");
        assert_eq!(body["status"], status, "{name}: {body}");
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{name}");
    }
    assert!(status < 500 || status == 503, "{name}: {status}");
    assert_eq!(header("retry-after").is_some(), status == 503, "{name}: {status}");
}

/// Whether a response asks the user to repeat the request.
fn is_unfinished(name: &str, status: u16) -> bool {
    status == 503 || (status == 202 && name == "POST /v1/connection/complete")
}

async fn a_slow_xero_costs_a_few_tries(name: &str, is_token_over: bool) {
    let wanted = expected(name).await;
    let business = Business::new(is_token_over);
    let gateway = Gateway::new(&business.world, SLOW_XERO);
    let request = business.request(name, "Owner");
    let mut statuses = Vec::new();
    for _ in 0..TRIES_MAX {
        let (took, answer) = gateway.send(&request).await;
        assert!(took <= IN_TIME, "{name}: {took:?}");
        assert_explained(name, &answer);
        let status = answer.status().as_u16();
        statuses.push(status);
        if !is_unfinished(name, status) {
            break;
        }
        let after = answer.headers().get("retry-after");
        let after = after.map_or(60, |after| after.to_str().unwrap().parse::<u64>().unwrap());
        advance(Duration::from_secs(after)).await;
    }
    assert_eq!(statuses.last(), Some(&wanted), "{name}: {statuses:?}");
    business.settles(name);
}

#[tokio::test(start_paused = true)]
async fn with_a_xero_that_takes_16_seconds_a_call_every_route_answers_and_nothing_is_lost() {
    for name in &list_routes() {
        Box::pin(a_slow_xero_costs_a_few_tries(name, false)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn with_a_slow_xero_and_an_expired_access_token_every_route_answers() {
    for name in &list_routes() {
        Box::pin(a_slow_xero_costs_a_few_tries(name, true)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_route_answers_in_time_when_aws_is_slow() {
    for name in &list_routes() {
        let business = Business::new(true);
        let gateway = Gateway::new(&business.world, SLOW_AWS);
        let (took, answer) = gateway.send(&business.request(name, "Owner")).await;
        assert!(took <= IN_TIME, "{name}: {took:?}");
        assert_explained(name, &answer);
    }
}

#[tokio::test(start_paused = true)]
async fn the_sync_log_says_how_long_an_attempt_and_a_change_of_a_link_took() {
    let a_second = Delays { request: Duration::from_secs(1), ..FAST };
    for (name, operation) in [
        ("POST /v1/invoices/{invoice_id}/sync", LoggedOperation::Create),
        ("PUT /v1/clients/{client_id}/contact", LoggedOperation::Link),
    ] {
        let business = Business::new(false);
        let gateway = Gateway::new(&business.world, a_second);
        let (took, answer) = gateway.send(&business.request(name, "Owner")).await;
        let log = business.world.log();
        let entry = log.iter().rfind(|entry| entry.operation == operation);
        let entry = entry.unwrap_or_else(|| panic!("{name}: {}", text(&answer)));
        let logged = Duration::from_millis(entry.duration_ms);
        assert!(a_second.request <= logged && logged <= took, "{name}: {logged:?} of {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_took_too_long_is_not_reported_as_done() {
    for name in ["DELETE /v1/connection", "POST /v1/connection/organisation"] {
        let business = Business::new(false);
        let gateway = Gateway::new(&business.world, SLOW_AWS);
        let before = business.world.connection();
        let (_, answer) = gateway.send(&business.request(name, "Owner")).await;
        let after = business.world.connection();
        let is_done =
            (after.state, after.current_ledger()) != (before.state, before.current_ledger());
        assert!(is_done || answer.status() != 200, "{name}: {}", text(&answer));
    }
}

#[tokio::test(start_paused = true)]
async fn the_callback_does_not_call_xero_and_redirects_to_the_crm_in_time() {
    let cases: [(Delays, &[&str]); 2] =
        [(SLOW_XERO, &["authorised"]), (SLOW_AWS, &["authorised", "failed"])];
    for (delays, words) in cases {
        let world = World::new();
        let (login, tenant) = (world.user(), world.tenant());
        let location = world.consent(&world.begin(), login, &[tenant]);
        let asked = world.xero().calls().len();
        let gateway = Gateway::new(&world, delays);
        let (took, answer) = gateway.follow_callback(&a_callback(&location)).await;
        assert!(took <= IN_TIME, "{took:?}");
        assert_eq!(answer.status(), 302);
        let location = answer.headers()["location"].to_str().unwrap();
        assert!(words.iter().any(|word| location.contains(&format!("xero={word}"))), "{location}");
        assert_eq!(world.xero().calls().len(), asked);
    }
}

#[tokio::test(start_paused = true)]
async fn read_only_users_cause_at_most_one_read_of_the_chart_a_minute() {
    let business = Business::new(false);
    business.world.clock.advance(SignedDuration::from_mins(2));
    let gateway = Gateway::new(&business.world, FAST);
    let before = business.world.xero().calls().len();
    for name in &list_routes() {
        for _ in 0..30 {
            let (_, answer) = gateway.send(&business.request(name, "Member")).await;
            assert_explained(name, &answer);
        }
    }
    let calls = business.world.xero().calls().len() - before;
    assert!(calls <= 3, "{calls} calls");
}
