//! The engine's ports in a world where every step takes time and may fail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::envelope::{QueueSource, WakeUp};
use domain::outbound::OutboundEvent;
use engine::ports::{Clock, EventPublisher, PortError, SecretStore, WakeUps};
use http::{Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use store::memory::MemoryTable;
use store::table::{
    FoundItems, IndexPage, IndexQuery, ItemKey, ItemPage, ItemTable, ItemWrite, StoredItem,
    TableError, TableQuery,
};
use uuid::Uuid;
use xero::{RequestSent, Transport, TransportError, TransportErrorKind};
use xero_sim::{Fault as XeroFault, FaultKind, InFlight, Match, Reply, Simulator};

use super::executor::{Pid, Timeline, after};
use super::faults::{Fate, Fault, Faults, Port, millis};
use super::mutation::Mutation;
use super::trace::Trace;
use crate::access::{Access, Function};

/// The timeout of our transport for an exchange.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(25);

/// An event in the world.
#[derive(Debug)]
pub enum Occurrence {
    /// Xero has answered a call.
    CallEnds(InFlight),
    /// A request whose process no longer waits arrives at Xero.
    Arrives(Box<Request<Bytes>>),
    /// A scheduled wake-up fires.
    Fires(WakeUp),
    /// An event of the scenario.
    Scene(super::scene::Scene),
    /// A queue delivers messages.
    Deliver,
    /// The time of a process is over.
    Deadline(Pid),
}

/// The state that all processes of a world share.
#[derive(Debug, Clone)]
pub struct Net {
    /// The clock.
    pub timeline: Timeline<Occurrence>,
    /// The faults.
    pub faults: Arc<Mutex<Faults>>,
    /// The trace of the run.
    pub trace: Arc<Mutex<Trace>>,
    /// The part that is removed from the protocol, to test the checker.
    pub mutation: Option<Mutation>,
    /// Suspended processes.
    pub frozen: Arc<Mutex<BTreeSet<Pid>>>,
    /// The function to which each process belongs.
    pub functions: Arc<Mutex<BTreeMap<Pid, Function>>>,
    /// The AWS accesses of the functions.
    pub used: Arc<Mutex<BTreeSet<(Function, Access)>>>,
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Net {
    /// Creates a world in its initial state.
    pub fn new(
        timeline: Timeline<Occurrence>,
        faults: Faults,
        trace: Trace,
        mutation: Option<Mutation>,
    ) -> Self {
        Self {
            timeline,
            faults: Arc::new(Mutex::new(faults)),
            trace: Arc::new(Mutex::new(trace)),
            mutation,
            frozen: Arc::default(),
            functions: Arc::default(),
            used: Arc::default(),
        }
    }

    fn fate(&self, port: Port, what: impl FnOnce() -> String) -> Fate {
        let (fate, step) = {
            let mut faults = locked(&self.faults);
            (faults.fate(port), faults.steps)
        };
        let (now, who) = (self.timeline.now(), self.timeline.current());
        if matches!(fate.fault, Some(Fault::FreezeBefore | Fault::FreezeAfter)) {
            locked(&self.frozen).extend(who);
        }
        locked(&self.trace).step(now, who, step, fate.fault, what);
        fate
    }

    /// Records an AWS access of the running function.
    fn uses(&self, access: Access) {
        let pid = self.timeline.current();
        let function = pid.and_then(|pid| locked(&self.functions).get(&pid).copied());
        if let Some(function) = function {
            locked(&self.used).insert((function, access));
        }
    }

    /// Whether a process is or was suspended.
    pub fn is_frozen(&self, pid: Pid) -> bool {
        locked(&self.frozen).contains(&pid)
    }

    /// Waits before a step, unless the process dies there.
    async fn before(&self, fate: &Fate) {
        self.timeline.sleep(fate.before).await;
        if fate.fault == Some(Fault::DieBefore) {
            self.timeline.die().await;
        }
    }

    /// Waits after a step, unless the process dies there.
    async fn after(&self, fate: &Fate) {
        self.timeline.sleep(fate.after).await;
        if fate.fault == Some(Fault::DieAfter) {
            self.timeline.die().await;
        }
    }
}

fn refused(operation: &'static str) -> PortError {
    PortError { operation, source: "the simulation injects an error".into() }
}

#[async_trait]
impl Clock for Net {
    fn now(&self) -> Timestamp {
        self.timeline.now()
    }

    async fn sleep_for(&self, moment: Duration) {
        self.timeline.sleep(SignedDuration::try_from(moment).expect("a pause is short")).await;
    }
}

/// The table.
#[derive(Debug, Clone)]
pub struct SimTable {
    /// The implementation without faults.
    pub table: MemoryTable,
    /// The checker, which observes the writes.
    pub watch: super::checker::Watch,
    /// Xero, for the checker.
    pub simulator: Arc<Mutex<Simulator>>,
    /// The world.
    pub net: Net,
}

impl SimTable {
    async fn step<T: Send>(
        &self,
        port: Port,
        what: impl FnOnce() -> String + Send,
        act: impl Future<Output = Result<T, TableError>> + Send,
    ) -> Result<T, TableError> {
        let unavailable = || TableError::Unavailable {
            operation: "a step of the simulation",
            source: "the simulation injects an error".into(),
        };
        let fate = self.net.fate(port, what);
        self.net.before(&fate).await;
        let result = match fate.fault {
            Some(Fault::FailBefore | Fault::Throttled) => Err(unavailable()),
            Some(Fault::Conflict) => Err(TableError::Conflict),
            _ => act.await,
        };
        self.net.after(&fate).await;
        if fate.fault == Some(Fault::FailAfter) { Err(unavailable()) } else { result }
    }
}

#[async_trait]
impl ItemTable for SimTable {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        self.net.uses(Access::Read);
        let what = || format!("read {key}");
        let item = self.step(Port::Read, what, self.table.get(key)).await?;
        Ok(item.map(|item| Mutation::read(self.net.mutation, item)))
    }

    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        self.net.uses(Access::ReadMany);
        let names = keys.iter().map(ToString::to_string).collect::<Vec<_>>();
        let what = move || format!("read {}", names.join(" + "));
        let found = self.step(Port::Read, what, self.table.get_many(keys)).await?;
        let read = |item| Mutation::read(self.net.mutation, item);
        Ok(found.into_iter().map(|(key, item)| (key, item.map(read))).collect())
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        Access::of_writes(&writes).for_each(|access| self.net.uses(access));
        let mut writes = Mutation::written(self.net.mutation, writes);
        if self.net.mutation.is_some() {
            let mut kept = Vec::with_capacity(writes.len());
            for write in writes {
                let is_there = self.table.get(write.item_key()).await?.is_some();
                if !Mutation::leaves_out(self.net.mutation, &write, is_there) {
                    kept.push(write);
                }
            }
            writes = kept;
        }
        let keys = writes.iter().map(|write| write.item_key().to_string()).collect::<Vec<_>>();
        let what = move || format!("write {}", keys.join(" + "));
        let write = async {
            self.table.write_items(writes.clone()).await?;
            self.watch.written(&writes, &locked(&self.simulator));
            Ok(())
        };
        self.step(Port::Write, what, write).await
    }

    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        self.net.uses(Access::Query);
        let what = format!("query {} {:?}", query.pk, query.range);
        self.step(Port::Read, move || what, self.table.query_items(query)).await
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.net.uses(Access::of_index(query.index));
        let what = format!("index {} {:?}", query.pk, query.range);
        let fate = self.net.fate(Port::Index, move || what);
        self.net.before(&fate).await;
        let result = match fate.fault {
            Some(Fault::FailBefore | Fault::Throttled) => Err(TableError::Unavailable {
                operation: "a query of the simulation",
                source: "the simulation injects an error".into(),
            }),
            Some(Fault::Lagging) => Ok(IndexPage { entries: Vec::new(), next: None }),
            _ => self.table.query_index(query).await,
        };
        self.net.after(&fate).await;
        result
    }
}

