//! Performs the events of a run: scripted ones, deliveries, processes that begin and end.

mod processes;

use std::sync::Arc;

use domain::batching::ArrivalRate;
use domain::entity::EntityKind;
use domain::envelope::{InboundBody, QueueSource};
use domain::ids::{AccountId, CrmId, TenantId};
use engine::commands::connect::{self, CallbackOutcome, ConnectOutcome};
use engine::commands::{records, sync_all};
use engine::connection::token::{SealedSecrets, TokenCache, TokenPlace, TokenStores};
use engine::inbound::{MessageOutcome, receive_messages};
use engine::jobs::sweep;
use engine::sync::push::PushOutcome;
use engine::{Engine, Invocation};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use uuid::Uuid;
use xero_sim::Consent;

use super::executor::{Ended, Pid, after};
use super::faults::millis;
use super::ports::Occurrence;
use super::queue::Batch;
use super::script::ScriptedEvent;
use super::world::{Done, SimWorld, TIMEOUT};
use crate::access::Function;
use crate::kinds::function_of;
use crate::ports::locked;
use crate::world::{callback, owner};

/// How long a user waits.
const PATIENCE: SignedDuration = SignedDuration::from_secs(25);
/// How often a page presents an unanswered ticket again, and after which delay.
const TRIES: u32 = 6;
const TRIES_AFTER: SignedDuration = SignedDuration::from_secs(15);

