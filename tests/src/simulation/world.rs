//! One run: assembles the parts and processes the events in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use domain::ids::{AccountId, GrantId};
use engine::commands::connect::ConnectOutcome;
use engine::connection::token::{TokenCache, TokenPlace, TokenRequest, access_token};
use engine::inbound::MessageSteps;
use engine::sync::push::PushedKinds;
use engine::sync::synced_events::SyncedEvents;
use engine::{Engine, Invocation, RecoveryMode};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use store::Store;
use store::memory::MemoryTable;
use uuid::Uuid;
use xero_sim::{Organisation, Settings, Simulator, Tier};

use super::checker::{self, Observations};
use super::executor::{Due, Ended, Pid, Processes, Timeline, after};
use super::faults::Faults;
use super::ports::{Occurrence, SharedState, SimEvents, SimSecrets, SimTable, SimWakeUps, SimXero};
use super::queue::{Batch, Queues};
use super::script::{Script, ScriptedEvent};
use super::trace::Trace;
use super::{HORIZON, Options, Outcome};
use crate::ports::{CountedIds, RecordedMetrics, locked};
use crate::token_keys::MemoryKeys;
use crate::world::{app, every_account, places, registered, xero_settings};

/// The timeout of a Lambda function.
pub(super) const TIMEOUT: SignedDuration = SignedDuration::from_secs(120);
/// The interval of sweeps after the faults have stopped.
const SWEEP_EVERY: SignedDuration = SignedDuration::from_mins(20);
/// Maximum steps of a run: a longer one does not terminate.
const STEPS_MAX: u64 = 200_000;

/// The result of a process.
#[derive(Debug)]
pub(super) enum Done {
    /// The messages to be returned, and whether it recorded all outcomes.
    Batch { returned: Vec<u64>, is_recorded: bool },
    /// A sweep, or a user's request.
    Other,
    /// An account is disconnected; with the number of connects that had begun before.
    Disconnected { account: String, connects: u32 },
    /// A user is at Xero's consent page, if the connect could begin.
    Begun { account: String, address: Option<String> },
    /// The browser has returned from Xero, with a ticket if the callback succeeded.
    Called { account: String, ticket: Option<SecretString> },
    /// A ticket was presented.
    Completed { account: String, completed: Option<ConnectOutcome> },
    /// An organisation was chosen, if there was an answer.
    Chosen { account: String, is_answered: bool, tries: u32 },
}

/// A run.
pub(super) struct SimWorld {
    pub(super) script: Script,
    /// The organisation of each account.
    pub(super) tenants: BTreeMap<String, Uuid>,
    pub(super) shared: SharedState,
    pub(super) table: MemoryTable,
    pub(super) queues: Queues,
    pub(super) secrets: SimSecrets,
    /// The data keys of tokens in the table.
    pub(super) keys: MemoryKeys,
    pub(super) moves_tokens_to: Option<TokenPlace>,
    pub(super) events: SimEvents,
    pub(super) simulator: Arc<Mutex<Simulator>>,
    pub(super) observations: Observations,
    pub(super) engine: Engine,
    pub(super) processes: Processes<Occurrence, Done>,
    pub(super) batches: BTreeMap<Pid, Batch>,
    /// Accounts whose connection expired, once.
    pub(super) expired: BTreeSet<String>,
    /// Payments that wait for their invoice: account, invoice, amount.
    pub(super) unbanked: Vec<(String, String, String)>,
    /// The number of connects that began, by organisation.
    pub(super) connects: BTreeMap<Uuid, u32>,
    /// Tickets that are being presented, with their accounts and the number of further tries.
    pub(super) tickets: BTreeMap<Pid, (String, SecretString, u32)>,
    /// Polls so far.
    pub(super) polls: usize,
    pub(super) calls_checked: usize,
    pub(super) outcome: Outcome,
}

