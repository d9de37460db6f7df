//! The functions behind API Gateway, in virtual time: requests in its format, and ports with
//! delays.

#![allow(clippy::disallowed_methods, reason = "an event of the gateway holds no amounts")]

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use engine::Engine;
use engine::connection::token::TokenCache;
use engine::ports::{Clock, IfMissing, PortError, SecretStore};
use http::Response;
use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, Request, RequestExt};
use runtime::api::SettingsApi;
use runtime::callback;
use secrecy::SecretString;
use serde_json::{Value, json};
use store::table::TableError;
use tests::World;
use tests::ports::{
    InterceptedTable, MemorySecrets, TableInterception, TableRequest, VirtualClock,
};
use tests::requests::{authorized_as, request_event};
use tests::world::ACCOUNT;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;
use xero::{Transport, TransportError};

use crate::described::assert_described;

/// The world's clock, which follows tokio's.
#[derive(Debug, Clone)]
struct PacedClock {
    world: VirtualClock,
    seen: Arc<Mutex<Instant>>,
}

impl PacedClock {
    fn new(world: VirtualClock) -> Self {
        Self { world, seen: Arc::new(Mutex::new(Instant::now())) }
    }

    /// Advances the world's clock by the elapsed time.
    fn keep_up(&self) {
        let mut seen = self.seen.lock().unwrap();
        let now = Instant::now();
        let passed = now.duration_since(*seen);
        self.world.advance(SignedDuration::try_from(passed).unwrap());
        *seen = now;
    }

    async fn pass(&self, time: Duration) {
        if !time.is_zero() {
            sleep_until(Instant::now() + time).await;
        }
        self.keep_up();
    }
}

#[async_trait]
impl Clock for PacedClock {
    fn now(&self) -> Timestamp {
        self.keep_up();
        self.world.now()
    }

    async fn sleep_for(&self, moment: Duration) {
        self.pass(moment).await;
    }
}

/// The delays of the ports.
#[derive(Debug, Clone, Copy, Default)]
pub struct Delays {
    /// Xero, until it processes a request.
    pub request: Duration,
    /// Xero, from then until the response arrives.
    pub answer: Duration,
    /// DynamoDB and Secrets Manager.
    pub aws: Duration,
}

#[derive(Debug)]
struct SlowXero {
    inner: Arc<dyn Transport>,
    clock: PacedClock,
    delays: Delays,
}

#[async_trait]
impl Transport for SlowXero {
    async fn send_request(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        self.clock.pass(self.delays.request).await;
        let answer = self.inner.send_request(request).await;
        self.clock.pass(self.delays.answer).await;
        answer
    }
}

#[derive(Debug)]
struct SlowTable {
    clock: PacedClock,
    takes: Duration,
}

#[async_trait]
impl TableInterception for SlowTable {
    async fn intercept_request(&self, _: TableRequest<'_>) -> Result<(), TableError> {
        self.clock.pass(self.takes).await;
        Ok(())
    }
}

#[derive(Debug)]
struct SlowSecrets {
    inner: MemorySecrets,
    clock: PacedClock,
    takes: Duration,
}

#[async_trait]
impl SecretStore for SlowSecrets {
    async fn get_secret(&self, name: &str) -> Result<Option<SecretString>, PortError> {
        self.clock.pass(self.takes).await;
        self.inner.get_secret(name).await
    }

    async fn get_version(
        &self,
        name: &str,
        version: Uuid,
    ) -> Result<Option<SecretString>, PortError> {
        self.clock.pass(self.takes).await;
        self.inner.get_version(name, version).await
    }

    async fn write_secret(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
        if_missing: IfMissing,
    ) -> Result<(), PortError> {
        self.clock.pass(self.takes).await;
        self.inner.write_secret(name, value, version, if_missing).await
    }

    async fn delete_secret(&self, name: &str) -> Result<(), PortError> {
        self.clock.pass(self.takes).await;
        self.inner.delete_secret(name).await
    }
}

/// The settings API and the OAuth callback in a world whose ports have delays. Tokio's time must be
/// paused.
#[derive(Debug)]
pub struct Gateway {
    engine: Engine,
    api: SettingsApi,
}

impl Gateway {
    /// New processes with these delays.
    pub fn new(world: &World, delays: Delays) -> Self {
        let clock = PacedClock::new(world.clock.clone());
        let slow_table = SlowTable { clock: clock.clone(), takes: delays.aws };
        let secrets =
            SlowSecrets { inner: world.secrets.clone(), clock: clock.clone(), takes: delays.aws };
        let inner = world.engine.transport.clone();
        let xero = SlowXero { inner, clock: clock.clone(), delays };
        let engine = Engine {
            store: InterceptedTable::store_on(world.table.clone(), slow_table),
            transport: Arc::new(xero),
            clock: Arc::new(clock),
            secrets: Arc::new(secrets),
            tokens: Arc::new(TokenCache::default()),
            searches: Arc::default(),
            ..world.engine.clone()
        };
        let api = SettingsApi::new(engine.clone());
        Self { engine, api }
    }

    /// The same, with a limit of the account's requests a minute.
    pub fn with_account_limit(self, per_minute: u32) -> Self {
        let per_minute = NonZeroU32::new(per_minute).unwrap();
        Self { api: self.api.with_account_limit(per_minute), ..self }
    }

    /// The settings API's response, and how long it took.
    pub async fn send(&self, request: &Request) -> (Duration, Response<Body>) {
        let begun = Instant::now();
        let answer = self.api.answer_request(request).await;
        let (method, path) = (request.method().as_str(), request.raw_http_path());
        let (status, media) = (answer.status().as_u16(), answer.headers()["content-type"].clone());
        assert_described(method, path, status, media.to_str().unwrap(), answer.body());
        (begun.elapsed(), answer)
    }

    /// The OAuth callback's response, and how long it took.
    pub async fn follow_callback(&self, request: &Request) -> (Duration, Response<Body>) {
        let begun = Instant::now();
        let crm = &self.engine.endpoints.crm_return;
        let answer = callback::answer_callback(&self.engine, crm, request).await;
        (begun.elapsed(), answer)
    }
}

/// A request of a user of the account to the settings API.
pub fn a_request(method: &str, path: &str, query: &str, role: &str, body: Option<&str>) -> Request {
    let claims = json!({ "sub": "usr_owner", "account_id": ACCOUNT, "role": role });
    event(method, path, query, &authorized_as(&claims), body)
}

/// Like [`a_request`], of an Owner whose token has a name.
pub fn a_named_request(method: &str, path: &str, name: &str) -> Request {
    let claims =
        json!({ "sub": "usr_owner", "account_id": ACCOUNT, "role": "Owner", "name": name });
    event(method, path, "", &authorized_as(&claims), None)
}

/// The request of a browser that Xero has redirected.
pub fn a_callback(location: &str) -> Request {
    let url = url::Url::parse(location).unwrap();
    event("GET", url.path(), url.query().unwrap_or_default(), &json!({}), None)
}

fn event(method: &str, path: &str, query: &str, authorizer: &Value, body: Option<&str>) -> Request {
    let event = request_event(method, path, query, authorizer, body);
    lambda_http::request::from_str(&event.to_string()).unwrap()
}
