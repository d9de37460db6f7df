//! A push function between its two queues, which behave like SQS: a FIFO group waits while one of
//! its messages is hidden, a message that is not returned is deleted, and a returned message is
//! delivered again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use domain::dead_letter::DeadLetterReason;
use domain::entity::EntityKind;
use domain::envelope::{QueueSource, WakeUp, WakeUpKind};
use engine::inbound::FullDeliveries;
use engine::ports::{Clock, DeadLetter, DeadLetters, PortError};
use jiff::{SignedDuration, Timestamp};
use runtime::queue::{HIDDEN_FOR, HeldMessages, MessageRedelivery, PushWorker, ServedQueue};
use tests::World;
use tests::io_monitor::run;
use tests::kinds::function_of;

/// The ARN of the function's wake-up queue in its records.
pub const WAKE_UPS: &str = "arn:aws:sqs:eu-west-2:000000000000:invoices-wake-ups.fifo";
const MESSAGES: &str = "arn:aws:sqs:eu-west-2:000000000000:invoices.fifo";
/// The visibility timeout of both queues.
const VISIBILITY: Duration = Duration::from_mins(12);
/// The time for the work of an invocation.
pub const PLENTY: SignedDuration = SignedDuration::from_secs(60);

/// How a port fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortFault {
    /// It panics.
    Panics,
    /// It returns an error.
    Fails,
}

impl PortFault {
    /// Panics, or returns the error.
    pub fn panic_or_error(self) -> PortError {
        match self {
            Self::Panics => panic!("the port of the test panics"),
            Self::Fails => PortError { operation: "a step of the test", source: "it fails".into() },
        }
    }
}

/// Messages that were dead-lettered: id and reason.
#[derive(Debug, Default)]
pub struct RecordedDeadLetters {
    letters: Mutex<Vec<(String, DeadLetterReason)>>,
    fault: Mutex<Option<PortFault>>,
}

impl RecordedDeadLetters {
    /// All of them, in order.
    pub fn all(&self) -> Vec<(String, DeadLetterReason)> {
        self.letters.lock().unwrap().clone()
    }

    /// Makes it fail from now on.
    pub fn break_with(&self, fault: PortFault) {
        *self.fault.lock().unwrap() = Some(fault);
    }
}

#[async_trait]
impl DeadLetters for RecordedDeadLetters {
    async fn dead_letter(
        &self,
        letter: DeadLetter<'_>,
        reason: &DeadLetterReason,
    ) -> Result<(), PortError> {
        let fault = *self.fault.lock().unwrap();
        if let Some(fault) = fault {
            return Err(fault.panic_or_error());
        }
        self.letters.lock().unwrap().push((letter.message_id.to_owned(), reason.clone()));
        Ok(())
    }
}

/// When received messages become visible again, by receipt, and which were deleted.
#[derive(Debug, Default)]
pub struct Delays {
    hidden: Mutex<BTreeMap<String, Duration>>,
    deleted: Mutex<BTreeSet<String>>,
    fault: Mutex<Option<PortFault>>,
}

impl Delays {
    /// Makes it fail from now on.
    pub fn break_with(&self, fault: PortFault) {
        *self.fault.lock().unwrap() = Some(fault);
    }

    fn check(&self) -> Result<(), PortError> {
        let fault = *self.fault.lock().unwrap();
        fault.map_or(Ok(()), |fault| Err(fault.panic_or_error()))
    }

    /// How long a message that was not deleted stays hidden.
    pub fn take(&self, receipt: &str) -> Duration {
        self.hidden.lock().unwrap().remove(receipt).unwrap_or(VISIBILITY)
    }
}

#[async_trait]
impl MessageRedelivery for Delays {
    async fn show_again(&self, receipt_handle: &str, delay: Duration) -> Result<(), PortError> {
        self.check()?;
        self.hidden.lock().unwrap().insert(receipt_handle.to_owned(), delay);
        Ok(())
    }

    async fn hide_messages(&self, receipt_handles: &[String]) -> Result<(), PortError> {
        self.check()?;
        let hidden = receipt_handles.iter().map(|handle| (handle.clone(), HIDDEN_FOR));
        self.hidden.lock().unwrap().extend(hidden);
        Ok(())
    }