impl SimWorld {
    pub(super) fn new(script: Script, faults: Faults, options: Options) -> Self {
        // A month ends soon, so that unused tokens are renewed, too.
        let start: Timestamp = "2026-11-30T23:20:00Z".parse().expect("an instant");
        let timeline = Timeline::new(start);
        let trace = if options.traced { Trace::wanted() } else { Trace::default() };
        let settings = xero_of(&script, &options);
        let organisations = settings.organisations.iter().map(|organisation| organisation.id);
        let tenants = script.accounts.iter().cloned().zip(organisations).collect();
        let simulator = Arc::new(Mutex::new(Simulator::new(settings)));
        let shared = SharedState::new(timeline, faults, trace, options.mutation);
        let (table, queues, observations) =
            (MemoryTable::new(), Queues::default(), Observations::default());
        let secrets = SimSecrets {
            kept: Arc::default(),
            versions: Arc::default(),
            shown: Arc::default(),
            shared: shared.clone(),
        };
        let events = SimEvents { deliveries: Arc::default(), shared: shared.clone() };
        let engine = Engine {
            store: Store::new(Arc::new(SimTable {
                table: table.clone(),
                observations: observations.clone(),
                simulator: simulator.clone(),
                shared: shared.clone(),
            })),
            transport: Arc::new(SimXero {
                simulator: simulator.clone(),
                observations: observations.clone(),
                shared: shared.clone(),
            }),
            clock: Arc::new(shared.clone()),
            ids: Arc::new(CountedIds::default()),
            secrets: Arc::new(secrets.clone()),
            wake_ups: Arc::new(SimWakeUps { queues: queues.clone(), shared: shared.clone() }),
            events: Arc::new(events.clone()),
            app: registered(app()),
            endpoints: places(),
            metrics: Arc::new(RecordedMetrics::default()),
            recovery_mode: RecoveryMode::Normal,
            kinds: PushedKinds::ALL,
            steps: MessageSteps::ALL,
            tokens: Arc::new(TokenCache::default()),
            logged_accounts: Arc::default(),
            last_tenants: Arc::default(),
            synced_events: SyncedEvents::default(),
            searches: Arc::default(),
        };
        let processes = Processes::new(shared.timeline.clone());
        Self {
            script,
            tenants,
            shared,
            table,
            queues,
            secrets,
            keys: MemoryKeys::default(),
            moves_tokens_to: options.moves_tokens_to,
            events,
            simulator,
            observations,
            engine,
            processes,
            batches: BTreeMap::new(),
            expired: BTreeSet::new(),
            unbanked: Vec::new(),
            connects: BTreeMap::new(),
            tickets: BTreeMap::new(),
            polls: 0,
            calls_checked: 0,
            outcome: Outcome::default(),
        }
    }

    /// Runs to the end and checks the final state.
    pub(super) fn run_to_end(mut self) -> Outcome {
        self.begin();
        self.go_on(None);
        self.finish_work();
        self.look();
        let faults = locked(&self.shared.faults);
        self.outcome.injected = faults.injected.clone();
        self.outcome.steps = faults.steps;
        self.outcome.lagging_secrets = faults.lagging_secrets;
        drop(faults);
        let calls = self.simulator().calls().len();
        self.outcome.calls = u64::try_from(calls).unwrap_or(u64::MAX);
        self.outcome.violations.extend(self.observations.take_violations());
        self.outcome.violations.sort();
        self.outcome.violations.dedup();
        self.outcome.used.clone_from(&locked(&self.shared.used));
        self.outcome.trace = locked(&self.shared.trace).lines().to_vec();
        self.outcome
    }

