//! An account, its books in Xero and everything between them, in one process.

mod bookkeeping;
mod choices;
mod connecting;
mod settings;
mod views;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::batching::ArrivalRate;
use domain::connection::ConnectionStatus;
use domain::entity::EntityKind;
use domain::envelope::{self, InboundBody, WakeUp};
use domain::ids::{AccountId, Ledger, TenantId};
use domain::outbound::EventContent;
use engine::commands::connect::ConnectOutcome;
use engine::commands::status::{self, StatusView};
use engine::connection::token::TokenCache;
use engine::errors::PersistError;
use engine::inbound::{MessageOutcome, MessageSteps, receive_messages};
use engine::jobs::sweep::{self, SweepSummary};
use engine::poll::{PollOutcome, poll_ledgers};
use engine::ports::Clock;
use engine::sync::push::PushedKinds;
use engine::sync::synced_events::SyncedEvents;
use engine::{Engine, Invocation, RecoveryMode};
use jiff::{SignedDuration, Timestamp};
use store::Store;
use store::memory::MemoryTable;
use uuid::Uuid;
use xero_sim::{Books, Fault, Receipt, Settings, Simulator};

use crate::builders::an_invoice;
use crate::io_monitor::{CrashPoint, IoMonitor, run};
use crate::kinds::function_of;
use crate::ports::{
    CountedIds, MemorySecrets, MonitoredTable, RecordedEvents, RecordedMetrics, ScheduledWakeUps,
    SimulatedXero, VirtualClock,
};

pub use self::choices::every_account;
pub use self::connecting::{callback, owner};
pub use self::settings::{app, places, registered, xero_settings};

/// The account of the builders' messages.
pub const ACCOUNT: &str = "acc_ridgeway";
/// A function's timeout, which limits how long a claim is held.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(60);
/// The time from one sweep to the next.
const BETWEEN_SWEEPS: SignedDuration = SignedDuration::from_mins(5);
/// The time in which released work continues if its queue is idle.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(2);
/// The time from one payment poll to the next.
const BETWEEN_POLLS: SignedDuration = SignedDuration::from_mins(15);

