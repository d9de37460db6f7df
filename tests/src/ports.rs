//! The test world's implementations of the engine's ports.

mod secrets;
mod table;
mod transport;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::envelope::WakeUp;
use domain::outbound::{EventContent, EventMessage, OutboundEvent};
use engine::ports::{
    Clock, EventPublisher, IdSource, Metric, MetricRecorder, PortError, PublishedEvents, WakeUps,
};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use store::memory::MemoryTable;
use store::table::{
    FoundItems, IndexPage, IndexQuery, ItemKey, ItemPage, ItemTable, ItemWrite, StoredItem,
    TableError, TableQuery,
};
use uuid::Uuid;

use crate::access::Access;
use crate::io_monitor::IoMonitor;

pub use self::secrets::MemorySecrets;
pub use self::table::{InterceptedTable, TableInterception, TableRequest};
pub(crate) use self::transport::lost;
pub use self::transport::{Intercepted, Interception, SimulatedXero, not_sent, refusal, respond};

/// Locks a mutex, even if a test that held it has panicked.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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

/// Scheduled wake-ups, by instant.
#[derive(Debug, Clone, Default)]
pub struct ScheduledWakeUps {
    scheduled: Arc<Mutex<BTreeMap<(Timestamp, String), WakeUp>>>,
    io: IoMonitor,
}

impl ScheduledWakeUps {
    /// No wake-ups, monitored by `io`.
    pub fn new(io: IoMonitor) -> Self {
        Self { scheduled: Arc::default(), io }
    }

    /// Takes the earliest wake-up.
    pub fn take_first(&self) -> Option<(Timestamp, WakeUp)> {
        locked(&self.scheduled).pop_first().map(|((at, _), wake)| (at, wake))
    }

    /// Takes the earliest wake-up that matches.
    pub fn take(&self, is_wanted: impl Fn(&WakeUp) -> bool) -> Option<WakeUp> {
        let mut scheduled = locked(&self.scheduled);
        let (key, _) = scheduled.iter().find(|(_, wake)| is_wanted(wake))?;
        let key = key.clone();
        scheduled.remove(&key)
    }

    async fn keep(&self, wake: &WakeUp, at: Timestamp) -> Result<(), PortError> {
        let keep = async {
            locked(&self.scheduled).insert((at, wake.to_body()), wake.clone());
            Ok(())
        };
        self.io.run_step(keep).await
    }

    /// The number of scheduled wake-ups.
    pub fn len(&self) -> usize {
        locked(&self.scheduled).len()
    }

    /// Whether no wake-up is scheduled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[async_trait]
impl WakeUps for ScheduledWakeUps {
    async fn schedule(&self, wake: &WakeUp, at: Timestamp) -> Result<(), PortError> {
        self.io.record_access(Access::ScheduleWakeUp);
        self.keep(wake, at).await
    }

    /// A queued wake-up is behind the others: here, it is due when time advances.
    async fn enqueue(&self, wake: &WakeUp) -> Result<(), PortError> {
        self.io.record_access(Access::of_wake_up(wake.kind));
        self.keep(wake, Timestamp::UNIX_EPOCH).await
    }
}

/// The events sent to the CRM, in order.
#[derive(Debug, Clone, Default)]
pub struct RecordedEvents {
    events: Arc<Mutex<Vec<EventMessage>>>,
    io: IoMonitor,
}

impl RecordedEvents {
    /// No events, monitored by `io`.
    pub fn new(io: IoMonitor) -> Self {
        Self { events: Arc::default(), io }
    }

    /// Every delivery so far as text, including repeated ones.
    pub fn delivered_texts(&self) -> Vec<String> {
        locked(&self.events).iter().map(|event| event.body_text().to_owned()).collect()
    }

    /// Every delivery so far, including repeated ones, of kinds that this release knows.
    pub fn deliveries(&self) -> Vec<OutboundEvent> {
        locked(&self.events).iter().filter_map(read_event).collect()
    }

    /// The content of every event, once each.
    pub fn contents(&self) -> Vec<EventContent> {
        let mut seen = BTreeSet::new();
        let mut events = self.deliveries();
        events.retain(|event| seen.insert(event.event_id));
        events.into_iter().map(|event| event.content).collect()
    }
}

/// Reads an event as the CRM does. `None` if this release does not know its kind.
pub fn read_event(message: &EventMessage) -> Option<OutboundEvent> {
    serde_json::from_str(message.body_text()).ok()
}

/// Events that SQS accepts in one call.
pub(crate) const EVENTS_PER_CALL: usize = 10;

#[async_trait]
impl EventPublisher for RecordedEvents {
    async fn publish_event(&self, event: &EventMessage) -> Result<(), PortError> {
        self.io.record_access(Access::PublishEvent);
        let publish = async {
            locked(&self.events).push(event.clone());
            Ok(())
        };
        self.io.run_step(publish).await
    }

    async fn publish_unordered_events(&self, events: &[EventMessage]) -> PublishedEvents {
        let mut published = PublishedEvents::default();
        for together in events.chunks(EVENTS_PER_CALL) {
            self.io.record_access(Access::PublishEvent);
            let publish = async {
                locked(&self.events).extend_from_slice(together);
                Ok(())
            };
            let ids = together.iter().map(|event| event.event_id);
            published.add(ids, self.io.run_step(publish).await);
        }
        published
    }
}

/// The recorded metrics, in order.
#[derive(Debug, Clone, Default)]
pub struct RecordedMetrics(Arc<Mutex<Vec<Metric>>>);

impl RecordedMetrics {
    /// Every metric so far.
    pub fn all(&self) -> Vec<Metric> {
        locked(&self.0).clone()
    }
}

impl MetricRecorder for RecordedMetrics {
    fn record_metric(&self, metric: Metric) {
        locked(&self.0).push(metric);
    }
}

/// A table whose accesses are monitored.
#[derive(Debug, Clone)]
pub struct MonitoredTable {
    /// The table itself.
    pub table: MemoryTable,
    /// The monitor of its accesses.
    pub io: IoMonitor,
}

#[async_trait]
impl ItemTable for MonitoredTable {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        self.io.record_access(Access::Read);
        self.io.run_step(self.table.get(key)).await
    }

    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        self.io.record_access(Access::ReadMany);
        self.io.run_step(self.table.get_many(keys)).await
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        Access::of_writes(&writes).for_each(|access| self.io.record_access(access));
        self.io.run_step(self.table.write_items(writes)).await
    }

    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        self.io.record_access(Access::Query);
        self.io.run_step(self.table.query_items(query)).await
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.io.record_access(Access::of_index(query.index));
        self.io.run_step(self.table.query_index(query)).await
    }
}
