//! One run: the parts put together, and one thing after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use domain::entity::EntityKind;
use domain::envelope::{self, Inbound};
use domain::ids::{AccountId, CrmId, GrantId, UserId};
use engine::connect::{self, Landing};
use engine::inbound::{Delivery, Received, receive};
use engine::push::Pushed;
use engine::token::{TokenCache, Wanted, access_token};
use engine::{Engine, Invocation, disconnect, settings, sweep, sync_all};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use store::Store;
use store::memory::MemoryTable;
use uuid::Uuid;
use xero_sim::{Consent, Organisation, Settings, Simulator, Tier};

use super::checker::{self, Watch};
use super::executor::{Due, Ended, Pid, Processes, Timeline, after};
use super::faults::{Faults, millis};
use super::ports::{Net, Occurrence, SimEvents, SimHints, SimSecrets, SimTable, SimXero, locked};
use super::queue::{Batch, Queues};
use super::scene::{Scene, Script};
use super::trace::Trace;
use super::{HORIZON, Options, Outcome};
use crate::ports::CountedIds;
use crate::world::{app, callback, every_account, places, xero_settings};

/// How long Lambda lets a function run.
pub(super) const TIMEOUT: SignedDuration = SignedDuration::from_secs(120);
/// How long a person waits.
const PATIENCE: SignedDuration = SignedDuration::from_secs(25);
/// How often a sweep comes once nothing goes wrong any more.
const SWEEP_EVERY: SignedDuration = SignedDuration::from_mins(20);
/// A run that takes more than this goes round in circles.
const STEPS_MAX: u64 = 200_000;

/// What a process came back with.
#[derive(Debug)]
pub(super) enum Done {
    /// The messages to be returned, and whether it recorded everything it learned.
    Batch { returned: Vec<u64>, is_recorded: bool },
    /// A sweep, or a person's request.
    Other,
    /// An account is disconnected; so often had a connect been begun before.
    Disconnected { account: String, connects: u32 },
    /// A connect landed.
    Connected { landing: Option<Landing> },
}

/// A run.
pub(super) struct SimWorld {
    pub(super) script: Script,
    /// The organisation of each account.
    tenants: BTreeMap<String, Uuid>,
    pub(super) net: Net,
    pub(super) table: MemoryTable,
    pub(super) queues: Queues,
    pub(super) secrets: SimSecrets,
    pub(super) events: SimEvents,
    pub(super) simulator: Arc<Mutex<Simulator>>,
    pub(super) watch: Watch,
    engine: Engine,
    pub(super) processes: Processes<Occurrence, Done>,
    batches: BTreeMap<Pid, Batch>,
    /// Accounts whose connection expired, once.
    pub(super) expired: BTreeSet<String>,
    /// Money that waits for its invoice: account, invoice, amount.
    pub(super) unbanked: Vec<(String, String, String)>,
    /// How often a connect was begun, by account.
    connects: BTreeMap<String, u32>,
    calls_checked: usize,
    pub(super) outcome: Outcome,
}