/// Maximum time for which a secret store returns an older value.
const LAG_MAX: SignedDuration = SignedDuration::from_secs(60);

/// The value that reads of a secret return after a write.
#[derive(Debug)]
pub struct Shown {
    /// The previous value.
    before: Option<SecretString>,
    /// The version that is not visible yet.
    hidden: Uuid,
    /// The number of reads that are affected.
    reads: u64,
    /// The end of the affected period.
    until: Timestamp,
}

/// The secrets.
#[derive(Debug, Clone)]
pub struct SimSecrets {
    /// The implementation without faults.
    pub kept: Arc<Mutex<BTreeMap<String, SecretString>>>,
    /// Every value that was written, by its version.
    pub versions: Arc<Mutex<BTreeMap<(String, Uuid), SecretString>>>,
    /// The values that reads return instead of the newest one.
    pub shown: Arc<Mutex<BTreeMap<String, Shown>>>,
    /// The world.
    pub net: Net,
}

impl SimSecrets {
    /// Returns the value that a read shows: for some reads after a write, the previous one.
    fn visible(&self, name: &str) -> Option<SecretString> {
        let now = self.net.timeline.now();
        match locked(&self.shown).get_mut(name) {
            Some(shown) if shown.reads > 0 && now < shown.until => {
                shown.reads -= 1;
                shown.before.clone()
            }
            Some(_) | None => locked(&self.kept).get(name).cloned(),
        }
    }

