//! The test world's implementations of the engine's ports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::envelope::WakeUp;
use domain::outbound::{EventContent, OutboundEvent};
use engine::ports::{
    Clock, EventPublisher, IdSource, Metric, MetricRecorder, PortError, PublishedEvents,
    SecretStore, WakeUps,
};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use store::memory::MemoryTable;
use store::table::{
    FoundItems, IndexPage, IndexQuery, ItemKey, ItemPage, ItemTable, ItemWrite, StoredItem,
    TableError, TableQuery,
};
use uuid::Uuid;
use xero::{RequestSent, Transport, TransportError, TransportErrorKind};
use xero_sim::{Reply, Simulator};

use crate::access::Access;
use crate::gate::Gate;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A clock that only moves forwards when a test advances it.
#[derive(Debug, Clone)]
pub struct VirtualClock {
    now: Arc<Mutex<Timestamp>>,
    ahead: Arc<Mutex<SignedDuration>>,
}

impl VirtualClock {
    /// A clock that starts at `start`.
    pub fn new(start: Timestamp) -> Self {
        Self { now: Arc::new(Mutex::new(start)), ahead: Arc::default() }
    }

    /// A second clock that runs with this one, ahead of it by `by`.
    #[must_use]
    pub fn ahead(&self, by: SignedDuration) -> Self {
        Self { now: self.now.clone(), ahead: Arc::new(Mutex::new(by)) }
    }

    /// Sets how far this clock is ahead.
    pub fn set_ahead(&self, by: SignedDuration) {
        *locked(&self.ahead) = by;
    }

    /// Moves the clock.
    pub fn advance(&self, by: SignedDuration) {
        assert!(!by.is_negative(), "time does not go backwards");
        let mut now = locked(&self.now);
        *now = now.checked_add(by).expect("the time is in range");
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let ahead = *locked(&self.ahead);
        locked(&self.now).checked_add(ahead).expect("the time is in range")
    }

    async fn sleep_for(&self, moment: Duration) {
        self.advance(SignedDuration::try_from(moment).expect("a pause is short"));
    }
}

/// Consecutive ids, the same on every run.
#[derive(Debug, Default)]
pub struct CountedIds(AtomicU64);

impl CountedIds {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

impl IdSource for CountedIds {
    fn new_uuid(&self) -> Uuid {
        Uuid::from_u64_pair(0x5e47_0000_0000_4000, 0x8000_0000_0000_0000 | self.next())
    }

    fn new_secret(&self) -> SecretString {
        SecretString::from(format!("{:064}", self.next()))
    }
}

/// The value that reads of a secret return instead of the newest one.
#[derive(Debug, Clone)]
struct Shown {
    /// The previous value.
    before: Option<SecretString>,
    /// The version that is not visible yet; `None` if no version is visible.
    hidden: Option<Uuid>,
    /// The number of reads that are affected.
    reads: u32,
}

/// Secrets in memory.
#[derive(Debug, Clone, Default)]
pub struct MemorySecrets {
    kept: Arc<Mutex<BTreeMap<String, SecretString>>>,
    /// Every value that was written, by its version.
    versions: Arc<Mutex<BTreeMap<(String, Uuid), SecretString>>>,
    /// The stale value that reads return.
    shown: Arc<Mutex<BTreeMap<String, Shown>>>,
    lag: Arc<Mutex<u32>>,
    gate: Gate,
}

impl MemorySecrets {
    /// No secrets, behind this gate.
    pub fn new(gate: Gate) -> Self {
        Self { gate, ..Self::default() }
    }

    /// Makes this many reads after each write return the value before it.
    pub fn set_lag(&self, reads: u32) {
        *locked(&self.lag) = reads;
    }

    fn visible(&self, name: &str) -> Option<SecretString> {
        let mut shown = locked(&self.shown);
        match shown.get_mut(name) {
            Some(shown) if shown.reads > 0 => {
                shown.reads -= 1;
                shown.before.clone()
            }
            Some(_) | None => locked(&self.kept).get(name).cloned(),
        }
    }

    fn visible_version(&self, name: &str, version: Uuid) -> Option<SecretString> {
        let mut shown = locked(&self.shown);
        match shown.get_mut(name) {
            Some(shown) if shown.reads > 0 && shown.hidden.is_none_or(|one| one == version) => {
                shown.reads -= 1;
                None
            }
            Some(_) | None => locked(&self.versions).get(&(name.to_owned(), version)).cloned(),
        }
    }

    fn forget(&self, name: &str) {
        locked(&self.kept).remove(name);
        locked(&self.shown).remove(name);
        locked(&self.versions).retain(|(of, _), _| of != name);
    }

    /// The number of secrets.
    pub fn len(&self) -> usize {
        locked(&self.kept).len()
    }

    /// Whether there are no secrets.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes the secret of that name, without the processes' knowledge.
    pub fn lose(&self, name: &str) {
        self.forget(name);
    }

    /// Hides the secret from this many reads, however long ago it was written.
    pub fn hide(&self, name: &str, reads: u32) {
        let shown = Shown { before: None, hidden: None, reads };
        locked(&self.shown).insert(name.to_owned(), shown);
    }

