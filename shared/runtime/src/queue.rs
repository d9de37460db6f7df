//! SQS in, a partial batch response out.
//!
//! A failed push is a finished record: its row says what follows. A record goes back only if its row
//! could not be told. What stands behind it in its FIFO group goes back with it, to keep the order; other
//! groups go on.
//! A panic costs its record, which goes back like any other.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use domain::entity::EntityKind;
use domain::envelope::{self, Unreadable};
use engine::chain::Chain;
use engine::inbound::receive;
use engine::ports::{DeadLetter, DeadLetters};
use engine::{Engine, Invocation};
use futures::FutureExt;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use tracing::Instrument;

use crate::boot::{boot, dead_letters};

/// A record is not begun with less time left than this: an exchange with Xero may need all of it.
const TIME_NEEDED_SECONDS: i64 = 30;

/// Serves the queue of a kind until Lambda stops the process.
pub async fn serve(kind: EntityKind) -> Result<(), Error> {
    let booted = boot().await.inspect_err(|error| {
        tracing::error!(error = %Chain(error), "the function cannot start");
    })?;
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
        let returned =
            join_all(groups(event.records).into_iter().map(|group| self.group(group, deadline)))
                .await;
        let mut response = SqsBatchResponse::default();
        for message_id in returned.into_iter().flatten() {
            response.add_failure(message_id);
        }
        response
    }

    /// One FIFO group, in order. The ids of the records that go back.
    async fn group(&self, records: Vec<SqsMessage>, deadline: Timestamp) -> Vec<String> {
        let mut records = records.into_iter();
        for record in records.by_ref() {
            if self.guarded(&record, deadline).await == Disposition::Returned {
                let rest = std::iter::once(record).chain(records);
                return rest.filter_map(|record| record.message_id).collect();
            }
        }
        Vec::new()
    }

    async fn guarded(&self, record: &SqsMessage, deadline: Timestamp) -> Disposition {
        let message_id = record.message_id.as_deref().unwrap_or_default();
        let span = tracing::info_span!(
            "record",
            message.id = message_id,
            account.id = group_of(record),
            entity = self.kind.as_str(),
        );
        let work = AssertUnwindSafe(self.record(record, deadline)).catch_unwind();
        work.instrument(span).await.unwrap_or_else(|_| {
            tracing::error!(message.id = message_id, "a record panicked and goes back");
            Disposition::Returned
        })
    }

    async fn record(&self, record: &SqsMessage, deadline: Timestamp) -> Disposition {
        let needed = SignedDuration::from_secs(TIME_NEEDED_SECONDS);
        let latest = deadline.saturating_sub(needed).unwrap_or(Timestamp::MIN);
        if self.engine.clock.now() > latest {
            tracing::info!("too little time is left; the record goes back");
            return Disposition::Returned;
        }
        let body = record.body.as_deref().unwrap_or_default();
        let inbound = match envelope::read(body, self.kind, group_of(record)) {
            Ok(inbound) => inbound,
            Err(unreadable) => return self.bury(record, &unreadable).await,
        };
        match receive(&self.engine, inbound, Invocation { deadline }).await {
            Ok(received) => {
                tracing::info!(received = ?received, "done");
                Disposition::Done
            }
            Err(error) => {
                tracing::error!(error = %Chain(&error), "the outcome could not be recorded");
                Disposition::Returned
            }
        }
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

fn deadline(context: &Context) -> Timestamp {
    i64::try_from(context.deadline)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or(Timestamp::MAX)
}