    /// Returns the value that a read of one version shows: for some reads after it was written,
    /// none.
    fn visible_version(&self, name: &str, version: Uuid) -> Option<SecretString> {
        let now = self.net.timeline.now();
        match locked(&self.shown).get_mut(name) {
            Some(shown) if shown.reads > 0 && now < shown.until && shown.hidden == version => {
                shown.reads -= 1;
                None
            }
            Some(_) | None => locked(&self.versions).get(&(name.to_owned(), version)).cloned(),
        }
    }

    async fn step<T: Send>(
        &self,
        what: String,
        operation: &'static str,
        act: impl FnOnce() -> T + Send,
    ) -> Result<T, PortError> {
        let fate = self.net.fate(Port::Secret, move || what);
        self.net.before(&fate).await;
        let result = match fate.fault {
            Some(Fault::FailBefore | Fault::Throttled) => Err(refused(operation)),
            _ => Ok(act()),
        };
        self.net.after(&fate).await;
        if fate.fault == Some(Fault::FailAfter) { Err(refused(operation)) } else { result }
    }
}

impl SimSecrets {
    fn keep(&self, name: &str, value: &SecretString, version: Uuid) {
        let before = locked(&self.kept).insert(name.to_owned(), value.clone());
        locked(&self.versions).insert((name.to_owned(), version), value.clone());
        let reads = locked(&self.net.faults).secret_lag();
        let until = after(self.net.timeline.now(), LAG_MAX);
        let shown = Shown { before, hidden: version, reads, until };
        locked(&self.shown).insert(name.to_owned(), shown);
    }
}

#[async_trait]
impl SecretStore for SimSecrets {
    async fn get_secret(&self, name: &str) -> Result<Option<SecretString>, PortError> {
        self.net.uses(Access::ReadSecret);
        let get = || self.visible(name);
        self.step(format!("read secret {name}"), "read a secret", get).await
    }

    async fn get_version(
        &self,
        name: &str,
        version: Uuid,
    ) -> Result<Option<SecretString>, PortError> {
        self.net.uses(Access::ReadSecret);
        let get = || self.visible_version(name, version);
        self.step(format!("read secret {name}, {version}"), "read a secret", get).await
    }