impl SimWorld {
    /// Performs an event. Most events start a process.
    pub(super) fn start(&mut self, event: ScriptedEvent) {
        let engine = self.process();
        let now = self.now();
        let id = |account: &str| AccountId::new(account).expect("an id");
        let attended = Invocation::interactive(after(now, PATIENCE));
        let until = Invocation::with_deadline(after(now, TIMEOUT));
        let (function, pid) = match event {
            ScriptedEvent::Sends { kind, account, body } => {
                self.queues.push(kind, QueueSource::Messages, &account, body);
                return self.deliver();
            }
            ScriptedEvent::Banked { account, invoice, amount } => {
                return self.bank(&account, &invoice, &amount);
            }
            ScriptedEvent::Closes { account, is_closed } => {
                return self.closes(&account, is_closed);
            }
            ScriptedEvent::Polls { account } => {
                self.polls += 1;
                (Function::PaymentPoll, self.start_poll(&account))
            }
            ScriptedEvent::FaultsStop => return locked(&self.shared.faults).stop(),
            ScriptedEvent::SyncsOne { account, kind, id: record } => {
                let record = CrmId::new(record).expect("an id");
                let synced = async move {
                    drop(
                        records::sync_record_now(&engine, &id(&account), kind, record, attended)
                            .await,
                    );
                    Done::Other
                };
                (Function::SettingsApi, self.processes.start(synced))
            }
            ScriptedEvent::SyncsAll { account } => {
                let begun = async move {
                    drop(sync_all::start_sync_all(&engine, &id(&account), owner()).await);
                    Done::Other
                };
                (Function::SettingsApi, self.processes.start(begun))
            }
            ScriptedEvent::Sweeps => {
                let swept = async move {
                    sweep::sweep_all_shards(&engine, until).await;
                    Done::Other
                };
                (Function::Sweep, self.processes.start(swept))
            }
            ScriptedEvent::Comes(job) => self.start_job(job, engine, until),
            ScriptedEvent::Disconnects { account } => {
                (Function::SettingsApi, self.start_disconnect(account, engine, attended))
            }
            ScriptedEvent::Connects { account } => {
                (Function::SettingsApi, self.start_connect(account, engine))
            }
            ScriptedEvent::Completes { account, ticket, tries } => {
                let presented = (account, ticket, tries);
                (Function::SettingsApi, self.start_completion(presented, engine, attended))
            }
            ScriptedEvent::Chooses { account, tries } => {
                (Function::SettingsApi, self.start_choice(account, tries, engine, attended))
            }
        };
        locked(&self.shared.functions).insert(pid, function);
        self.shared.timeline.schedule(after(now, TIMEOUT), Occurrence::Deadline(pid));
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
                self.observations.ends(at, &request);
                self.shared.timeline.schedule(at, Occurrence::CallEnds(call));
            }
            Occurrence::Fires(wake) => {
                let (source, account) = (QueueSource::WakeUps, wake.account.as_str());
                self.queues.push(wake.kind, source, account, wake.to_body());
                self.deliver();
            }
            Occurrence::Deliver => self.deliver(),
            Occurrence::Deadline(pid) => self.deadline(pid),
            Occurrence::Scripted(event) => {
                let now = self.now();
                locked(&self.shared.trace).event(now, || format!("{event:?}"));
                self.start(event);
            }
        }
    }

    /// A process that was suspended does not notice its deadline: it continues later.
    fn deadline(&mut self, pid: Pid) {
        if !self.processes.is_running(pid) {
            return;
        }
        let is_frozen = self.shared.is_frozen(pid);
        if let Some(batch) = self.batches.remove(&pid) {
            let all = batch.messages.iter().map(|message| message.id).collect::<Vec<_>>();
            self.queues.finished(&batch, &all);
            self.look_later();
        }
        if !is_frozen {
            self.processes.kill(pid);
            self.present_again(pid);
        }
    }

    fn look_later(&self) {
        if let Some(at) = self.queues.next_visible(self.now()) {
            self.shared.timeline.schedule(at, Occurrence::Deliver);
        }
    }

    /// Delivers all messages that can be delivered.
    pub(super) fn deliver(&mut self) {
        for source in QueueSource::ALL {
            for kind in EntityKind::ALL {
                self.deliver_from(kind, source);
            }
        }
        self.look_later();
    }

    fn deliver_from(&mut self, kind: EntityKind, source: QueueSource) {
        while let Some(mut batch) = self.queues.deliver(kind, source, self.now()) {
            let now = self.now();
            let (twice, shuffled) = {
                let mut faults = locked(&self.shared.faults);
                let troubled = !faults.is_over();
                (troubled && faults.chance(3), troubled && faults.chance(5))
            };
            if shuffled {
                batch.messages.reverse();
            }
            let count = batch.messages.len();
            locked(&self.shared.trace).event(now, || {
                format!("{count} of {} on the {kind} queue, {source:?}", batch.account)
            });
            self.work_on(batch.clone());
            if twice {
                self.work_on(batch);
            }
        }
    }

    fn work_on(&mut self, batch: Batch) {
        let engine = function_of(batch.kind).configure_engine(self.process());
        let deadline = after(self.now(), TIMEOUT);
        let pid = self.processes.start(work(engine, batch.clone(), deadline));
        locked(&self.shared.functions).insert(pid, Function::of_queue(batch.kind));
        self.batches.insert(pid, batch);
        self.shared.timeline.schedule(deadline, Occurrence::Deadline(pid));
    }

    /// A process may be new or reused.
    pub(super) fn process(&self) -> Engine {
        let is_new = locked(&self.shared.faults).chance(50);
        let mut engine = self.engine.clone();
        if is_new {
            engine.tokens = Arc::new(TokenCache::default());
        }
        if let Some(wanted) = self.draw_token_place() {
            let table = SealedSecrets::new(engine.store.clone(), Arc::new(self.keys.clone()));
            let (secrets, table) = (Arc::new(self.secrets.clone()), Arc::new(table));
            engine.secrets = Arc::new(TokenStores { secrets, table, wanted });
        }
        engine
    }

    /// Where a process writes tokens if they are being moved: half of the processes belong to the
    /// former release until the faults stop.
    fn draw_token_place(&self) -> Option<TokenPlace> {
        let to = self.moves_tokens_to?;
        let mut faults = locked(&self.shared.faults);
        let is_moved = faults.is_over() || faults.chance(50);
        Some(match to {
            TokenPlace::Table if is_moved => TokenPlace::Table,
            TokenPlace::Secrets if !is_moved => TokenPlace::Table,
            TokenPlace::Table | TokenPlace::Secrets => TokenPlace::Secrets,
        })
    }

    fn connects_to(&self, tenant: Uuid) -> u32 {
        self.connects.get(&tenant).copied().unwrap_or(0)
    }

    /// A subscription ends or begins again.
    fn closes(&self, account: &str, is_closed: bool) {
        let (tenant, now) = (self.tenant(account), self.now());
        let mut simulator = self.simulator();
        let mut bookkeeper = simulator.bookkeeper(now, tenant).expect("a bookkeeper");
        if is_closed {
            bookkeeper.close_organisation();
        } else {
            bookkeeper.reopen_organisation();
        }
    }

    /// A user gives consent for the organisation that their account requests; the browser returns.
    fn allow(&mut self, account: String, address: &str) {
        let (tenant, now) = (self.tenant(&account), self.now());
        let consent = {
            let mut simulator = self.simulator();
            let user = simulator.settings().users.first().expect("a user").id;
            simulator.consent(now, address, user, &[tenant])
        };
        let Consent::Redirect(location) = consent else { return };
        let engine = self.process();
        let pid = self.processes.start(async move {
            let received = connect::receive_callback(&engine, callback(&location)).await;
            let ticket = received.ok().and_then(ticket);
            Done::Called { account, ticket }
        });
        locked(&self.shared.functions).insert(pid, Function::OAuthCallback);
        self.shared.timeline.schedule(after(now, TIMEOUT), Occurrence::Deadline(pid));
    }

    /// The page of a user whose ticket was not answered, or is being processed, presents it again.
    fn present_again(&mut self, pid: Pid) {
        let Some((account, ticket, tries)) = self.tickets.remove(&pid) else { return };
        if let Some(tries) = tries.checked_sub(1) {
            let again = ScriptedEvent::Completes { account, ticket, tries };
            self.shared.timeline.schedule_in(TRIES_AFTER, Occurrence::Scripted(again));
        }
    }

    pub(super) fn ended(&mut self, pid: Pid, ended: Ended<Done>) {
        let batch = self.batches.remove(&pid);
        match (ended, batch) {
            (Ended::Returned(Done::Batch { returned, is_recorded }), batch) => {
                // A suspended process may have been overtaken in a part of its work.
                if is_recorded && !self.shared.is_frozen(pid) {
                    self.observations.recorded(pid);
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
                // A connect that began in the meantime may already have ended.
                let tenant = self.tenant(&account);
                let is_free = !self.observations.is_in_use(tenant);
                if is_free && self.connects_to(tenant) == connects {
                    self.observations.closed(&tenant.to_string(), true);
                }
            }
            (Ended::Returned(Done::Begun { account, address }), _) => {
                if let Some(address) = address {
                    self.allow(account, &address);
                }
            }
            (Ended::Returned(Done::Called { account, ticket }), _) => {
                if let Some(ticket) = ticket {
                    self.start(ScriptedEvent::Completes { account, ticket, tries: TRIES });
                }
            }
            (Ended::Returned(Done::Completed { account, completed }), _) => {
                let now = self.now();
                locked(&self.shared.trace).event(now, || format!("{account}: {completed:?}"));
                if matches!(completed, None | Some(ConnectOutcome::InProgress)) {
                    self.present_again(pid);
                }
                self.tickets.remove(&pid);
                if let Some(ConnectOutcome::OtherOrganisation {
                    by: _,
                    offered,
                    is_any_in_use: _,
                }) = completed
                {
                    let wanted = TenantId(self.tenant(&account));
                    if offered.iter().any(|one| one.tenant == wanted) {
                        self.start(ScriptedEvent::Chooses { account, tries: TRIES });
                    }
                }
            }
            (Ended::Returned(Done::Chosen { account, is_answered, tries }), _) => {
                if let Some(tries) = tries.checked_sub(1).filter(|_| !is_answered) {
                    let again = ScriptedEvent::Chooses { account, tries };
                    self.shared.timeline.schedule_in(TRIES_AFTER, Occurrence::Scripted(again));
                }
            }
            (Ended::Died, None) => self.present_again(pid),
            (Ended::Returned(Done::Other), _) => {}
        }
    }
}