    /// The names of all secrets.
    pub fn names(&self) -> Vec<String> {
        locked(&self.kept).keys().cloned().collect()
    }

    /// Every stored value, to search for values that must not be stored elsewhere.
    pub fn values(&self) -> Vec<String> {
        locked(&self.kept).values().map(|value| value.expose_secret().to_owned()).collect()
    }
}

#[async_trait]
impl SecretStore for MemorySecrets {
    async fn get_secret(&self, name: &str) -> Result<Option<SecretString>, PortError> {
        self.gate.uses(Access::ReadSecret);
        self.gate.step(async { Ok(self.visible(name)) }).await
    }

    async fn get_version(
        &self,
        name: &str,
        version: Uuid,
    ) -> Result<Option<SecretString>, PortError> {
        self.gate.uses(Access::ReadSecret);
        self.gate.step(async { Ok(self.visible_version(name, version)) }).await
    }

    async fn put_secret(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
    ) -> Result<(), PortError> {
        let is_new = !locked(&self.kept).contains_key(name);
        self.gate.uses(if is_new { Access::NewSecret } else { Access::WriteSecret });
        let put = async {
            let before = locked(&self.kept).insert(name.to_owned(), value.clone());
            locked(&self.versions).insert((name.to_owned(), version), value.clone());
            let reads = *locked(&self.lag);
            if reads > 0 {
                let shown = Shown { before, hidden: Some(version), reads };
                locked(&self.shown).insert(name.to_owned(), shown);
            }
            Ok(())
        };
        self.gate.step(put).await
    }

    async fn replace_secret(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
    ) -> Result<(), PortError> {
        if locked(&self.kept).contains_key(name) {
            return self.put_secret(name, value, version).await;
        }
        self.gate.uses(Access::WriteSecret);
        Err(PortError { operation: "write a secret", source: "there is no such secret".into() })
    }

    async fn delete_secret(&self, name: &str) -> Result<(), PortError> {
        self.gate.uses(Access::DeleteSecret);
        let delete = async {
            self.forget(name);
            Ok(())
        };
        self.gate.step(delete).await
    }
}

/// Scheduled wake-ups, by instant.
#[derive(Debug, Clone, Default)]
pub struct Bookings {
    booked: Arc<Mutex<BTreeMap<(Timestamp, String), WakeUp>>>,
    gate: Gate,
}

impl Bookings {
    /// No wake-ups, behind this gate.
    pub fn new(gate: Gate) -> Self {
        Self { booked: Arc::default(), gate }
    }

    /// Takes the earliest wake-up.
    pub fn take_first(&self) -> Option<(Timestamp, WakeUp)> {
        locked(&self.booked).pop_first().map(|((at, _), wake)| (at, wake))
    }

    /// Takes the earliest wake-up that matches.
    pub fn take(&self, is_wanted: impl Fn(&WakeUp) -> bool) -> Option<WakeUp> {
        let mut booked = locked(&self.booked);
        let (key, _) = booked.iter().find(|(_, wake)| is_wanted(wake))?;
        let key = key.clone();
        booked.remove(&key)
    }

    async fn keep(&self, wake: &WakeUp, at: Timestamp) -> Result<(), PortError> {
        let keep = async {
            locked(&self.booked).insert((at, wake.to_body()), wake.clone());
            Ok(())
        };
        self.gate.step(keep).await
    }

    /// The number of scheduled wake-ups.
    pub fn len(&self) -> usize {
        locked(&self.booked).len()
    }

    /// Whether no wake-up is scheduled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[async_trait]
impl WakeUps for Bookings {
    async fn schedule(&self, wake: &WakeUp, at: Timestamp) -> Result<(), PortError> {
        self.gate.uses(Access::Book);
        self.keep(wake, at).await
    }

    /// A queued wake-up is behind the others: here, it is due when time advances.
    async fn enqueue(&self, wake: &WakeUp) -> Result<(), PortError> {
        self.gate.uses(Access::of_hint(wake.kind));
        self.keep(wake, Timestamp::UNIX_EPOCH).await
    }
}

/// The events sent to the CRM, in order.
#[derive(Debug, Clone, Default)]
pub struct Told {
    events: Arc<Mutex<Vec<OutboundEvent>>>,
    gate: Gate,
}

impl Told {
    /// No events, behind this gate.
    pub fn new(gate: Gate) -> Self {
        Self { events: Arc::default(), gate }
    }

    /// Every delivery so far, including repeated ones.
    pub fn deliveries(&self) -> Vec<OutboundEvent> {
        locked(&self.events).clone()
    }

    /// Every event, once each.
    pub fn news(&self) -> Vec<EventContent> {
        let mut seen = BTreeSet::new();
        let mut events = self.deliveries();
        events.retain(|event| seen.insert(event.event_id));
        events.into_iter().map(|event| event.news).collect()
    }
}

/// Events that SQS accepts in one call.
const EVENTS_PER_CALL: usize = 10;

#[async_trait]
impl EventPublisher for Told {
    async fn publish_event(&self, event: &OutboundEvent) -> Result<(), PortError> {
        self.gate.uses(Access::Tell);
        let publish = async {
            locked(&self.events).push(event.clone());
            Ok(())
        };
        self.gate.step(publish).await
    }