impl SimWorld {
    pub(super) fn new(script: Script, faults: Faults, options: Options) -> Self {
        let start: Timestamp = "2026-11-02T09:00:00Z".parse().expect("an instant");
        let timeline = Timeline::new(start);
        let trace = if options.traced { Trace::wanted() } else { Trace::default() };
        let mut settings: Settings = xero_settings();
        settings.seed = options.seed;
        settings.unconfirmed.unhelpful = script.unhelpful;
        // Both organisations have the same chart and rates, so that the same story fits both.
        if let Some(first) = settings.organisations.first().cloned() {
            for organisation in &mut settings.organisations {
                let Organisation { id, name, .. } = organisation.clone();
                *organisation = Organisation { id, name, tier: Tier::Core, ..first.clone() };
            }
        }
        let organisations = settings.organisations.iter().map(|organisation| organisation.id);
        let tenants = script.accounts.iter().cloned().zip(organisations).collect();
        let simulator = Arc::new(Mutex::new(Simulator::new(settings)));
        let net = Net {
            timeline,
            faults: Arc::new(Mutex::new(faults)),
            trace: Arc::new(Mutex::new(trace)),
            mutation: options.mutation,
            frozen: Arc::default(),
        };
        let (table, queues, watch) = (MemoryTable::new(), Queues::default(), Watch::default());
        let secrets = SimSecrets { kept: Arc::default(), net: net.clone() };
        let events = SimEvents { heard: Arc::default(), net: net.clone() };
        let engine = Engine {
            store: Store::new(Arc::new(SimTable {
                table: table.clone(),
                watch: watch.clone(),
                simulator: simulator.clone(),
                net: net.clone(),
            })),
            transport: Arc::new(SimXero {
                simulator: simulator.clone(),
                watch: watch.clone(),
                net: net.clone(),
            }),
            clock: Arc::new(net.clone()),
            ids: Arc::new(CountedIds::default()),
            secrets: Arc::new(secrets.clone()),
            wake_ups: Arc::new(SimHints { queues: queues.clone(), net: net.clone() }),
            events: Arc::new(events.clone()),
            app: app(),
            places: places(),
            tokens: Arc::new(TokenCache::default()),
        };
        let processes = Processes::new(net.timeline.clone());
        Self {
            script,
            tenants,
            net,
            table,
            queues,
            secrets,
            events,
            simulator,
            watch,
            engine,
            processes,
            batches: BTreeMap::new(),
            expired: BTreeSet::new(),
            unbanked: Vec::new(),
            connects: BTreeMap::new(),
            calls_checked: 0,
            outcome: Outcome::default(),
        }
    }

    /// Plays the run to its end and looks at what is left.
    pub(super) fn play(mut self) -> Outcome {
        self.begin();
        self.go_on(None);
        self.calm_down();
        self.look();
        let faults = locked(&self.net.faults);
        self.outcome.injected = faults.injected.clone();
        self.outcome.steps = faults.steps;
        drop(faults);
        let calls = self.simulator().calls().len();
        self.outcome.calls = u64::try_from(calls).unwrap_or(u64::MAX);
        self.outcome.violations.extend(self.watch.take_violations());
        self.outcome.violations.sort();
        self.outcome.violations.dedup();
        self.outcome.trace = locked(&self.net.trace).lines().to_vec();
        self.outcome
    }

    /// Refreshes, and different tokens, when so many processes meet an expired token at once.
    pub(super) fn meet_an_expired_token(mut self, processes: u32) -> (usize, usize) {
        self.begin();
        let before = self.refreshes();
        let grant = self.simulator().settings().users.first().expect("a user").id;
        let tokens = Arc::new(Mutex::new(BTreeSet::new()));
        for _ in 0..processes {
            let (engine, clock) = (self.engine.clone(), self.net.timeline.clone());
            let tokens = tokens.clone();
            self.processes.start(async move {
                let engine = Engine { tokens: Arc::new(TokenCache::default()), ..engine };
                clock.sleep(SignedDuration::from_mins(31)).await;
                let wanted = Wanted { grant: GrantId(grant), since: None, rejected: None };
                let until = Invocation::until(after(clock.now(), TIMEOUT));
                let token = access_token(&engine, wanted, until).await.expect("a token");
                locked(&tokens).insert(token.expose_secret().to_owned());
                Done::Other
            });
        }
        self.go_on(None);
        let different = locked(&tokens).len();
        (self.refreshes() - before, different)
    }

    fn refreshes(&self) -> usize {
        let simulator = self.simulator();
        simulator.calls().iter().filter(|call| call.path == "/connect/token").count()
    }

