//! The payment poll: a tick of the schedule cuts the ledgers into chunks, a message of its queue is a chunk.
//!
//! One function for both, so that the tick needs nothing that the worker has not.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsMessage};
use domain::ids::Ledger;
use engine::chain::Chain;
use engine::poll::{Polled, poll, tick};
use engine::{Engine, Invocation};
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};

use crate::aws::PollQueue;
use crate::boot::{boot, poll_queue};
use crate::queue::deadline;

/// What the function is called with: records of its queue, or whatever a schedule sends.
#[derive(Debug, Default, Deserialize)]
pub struct PollEvent {
    #[serde(default, rename = "Records")]
    records: Vec<SqsMessage>,
}

/// A message of the queue of polls.
#[derive(Debug, Serialize, Deserialize)]
pub struct PollMessage {
    /// Ledgers to be polled together.
    pub ledgers: Vec<Ledger>,
}

impl PollMessage {
    /// The message's body.
    pub fn to_body(&self) -> String {
        serde_json::to_string(self).expect("ids always make JSON")
    }
}

/// Serves the schedule and the queue until Lambda stops the process.
pub async fn serve() -> Result<(), Error> {
    let booted = boot().await?;
    let queue = &poll_queue(&booted)?;
    let engine = &booted.engine;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<PollEvent>| async move {
        let until = deadline(&event.context);
        if event.payload.records.is_empty() {
            return ticked(engine, queue).await.map(|()| SqsBatchResponse::default());
        }
        Ok::<_, Error>(worked(engine, event.payload.records, until).await)
    }))
    .await
}

/// Sends a message for each chunk. One that could not be sent is polled with the next tick.
async fn ticked(engine: &Engine, queue: &PollQueue) -> Result<(), Error> {
    let chunks = tick(engine).await.inspect_err(|error| {
        tracing::error!(error = %Chain(error), "the ledgers to poll could not be read");
    })?;
    let ledgers: usize = chunks.iter().map(|chunk| chunk.ledgers.len()).sum();
    let mut unsent = 0;
    for chunk in chunks {
        if let Err(error) = queue.send(chunk).await {
            tracing::error!(error = %Chain(&error), "a chunk of ledgers is not polled this time");
            unsent += 1;
        }
    }
    tracing::info!(ledgers, unsent, "ticked");
    Ok(())
}

/// Polls chunks. None goes back: what could not be done is done with the next tick.
async fn worked(engine: &Engine, records: Vec<SqsMessage>, until: Timestamp) -> SqsBatchResponse {
    for record in records {
        let body = record.body.as_deref().unwrap_or_default();
        let Ok(PollMessage { ledgers }) = serde_json::from_str(body) else {
            tracing::error!("a message of the queue of polls cannot be read and is dropped");
            continue;
        };
        let polled = poll(engine, &ledgers, Invocation::until(until)).await;
        let count = |wanted: fn(&Polled) -> bool| polled.iter().filter(|one| wanted(one)).count();
        tracing::info!(
            ledgers = polled.len(),
            idle = count(|one| *one == Polled::Idle),
            read = count(|one| matches!(one, Polled::Read { news: _ })),
            later = count(|one| *one == Polled::Later),
            failed = count(|one| *one == Polled::Failed),
            "polled a chunk"
        );
    }
    SqsBatchResponse::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_and_a_queue_are_told_apart() {
        let tick: PollEvent = serde_json::from_str(r#"{"source":"schedule"}"#).unwrap();
        assert!(tick.records.is_empty());
        let body = r#"{"Records":[{"messageId":"1","body":"{\"ledgers\":[]}","attributes":{},"messageAttributes":{}}]}"#;
        let queue: PollEvent = serde_json::from_str(body).unwrap();
        assert_eq!(queue.records.len(), 1);
    }
}