    async fn publish_unordered_events(&self, events: &[OutboundEvent]) -> PublishedEvents {
        let mut published = PublishedEvents::default();
        for together in events.chunks(EVENTS_PER_CALL) {
            self.gate.uses(Access::Tell);
            let publish = async {
                locked(&self.events).extend_from_slice(together);
                Ok(())
            };
            let ids = together.iter().map(|event| event.event_id);
            published.add(ids, self.gate.step(publish).await);
        }
        published
    }
}

/// The recorded metrics, in order.
#[derive(Debug, Clone, Default)]
pub struct NotedMeasures(Arc<Mutex<Vec<Metric>>>);

impl NotedMeasures {
    /// Every metric so far.
    pub fn all(&self) -> Vec<Metric> {
        locked(&self.0).clone()
    }
}

impl MetricRecorder for NotedMeasures {
    fn record_metric(&self, measure: Metric) {
        locked(&self.0).push(measure);
    }
}

/// A table behind the gate.
#[derive(Debug, Clone)]
pub struct GatedTable {
    /// The table itself.
    pub table: MemoryTable,
    /// The gate.
    pub gate: Gate,
}

#[async_trait]
impl ItemTable for GatedTable {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        self.gate.uses(Access::Read);
        self.gate.step(self.table.get(key)).await
    }

    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        self.gate.uses(Access::ReadMany);
        self.gate.step(self.table.get_many(keys)).await
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        Access::of_writes(&writes).for_each(|access| self.gate.uses(access));
        self.gate.step(self.table.write_items(writes)).await
    }

    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        self.gate.uses(Access::Query);
        self.gate.step(self.table.query_items(query)).await
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.gate.uses(Access::of_index(query.index));
        self.gate.step(self.table.query_index(query)).await
    }
}

/// The transport to the simulator, behind the gate.
#[derive(Clone)]
pub struct SimulatedXero {
    simulator: Arc<Mutex<Simulator>>,
    clock: VirtualClock,
    gate: Gate,
}

impl SimulatedXero {
    /// A transport to this simulator.
    pub fn new(simulator: Arc<Mutex<Simulator>>, clock: VirtualClock, gate: Gate) -> Self {
        Self { simulator, clock, gate }
    }
}

impl std::fmt::Debug for SimulatedXero {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimulatedXero")
    }
}

#[async_trait]
impl Transport for SimulatedXero {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let reply = async { locked(&self.simulator).handle(self.clock.now(), &request) };
        match self.gate.step(reply).await {
            Reply::Answer(response) => Ok(response),
            // A caller cannot distinguish a lost request from a lost response.
            Reply::LostBefore | Reply::LostAfter => Err(lost(TransportErrorKind::Timeout)),
            Reply::Cut(_) => Err(lost(TransportErrorKind::Interrupted)),
        }
    }
}

/// The response to a request that does not reach Xero; `None` passes the request on.
pub type Interception = Option<Result<Response<Bytes>, TransportError>>;

/// A transport to Xero that answers some requests before they reach it.
pub struct Intercepted<F> {
    inner: Arc<dyn Transport>,
    answer: F,
}

impl<F> Intercepted<F>
where
    F: Fn(&Request<Bytes>) -> Interception + Send + Sync + 'static,
{
    /// This transport, with these requests answered.
    pub fn on(inner: Arc<dyn Transport>, answer: F) -> Arc<dyn Transport> {
        Arc::new(Self { inner, answer })
    }
}

impl<F> std::fmt::Debug for Intercepted<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Intercepted")
    }
}

#[async_trait]
impl<F> Transport for Intercepted<F>
where
    F: Fn(&Request<Bytes>) -> Interception + Send + Sync,
{
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        match (self.answer)(&request) {
            Some(answer) => answer,
            None => self.inner.send_request(request).await,
        }
    }
}

/// A response of Xero that refuses a call with this status, for this reason.
pub fn refusal(status: u16, detail: &str) -> Response<Bytes> {
    let body = format!(r#"{{"Title":"Refused","Status":{status},"Detail":"{detail}"}}"#);
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Bytes::from(body)).expect("a valid response")
}

/// A response with this status and body, JSON or HTML.
pub fn respond(status: u16, body: &str) -> Response<Bytes> {
    let kind = if body.starts_with('{') { "application/json" } else { "text/html" };
    let response = Response::builder().status(status).header("content-type", kind);
    let body = Bytes::copy_from_slice(body.as_bytes());
    response.body(body).expect("a valid response")
}

/// The error of a request that was never sent.
pub fn not_sent() -> TransportError {
    TransportError {
        sent: RequestSent::No,
        kind: TransportErrorKind::Connect,
        source: "no connection".into(),
    }
}

fn lost(kind: TransportErrorKind) -> TransportError {
    TransportError { sent: RequestSent::Unknown, kind, source: "lost in transit".into() }
}
