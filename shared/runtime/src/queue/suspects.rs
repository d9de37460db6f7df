//! Finds the message that stopped the function: it ran out of memory or time, or crashed.
//!
//! A function that stops takes all messages of its batch with it, of other accounts, too, and
//! cannot say which one was the cause. So after a stop each of them is processed alone, in an order
//! in which the cause comes last, and the others are deleted before it begins. A message that has
//! stopped a function alone waits until no other message is delivered together with it. After five
//! stops it is moved aside.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsMessage;
use domain::delivery::FAILURES_MAX;
use engine::error_chain::ErrorChain;
use engine::inbound::{begin_processing, exhausted_attempts_failure, register_redelivery};
use futures::future::join_all;

use super::finish::{BatchDispositions, BatchRecord};
use super::held::BatchContext;
use super::records::{MessageGroup, group_of, receive_count, source_of};
use super::{PushWorker, retry_policy};

/// The delay of a message that waits until the others of its batch are processed.
const POSTPONED_FOR: Duration = Duration::from_secs(1);
/// After how many receives a message is no longer postponed.
const POSTPONED_RECEIVES_MAX: u32 = 50;

/// A message during whose processing the function stopped.
#[derive(Debug)]
pub(super) struct SuspectRecord {
    record: SqsMessage,
    /// How often the function stopped.
    stops: u32,
}

impl PushWorker {
    /// Separates the records during whose processing the function stopped from the others. Those
    /// with the fewest stops come first, and among them the last to arrive: the message that
    /// stopped the function is more likely the one that has blocked its FIFO group.
    pub(super) async fn separate_suspects(
        &self,
        records: Vec<SqsMessage>,
        batch: &BatchContext,
    ) -> (Vec<SqsMessage>, Vec<SuspectRecord>) {
        let stops =
            join_all(records.iter().map(|record| self.mark_and_count_stops(record, batch))).await;
        let (mut ordinary, mut suspects) = (Vec::with_capacity(records.len()), Vec::new());
        for (record, stops) in records.into_iter().zip(stops) {
            match stops {
                0 => ordinary.push(record),
                stops => suspects.push(SuspectRecord { record, stops }),
            }
        }
        suspects.reverse();
        suspects.sort_by_key(|suspect| suspect.stops);
        (ordinary, suspects)
    }

    /// Returns how often the function stopped while it processed a record. Marks a record that was
    /// received before.
    async fn mark_and_count_stops(&self, record: &SqsMessage, batch: &BatchContext) -> u32 {
        let is_repeated = receive_count(record) > 1;
        let Some(message_id) = record.message_id.as_deref().filter(|_| is_repeated) else {
            return 0;
        };
        let repeated = register_redelivery(&self.engine, message_id, batch.deadline).await;
        if repeated.is_marked {
            batch.remember_mark(message_id);
        }
        repeated.stops
    }

    /// Processes suspects one by one. `ended` holds the other records of the batch.
    pub(super) async fn process_suspects(
        &self,
        suspects: Vec<SuspectRecord>,
        batch: &BatchContext,
        ended: &mut BatchDispositions,
    ) {
        for SuspectRecord { record, stops } in suspects {
            let source = source_of(&record, &self.wake_up_queue_arn);
            let message_id = record.message_id.as_deref().unwrap_or_default();
            let suspect = BatchRecord { batch, source, record: &record };
            if stops >= FAILURES_MAX {
                let reason = retry_policy::stopped_reason();
                let failure = exhausted_attempts_failure(&reason);
                let moved = self.move_aside(suspect, &reason, &failure).await;
                ended.add_record(suspect, moved);
                continue;
            }
            let is_postponed =
                stops > 1 && ended.count > 0 && receive_count(&record) < POSTPONED_RECEIVES_MAX;
            if is_postponed {
                let returned = self.return_to_queue(suspect, POSTPONED_FOR).await;
                ended.add_record(suspect, returned);
                continue;
            }
            if !self.prepare_suspect(message_id, batch, ended).await {
                let returned = self.return_with_backoff(suspect).await;
                ended.add_record(suspect, returned);
                continue;
            }
            let id = group_of(&record).to_owned();
            let group = MessageGroup { source, id, records: vec![record] };
            ended.merge_group(Box::pin(self.process_message_group(&group, false, batch)).await);
        }
    }

    /// Deletes the records that are done, and marks the next one. Returns whether both succeeded.
    async fn prepare_suspect(
        &self,
        message_id: &str,
        batch: &BatchContext,
        ended: &mut BatchDispositions,
    ) -> bool {
        if let Err(error) = self.delete_done(batch, ended).await {
            tracing::warn!(error = %ErrorChain(&error), "processed messages could not be deleted");
            return false;
        }
        batch.remember_mark(message_id);
        if let Err(error) = begin_processing(&self.engine, message_id, batch.deadline).await {
            tracing::warn!(
                error = %ErrorChain(&error),
                message.id = message_id,
                "the start of processing could not be recorded"
            );
            return false;
        }
        true
    }
}
