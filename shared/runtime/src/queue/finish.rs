//! Deletes a processed record, moves it aside, or returns it to the queue.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsMessage;
use domain::dead_letter::Reason;
use domain::delivery::FAILURES_MAX;
use domain::envelope::Source;
use domain::failure::Failure;
use engine::chain::Chain;
use engine::inbound::{
    count_failure, end_processing, explain_failed, explain_unreadable, report_moved_aside,
};
use engine::ports::{DeadLetter, PortError};
use store::StoreError;

use super::held::BatchContext;
use super::records::{body_of, group_of, receives_of};
use super::{End, Worker, redelivery_delay, setback};

/// What happens to a record after processing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disposition {
    /// Its outcome is recorded, or it is moved aside. SQS may delete it.
    Done,
    /// It returns to the queue.
    Returned,
}

/// What happens to the records of a batch.
#[derive(Debug, Default)]
pub(super) struct Dispositions {
    /// The number of records.
    pub(super) count: usize,
    /// The ids of the records that return to the queue.
    pub(super) returned: Vec<String>,
    /// The receipt handles of the records that are done and not deleted yet.
    done: Vec<(Source, String)>,
}

impl Dispositions {
    pub(super) fn add_record(
        &mut self,
        source: Source,
        record: &SqsMessage,
        disposition: Disposition,
    ) {
        self.count += 1;
        match disposition {
            Disposition::Done => {
                self.done.extend(record.receipt_handle.clone().map(|handle| (source, handle)));
            }
            Disposition::Returned => self.returned.extend(record.message_id.clone()),
        }
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.count += other.count;
        self.returned.extend(other.returned);
        self.done.extend(other.done);
    }
}

impl Worker {
    /// Deletes a record, moves it aside, or returns it to the queue.
    pub(super) async fn finish(
        &self,
        batch: &BatchContext,
        source: Source,
        record: &SqsMessage,
        end: End,
    ) -> Disposition {
        let message_id = record.message_id.as_deref().unwrap_or_default();
        let lasting = match end {
            End::Received(received) => {
                tracing::info!(message.id = message_id, received = ?received, "done");
                return Disposition::Done;
            }
            End::Unreadable(unreadable) => {
                let (reason, failure) =
                    (Reason::from(&unreadable), explain_unreadable(&unreadable));
                return self.move_aside(batch, source, record, &reason, &failure).await;
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
        let Some(reason) = lasting else {
            let delay = redelivery_delay(receives_of(record));
            return self.give_back(batch, source, record, delay).await;
        };
        match self.count_failures(record, &reason).await {
            Ok(failures) if failures >= FAILURES_MAX => {
                let failure = explain_failed(&reason);
                self.move_aside(batch, source, record, &reason, &failure).await
            }
            Ok(_) => self.give_back(batch, source, record, setback::BETWEEN_TRIES).await,
            Err(error) => {
                tracing::warn!(
                    error = %Chain(&error),
                    message.id = message_id,
                    "a failure could not be counted"
                );
                let delay = redelivery_delay(receives_of(record));
                self.give_back(batch, source, record, delay).await
            }
        }
    }

    /// Counts a failure for a permanent reason. Returns how often the record has failed for it,
    /// over all processes. If the count itself can never be read, all receives count.
    async fn count_failures(
        &self,
        record: &SqsMessage,
        reason: &Reason,
    ) -> Result<u32, StoreError> {
        let Some(message_id) = record.message_id.as_deref() else {
            return Ok(receives_of(record));
        };
        match count_failure(&self.engine, message_id, reason.code()).await {
            Err(error) if error.is_about_the_record() => Ok(receives_of(record)),
            counted => counted,
        }
    }

    /// Moves a record aside. For a message of the CRM the account is notified first, because
    /// nothing processes the message again.
    pub(super) async fn move_aside(
        &self,
        batch: &BatchContext,
        source: Source,
        record: &SqsMessage,
        reason: &Reason,
        failure: &Failure,
    ) -> Disposition {
        let message_id = record.message_id.as_deref().unwrap_or("unknown");
        let (group, body) = (group_of(record), body_of(record));
        let is_given_up = source == Source::Messages && !reason.is_record_written();
        if is_given_up {
            let reported = report_moved_aside(&self.engine, message_id, body, group, failure).await;
            if let Err(error) = reported {
                tracing::error!(error = %Chain(&error), "a refused message could not be reported");
                let delay = redelivery_delay(receives_of(record));
                return self.give_back(batch, source, record, delay).await;
            }
        }
        tracing::error!(
            reason.code = reason.code(),
            reason = reason.text(),
            "a message is moved to the dead-letter queue"
        );
        let letter = DeadLetter { message_id, group, body };
        match self.queue(source).dead_letters.bury(letter, reason).await {
            Ok(()) => Disposition::Done,
            Err(error) => {
                tracing::error!(error = %Chain(&error), "the dead-letter queue refused a message");
                let delay = redelivery_delay(receives_of(record));
                self.give_back(batch, source, record, delay).await
            }
        }
    }

    /// Returns a record to the queue for redelivery after `delay`. If that fails, the record
    /// returns when it is no longer hidden.
    pub(super) async fn give_back(
        &self,
        batch: &BatchContext,
        source: Source,
        record: &SqsMessage,
        delay: Duration,
    ) -> Disposition {
        let delay = self.delay_after_end(batch, record, delay).await;
        if let Some(receipt_handle) = &record.receipt_handle {
            batch.held_from(source).release_message(receipt_handle);
            let shown = self.queue(source).redelivery.show_again(receipt_handle, delay).await;
            if let Err(error) = shown {
                tracing::warn!(error = %Chain(&error), "the redelivery delay could not be set");
            }
        }
        Disposition::Returned
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
        match end_processing(&self.engine, message_id).await {
            Ok(()) => delay,
            Err(error) => {
                tracing::warn!(
                    error = %Chain(&error),
                    message.id = message_id,
                    "the end of processing could not be recorded"
                );
                delay.max(setback::delay_past_mark(batch.deadline, self.engine.clock.now()))
            }
        }
    }

    /// Deletes the records that are done, so that they do not return if the function stops.
    pub(super) async fn delete_done(
        &self,
        batch: &BatchContext,
        ended: &mut Dispositions,
    ) -> Result<(), PortError> {
        for source in Source::ALL {
            let of_source = ended.done.iter().filter(|(from, _)| *from == source);
            let handles = of_source.map(|(_, handle)| handle.clone()).collect::<Vec<_>>();
            if handles.is_empty() {
                continue;
            }
            self.queue(source).redelivery.delete(&handles).await?;
            for handle in &handles {
                batch.held_from(source).release_message(handle);
            }
            ended.done.retain(|(from, _)| *from != source);
        }
        Ok(())
    }
}
