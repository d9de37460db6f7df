//! Deletes a processed record, moves it aside, or returns it to the queue.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsMessage;
use domain::dead_letter::DeadLetterReason;
use domain::delivery::FAILURES_MAX;
use domain::envelope::QueueSource;
use domain::failure::Failure;
use engine::error_chain::ErrorChain;
use engine::inbound::{
    count_failure, end_processing, exhausted_attempts_failure, report_dead_letter,
    unreadable_message_failure,
};
use engine::ports::{DeadLetter, PortError};
use store::StoreError;

use super::held::BatchContext;
use super::records::{body_of, group_of, receive_count};
use super::{ProcessingOutcome, PushWorker, redelivery_delay, retry_policy};
use crate::aws::limit_last_calls;

/// How long before the deadline the calls end that return messages to their queue. The rest is for
/// the answer of the function.
const RETURN_RESERVE: Duration = Duration::from_millis(500);
/// How long before the deadline the calls end that remove the marks of messages: early enough for a
/// message whose mark stays to be returned with a longer delay.
const MARK_RESERVE: Duration = Duration::from_millis(1_250);

/// A record of a batch, and the queue that it came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchRecord<'a> {
    pub(super) batch: &'a BatchContext,
    pub(super) source: QueueSource,
    pub(super) record: &'a SqsMessage,
}

/// What happens to a record after processing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordDisposition {
    /// Its outcome is recorded, or it is moved aside. SQS may delete it.
    Done,
    /// It returns to the queue.
    Returned,
}

/// What happens to the records of a batch.
#[derive(Debug, Default)]
pub(super) struct BatchDispositions {
    /// The number of records.
    pub(super) count: usize,
    /// The ids of the records that return to the queue.
    pub(super) returned: Vec<String>,
    /// The receipt handles of the records that are done and not deleted yet.
    done: Vec<(QueueSource, String)>,
}

impl BatchDispositions {
    pub(super) fn add_record(&mut self, finished: BatchRecord<'_>, disposition: RecordDisposition) {
        let BatchRecord { batch: _, source, record } = finished;
        self.count += 1;
        match disposition {
            RecordDisposition::Done => {
                self.done.extend(record.receipt_handle.clone().map(|handle| (source, handle)));
            }
            RecordDisposition::Returned => self.returned.extend(record.message_id.clone()),
        }
    }

    pub(super) fn merge_group(&mut self, other: Self) {
        self.count += other.count;
        self.returned.extend(other.returned);
        self.done.extend(other.done);
    }
}

impl PushWorker {
    /// Deletes a record, moves it aside, or returns it to the queue.
    pub(super) async fn finish_record(
        &self,
        finished: BatchRecord<'_>,
        outcome: ProcessingOutcome,
    ) -> RecordDisposition {
        let message_id = finished.record.message_id.as_deref().unwrap_or_default();
        let permanent = match outcome {
            ProcessingOutcome::Received(received) => {
                tracing::info!(message.id = message_id, received = ?received, "done");
                return RecordDisposition::Done;
            }
            ProcessingOutcome::Unreadable(unreadable) => {
                let (reason, failure) =
                    (DeadLetterReason::from(&unreadable), unreadable_message_failure(&unreadable));
                return self.move_aside(finished, &reason, &failure).await;
            }
            ProcessingOutcome::NotStarted => {
                tracing::info!(
                    message.id = message_id,
                    "too little time is left; the record returns to the queue"
                );
                None
            }
            ProcessingOutcome::NotRecorded(error) => {
                tracing::error!(
                    error = %ErrorChain(&error),
                    message.id = message_id,
                    "the outcome could not be recorded"
                );
                retry_policy::permanent_reason(&error)
            }
            ProcessingOutcome::Panicked => {
                tracing::error!(message.id = message_id, "processing a record panicked");
                Some(retry_policy::panicked_reason())
            }
        };
        match permanent {
            Some(reason) => self.finish_failed(finished, &reason).await,
            None => self.return_with_backoff(finished).await,
        }
    }

    /// Counts a failure that every delivery of the record would have. Returns the record to the
    /// queue, or moves it aside if it has failed too often.
    async fn finish_failed(
        &self,
        failed: BatchRecord<'_>,
        reason: &DeadLetterReason,
    ) -> RecordDisposition {
        let record = failed.record;
        match self.count_failures(record, reason).await {
            Ok(failures) if failures >= FAILURES_MAX => {
                let failure = exhausted_attempts_failure(reason);
                self.move_aside(failed, reason, &failure).await
            }
            Ok(_) => self.return_to_queue(failed, retry_policy::BETWEEN_TRIES).await,
            Err(error) => {
                tracing::warn!(
                    error = %ErrorChain(&error),
                    message.id = record.message_id.as_deref().unwrap_or_default(),
                    "a failure could not be counted"
                );
                self.return_with_backoff(failed).await
            }
        }
    }

