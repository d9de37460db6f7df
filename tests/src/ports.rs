//! The world's side of the engine's ports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::envelope::Wake;
use domain::outbound::{Event, News};
use engine::ports::{Clock, Events, Ids, Measure, Metrics, PortError, Secrets, WakeUps};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use store::memory::MemoryTable;
use store::table::{IndexPage, IndexQuery, Item, ItemKey, Page, Query, Table, TableError, Write};
use uuid::Uuid;
use xero::{Sent, Transport, TransportError, TransportErrorKind};
use xero_sim::{Reply, Simulator};

use crate::access::Access;
use crate::gate::Gate;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A clock that moves only when told, forwards.
#[derive(Debug, Clone)]
pub struct VirtualClock {
    now: Arc<Mutex<Timestamp>>,
    ahead: Arc<Mutex<SignedDuration>>,
}

impl VirtualClock {
    /// A clock that stands at `start`.
    pub fn new(start: Timestamp) -> Self {
        Self { now: Arc::new(Mutex::new(start)), ahead: Arc::default() }
    }

    /// Another clock that runs with this one, `by` ahead of it.
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
        *now = now.checked_add(by).expect("the world ends before time does");
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let ahead = *locked(&self.ahead);
        locked(&self.now).checked_add(ahead).expect("the world ends before time does")
    }

    async fn pause(&self, moment: Duration) {
        self.advance(SignedDuration::try_from(moment).expect("a pause is short"));
    }
}

/// Identities in a row, the same on every run.
#[derive(Debug, Default)]
pub struct CountedIds(AtomicU64);

impl CountedIds {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

impl Ids for CountedIds {
    fn uuid(&self) -> Uuid {
        Uuid::from_u64_pair(0x5e47_0000_0000_4000, 0x8000_0000_0000_0000 | self.next())
    }

    fn unguessable(&self) -> SecretString {
        SecretString::from(format!("{:064}", self.next()))
    }
}

/// What reads of a secret show instead of its newest value, and for how many reads.
type Shown = (Option<SecretString>, u32);

/// Secrets in memory.
#[derive(Debug, Clone, Default)]
pub struct MemorySecrets {
    kept: Arc<Mutex<BTreeMap<String, SecretString>>>,
    /// What reads show instead of the newest value, and for how many reads.
    shown: Arc<Mutex<BTreeMap<String, Shown>>>,
    lag: Arc<Mutex<u32>>,
    gate: Gate,
}

impl MemorySecrets {
    /// No secrets yet, behind this gate.
    pub fn new(gate: Gate) -> Self {
        Self { kept: Arc::default(), shown: Arc::default(), lag: Arc::default(), gate }
    }

    /// From now on, this many reads after each write show what was there before it.
    pub fn set_lag(&self, reads: u32) {
        *locked(&self.lag) = reads;
    }

    fn visible(&self, name: &str) -> Option<SecretString> {
        let mut shown = locked(&self.shown);
        match shown.get_mut(name) {
            Some((before, reads)) if *reads > 0 => {
                *reads -= 1;
                before.clone()
            }
            Some(_) | None => locked(&self.kept).get(name).cloned(),
        }
    }

    /// How many secrets there are.
    pub fn len(&self) -> usize {
        locked(&self.kept).len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The secret of that name, which no process knows to be missing, is gone.
    pub fn lose(&self, name: &str) {
        locked(&self.kept).remove(name);
        locked(&self.shown).remove(name);
    }

    /// The names of all secrets.
    pub fn names(&self) -> Vec<String> {
        locked(&self.kept).keys().cloned().collect()
    }

    /// Every value, for searching what must not be found elsewhere.
    pub fn values(&self) -> Vec<String> {
        locked(&self.kept).values().map(|value| value.expose_secret().to_owned()).collect()
    }
}

#[async_trait]
impl Secrets for MemorySecrets {
    async fn get(&self, name: &str) -> Result<Option<SecretString>, PortError> {
        self.gate.uses(Access::ReadSecret);
        self.gate.step(async { Ok(self.visible(name)) }).await
    }

    async fn put(&self, name: &str, value: &SecretString, _version: Uuid) -> Result<(), PortError> {
        let is_new = !locked(&self.kept).contains_key(name);
        self.gate.uses(if is_new { Access::NewSecret } else { Access::WriteSecret });
        let put = async {
            let before = locked(&self.kept).insert(name.to_owned(), value.clone());
            let reads = *locked(&self.lag);
            if reads > 0 {
                locked(&self.shown).insert(name.to_owned(), (before, reads));
            }
            Ok(())
        };
        self.gate.step(put).await
    }

    async fn replace(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
    ) -> Result<(), PortError> {
        if locked(&self.kept).contains_key(name) {
            return self.put(name, value, version).await;
        }
        self.gate.uses(Access::WriteSecret);
        Err(PortError { operation: "write a secret", source: "there is no such secret".into() })
    }

    async fn delete(&self, name: &str) -> Result<(), PortError> {
        self.gate.uses(Access::DeleteSecret);
        let delete = async {
            locked(&self.kept).remove(name);
            locked(&self.shown).remove(name);
            Ok(())
        };
        self.gate.step(delete).await
    }
}

/// Booked wake-ups, by instant.
#[derive(Debug, Clone, Default)]
pub struct Bookings {
    booked: Arc<Mutex<BTreeMap<(Timestamp, String), Wake>>>,
    gate: Gate,
}

impl Bookings {
    /// None yet, behind this gate.
    pub fn new(gate: Gate) -> Self {
        Self { booked: Arc::default(), gate }
    }

