//! Serves SQS queues with partial batch responses: one outcome per record.
//!
//! A record whose push failed is done: its row says what happens next. A record returns to the
//! queue only if its outcome could not be recorded, and is then hidden for seconds, because a
//! hidden message blocks the rest of its FIFO group. A record that fails permanently is moved aside
//! after five receives. Records of one account are processed together, so that they can share
//! calls; revisions keep their order, not the queue.

mod isolation;
mod records;
mod setback;

use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use domain::dead_letter::Reason;
use domain::entity::EntityKind;
use domain::envelope::{Source, Unreadable};
use domain::failure::Failure;
use engine::chain::Chain;
use engine::inbound::{
    Delivery, Received, explain_failed, explain_unreadable, receive, report_moved_aside,
};
use engine::ports::{DeadLetter, DeadLetters, PortError};
use engine::push::Unrecorded;
use engine::{Engine, Invocation};
use futures::FutureExt;
use futures::future::join_all;
use jiff::Timestamp;
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use tracing::Instrument;

use self::records::{Group, group_of, groups, receives_of};
use crate::boot::{boot, worker};

pub(crate) use self::records::body_of;
pub use self::setback::redelivery_delay;

/// After how many receives a message that fails permanently is moved aside.
pub const RECEIVES_MAX: u32 = 5;

/// Serves the two queues of a kind until Lambda stops the process.
pub async fn serve(kind: EntityKind) -> Result<(), Error> {
    let booted = boot().await?;
    let worker = &worker(&booted, kind)?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        Ok::<_, Error>(worker.batch(event.payload, deadline(&event.context)).await)
    }))
    .await
}

/// One push function.
#[derive(Debug)]
pub struct Worker {
    /// The engine.
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
}

/// A queue that a push function serves.
#[derive(Debug, Clone)]
pub struct ServedQueue {
    /// Sets when returned records are redelivered.
    pub redelivery: Arc<dyn Redelivery>,
    /// Its dead-letter queue.
    pub dead_letters: Arc<dyn DeadLetters>,
}

/// Sets when a record that returns to the queue is redelivered.
#[async_trait]
pub trait Redelivery: Send + Sync + Debug {
    /// Makes a received message visible again after `delay`, instead of when the queue's visibility
    /// timeout ends.
    async fn show_again(&self, receipt_handle: &str, delay: Duration) -> Result<(), PortError>;
}

/// What happens to a record after processing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disposition {
    /// Its outcome is recorded, or it is moved aside. SQS may delete it.
    Done,
    /// It returns to the queue.
    Returned,
}

/// The result of processing a record.
#[derive(Debug)]
enum End {
    /// Its outcome is recorded.
    Received(Received),
    /// The queue does not accept such messages.
    Unreadable(Unreadable),
    /// There was no time to begin processing it.
    Unbegun,
    /// Its outcome could not be recorded.
    Unrecorded(Unrecorded),
    /// Processing it panicked.
    Panicked,
}

impl Worker {
    /// Processes a batch until `deadline`. The response names the records that return to the queue.
    pub async fn batch(&self, event: SqsEvent, deadline: Timestamp) -> SqsBatchResponse {
        let is_full = event.records.len() >= records::BATCH_SIZE;
        let groups = groups(event.records, &self.wake_up_queue_arn);
        let work = groups.iter().map(|group| self.work_on(group, is_full, deadline));
        let returned = join_all(work).await;
        let mut response = SqsBatchResponse::default();
        for message_id in returned.into_iter().flatten() {
            response.add_failure(message_id);
        }
        response
    }

    /// Processes one FIFO group. Returns the ids of the records that return to the queue.
    async fn work_on(&self, group: &Group, is_full: bool, deadline: Timestamp) -> Vec<String> {
        let span = tracing::info_span!(
            "records",
            account.id = group.id.as_str(),
            entity = self.kind.as_str(),
        );
        let work = async {
            let mut returned = Vec::new();
            let ends = self.ends(group, is_full, Invocation::until(deadline)).await;
            for (record, end) in group.records.iter().zip(ends) {
                if self.finish_alone(group.source, record, end).await == Disposition::Returned {
                    returned.extend(record.message_id.clone());
                }
            }
            returned
        };
        work.instrument(span).await
    }

    /// Processes the records of a group. Returns one result per record, in their order.
    async fn ends(&self, group: &Group, is_full: bool, invocation: Invocation) -> Vec<End> {
        let Group { source, id: _, records } = group;
        let delivery = records::delivery(records.len(), is_full);
        let together = self.receive(*source, records, delivery, invocation);
        if let Ok(ends) = AssertUnwindSafe(together).catch_unwind().await {
            return ends;
        }
        // One of the records causes the panic. Work that the others have done is recognised when
        // they are processed again.
        tracing::error!("processing records together panicked; they are processed one by one");
        let mut ends = Vec::with_capacity(records.len());
        for record in records {
            let record = slice::from_ref(record);
            let alone = self.receive(*source, record, Delivery::Partial, invocation);
            let alone = AssertUnwindSafe(alone).catch_unwind().await;
            ends.push(alone.ok().and_then(|mut ends| ends.pop()).unwrap_or(End::Panicked));
        }
        ends
    }

