//! SQS in, a partial batch response out.
//!
//! A failed push is a finished record: its row says what follows. A record goes back only if its row
//! could not be told. Those of one account are worked on together, which is what lets them share calls;
//! their order is kept by their revisions, not by the queue.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use domain::entity::EntityKind;
use domain::envelope::{self, Unreadable};
use engine::chain::Chain;
use engine::inbound::{Delivery, receive};
use engine::ports::{DeadLetter, DeadLetters};
use engine::{Engine, Invocation};
use futures::FutureExt;
use futures::future::join_all;
use jiff::Timestamp;
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use tracing::Instrument;

use crate::boot::{boot, dead_letters};

/// The most records the template lets a queue hand over at once.
const BATCH_SIZE: usize = 10;

/// Serves the queue of a kind until Lambda stops the process.
pub async fn serve(kind: EntityKind) -> Result<(), Error> {
    let booted = boot().await?;
    let worker = &Worker {
        dead_letters: Arc::new(dead_letters(&booted)?),
        engine: booted.engine.clone(),
        kind,
    };
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
    /// Where messages go that cannot be read.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// The kind of document its queue is about.
    pub kind: EntityKind,
}

/// Whether a record is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disposition {
    /// Its outcome is recorded; SQS may delete it.
    Done,
    /// It goes back to the queue.
    Returned,
}

impl Worker {
    /// Works on a batch until `deadline`. The response names the records that go back to the queue.
    pub async fn batch(&self, event: SqsEvent, deadline: Timestamp) -> SqsBatchResponse {
        let is_full = event.records.len() >= BATCH_SIZE;
        let groups = groups(event.records).into_iter();
        let returned = join_all(groups.map(|group| self.guarded(group, is_full, deadline))).await;
        let mut response = SqsBatchResponse::default();
        for message_id in returned.into_iter().flatten() {
            response.add_failure(message_id);
        }
        response
    }

    /// One FIFO group. The ids of the records that go back.
    async fn guarded(
        &self,
        records: Vec<SqsMessage>,
        is_full: bool,
        deadline: Timestamp,
    ) -> Vec<String> {
        let span = tracing::info_span!(
            "records",
            account.id = records.first().map(group_of),
            entity = self.kind.as_str(),
        );
        let work = AssertUnwindSafe(self.group(&records, is_full, deadline)).catch_unwind();
        work.instrument(span).await.unwrap_or_else(|_| {
            tracing::error!("a group of records panicked and goes back");
            ids(&records)
        })
    }

    async fn group(
        &self,
        records: &[SqsMessage],
        is_full: bool,
        deadline: Timestamp,
    ) -> Vec<String> {
        let invocation = Invocation::until(deadline);
        if self.engine.clock.now() > invocation.last_call {
            tracing::info!("too little time is left; the records go back");
            return ids(records);
        }
        let mut returned = Vec::new();
        let (mut readable, mut messages) = (Vec::new(), Vec::new());
        for record in records {
            let body = record.body.as_deref().unwrap_or_default();
            match envelope::read(body, self.kind, group_of(record)) {
                Ok(message) => {
                    readable.push(record);
                    messages.push(message);
                }
                Err(unreadable) => {
                    if self.bury(record, &unreadable).await == Disposition::Returned {
                        returned.extend(record.message_id.clone());
                    }
                }
            }
        }
        let delivery = delivery(records.len(), is_full);
        let received = receive(&self.engine, &messages, delivery, invocation).await;
        for (record, received) in readable.into_iter().zip(received) {
            let message_id = record.message_id.as_deref().unwrap_or_default();
            match received {
                Ok(received) => {
                    tracing::info!(message.id = message_id, received = ?received, "done");
                }
                Err(error) => {
                    tracing::error!(
                        error = %Chain(&error),
                        message.id = message_id,
                        "the outcome could not be recorded"
                    );
                    returned.extend(record.message_id.clone());
                }
            }
        }
        returned
    }

    async fn bury(&self, record: &SqsMessage, reason: &Unreadable) -> Disposition {
        tracing::error!(
            reason.code = reason.code(),
            reason = %reason,
            "an unreadable message goes to the dead-letter queue"
        );
        let letter = DeadLetter {
            message_id: record.message_id.as_deref().unwrap_or("unknown"),
            group: group_of(record),
            body: record.body.as_deref().unwrap_or_default(),
        };
        match self.dead_letters.bury(letter, reason).await {
            Ok(()) => Disposition::Done,
            Err(error) => {
                tracing::error!(error = %Chain(&error), "the dead-letter queue did not take it");
                Disposition::Returned
            }
        }
    }
}

fn ids(records: &[SqsMessage]) -> Vec<String> {
    records.iter().filter_map(|record| record.message_id.clone()).collect()
}

/// A full batch that is mostly one account's says that more of the same is waiting.
const fn delivery(of_group: usize, is_full: bool) -> Delivery {
    if is_full && of_group * 2 > BATCH_SIZE { Delivery::Full } else { Delivery::Partial }
}

/// The record's FIFO group, which names the account.
fn group_of(record: &SqsMessage) -> &str {
    record.attributes.get("MessageGroupId").map_or("none", String::as_str)
}

/// The records by group, groups and records in the order they came.
fn groups(records: Vec<SqsMessage>) -> Vec<Vec<SqsMessage>> {
    let mut groups: Vec<Vec<SqsMessage>> = Vec::new();
    for record in records {
        let same = |group: &&mut Vec<SqsMessage>| {
            group.first().is_some_and(|first| group_of(first) == group_of(&record))
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(record),
            None => groups.push(vec![record]),
        }
    }
    groups
}

pub(crate) fn deadline(context: &Context) -> Timestamp {
    i64::try_from(context.deadline)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or(Timestamp::MAX)
}