    /// The number of refreshes and of different tokens if this number of processes find an expired
    /// token at once.
    pub(super) fn meet_an_expired_token(mut self, processes: u32) -> (usize, usize) {
        self.begin();
        let before = self.refreshes();
        let grant = self.simulator().settings().users.first().expect("a user").id;
        let tokens = Arc::new(Mutex::new(BTreeSet::new()));
        for _ in 0..processes {
            let (engine, clock) = (self.engine.clone(), self.shared.timeline.clone());
            let tokens = tokens.clone();
            self.processes.start(async move {
                let engine = Engine { tokens: Arc::new(TokenCache::default()), ..engine };
                clock.sleep(SignedDuration::from_mins(31)).await;
                let wanted = TokenRequest { grant: GrantId(grant), consented: 0, rejected: None };
                let until = Invocation::with_deadline(after(clock.now(), TIMEOUT));
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
        self.shared.timeline.now()
    }

    /// The organisation of an account, or the one that it requests.
    pub(super) fn tenant(&self, account: &str) -> Uuid {
        let account = self.script.rivals.get(account).map_or(account, String::as_str);
        *self.tenants.get(account).expect("every account of the script has an organisation")
    }

    pub(super) fn tenants(&self) -> Vec<Uuid> {
        self.tenants.values().copied().collect()
    }

    /// All accounts are connected before the first fault; then the script begins.
    fn begin(&mut self) {
        for account in self.script.accounts.iter().chain(self.script.rivals.keys()) {
            self.observations.wants(account, self.tenant(account));
        }
        let prepared = std::mem::replace(&mut *locked(&self.shared.faults), Faults::once(0, 0));
        for account in self.script.accounts.clone() {
            let id = AccountId::new(account.as_str()).expect("an id");
            self.start(ScriptedEvent::Connects { account });
            self.go_on(None);
            // The choices of a user, without the checks, which have separate tests.
            let (engine, codes) = (self.engine.clone(), every_account());
            self.processes.start(async move {
                let chosen = engine.store.replace_account_codes(&id, codes, None).await;
                assert!(chosen.expect("nothing fails yet"), "every version is accepted");
                Done::Other
            });
            self.go_on(None);
        }
        *locked(&self.shared.faults) = prepared;
        for (at, event) in self.script.events.clone() {
            self.shared.timeline.schedule_in(at, Occurrence::Scripted(event));
        }
    }

    /// Processes events in order, until none is left or `until` is reached.
    pub(super) fn go_on(&mut self, until: Option<Timestamp>) {
        loop {
            while let Some((pid, ended)) = self.poll() {
                if let Some(ended) = ended {
                    self.ended(pid, ended);
                }
                self.check();
            }
            if locked(&self.shared.faults).steps > STEPS_MAX {
                self.outcome.violations.push("it does not terminate".to_owned());
                return;
            }
            if until.is_some_and(|until| self.now() >= until) || !self.outcome.violations.is_empty()
            {
                return;
            }
            match self.shared.timeline.next() {
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
        self.outcome.violations.extend(self.observations.take_violations());
    }

    /// The faults have stopped: all work finishes, with regular sweeps.
    fn finish_work(&mut self) {
        locked(&self.shared.faults).stop();
        let horizon = after(self.now(), HORIZON);
        while self.outcome.violations.is_empty() {
            self.reconnect();
            self.bank_the_rest();
            if self.is_work_done() {
                return;
            }
            if self.now() >= horizon {
                self.outcome.violations.push(format!("work remains: {}", self.remaining_work()));
                return;
            }
            let until = after(self.now(), SWEEP_EVERY);
            self.shared.timeline.schedule(until, Occurrence::Scripted(ScriptedEvent::Sweeps));
            self.go_on(Some(after(until, TIMEOUT)));
        }
    }
}

/// The settings of the simulated Xero of a run.
fn xero_of(script: &Script, options: &Options) -> Settings {
    let mut settings: Settings = xero_settings();
    settings.seed = options.seed;
    options.answers.apply(options.seed, &mut settings.unconfirmed);
    settings.unconfirmed.unhelpful = script.unhelpful;
    // Both organisations have the same chart and rates, so that the same story fits both.
    if let Some(first) = settings.organisations.first().cloned() {
        for organisation in &mut settings.organisations {
            let Organisation { id, name, .. } = organisation.clone();
            *organisation = Organisation { id, name, tier: Tier::Core, ..first.clone() };
        }
    }
    settings
}