/// Processes messages as a function does.
async fn work(engine: Engine, batch: Batch, deadline: Timestamp) -> Done {
    let read = |body: &str| batch.source.read_body(body, batch.kind, &batch.account);
    let messages = batch.messages.iter().map(|message| read(&message.body));
    let messages: Vec<InboundBody> = messages.map(|one| one.expect("a readable message")).collect();
    let rate = if messages.len() >= 10 { ArrivalRate::Burst } else { ArrivalRate::Ordinary };
    let received =
        receive_messages(&engine, &messages, rate, Invocation::with_deadline(deadline)).await;
    let is_recorded = received.iter().all(|one| one.as_ref().is_ok_and(is_recorded));
    let returned = batch.messages.iter().zip(&received).filter(|(_, received)| received.is_err());
    let returned = returned.map(|(message, _)| message.id).collect();
    Done::Batch { returned, is_recorded }
}

/// Whether the outcome is in the table, or another process reports it.
fn is_recorded(received: &MessageOutcome) -> bool {
    match received {
        MessageOutcome::Pushed(pushed) => *pushed != PushOutcome::Superseded,
        MessageOutcome::Woken(all) => all.iter().all(is_recorded),
        MessageOutcome::Deferred | MessageOutcome::Recorded | MessageOutcome::NotKept => true,
        MessageOutcome::Walked => false,
    }
}

/// The ticket of a successful callback.
fn ticket(outcome: CallbackOutcome) -> Option<SecretString> {
    match outcome {
        CallbackOutcome::Authorised { ticket } => Some(ticket),
        CallbackOutcome::Denied | CallbackOutcome::Expired | CallbackOutcome::Failed => None,
    }
}