    /// An invocation takes no time here, so nothing has to be hidden again.
    async fn keep_hidden(&self, _held: &HeldMessages) {
        std::future::pending::<()>().await;
    }

    async fn delete_messages(&self, receipt_handles: &[String]) -> Result<(), PortError> {
        self.check()?;
        self.deleted.lock().unwrap().extend(receipt_handles.iter().cloned());
        Ok(())
    }
}

/// A record of the CRM's queue.
pub fn a_record(id: &str, group: &str, body: impl Display) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id = Some(id.to_owned());
    record.receipt_handle = Some(id.to_owned());
    record.body = Some(body.to_string());
    record.event_source_arn = Some(MESSAGES.to_owned());
    record.attributes.insert("MessageGroupId".to_owned(), group.to_owned());
    record
}

/// A record of the wake-up queue.
pub fn a_wake_up(id: &str, group: &str, body: impl Display) -> SqsMessage {
    let mut record = a_record(id, group, body);
    record.event_source_arn = Some(WAKE_UPS.to_owned());
    record
}

/// The push function for invoices.
pub fn a_worker(world: &World) -> (PushWorker, Arc<RecordedDeadLetters>, Arc<Delays>) {
    a_worker_of(world, EntityKind::Invoice)
}

/// The push function for a kind.
pub fn a_worker_of(
    world: &World,
    kind: EntityKind,
) -> (PushWorker, Arc<RecordedDeadLetters>, Arc<Delays>) {
    let (dead_letters, delays) =
        (Arc::new(RecordedDeadLetters::default()), Arc::new(Delays::default()));
    let served = ServedQueue { redelivery: delays.clone(), dead_letters: dead_letters.clone() };
    let worker = PushWorker {
        engine: function_of(kind).configure_engine(world.engine.clone()),
        kind,
        wake_up_queue_arn: WAKE_UPS.to_owned(),
        messages: served.clone(),
        wake_ups: served,
        full_deliveries: FullDeliveries::default(),
    };
    (worker, dead_letters, delays)
}

/// The ids of the records that are returned.
pub fn returned(
    world: &World,
    worker: &PushWorker,
    records: Vec<SqsMessage>,
    time: SignedDuration,
) -> Vec<String> {
    try_return(world, worker, records, time).expect("the process does not crash")
}

/// The ids of the records that are returned, unless the function stops.
pub fn try_return(
    world: &World,
    worker: &PushWorker,
    records: Vec<SqsMessage>,
    time: SignedDuration,
) -> Option<Vec<String>> {
    let mut event = SqsEvent::default();
    event.records = records;
    let deadline = world.clock.now().checked_add(time).unwrap();
    let response = run(worker.handle_batch(event, deadline))?;
    let failures = response.batch_item_failures.into_iter();
    Some(failures.map(|failure| failure.item_identifier).collect())
}

/// A message in one of the queues.
#[derive(Debug)]
struct Message {
    id: String,
    source: QueueSource,
    group: String,
    body: String,
    receives: u32,
    visible_at: Timestamp,
}

impl Message {
    fn record(&self) -> SqsMessage {
        let mut record = match self.source {
            QueueSource::Messages => a_record(&self.id, &self.group, &self.body),
            QueueSource::WakeUps => a_wake_up(&self.id, &self.group, &self.body),
        };
        let count = self.receives.to_string();
        record.attributes.insert("ApproximateReceiveCount".to_owned(), count);
        record
    }
}

/// The two queues and the function that serves them.
#[derive(Debug)]
pub struct Queues<'a> {
    world: &'a World,
    worker: PushWorker,
    /// The dead-lettered messages.
    pub dead_letters: Arc<RecordedDeadLetters>,
    /// When returned messages become visible.
    pub delays: Arc<Delays>,
    /// The wake-ups with which a Sync All continued on the queues of other kinds.
    pub elsewhere: Vec<WakeUp>,
    messages: Vec<Message>,
    sent: usize,
}

impl<'a> Queues<'a> {
    /// Empty queues for invoices.
    pub fn new(world: &'a World) -> Self {
        Self::of(world, EntityKind::Invoice)
    }