    async fn put_secret(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
    ) -> Result<(), PortError> {
        let is_new = !locked(&self.kept).contains_key(name);
        self.net.uses(if is_new { Access::NewSecret } else { Access::WriteSecret });
        let put = || self.keep(name, value, version);
        self.step(format!("write secret {name}"), "write a secret", put).await
    }

    async fn replace_secret(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
    ) -> Result<(), PortError> {
        self.net.uses(Access::WriteSecret);
        // The secret may be deleted while the request is in transit.
        let replace = || {
            let is_there = locked(&self.kept).contains_key(name);
            is_there.then(|| self.keep(name, value, version))
        };
        let replaced = self.step(format!("write secret {name}"), "write a secret", replace).await?;
        replaced.ok_or_else(|| refused("write a secret"))
    }

    async fn delete_secret(&self, name: &str) -> Result<(), PortError> {
        self.net.uses(Access::DeleteSecret);
        let delete = || {
            locked(&self.kept).remove(name);
            locked(&self.shown).remove(name);
            locked(&self.versions).retain(|(of, _), _| of != name);
        };
        self.step(format!("delete secret {name}"), "delete a secret", delete).await
    }
}

/// Scheduled and enqueued wake-ups.
#[derive(Debug, Clone)]
pub struct SimHints {
    /// The queues.
    pub queues: super::queue::Queues,
    /// The world.
    pub net: Net,
}

