//! What happens in a run: scenes, deliveries, processes that begin and end.

use std::sync::{Arc, Mutex};

use domain::entity::EntityKind;
use domain::envelope::{self, Inbound};
use domain::ids::{AccountId, CrmId, UserId};
use engine::connect::{self, Landing};
use engine::inbound::{Delivery, Received, receive};
use engine::push::Pushed;
use engine::token::TokenCache;
use engine::{
    Engine, Invocation, cleanup, disconnect, health, keep_alive, settings, sweep, sync_all,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use xero_sim::{Consent, Simulator};

use super::executor::{Ended, Pid, after};
use super::faults::millis;
use super::ports::{Occurrence, locked};
use super::queue::Batch;
use super::scene::{Job, Scene};
use super::world::{Done, SimWorld, TIMEOUT};
use crate::access::Function;
use crate::world::callback;

/// How long a person waits.
const PATIENCE: SignedDuration = SignedDuration::from_secs(25);

impl SimWorld {
    /// Something happens: most of it is a process that begins.
    pub(super) fn start(&mut self, scene: Scene) {
        let engine = self.process();
        let now = self.now();
        let id = |account: &str| AccountId::new(account).expect("an id");
        let attended = Invocation::attended(after(now, PATIENCE));
        let until = Invocation::until(after(now, TIMEOUT));
        let (function, pid) = match scene {
            Scene::Sends { kind, account, body } => {
                self.queues.push(kind, &account, body);
                return self.deliver();
            }
            Scene::Banked { account, invoice, amount } => {
                return self.bank(&account, &invoice, &amount);
            }
            Scene::Polls { account } => (Function::PaymentPoll, self.start_poll(&account)),
            Scene::FaultsStop => return locked(&self.net.faults).stop(),
            Scene::SyncsOne { account, kind, id: record } => {
                let record = CrmId::new(record).expect("an id");
                let synced = async move {
                    drop(settings::sync_now(&engine, &id(&account), kind, record, attended).await);
                    Done::Other
                };
                (Function::SettingsApi, self.processes.start(synced))
            }
            Scene::SyncsAll { account } => {
                let begun = async move {
                    let by = UserId::new("usr_owner").expect("an id");
                    drop(sync_all::start(&engine, &id(&account), by).await);
                    Done::Other
                };
                (Function::SettingsApi, self.processes.start(begun))
            }
            Scene::Sweeps => {
                let swept = async move {
                    sweep::sweep(&engine, until).await;
                    Done::Other
                };
                (Function::Sweep, self.processes.start(swept))
            }
            Scene::Comes(job) => self.start_job(job, engine, until),
            Scene::Disconnects { account } => {
                let connects = self.connects_of(&account);
                let ended = async move {
                    let ended = disconnect::disconnect(&engine, &id(&account), attended).await;
                    let done = Done::Disconnected { account, connects };
                    if ended.is_ok() { done } else { Done::Other }
                };
                (Function::SettingsApi, self.processes.start(ended))
            }
            Scene::Connects { account } => {
                let tenant = self.tenant(&account);
                self.watch.closed(&tenant.to_string(), false);
                *self.connects.entry(account.clone()).or_default() += 1;
                let simulator = self.simulator.clone();
                let connected = async move {
                    let landing = connected(&engine, &simulator, &id(&account), tenant).await;
                    Done::Connected { landing }
                };
                (Function::OAuthCallback, self.processes.start(connected))
            }
        };
        locked(&self.net.functions).insert(pid, function);
        self.net.timeline.schedule(after(now, TIMEOUT), Occurrence::Deadline(pid));
    }

    fn start_job(&mut self, job: Job, engine: Engine, until: Invocation) -> (Function, Pid) {
        let function = match job {
            Job::KeepAlive => Function::KeepAlive,
            Job::HealthCheck => Function::HealthCheck,
            Job::LogCleanup => Function::LogCleanup,
        };
        let work = async move {
            match job {
                Job::KeepAlive => drop(keep_alive::keep_alive(&engine, until).await),
                Job::HealthCheck => drop(health::check(&engine, until).await),
                Job::LogCleanup => {
                    drop(cleanup::clean(&engine.store, &*engine.clock, until).await);
                }
            }
            Done::Other
        };
        (function, self.processes.start(work))
    }

    pub(super) fn occurs(&mut self, occurrence: Occurrence) {
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
    pub(super) fn deliver(&mut self) {
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
        locked(&self.net.functions).insert(pid, Function::of_queue(batch.kind));
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

    fn connects_of(&self, account: &str) -> u32 {
        self.connects.get(account).copied().unwrap_or(0)
    }

    pub(super) fn ended(&mut self, pid: Pid, ended: Ended<Done>) {
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
}

/// Works on messages, as a function does.
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
