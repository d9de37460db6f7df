//! The messages that an invocation is processing, so that they stay hidden meanwhile.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lambda_events::event::sqs::SqsMessage;
use domain::envelope::QueueSource;
use jiff::Timestamp;

use super::records::source_of;

/// The messages of one queue that an invocation is processing.
#[derive(Debug, Default)]
pub struct HeldMessages(Mutex<BTreeSet<String>>);

impl HeldMessages {
    /// Lists their receipt handles.
    pub(crate) fn list_handles(&self) -> Vec<String> {
        lock_set(&self.0).iter().cloned().collect()
    }

    /// Removes a message that returned to the queue or was deleted.
    pub(super) fn release_message(&self, receipt_handle: &str) {
        lock_set(&self.0).remove(receipt_handle);
    }
}

/// What the records of a batch have in common.
#[derive(Debug)]
pub(super) struct BatchContext {
    /// When the function may be stopped.
    pub(super) deadline: Timestamp,
    messages: HeldMessages,
    wake_ups: HeldMessages,
    /// The ids of messages that are marked as being processed.
    marked: Mutex<BTreeSet<String>>,
}

impl BatchContext {
    /// The context of these records, all of which are held.
    pub(super) fn new(
        records: &[SqsMessage],
        wake_up_queue_arn: &str,
        deadline: Timestamp,
    ) -> Self {
        let handles_from = |source: QueueSource| {
            let records = records.iter().filter(|one| source_of(one, wake_up_queue_arn) == source);
            HeldMessages(Mutex::new(records.filter_map(|one| one.receipt_handle.clone()).collect()))
        };
        Self {
            deadline,
            messages: handles_from(QueueSource::Messages),
            wake_ups: handles_from(QueueSource::WakeUps),
            marked: Mutex::default(),
        }
    }

    /// The messages of a queue that are held.
    pub(super) const fn held_from(&self, source: QueueSource) -> &HeldMessages {
        match source {
            QueueSource::Messages => &self.messages,
            QueueSource::WakeUps => &self.wake_ups,
        }
    }

    /// Remembers that a message may be marked as being processed.
    pub(super) fn remember_mark(&self, message_id: &str) {
        lock_set(&self.marked).insert(message_id.to_owned());
    }

    /// Whether a message may be marked as being processed.
    pub(super) fn is_marked(&self, message_id: &str) -> bool {
        lock_set(&self.marked).contains(message_id)
    }
}

fn lock_set(set: &Mutex<BTreeSet<String>>) -> MutexGuard<'_, BTreeSet<String>> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}