impl SimHints {
    async fn step(
        &self,
        port: Port,
        what: String,
        act: impl Fn() + Send + Sync,
    ) -> Result<(), PortError> {
        let fate = self.net.fate(port, move || what);
        self.net.before(&fate).await;
        match fate.fault {
            Some(Fault::FailBefore) => return Err(refused("enqueue a wake-up")),
            Some(Fault::Lost) => {}
            Some(Fault::Twice) => {
                act();
                act();
            }
            _ => act(),
        }
        self.net.after(&fate).await;
        if fate.fault == Some(Fault::FailAfter) {
            Err(refused("enqueue a wake-up"))
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl WakeUps for SimHints {
    async fn schedule(&self, wake: &WakeUp, at: Timestamp) -> Result<(), PortError> {
        self.net.uses(Access::Book);
        let what = format!("schedule {:?} at {at}", wake.work);
        let timeline = &self.net.timeline;
        let book = || {
            let latest = millis(locked(&self.net.faults).below(30_000));
            let at = after(at.max(timeline.now()), latest);
            timeline.schedule(at, Occurrence::Fires(wake.clone()));
        };
        self.step(Port::Booking, what, book).await
    }

    async fn enqueue(&self, wake: &WakeUp) -> Result<(), PortError> {
        self.net.uses(Access::of_hint(wake.kind));
        let what = format!("leave {:?}", wake.work);
        let leave = || {
            let (source, account) = (QueueSource::WakeUps, wake.account.as_str());
            self.queues.push(wake.kind, source, account, wake.to_body());
            self.net.timeline.schedule(self.net.timeline.now(), Occurrence::Deliver);
        };
        self.step(Port::Hint, what, leave).await
    }
}

/// The events that the CRM receives.
#[derive(Debug, Clone)]
pub struct SimEvents {
    /// Deliveries, in order.
    pub heard: Arc<Mutex<Vec<OutboundEvent>>>,
    /// The world.
    pub net: Net,
}

#[async_trait]
impl EventPublisher for SimEvents {
    async fn publish_event(&self, event: &OutboundEvent) -> Result<(), PortError> {
        self.net.uses(Access::Tell);
        let what = format!("tell {:?}", event.news);
        let fate = self.net.fate(Port::Event, move || what);
        self.net.before(&fate).await;
        if fate.fault == Some(Fault::FailBefore) {
            return Err(refused("deliver an event"));
        }
        let times = if fate.fault == Some(Fault::Twice) { 2 } else { 1 };
        locked(&self.heard).extend(std::iter::repeat_n(event.clone(), times));
        self.net.after(&fate).await;
        if fate.fault == Some(Fault::FailAfter) { Err(refused("deliver an event")) } else { Ok(()) }
    }
}

/// The transport to Xero.
#[derive(Clone)]
pub struct SimXero {
    /// Xero.
    pub simulator: Arc<Mutex<Simulator>>,
    /// The checker, which observes the requests.
    pub watch: super::checker::Watch,
    /// The world.
    pub net: Net,
}

impl std::fmt::Debug for SimXero {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimXero")
    }
}

#[async_trait]
impl Transport for SimXero {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let what = format!("{} {}", request.method(), request.uri());
        if let Some(response) = Mutation::answered(self.net.mutation, &request) {
            return Ok(response);
        }
        let timeline = &self.net.timeline;
        let fate = self.net.fate(Port::Xero, move || what);
        self.watch.begins(timeline.now(), &request);
        if fate.fault == Some(Fault::Straggler) {
            let at = after(timeline.now(), fate.before);
            timeline.schedule(at, Occurrence::Arrives(Box::new(request)));
            timeline.sleep(TIMEOUT).await;
            return Err(unfinished(TransportErrorKind::Timeout));
        }
        self.net.before(&fate).await;
        if fate.fault == Some(Fault::FailBefore) {
            self.watch.ends(timeline.now(), &request);
            return Err(not_sent());
        }
        let reply = self.act(&request, fate.fault);
        let in_flight = match fate.fault {
            Some(Fault::FreezeAfter) => millis(500),
            _ => fate.after,
        };
        let answers_at = after(timeline.now(), in_flight);
        timeline.schedule(answers_at, Occurrence::CallEnds(reply.0));
        self.watch.ends(answers_at, &request);
        if fate.after > TIMEOUT && fate.fault != Some(Fault::FreezeAfter) {
            timeline.sleep(TIMEOUT).await;
            return Err(unfinished(TransportErrorKind::Timeout));
        }
        self.net.after(&fate).await;
        if fate.fault == Some(Fault::FailAfter) {
            return Err(unfinished(TransportErrorKind::Timeout));
        }
        match reply.1 {
            Reply::Answer(response) => {
                // Xero ignores the key of a caller that it refuses.
                if response.status() != StatusCode::UNAUTHORIZED {
                    self.watch.heard(timeline.current(), &request);
                }
                Ok(response)
            }
            Reply::Cut(_) => Err(unfinished(TransportErrorKind::Interrupted)),
            Reply::LostBefore | Reply::LostAfter => Err(unfinished(TransportErrorKind::Timeout)),
        }
    }
}

impl SimXero {
    fn act(&self, request: &Request<Bytes>, fault: Option<Fault>) -> (InFlight, Reply) {
        let kind = match fault {
            Some(Fault::Faulty) => Some(FaultKind::Status500),
            Some(Fault::FaultyAfter) => Some(FaultKind::Status500Applied),
            Some(Fault::Cut) => Some(FaultKind::Cut),
            Some(Fault::Throttled) => Some(FaultKind::RateLimited {
                problem: "minute".to_owned(),
                retry_after_seconds: Some(20),
            }),
            _ => None,
        };
        let mut simulator = locked(&self.simulator);
        if let Some(kind) = kind {
            simulator.inject(XeroFault { on: Match::next("/"), kind });
        }
        let in_flight = simulator.begin(self.net.timeline.now(), request);
        let reply = in_flight.reply().clone();
        (in_flight, reply)
    }
}

fn not_sent() -> TransportError {
    TransportError {
        sent: RequestSent::No,
        kind: TransportErrorKind::Connect,
        source: "no connection".into(),
    }
}

fn unfinished(kind: TransportErrorKind) -> TransportError {
    TransportError { sent: RequestSent::Unknown, kind, source: "lost in transit".into() }
}