    /// Counts a failure for a permanent reason. Returns how often the record has failed for it,
    /// over all processes. If the count itself can never be read, all receives count.
    async fn count_failures(
        &self,
        record: &SqsMessage,
        reason: &DeadLetterReason,
    ) -> Result<u32, StoreError> {
        let Some(message_id) = record.message_id.as_deref() else {
            return Ok(receive_count(record));
        };
        match count_failure(&self.engine, message_id, reason.stable_code()).await {
            Err(error) if error.is_about_the_record() => Ok(receive_count(record)),
            counted => counted,
        }
    }

    /// Moves a record aside. For a message of the CRM the account is notified first, because
    /// nothing processes the message again.
    pub(super) async fn move_aside(
        &self,
        moved: BatchRecord<'_>,
        reason: &DeadLetterReason,
        failure: &Failure,
    ) -> RecordDisposition {
        let BatchRecord { batch: _, source, record } = moved;
        let message_id = record.message_id.as_deref().unwrap_or("unknown");
        let (group, body) = (group_of(record), body_of(record));
        let is_given_up = source == QueueSource::Messages && !reason.is_record_written();
        if is_given_up {
            let reported = report_dead_letter(&self.engine, message_id, body, group, failure).await;
            if let Err(error) = reported {
                tracing::error!(error = %ErrorChain(&error), "a refused message could not be reported");
                return self.return_with_backoff(moved).await;
            }
        }
        tracing::error!(
            reason.code = reason.stable_code(),
            reason = reason.sentence_text(),
            "a message is moved to the dead-letter queue"
        );
        let letter = DeadLetter { message_id, group, body };
        match self.queue_for(source).dead_letters.dead_letter(letter, reason).await {
            Ok(()) => RecordDisposition::Done,
            Err(error) => {
                tracing::error!(error = %ErrorChain(&error), "the dead-letter queue refused a message");
                self.return_with_backoff(moved).await
            }
        }
    }

    /// Returns a record to the queue for redelivery after a delay that rises with its deliveries.
    pub(super) async fn return_with_backoff(&self, returned: BatchRecord<'_>) -> RecordDisposition {
        let delay = redelivery_delay(receive_count(returned.record));
        self.return_to_queue(returned, delay).await
    }

    /// Returns a record to the queue for redelivery after `delay`. If that fails, the record
    /// returns when it is no longer hidden.
    pub(super) async fn return_to_queue(
        &self,
        returned: BatchRecord<'_>,
        delay: Duration,
    ) -> RecordDisposition {
        let BatchRecord { batch, source, record } = returned;
        let delay = self.delay_after_end(batch, record, delay).await;
        if let Some(receipt_handle) = &record.receipt_handle {
            batch.held_from(source).release_message(receipt_handle);
            let shown = self.queue_for(source).redelivery.show_again(receipt_handle, delay);
            if let Err(error) = limit_last_calls(RETURN_RESERVE, shown).await {
                tracing::warn!(error = %ErrorChain(&error), "the redelivery delay could not be set");
            }
        }
        RecordDisposition::Returned
    }

    /// Records that the processing of a marked record ended. If that fails, returns a delay after
    /// which the next delivery does not take the mark for a stop of the function.
    async fn delay_after_end(
        &self,
        batch: &BatchContext,
        record: &SqsMessage,
        delay: Duration,
    ) -> Duration {
        let marked = record.message_id.as_deref().filter(|id| batch.is_marked(id));
        let Some(message_id) = marked else { return delay };
        let ended = end_processing(&self.engine, message_id);
        match limit_last_calls(MARK_RESERVE, ended).await {
            Ok(()) => delay,
            Err(error) => {
                tracing::warn!(
                    error = %ErrorChain(&error),
                    message.id = message_id,
                    "the end of processing could not be recorded"
                );
                delay.max(retry_policy::delay_past_mark(batch.deadline, self.engine.clock.now()))
            }
        }
    }

    /// Deletes the records that are done, so that they do not return if the function stops.
    pub(super) async fn delete_done(
        &self,
        batch: &BatchContext,
        ended: &mut BatchDispositions,
    ) -> Result<(), PortError> {
        for source in QueueSource::ALL {
            let of_source = ended.done.iter().filter(|(from, _)| *from == source);
            let handles = of_source.map(|(_, handle)| handle.clone()).collect::<Vec<_>>();
            if handles.is_empty() {
                continue;
            }
            self.queue_for(source).redelivery.delete_messages(&handles).await?;
            for handle in &handles {
                batch.held_from(source).release_message(handle);
            }
            ended.done.retain(|(from, _)| *from != source);
        }
        Ok(())
    }
}