    /// Parses and processes records. Returns one result per record, in their order.
    async fn receive(
        &self,
        source: Source,
        records: &[SqsMessage],
        delivery: Delivery,
        invocation: Invocation,
    ) -> Vec<End> {
        if self.engine.clock.now() > invocation.last_call {
            return records.iter().map(|_| End::Unbegun).collect();
        }
        let (mut messages, mut refusals) = (Vec::new(), Vec::with_capacity(records.len()));
        for record in records {
            match source.read(body_of(record), self.kind, group_of(record)) {
                Ok(message) => {
                    messages.push(message);
                    refusals.push(None);
                }
                Err(unreadable) => refusals.push(Some(unreadable)),
            }
        }
        let received = receive(&self.engine, &messages, delivery, invocation).await;
        let mut received = received.into_iter();
        let end = |refusal| match refusal {
            Some(unreadable) => End::Unreadable(unreadable),
            None => match received.next() {
                Some(Ok(received)) => End::Received(received),
                Some(Err(error)) => End::Unrecorded(error),
                None => End::Unbegun,
            },
        };
        refusals.into_iter().map(end).collect()
    }

    /// Deletes a record, moves it aside, or returns it to the queue.
    async fn finish(&self, source: Source, record: &SqsMessage, end: End) -> Disposition {
        let message_id = record.message_id.as_deref().unwrap_or_default();
        let lasting = match end {
            End::Received(received) => {
                tracing::info!(message.id = message_id, received = ?received, "done");
                return Disposition::Done;
            }
            End::Unreadable(unreadable) => {
                let failure = explain_unreadable(&unreadable);
                return self.move_aside(source, record, &Reason::from(&unreadable), &failure).await;
            }
            End::Unbegun => {
                tracing::info!(
                    message.id = message_id,
                    "too little time is left; the record goes back"
                );
                None
            }
            End::Unrecorded(error) => {
                tracing::error!(
                    error = %Chain(&error),
                    message.id = message_id,
                    "the outcome could not be recorded"
                );
                setback::lasting(&error)
            }
            End::Panicked => {
                tracing::error!(message.id = message_id, "processing a record panicked");
                Some(setback::panicked())
            }
        };
        match lasting {
            Some(reason) if receives_of(record) >= RECEIVES_MAX => {
                self.move_aside(source, record, &reason, &explain_failed(&reason)).await
            }
            Some(_) => self.give_back(source, record, setback::BETWEEN_TRIES).await,
            None => self.give_back(source, record, redelivery_delay(receives_of(record))).await,
        }
    }

    /// Moves a record aside. For a message of the CRM the account is notified first, because
    /// nothing processes the message again.
    async fn move_aside(
        &self,
        source: Source,
        record: &SqsMessage,
        reason: &Reason,
        failure: &Failure,
    ) -> Disposition {
        let (group, body) = (group_of(record), body_of(record));
        if source == Source::Messages
            && let Err(error) = report_moved_aside(&self.engine, body, group, failure).await
        {
            tracing::error!(error = %Chain(&error), "a refused message could not be reported");
            return self.give_back(source, record, redelivery_delay(receives_of(record))).await;
        }
        tracing::error!(
            reason.code = reason.code(),
            reason = reason.text(),
            "a message is moved to the dead-letter queue"
        );
        let letter = DeadLetter {
            message_id: record.message_id.as_deref().unwrap_or("unknown"),
            group,
            body,
        };
        match self.queue(source).dead_letters.bury(letter, reason).await {
            Ok(()) => Disposition::Done,
            Err(error) => {
                tracing::error!(error = %Chain(&error), "the dead-letter queue refused a message");
                self.give_back(source, record, redelivery_delay(receives_of(record))).await
            }
        }
    }

    /// Returns a record to the queue for redelivery after `delay`. If that fails, the queue's
    /// visibility timeout applies.
    async fn give_back(&self, source: Source, record: &SqsMessage, delay: Duration) -> Disposition {
        if let Some(receipt_handle) = &record.receipt_handle {
            let shown = self.queue(source).redelivery.show_again(receipt_handle, delay).await;
            if let Err(error) = shown {
                tracing::warn!(error = %Chain(&error), "the redelivery delay could not be set");
            }
        }
        Disposition::Returned
    }

    const fn queue(&self, source: Source) -> &ServedQueue {
        match source {
            Source::Messages => &self.messages,
            Source::WakeUps => &self.wake_ups,
        }
    }
}

pub(crate) fn deadline(context: &Context) -> Timestamp {
    i64::try_from(context.deadline)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or(Timestamp::MAX)
}