    pub(super) fn simulator(&self) -> std::sync::MutexGuard<'_, Simulator> {
        locked(&self.simulator)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.net.timeline.now()
    }

    /// The organisation of an account.
    pub(super) fn tenant(&self, account: &str) -> Uuid {
        *self.tenants.get(account).expect("every account of the script has an organisation")
    }

    pub(super) fn tenants(&self) -> Vec<Uuid> {
        self.tenants.values().copied().collect()
    }

    /// Everybody is connected before anything goes wrong; then the script begins.
    fn begin(&mut self) {
        let prepared = std::mem::replace(&mut *locked(&self.net.faults), Faults::once(0, 0));
        for account in self.script.accounts.clone() {
            let id = AccountId::new(account.as_str()).expect("an id");
            self.start(Scene::Connects { account });
            self.go_on(None);
            // What a person has chosen, with the checks left to their own tests.
            let (engine, codes) = (self.engine.clone(), every_account());
            self.processes.start(async move {
                engine.store.put_account_codes(&id, codes).await.expect("nothing fails yet");
                Done::Other
            });
            self.go_on(None);
        }
        *locked(&self.net.faults) = prepared;
        for (at, scene) in self.script.scenes.clone() {
            self.net.timeline.schedule_in(at, Occurrence::Scene(scene));
        }
    }

    /// One thing after another, until nothing is left to happen or `until` has come.
    pub(super) fn go_on(&mut self, until: Option<Timestamp>) {
        loop {
            while let Some((pid, ended)) = self.poll() {
                if let Some(ended) = ended {
                    self.ended(pid, ended);
                }
                self.check();
            }
            if locked(&self.net.faults).steps > STEPS_MAX {
                self.outcome.violations.push("it goes round in circles".to_owned());
                return;
            }
            if until.is_some_and(|until| self.now() >= until) || !self.outcome.violations.is_empty()
            {
                return;
            }
            match self.net.timeline.next() {
                Some(Due::Waker(waker)) => waker.wake(),
                Some(Due::Occurrence(occurrence)) => self.occurs(occurrence),
                None => return,
            }
        }
    }

    fn poll(&mut self) -> Option<(Pid, Option<Ended<Done>>)> {
        self.processes.poll_one()
    }

    /// After every step that may have changed the books.
    fn check(&mut self) {
        let tenants = self.tenants();
        let simulator = locked(&self.simulator);
        let calls = simulator.calls().len();
        if calls != self.calls_checked {
            self.calls_checked = calls;
            self.outcome.violations.extend(checker::books(&simulator, &tenants));
        }
        self.outcome.violations.extend(self.watch.take_violations());
    }

    fn occurs(&mut self, occurrence: Occurrence) {
        match occurrence {
            Occurrence::CallEnds(call) => {
                self.simulator().end(call);
            }
            Occurrence::Arrives(request) => {
                let now = self.now();
                let call = self.simulator().begin(now, &request);
                let at = after(now, millis(300));
                self.watch.ends(at, &request);
                self.net.timeline.schedule(at, Occurrence::CallEnds(call));
            }
            Occurrence::Fires(wake) => {
                self.queues.push(wake.kind, wake.account.as_str(), wake.to_body());
                self.deliver();
            }
            Occurrence::Deliver => self.deliver(),
            Occurrence::Deadline(pid) => self.deadline(pid),
            Occurrence::Scene(scene) => {
                let now = self.now();
                locked(&self.net.trace).scene(now, || format!("{scene:?}"));
                self.start(scene);
            }
        }
    }

    /// A process that was held up does not notice its deadline: it wakes up later and goes on.
    fn deadline(&mut self, pid: Pid) {
        if !self.processes.is_running(pid) {
            return;
        }
        let is_frozen = self.net.is_frozen(pid);
        if let Some(batch) = self.batches.remove(&pid) {
            let all = batch.messages.iter().map(|message| message.id).collect::<Vec<_>>();
            self.queues.finished(&batch, &all);
            self.look_later();
        }
        if !is_frozen {
            self.processes.kill(pid);
        }
    }

    fn look_later(&self) {
        if let Some(at) = self.queues.next_visible(self.now()) {
            self.net.timeline.schedule(at, Occurrence::Deliver);
        }
    }

    /// Hands over whatever can be handed over.
    fn deliver(&mut self) {
        for kind in EntityKind::ALL {
            while let Some(batch) = self.queues.deliver(kind, self.now()) {
                let (mut batch, now) = (batch, self.now());
                let (twice, shuffled) = {
                    let mut faults = locked(&self.net.faults);
                    let troubled = !faults.is_over();
                    (troubled && faults.chance(3), troubled && faults.chance(5))
                };
                if shuffled {
                    batch.messages.reverse();
                }
                let count = batch.messages.len();
                locked(&self.net.trace).scene(now, || {
                    format!("{count} messages of {} on the {kind} queue", batch.account)
                });
                self.work_on(batch.clone());
                if twice {
                    self.work_on(batch);
                }
            }
        }
        self.look_later();
    }

    fn work_on(&mut self, batch: Batch) {
        let engine = self.process();
        let deadline = after(self.now(), TIMEOUT);
        let pid = self.processes.start(work(engine, batch.clone(), deadline));
        self.batches.insert(pid, batch);
        self.net.timeline.schedule(deadline, Occurrence::Deadline(pid));
    }

    /// A process may be new or one that was used before.
    pub(super) fn process(&self) -> Engine {
        let is_new = locked(&self.net.faults).chance(50);
        let mut engine = self.engine.clone();
        if is_new {
            engine.tokens = Arc::new(TokenCache::default());
        }
        engine
    }

    pub(super) fn start(&mut self, scene: Scene) {
        let engine = self.process();
        let (now, clock) = (self.now(), self.net.timeline.clone());
        let id = |account: &str| AccountId::new(account).expect("an id");
        let attended = Invocation::attended(after(now, PATIENCE));
        let pid = match scene {
            Scene::Sends { kind, account, body } => {
                self.queues.push(kind, &account, body);
                return self.deliver();
            }
            Scene::Banked { account, invoice, amount } => {
                return self.bank(&account, &invoice, &amount);
            }
            Scene::Polls { account } => self.start_poll(&account),
            Scene::FaultsStop => return locked(&self.net.faults).stop(),
            Scene::SyncsOne { account, kind, id: record } => self.processes.start(async move {
                let record = CrmId::new(record).expect("an id");
                drop(settings::sync_now(&engine, &id(&account), kind, record, attended).await);
                Done::Other
            }),
            Scene::SyncsAll { account } => self.processes.start(async move {
                let by = UserId::new("usr_owner").expect("an id");
                drop(sync_all::start(&engine, &id(&account), by).await);
                Done::Other
            }),
            Scene::Sweeps => self.processes.start(async move {
                let until = Invocation::until(after(clock.now(), TIMEOUT));
                sweep::sweep(&engine, until).await;
                Done::Other
            }),
            Scene::Disconnects { account } => {
                let connects = self.connects_of(&account);
                self.processes.start(async move {
                    let ended = disconnect::disconnect(&engine, &id(&account), attended).await;
                    let done = Done::Disconnected { account, connects };
                    if ended.is_ok() { done } else { Done::Other }
                })
            }
            Scene::Connects { account } => {
                let tenant = self.tenant(&account);
                self.watch.closed(&tenant.to_string(), false);
                *self.connects.entry(account.clone()).or_default() += 1;
                let simulator = self.simulator.clone();
                self.processes.start(async move {
                    let landing = connected(&engine, &simulator, &id(&account), tenant).await;
                    Done::Connected { landing }
                })
            }
        };
        self.net.timeline.schedule(after(now, TIMEOUT), Occurrence::Deadline(pid));
    }

    fn connects_of(&self, account: &str) -> u32 {
        self.connects.get(account).copied().unwrap_or(0)
    }

    fn ended(&mut self, pid: Pid, ended: Ended<Done>) {
        let batch = self.batches.remove(&pid);
        match (ended, batch) {
            (Ended::Returned(Done::Batch { returned, is_recorded }), batch) => {
                // One that was held up may have been overtaken in a part of its work.
                if is_recorded && !self.net.is_frozen(pid) {
                    self.watch.recorded(pid);
                }
                if let Some(batch) = batch {
                    self.queues.finished(&batch, &returned);
                }
                self.deliver();
            }
            (Ended::Died, Some(batch)) => {
                let all = batch.messages.iter().map(|message| message.id).collect::<Vec<_>>();
                self.queues.finished(&batch, &all);
                self.deliver();
            }
            (Ended::Returned(Done::Disconnected { account, connects }), _) => {
                // A connect that was begun meanwhile may be over already.
                if self.connects_of(&account) == connects {
                    let tenant = self.tenant(&account);
                    self.watch.closed(&tenant.to_string(), true);
                }
            }
            (Ended::Returned(Done::Connected { landing }), _) => {
                let now = self.now();
                locked(&self.net.trace).scene(now, || format!("landed: {landing:?}"));
            }
            (Ended::Returned(Done::Other) | Ended::Died, _) => {}
        }
    }

    /// Nothing goes wrong any more: everything comes to rest, with a sweep now and then.
    fn calm_down(&mut self) {
        locked(&self.net.faults).stop();
        let horizon = after(self.now(), HORIZON);
        while self.outcome.violations.is_empty() {
            self.reconnect();
            self.bank_the_rest();
            if self.is_at_rest() {
                return;
            }
            if self.now() >= horizon {
                self.outcome
                    .violations
                    .push(format!("it does not come to rest: {}", self.unrest()));
                return;
            }
            let until = after(self.now(), SWEEP_EVERY);
            self.net.timeline.schedule(until, Occurrence::Scene(Scene::Sweeps));
            self.go_on(Some(after(until, TIMEOUT)));
        }
    }
}

