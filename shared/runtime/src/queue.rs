//! Serves SQS queues with partial batch responses: one outcome per record.
//!
//! A record whose push failed is done: its row says what happens next. A record returns to the
//! queue only if its outcome could not be recorded, and is then hidden for seconds, because a
//! hidden message blocks the rest of its FIFO group. A record that fails five times for the same
//! permanent reason is moved aside. Records of one account are processed together, so that they can
//! share calls; revisions keep their order, not the queue.
//!
//! While a batch is processed, its records are hidden for 15 seconds at a time. So if the function
//! stops, they return within 15 seconds, and the record that stopped it is found and moved aside.

mod finish;
mod held;
mod isolation;
mod records;
mod retry_policy;
mod served_queue;
mod suspects;

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::slice;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use domain::batching::ArrivalRate;
use domain::entity::EntityKind;
use domain::envelope::{QueueSource, UnreadableBody};
use engine::error_chain::ErrorChain;
use engine::errors::PersistError;
pub use engine::inbound::PushFunction;
use engine::inbound::{FullDeliveries, MessageOutcome, receive_messages};
use engine::{Engine, Invocation};
use futures::FutureExt;
use futures::future::{Either, join, join_all, select};
use jiff::Timestamp;
use lambda_runtime::Error;
use tracing::Instrument;

use self::finish::{BatchDispositions, BatchRecord};
use self::held::BatchContext;
use self::records::{MessageGroup, group_of, group_records};
use crate::boot::{boot_engine, build_push_worker};
use crate::lambda::serve_events;

pub use self::held::HeldMessages;
pub(crate) use self::records::{body_of, sent_at};
pub use self::retry_policy::redelivery_delay;
pub use self::served_queue::{MessageRedelivery, ServedQueue};

/// For how long a message is hidden at a time while it is processed. A message that crashes the
/// function holds up its group for three times as long, which is less than a minute. It is also
/// three times as long as the interval after which messages are hidden again.
pub const HIDDEN_FOR: Duration = Duration::from_secs(15);

/// Serves the two queues of a push function until Lambda stops the process.
pub async fn serve_queues(function: PushFunction) -> Result<(), Error> {
    let booted = boot_engine().await?;
    let worker = &build_push_worker(&booted, function)?;
    serve_events(move |event: SqsEvent, deadline| async move {
        Ok::<_, Error>(worker.handle_batch(event, deadline).await)
    })
    .await
}

/// One push function.
#[derive(Debug)]
pub struct PushWorker {
    /// The engine, with the kinds and steps of the function.
    pub engine: Engine,
    /// The kind of record that its queues carry.
    pub kind: EntityKind,
    /// The ARN of its queue of wake-ups, as records name it. Records from any other queue are the
    /// CRM's.
    pub wake_up_queue_arn: String,
    /// Its queue of messages from the CRM.
    pub messages: ServedQueue,
    /// Its queue of the product's own wake-ups.
    pub wake_ups: ServedQueue,
    /// When this process last received as many messages of an account as a queue delivers at once.
    pub full_deliveries: FullDeliveries,
}

/// The result of processing a record.
#[derive(Debug)]
enum ProcessingOutcome {
    /// Its outcome is recorded.
    Received(MessageOutcome),
    /// The queue does not accept such messages.
    Unreadable(UnreadableBody),
    /// There was no time to begin processing it.
    NotStarted,
    /// Its outcome could not be recorded.
    NotRecorded(PersistError),
    /// Processing it panicked.
    Panicked,
}

impl PushWorker {
    /// Processes a batch until `deadline`. The response names the records that return to the queue.
    pub async fn handle_batch(&self, event: SqsEvent, deadline: Timestamp) -> SqsBatchResponse {
        Box::pin(self.handle_records(event.records, deadline)).await
    }

    async fn handle_records(
        &self,
        records: Vec<SqsMessage>,
        deadline: Timestamp,
    ) -> SqsBatchResponse {
        let batch = BatchContext::new(&records, &self.wake_up_queue_arn, deadline);
        self.hide_batch(&batch).await;
        let work = pin!(self.process_batch(records, &batch));
        let hiding = pin!(self.keep_hidden(&batch));
        let returned = match select(work, hiding).await {
            Either::Left((returned, _)) => returned,
            Either::Right(((), work)) => work.await,
        };
        let mut response = SqsBatchResponse::default();
        for message_id in returned {
            response.add_failure(message_id);
        }
        response
    }

    /// Hides the records of a batch for a short time only, so that they return soon if the function
    /// stops. If that fails, they return when the queue's visibility timeout ends.
    async fn hide_batch(&self, batch: &BatchContext) {
        for source in QueueSource::ALL {
            let handles = batch.held_from(source).list_handles();
            if handles.is_empty() {
                continue;
            }
            let hidden =
                AssertUnwindSafe(self.queue_for(source).redelivery.hide_messages(&handles));
            let Ok(hidden) = hidden.catch_unwind().await else {
                tracing::error!("hiding received messages panicked");
                continue;
            };
            if let Err(error) = hidden {
                tracing::warn!(error = %ErrorChain(&error), "received messages could not be hidden");
            }
        }
    }

