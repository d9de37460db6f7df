//! The payment poll: a tick of the schedule divides the ledgers into chunks, and each message of
//! the queue is a chunk.
//!
//! One function serves both, because the tick needs nothing that the worker does not have.

use std::panic::AssertUnwindSafe;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsMessage};
use domain::dead_letter::DeadLetterReason;
use domain::ids::Ledger;
use engine::error_chain::ErrorChain;
use engine::poll::{PollOutcome, list_unread_ledgers, plan_tick, poll_ledgers};
use engine::ports::{DeadLetter, DeadLetters};
use engine::{Engine, Invocation};
use futures::FutureExt;
use jiff::Timestamp;
use lambda_runtime::Error;
use requests::PollMessage;
use serde::Deserialize;

use crate::aws::PollQueue;
use crate::boot::{boot_poll, build_poll_queues};
use crate::lambda::serve_events;
use crate::queue::{body_of, sent_at};

/// The event of the function: records of its queue, or the event of a schedule.
#[derive(Debug, Default, Deserialize)]
pub struct PollEvent {
    #[serde(default, rename = "Records")]
    records: Vec<SqsMessage>,
}

/// Serves the schedule and the queue until Lambda stops the process.
pub async fn serve_poll() -> Result<(), Error> {
    let booted = boot_poll().await?;
    let (queue, dead_letters) = &build_poll_queues(&booted)?;
    let engine = &booted.engine;
    serve_events(move |event: PollEvent, until| {
        Box::pin(answer_poll_event(engine, queue, dead_letters, event, until))
    })
    .await
}

/// Divides the ledgers into chunks, or polls the chunks of the event.
async fn answer_poll_event(
    engine: &Engine,
    queue: &PollQueue,
    dead_letters: &dyn DeadLetters,
    event: PollEvent,
    until: Timestamp,
) -> Result<SqsBatchResponse, Error> {
    if event.records.is_empty() {
        return enqueue_chunks(engine, queue).await.map(|()| SqsBatchResponse::default());
    }
    Ok(poll_chunks(engine, dead_letters, event.records, until).await)
}

/// Sends a message for each chunk. The next tick polls a chunk that could not be sent.
async fn enqueue_chunks(engine: &Engine, queue: &PollQueue) -> Result<(), Error> {
    let chunks = plan_tick(engine).await.inspect_err(|error| {
        tracing::error!(error = %ErrorChain(error), "the ledgers to poll could not be read");
    })?;
    let ledgers: usize = chunks.iter().map(|chunk| chunk.ledgers.len()).sum();
    let mut unsent = 0;
    for chunk in chunks {
        if let Err(error) = queue.send_chunk(chunk).await {
            tracing::error!(
                error = %ErrorChain(&error),
                "a chunk of ledgers could not be enqueued; the next tick polls it"
            );
            unsent += 1;
        }
    }
    tracing::info!(ledgers, unsent, "enqueued the ledgers to poll");
    Ok(())
}

/// Polls chunks. The next tick continues with what could not be polled. A chunk that waited leaves
/// out what later ones have polled. A message that is not a chunk within the limits is moved aside,
/// and returns to the queue only if that fails.
pub async fn poll_chunks(
    engine: &Engine,
    dead_letters: &dyn DeadLetters,
    records: Vec<SqsMessage>,
    until: Timestamp,
) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for record in records {
        match PollMessage::from_body(body_of(&record)) {
            Ok(PollMessage { ledgers }) => {
                poll_chunk(engine, ledgers, sent_at(&record), until).await;
            }
            Err(reason) => {
                if !move_aside(dead_letters, &record, &reason).await
                    && let Some(message_id) = record.message_id
                {
                    response.add_failure(message_id);
                }
            }
        }
    }
    response
}

async fn poll_chunk(
    engine: &Engine,
    ledgers: Vec<Ledger>,
    sent_at: Option<Timestamp>,
    until: Timestamp,
) {
    let named = ledgers.len();
    let ledgers = list_unread_ledgers(engine, ledgers, sent_at).await;
    let polled = poll_ledgers(engine, &ledgers, Invocation::with_deadline(until)).await;
    let count = |wanted: fn(&PollOutcome) -> bool| polled.iter().filter(|one| wanted(one)).count();
    tracing::info!(
        ledgers = polled.len(),
        already_read = named.saturating_sub(polled.len()),
        idle = count(|one| *one == PollOutcome::Idle),
        read = count(|one| matches!(one, PollOutcome::Read { changed: _ })),
        later = count(|one| *one == PollOutcome::Later),
        failed = count(|one| *one == PollOutcome::Failed),
        "polled a chunk"
    );
}

/// Returns whether the dead-letter queue accepted the record.
async fn move_aside(
    dead_letters: &dyn DeadLetters,
    record: &SqsMessage,
    reason: &DeadLetterReason,
) -> bool {
    tracing::error!(
        reason.code = reason.stable_code(),
        reason = reason.sentence_text(),
        "a message is moved to the dead-letter queue"
    );
    let message_id = record.message_id.as_deref().unwrap_or("unknown");
    let letter = DeadLetter { message_id, group: "none", body: body_of(record) };
    let moved = AssertUnwindSafe(dead_letters.dead_letter(letter, reason)).catch_unwind().await;
    match moved {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::error!(error = %ErrorChain(&error), "the dead-letter queue refused a message");
            false
        }
        // The chunks after it are polled nevertheless.
        Err(_) => {
            tracing::error!("moving a message to the dead-letter queue panicked");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_and_a_queue_are_distinguished() {
        let tick: PollEvent = serde_json::from_str(r#"{"source":"schedule"}"#).unwrap();
        assert!(tick.records.is_empty());
        let body = r#"{"Records":[{"messageId":"1","body":"{\"ledgers\":[]}","attributes":{},"messageAttributes":{}}]}"#;
        let queue: PollEvent = serde_json::from_str(body).unwrap();
        assert_eq!(queue.records.len(), 1);
    }
}