    /// Takes the earliest wake-up.
    pub fn take_first(&self) -> Option<(Timestamp, Wake)> {
        locked(&self.booked).pop_first().map(|((at, _), wake)| (at, wake))
    }

    /// Takes the earliest wake-up of those that are wanted.
    pub fn take(&self, is_wanted: impl Fn(&Wake) -> bool) -> Option<Wake> {
        let mut booked = locked(&self.booked);
        let (key, _) = booked.iter().find(|(_, wake)| is_wanted(wake))?;
        let key = key.clone();
        booked.remove(&key)
    }

    async fn keep(&self, wake: &Wake, at: Timestamp) -> Result<(), PortError> {
        let keep = async {
            locked(&self.booked).insert((at, wake.to_body()), wake.clone());
            Ok(())
        };
        self.gate.step(keep).await
    }

    /// How many are booked.
    pub fn len(&self) -> usize {
        locked(&self.booked).len()
    }

    /// Whether none is booked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[async_trait]
impl WakeUps for Bookings {
    async fn book(&self, wake: &Wake, at: Timestamp) -> Result<(), PortError> {
        self.gate.uses(Access::Book);
        self.keep(wake, at).await
    }

    /// Behind what is in the queue: here, as soon as time passes.
    async fn leave(&self, wake: &Wake) -> Result<(), PortError> {
        self.gate.uses(Access::of_hint(wake.kind));
        self.keep(wake, Timestamp::UNIX_EPOCH).await
    }
}

/// What the CRM was told, in order.
#[derive(Debug, Clone, Default)]
pub struct Told {
    events: Arc<Mutex<Vec<Event>>>,
    gate: Gate,
}

impl Told {
    /// Nothing yet, behind this gate.
    pub fn new(gate: Gate) -> Self {
        Self { events: Arc::default(), gate }
    }

    /// Every delivery so far, repeated ones included.
    pub fn deliveries(&self) -> Vec<Event> {
        locked(&self.events).clone()
    }

    /// What happened, each event once.
    pub fn news(&self) -> Vec<News> {
        let mut seen = BTreeSet::new();
        let mut events = self.deliveries();
        events.retain(|event| seen.insert(event.event_id));
        events.into_iter().map(|event| event.news).collect()
    }
}

#[async_trait]
impl Events for Told {
    async fn publish(&self, event: &Event) -> Result<(), PortError> {
        self.gate.uses(Access::Tell);
        let publish = async {
            locked(&self.events).push(event.clone());
            Ok(())
        };
        self.gate.step(publish).await
    }
}

/// Numbers that were noted, in order.
#[derive(Debug, Clone, Default)]
pub struct NotedMeasures(Arc<Mutex<Vec<Measure>>>);

impl NotedMeasures {
    /// Every number so far.
    pub fn all(&self) -> Vec<Measure> {
        locked(&self.0).clone()
    }
}

impl Metrics for NotedMeasures {
    fn record(&self, measure: Measure) {
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
impl Table for GatedTable {
    async fn get(&self, key: &ItemKey) -> Result<Option<Item>, TableError> {
        self.gate.uses(Access::Read);
        self.gate.step(self.table.get(key)).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), TableError> {
        Access::of_writes(&writes).for_each(|access| self.gate.uses(access));
        self.gate.step(self.table.write(writes)).await
    }

    async fn query(&self, query: Query) -> Result<Page, TableError> {
        self.gate.uses(Access::Query);
        self.gate.step(self.table.query(query)).await
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.gate.uses(Access::of_index(query.index));
        self.gate.step(self.table.query_index(query)).await
    }
}

/// The way to the simulator, behind the gate.
#[derive(Clone)]
pub struct SimulatedXero {
    simulator: Arc<Mutex<Simulator>>,
    clock: VirtualClock,
    gate: Gate,
}

impl SimulatedXero {
    /// The way to this simulator.
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
    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let reply = async { locked(&self.simulator).handle(self.clock.now(), &request) };
        match self.gate.step(reply).await {
            Reply::Answer(response) => Ok(response),
            // A lost request and a lost answer look the same from here.
            Reply::LostBefore | Reply::LostAfter => Err(lost(TransportErrorKind::Timeout)),
            Reply::Cut(_) => Err(lost(TransportErrorKind::Interrupted)),
        }
    }
}

/// The answer to a request that does not get to Xero; `None` lets it go on.
pub type Interception = Option<Result<Response<Bytes>, TransportError>>;

/// A way to Xero on which some requests are answered before they get there.
pub struct Intercepted<F> {
    inner: Arc<dyn Transport>,
    answer: F,
}

impl<F> Intercepted<F>
where
    F: Fn(&Request<Bytes>) -> Interception + Send + Sync + 'static,
{
    /// This way, on which these requests are answered.
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
    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        match (self.answer)(&request) {
            Some(answer) => answer,
            None => self.inner.exchange(request).await,
        }
    }
}

/// An answer of Xero's that refuses a call with this status, for this reason.
pub fn refusal(status: u16, detail: &str) -> Response<Bytes> {
    let body = format!(r#"{{"Title":"Refused","Status":{status},"Detail":"{detail}"}}"#);
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Bytes::from(body)).expect("a status and a body make an answer")
}

/// The error of a request that never left.
pub fn not_sent() -> TransportError {
    TransportError {
        sent: Sent::No,
        kind: TransportErrorKind::Connect,
        source: "no connection".into(),
    }
}

fn lost(kind: TransportErrorKind) -> TransportError {
    TransportError { sent: Sent::Unknown, kind, source: "lost on the way".into() }
}