    async fn keep_hidden(&self, batch: &BatchContext) {
        let messages = self.messages.redelivery.keep_hidden(batch.held_from(QueueSource::Messages));
        let wake_ups = self.wake_ups.redelivery.keep_hidden(batch.held_from(QueueSource::WakeUps));
        if AssertUnwindSafe(join(messages, wake_ups)).catch_unwind().await.is_err() {
            tracing::error!("hiding messages in progress panicked");
        }
    }

    /// Processes the records of a batch. Returns the ids of those that return to the queue.
    async fn process_batch(&self, records: Vec<SqsMessage>, batch: &BatchContext) -> Vec<String> {
        let is_full = records.len() >= records::BATCH_SIZE;
        let (ordinary, suspects) = self.separate_suspects(records, batch).await;
        let groups = group_records(ordinary, &self.wake_up_queue_arn);
        let work = groups.iter().map(|group| self.process_message_group(group, is_full, batch));
        let mut ended = BatchDispositions::default();
        for of_group in join_all(work).await {
            ended.merge_group(of_group);
        }
        Box::pin(self.process_suspects(suspects, batch, &mut ended)).await;
        ended.returned
    }

    /// Processes one FIFO group.
    async fn process_message_group(
        &self,
        group: &MessageGroup,
        is_full: bool,
        batch: &BatchContext,
    ) -> BatchDispositions {
        let span = tracing::info_span!(
            "records",
            account.id = group.id.as_str(),
            entity = self.kind.as_str(),
        );
        let work = async {
            let mut ended = BatchDispositions::default();
            let outcomes = self.process_at_rate(group, is_full, batch.deadline).await;
            for (record, outcome) in group.records.iter().zip(outcomes) {
                let finished = BatchRecord { batch, source: group.source, record };
                let disposition = self.finish_isolated(finished, outcome).await;
                ended.add_record(finished, disposition);
            }
            ended
        };
        work.instrument(span).await
    }

    /// Processes the records of a group at the rate of their arrival. Returns one outcome per
    /// record, in their order.
    async fn process_at_rate(
        &self,
        group: &MessageGroup,
        is_full: bool,
        deadline: Timestamp,
    ) -> Vec<ProcessingOutcome> {
        let (clock, invocation) = (&self.engine.clock, Invocation::with_deadline(deadline));
        let is_full = is_full && group.has_most_messages();
        let rate = self.full_deliveries.infer_rate(&group.id, is_full, clock.now());
        let outcomes = self.process_records(group, rate, invocation).await;
        if is_full {
            self.full_deliveries.remember_end(&group.id, clock.now());
        }
        outcomes
    }

    /// Processes the records of a group together or, if that panics, one by one. Returns one outcome
    /// per record, in their order.
    async fn process_records(
        &self,
        group: &MessageGroup,
        rate: ArrivalRate,
        invocation: Invocation,
    ) -> Vec<ProcessingOutcome> {
        let MessageGroup { source, id: _, records } = group;
        let together = self.receive_records(*source, records, rate, invocation);
        if let Ok(outcomes) = AssertUnwindSafe(together).catch_unwind().await {
            return outcomes;
        }
        // One of the records causes the panic. Work that the others have done is recognised when
        // they are processed again.
        tracing::error!("processing records together panicked; they are processed one by one");
        let mut outcomes = Vec::with_capacity(records.len());
        for record in records {
            let record = slice::from_ref(record);
            let alone = self.receive_records(*source, record, ArrivalRate::Ordinary, invocation);
            let alone = AssertUnwindSafe(alone).catch_unwind().await;
            outcomes.push(
                alone
                    .ok()
                    .and_then(|mut outcomes| outcomes.pop())
                    .unwrap_or(ProcessingOutcome::Panicked),
            );
        }
        outcomes
    }

    /// Parses and processes records. Returns one outcome per record, in their order.
    async fn receive_records(
        &self,
        source: QueueSource,
        records: &[SqsMessage],
        rate: ArrivalRate,
        invocation: Invocation,
    ) -> Vec<ProcessingOutcome> {
        if invocation.is_past_last_call(self.engine.clock.now()) {
            return records.iter().map(|_| ProcessingOutcome::NotStarted).collect();
        }
        let (mut messages, mut refusals) = (Vec::new(), Vec::with_capacity(records.len()));
        for record in records {
            match source.read_body(body_of(record), self.kind, group_of(record)) {
                Ok(message) => {
                    messages.push(message);
                    refusals.push(None);
                }
                Err(unreadable) => refusals.push(Some(unreadable)),
            }
        }
        let received = receive_messages(&self.engine, &messages, rate, invocation).await;
        let mut received = received.into_iter();
        let outcome_of = |refusal| match refusal {
            Some(unreadable) => ProcessingOutcome::Unreadable(unreadable),
            None => match received.next() {
                Some(Ok(received)) => ProcessingOutcome::Received(received),
                Some(Err(error)) => ProcessingOutcome::NotRecorded(error),
                None => ProcessingOutcome::NotStarted,
            },
        };
        refusals.into_iter().map(outcome_of).collect()
    }

    const fn queue_for(&self, source: QueueSource) -> &ServedQueue {
        match source {
            QueueSource::Messages => &self.messages,
            QueueSource::WakeUps => &self.wake_ups,
        }
    }
}
