//! SQS in, a partial batch response out: one outcome for each record.
//!
//! A failed push is a finished record: its row says what follows. A record goes back only if its outcome could
//! not be recorded, and then it is hidden for seconds, because a hidden message holds up the rest of its FIFO
//! group. One that fails for a reason that does not pass is moved aside when it has come five times. Those of one
//! account are worked on together, which is what lets them share calls; their order is kept by their revisions,
//! not by the queue.

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
use engine::chain::Chain;
use engine::inbound::{Delivery, Received, receive};
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

/// A message that has come this often, and failed for a reason that does not pass, is moved aside.
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
    /// The kind of document its queues are about.
    pub kind: EntityKind,
    /// The ARN of its queue of wake-ups, as records name it. Whatever comes from elsewhere is the CRM's.
    pub wake_up_queue_arn: String,
    /// Its queue of messages from the CRM.
    pub messages: ServedQueue,
    /// Its queue of the product's own wake-ups.
    pub wake_ups: ServedQueue,
}

/// A queue that a push function serves.
#[derive(Debug, Clone)]
pub struct ServedQueue {
    /// The queue itself, for records that go back.
    pub redelivery: Arc<dyn Redelivery>,
    /// Where its messages are moved aside to.
    pub dead_letters: Arc<dyn DeadLetters>,
}

/// When a record that goes back comes again.
#[async_trait]
pub trait Redelivery: Send + Sync + Debug {
    /// Shows a received message again after `delay`, instead of when the queue's visibility timeout ends.
    async fn show_again(&self, receipt_handle: &str, delay: Duration) -> Result<(), PortError>;
}

/// Whether a record is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disposition {
    /// Its outcome is recorded, or it is moved aside; SQS may delete it.
    Done,
    /// It goes back to the queue.
    Returned,
}

/// What a record came to.
#[derive(Debug)]
enum End {
    /// Its outcome is recorded.
    Received(Received),
    /// It is not what its queue takes.
    Unreadable(Unreadable),
    /// There was no time to begin with it.
    Unbegun,
    /// Its outcome could not be recorded.
    Unrecorded(Unrecorded),
    /// Working on it panicked.
    Panicked,
}

impl Worker {
    /// Works on a batch until `deadline`. The response names the records that go back to the queue.
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

    /// One FIFO group. The ids of the records that go back.
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
                if self.finish(group.source, record, end).await == Disposition::Returned {
                    returned.extend(record.message_id.clone());
                }
            }
            returned
        };
        work.instrument(span).await
    }

    /// What each record of a group came to, in their order.
    async fn ends(&self, group: &Group, is_full: bool, invocation: Invocation) -> Vec<End> {
        let Group { source, id: _, records } = group;
        let delivery = records::delivery(records.len(), is_full);
        let together = self.receive(*source, records, delivery, invocation);
        if let Ok(ends) = AssertUnwindSafe(together).catch_unwind().await {
            return ends;
        }
        // It is one of them. What the others did already is recognised when they are received again.
        tracing::error!("records panicked together and are worked on one by one");
        let mut ends = Vec::with_capacity(records.len());
        for record in records {
            let record = slice::from_ref(record);
            let alone = self.receive(*source, record, Delivery::Partial, invocation);
            let alone = AssertUnwindSafe(alone).catch_unwind().await;
            ends.push(alone.ok().and_then(|mut ends| ends.pop()).unwrap_or(End::Panicked));
        }
        ends
    }

    /// Reads records and does what they ask: one end for each, in their order.
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

    /// Deletes, moves aside or gives back a record.
    async fn finish(&self, source: Source, record: &SqsMessage, end: End) -> Disposition {
        let message_id = record.message_id.as_deref().unwrap_or_default();
        let lasting = match end {
            End::Received(received) => {
                tracing::info!(message.id = message_id, received = ?received, "done");
                return Disposition::Done;
            }
            End::Unreadable(unreadable) => {
                return self.move_aside(source, record, &Reason::from(&unreadable)).await;
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
                tracing::error!(message.id = message_id, "working on a record panicked");
                Some(setback::panicked())
            }
        };
        match lasting {
            Some(reason) if receives_of(record) >= RECEIVES_MAX => {
                self.move_aside(source, record, &reason).await
            }
            Some(_) => self.give_back(source, record, setback::BETWEEN_TRIES).await,
            None => self.give_back(source, record, redelivery_delay(receives_of(record))).await,
        }
    }

    async fn move_aside(
        &self,
        source: Source,
        record: &SqsMessage,
        reason: &Reason,
    ) -> Disposition {
        tracing::error!(
            reason.code = reason.code(),
            reason = reason.text(),
            "a message is moved to the dead-letter queue"
        );
        let letter = DeadLetter {
            message_id: record.message_id.as_deref().unwrap_or("unknown"),
            group: group_of(record),
            body: body_of(record),
        };
        match self.queue(source).dead_letters.bury(letter, reason).await {
            Ok(()) => Disposition::Done,
            Err(error) => {
                tracing::error!(error = %Chain(&error), "the dead-letter queue did not take it");
                self.give_back(source, record, redelivery_delay(receives_of(record))).await
            }
        }
    }

    /// Lets a record come again after `delay`; if that fails, after the queue's visibility timeout.
    async fn give_back(&self, source: Source, record: &SqsMessage, delay: Duration) -> Disposition {
        if let Some(receipt_handle) = &record.receipt_handle {
            let shown = self.queue(source).redelivery.show_again(receipt_handle, delay).await;
            if let Err(error) = shown {
                tracing::warn!(error = %Chain(&error), "a record stays hidden for longer");
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