async fn work(engine: Engine, batch: Batch, deadline: Timestamp) -> Done {
    let read = |body: &str| envelope::read(body, batch.kind, &batch.account);
    let messages = batch.messages.iter().map(|message| read(&message.body));
    let messages: Vec<Inbound> = messages.map(|one| one.expect("a readable message")).collect();
    let delivery = if messages.len() >= 10 { Delivery::Full } else { Delivery::Partial };
    let received = receive(&engine, &messages, delivery, Invocation::until(deadline)).await;
    let is_recorded = received.iter().all(|one| one.as_ref().is_ok_and(is_recorded));
    let returned = batch.messages.iter().zip(&received).filter(|(_, received)| received.is_err());
    let returned = returned.map(|(message, _)| message.id).collect();
    Done::Batch { returned, is_recorded }
}

/// Whether what a process learned is in the table, or somebody else's to learn.
fn is_recorded(received: &Received) -> bool {
    match received {
        Received::Pushed(pushed) => *pushed != Pushed::Superseded,
        Received::Woken(all) => all.iter().all(is_recorded),
        Received::PutOff | Received::Recorded | Received::NeverConnected => true,
        Received::Walked => false,
    }
}

async fn connected(
    engine: &Engine,
    simulator: &Mutex<Simulator>,
    account: &AccountId,
    tenant: Uuid,
) -> Option<Landing> {
    let by = UserId::new("usr_owner").expect("an id");
    let address = connect::begin(engine, account, &by).await.ok()?;
    let location = {
        let mut simulator = locked(simulator);
        let user = simulator.settings().users.first()?.id;
        let Consent::Redirect(location) =
            simulator.consent(engine.clock.now(), &address, user, &[tenant])
        else {
            return None;
        };
        location
    };
    connect::finish(engine, callback(&location)).await.ok()
}