    /// Empty queues for a kind.
    pub fn of(world: &'a World, kind: EntityKind) -> Self {
        let (worker, dead_letters, delays) = a_worker_of(world, kind);
        let (elsewhere, messages) = (Vec::new(), Vec::new());
        Self { world, worker, dead_letters, delays, elsewhere, messages, sent: 0 }
    }

    /// Sends a message. Returns its id.
    pub fn send(&mut self, source: QueueSource, group: &str, body: String) -> String {
        self.sent += 1;
        let id = format!("m{}", self.sent);
        self.messages.push(Message {
            id: id.clone(),
            source,
            group: group.to_owned(),
            body,
            receives: 0,
            visible_at: Timestamp::MIN,
        });
        id
    }

    /// Processes messages until `is_over`, which is checked whenever no message can be delivered,
    /// or until none is left. Returns how long it took.
    pub fn work(&mut self, is_over: impl Fn(&World) -> bool) -> SignedDuration {
        let begun = self.world.clock.now();
        loop {
            self.take_wake_ups();
            let delivered = QueueSource::ALL.map(|source| self.deliver(source));
            if delivered.contains(&true) {
                continue;
            }
            let now = self.world.clock.now();
            let passed = now.duration_since(begun);
            let hidden = self.messages.iter().map(|message| message.visible_at);
            let next = hidden.chain(self.next_wake_up()).filter(|at| *at > now).min();
            let Some(next) = next.filter(|_| !is_over(self.world)) else { return passed };
            assert!(passed < SignedDuration::from_hours(1), "{:?}", self.messages);
            self.world.clock.advance(next.duration_since(now));
        }
    }

    /// Immediate wake-ups that the function sent.
    fn take_wake_ups(&mut self) {
        while let Some((at, wake)) = self.world.wake_ups.take_first() {
            if at > self.world.clock.now() {
                run(self.world.engine.wake_ups.schedule(&wake, at)).unwrap().unwrap();
                break;
            }
            if wake.kind.queue_kind() != self.worker.kind {
                assert_eq!(wake.work, WakeUpKind::SyncAll);
                self.elsewhere.push(wake);
                continue;
            }
            self.send(QueueSource::WakeUps, wake.account.as_str(), wake.to_body());
        }
    }

    /// When the next wake-up is due, unless it is a later attempt of the ladder.
    fn next_wake_up(&self) -> Option<Timestamp> {
        let (at, wake) = self.world.wake_ups.take_first()?;
        run(self.world.engine.wake_ups.schedule(&wake, at)).unwrap().unwrap();
        let wait = at.duration_since(self.world.clock.now());
        (wait <= SignedDuration::from_mins(2)).then_some(at)
    }

    /// Delivers messages. Returns whether there were any.
    fn deliver(&mut self, source: QueueSource) -> bool {
        let now = self.world.clock.now();
        let of_source = self.messages.iter().filter(|message| message.source == source);
        let hidden = of_source.filter(|message| message.visible_at > now);
        let held = hidden.map(|message| message.group.clone()).collect::<BTreeSet<_>>();
        let mut records = Vec::new();
        for message in &mut self.messages {
            let is_held = held.contains(&message.group);
            if message.source == source && !is_held && records.len() < 10 {
                message.receives += 1;
                records.push(message.record());
            }
        }
        if records.is_empty() {
            return false;
        }
        let out = records.iter().filter_map(|record| record.message_id.clone());
        let out = out.collect::<BTreeSet<_>>();
        let back = try_return(self.world, &self.worker, records, PLENTY);
        // If the function stops, all messages return that it did not delete.
        let mut back = back.unwrap_or_else(|| out.iter().cloned().collect());
        let deleted = std::mem::take(&mut *self.delays.deleted.lock().unwrap());
        back.retain(|id| !deleted.contains(id));
        self.messages.retain(|message| !out.contains(&message.id) || back.contains(&message.id));
        for message in self.messages.iter_mut().filter(|message| back.contains(&message.id)) {
            let delay = SignedDuration::try_from(self.delays.take(&message.id)).unwrap();
            message.visible_at = now.checked_add(delay).unwrap();
        }
        true
    }
}