/// The engine and its environment.
#[derive(Debug)]
pub struct World {
    /// The engine of a process that does everything. Messages and wake-ups are processed as by the
    /// function of their queue.
    pub engine: Engine,
    /// The table itself, whose accesses are not monitored.
    pub table: MemoryTable,
    /// The clock of all parts.
    pub clock: VirtualClock,
    /// The scheduled wake-ups.
    pub wake_ups: ScheduledWakeUps,
    /// The events sent to the CRM.
    pub events: RecordedEvents,
    /// The recorded metrics.
    pub metrics: RecordedMetrics,
    /// The secrets.
    pub secrets: MemorySecrets,
    /// The monitor of the engine's IO.
    pub io: IoMonitor,
    /// Xero's own clock, which may be ahead of ours.
    pub xero_clock: VirtualClock,
    simulator: Arc<Mutex<Simulator>>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A world in its initial state.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same, with a different Xero.
    pub fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = xero_settings();
        change(&mut settings);
        let simulator = Arc::new(Mutex::new(Simulator::new(settings)));
        let start = "2026-11-02T09:00:00Z".parse().expect("an instant");
        let (io, clock) = (IoMonitor::default(), VirtualClock::new(start));
        let xero_clock = clock.ahead(SignedDuration::ZERO);
        let table = MemoryTable::new();
        let secrets = MemorySecrets::new(io.clone());
        let wake_ups = ScheduledWakeUps::new(io.clone());
        let events = RecordedEvents::new(io.clone());
        let metrics = RecordedMetrics::default();
        let monitored = MonitoredTable { table: table.clone(), io: io.clone() };
        let engine = Engine {
            store: Store::new(Arc::new(monitored)),
            transport: Arc::new(SimulatedXero::new(
                simulator.clone(),
                xero_clock.clone(),
                io.clone(),
            )),
            clock: Arc::new(clock.clone()),
            ids: Arc::new(CountedIds::default()),
            secrets: Arc::new(secrets.clone()),
            wake_ups: Arc::new(wake_ups.clone()),
            events: Arc::new(events.clone()),
            app: registered(app()),
            endpoints: places(),
            metrics: Arc::new(metrics.clone()),
            recovery_mode: RecoveryMode::Normal,
            kinds: PushedKinds::ALL,
            steps: MessageSteps::ALL,
            tokens: Arc::new(TokenCache::default()),
            logged_accounts: Arc::default(),
            last_tenants: Arc::default(),
            synced_events: SyncedEvents::default(),
            searches: Arc::default(),
        };
        Self { engine, table, clock, wake_ups, events, metrics, secrets, io, xero_clock, simulator }
    }

    /// A world whose account is connected, after the wake-ups of the connection.
    pub fn connected() -> Self {
        let world = Self::new();
        let completed = world.connect();
        assert!(matches!(completed, ConnectOutcome::Connected(_)), "{completed:?}");
        world
    }

    /// A connected world with accounts for all purposes.
    pub fn with_accounts() -> Self {
        let world = Self::connected();
        world.choose_accounts();
        world
    }

    /// A connected world with accounts for all purposes, and an invoice over 114.00 that a poll has
    /// seen.
    pub fn with_seen_invoice() -> Self {
        let world = Self::with_accounts();
        world.receive(EntityKind::Invoice, &an_invoice("inv_1", "cli_1").body());
        world.advance(BETWEEN_POLLS);
        world.poll();
        world
    }

    /// The simulator.
    pub fn xero(&self) -> MutexGuard<'_, Simulator> {
        self.simulator.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account.
    pub fn account(&self) -> AccountId {
        AccountId::new(ACCOUNT).expect("an id")
    }

    /// The first organisation's tenant.
    pub fn tenant(&self) -> Uuid {
        self.xero().settings().organisations.first().expect("an organisation").id
    }

    /// The first Xero user.
    pub fn user(&self) -> Uuid {
        self.xero().settings().users.first().expect("a user").id
    }

    /// Inspects the books of the first organisation.
    pub fn books<T>(&self, look: impl FnOnce(&Books) -> T) -> T {
        let tenant = self.tenant();
        look(self.xero().books(tenant).expect("the organisation has books"))
    }

    /// The connection status of the account.
    pub fn status(&self) -> StatusView {
        let status = run(status::read_status(&self.engine, &self.account()));
        status.expect("the process does not crash").expect("the table answers")
    }

    /// Runs the sweep.
    pub fn sweep(&self) -> SweepSummary {
        run(sweep::sweep_all_shards(&self.engine, self.invocation()))
            .expect("the process does not crash")
    }

    /// Runs the sweep twice, each time when it is due: the second one processes what a wake-up of
    /// the first one may have left. What they release continues.
    pub fn sweep_twice(&self) {
        for _ in 0..2 {
            self.advance(BETWEEN_SWEEPS);
            self.sweep();
            self.advance(AT_ONCE);
        }
    }

    /// The statuses in the connection events of an account, in order.
    pub fn reported_statuses(&self, account: &AccountId) -> Vec<ConnectionStatus> {
        let mut seen = std::collections::BTreeSet::new();
        let mut events = self.events.deliveries();
        events.retain(|event| event.account_id == *account && seen.insert(event.event_id));
        let status = |content: EventContent| {
            let EventContent::Connection { status, .. } = content else { return None };
            Some(status)
        };
        events.into_iter().filter_map(|event| status(event.content)).collect()
    }

    /// The limits of an invocation that starts now.
    pub fn invocation(&self) -> Invocation {
        Invocation::with_deadline(
            self.clock.now().checked_add(TIMEOUT).expect("the time is in range"),
        )
    }

    /// Receives a message and processes it completely.
    pub fn receive(&self, kind: EntityKind, body: &str) -> MessageOutcome {
        let received = self.try_receive(kind, body, None);
        received.expect("the process does not crash").expect("the table answers")
    }

    /// Receives a message in a process that dies at the given step, if it reaches it.
    pub fn try_receive(
        &self,
        kind: EntityKind,
        body: &str,
        crash: Option<CrashPoint>,
    ) -> Option<Result<MessageOutcome, PersistError>> {
        self.io.crash_at(crash);
        let result = run(self.receive_all(kind, &[read(kind, body)], ArrivalRate::Ordinary));
        self.io.crash_at(None);
        result.map(|mut received| received.remove(0))
    }

    /// Receives a wake-up in a process that dies at the given step, if it reaches it.
    pub fn try_wake(
        &self,
        wake: &WakeUp,
        crash: CrashPoint,
    ) -> Option<Result<MessageOutcome, PersistError>> {
        self.io.crash_at(Some(crash));
        let messages = [InboundBody::Wake(wake.clone())];
        let result = run(self.receive_all(wake.kind, &messages, ArrivalRate::Ordinary));
        self.io.crash_at(None);
        result.map(|mut received| received.remove(0))
    }

    /// Receives messages together.
    pub fn receive_together(&self, kind: EntityKind, bodies: &[String]) -> Vec<MessageOutcome> {
        let messages = bodies.iter().map(|body| read(kind, body)).collect::<Vec<_>>();
        let received = run(self.receive_all(kind, &messages, ArrivalRate::Burst));
        let received = received.expect("the process does not crash");
        received.into_iter().map(|one| one.expect("the table answers")).collect()
    }

    /// Processes messages of the queue of a kind as the function of that queue does.
    async fn receive_all(
        &self,
        kind: EntityKind,
        messages: &[InboundBody],
        rate: ArrivalRate,
    ) -> Vec<Result<MessageOutcome, PersistError>> {
        let engine = function_of(kind).configure_engine(self.engine.clone());
        receive_messages(&engine, messages, rate, self.invocation()).await
    }

    /// Runs the payment poll. Returns the result of the account's ledger.
    pub fn poll(&self) -> PollOutcome {
        self.poll_all(&[self.ledger()]).remove(0)
    }

    /// Runs the payment poll, and waits for the time of the next one.
    pub fn poll_and_wait(&self) -> PollOutcome {
        let polled = self.poll();
        self.clock.advance(BETWEEN_POLLS);
        polled
    }

    /// Waits for the time of the next payment poll, and runs it.
    pub fn wait_and_poll(&self) -> PollOutcome {
        self.clock.advance(BETWEEN_POLLS);
        self.poll()
    }

    /// The account's books in the first organisation.
    pub fn ledger(&self) -> Ledger {
        Ledger { account: self.account(), tenant: TenantId(self.tenant()) }
    }

    /// Runs the payment poll. Returns the result of each ledger.
    pub fn poll_all(&self, ledgers: &[Ledger]) -> Vec<PollOutcome> {
        run(poll_ledgers(&self.engine, ledgers, self.invocation()))
            .expect("the process does not crash")
    }

    /// A bookkeeper records a payment of an invoice in Xero. Returns the payment's id.
    pub fn is_paid(&self, number: &str, amount: &str, receipt: &Receipt) -> Uuid {
        let (tenant, now) = (self.tenant(), self.clock.now());
        let mut xero = self.xero();
        let books = xero.books(tenant).expect("the organisation has books");
        let invoice = books.invoices_numbered(number).find(|one| !one.status.is_gone());
        let invoice = invoice.expect("an invoice of that number").id;
        let amount = amount.parse().expect("an amount");
        let mut bookkeeper = xero.bookkeeper(now, tenant).expect("a bookkeeper");
        bookkeeper.pay(invoice, amount, receipt).expect("a payment that Xero accepts")
    }

    /// Starts a new process, with only the persistent state.
    pub fn restart(&mut self) {
        self.engine.tokens = Arc::new(TokenCache::default());
        self.engine.logged_accounts = Arc::default();
        self.engine.last_tenants = Arc::default();
        self.engine.searches = Arc::default();
    }

    /// Advances the time, and processes every wake-up that becomes due.
    pub fn advance(&self, by: SignedDuration) {
        let until = self.clock.now().checked_add(by).expect("the time is in range");
        while let Some((at, wake)) = self.wake_ups.take_first() {
            if at > until {
                drop(run(self.engine.wake_ups.schedule(&wake, at)));
                break;
            }
            self.move_to(at);
            self.wakes(wake);
        }
        self.move_to(until);
    }

    /// Receives a wake-up and processes it completely.
    fn wakes(&self, wake: WakeUp) {
        let (kind, wake) = (wake.kind, [InboundBody::Wake(wake)]);
        let received = run(self.receive_all(kind, &wake, ArrivalRate::Ordinary));
        received.expect("the process does not crash").remove(0).expect("the table answers");
    }

    fn move_to(&self, at: Timestamp) {
        let wait = at.duration_since(self.clock.now());
        if wait.is_positive() {
            self.clock.advance(wait);
        }
    }

    /// Schedules faults of Xero.
    pub fn inject(&self, fault: Fault) {
        self.xero().inject(fault);
    }
}

/// Reads a message, in the message group of its account.
fn read(kind: EntityKind, body: &str) -> InboundBody {
    let json: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let account = json.get("account_id").and_then(|id| id.as_str()).expect("an account");
    envelope::read_crm_body(body, kind, account).expect("a readable message")
}
