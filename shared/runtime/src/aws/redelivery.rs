//! Sets when records that were received are redelivered, and deletes them.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
};
use engine::error_chain::ErrorChain;
use engine::ports::PortError;

use crate::queue::{HIDDEN_FOR, HeldMessages, MessageRedelivery};

/// Interval at which held messages are hidden again: short enough for a failed call to be repeated.
const HIDDEN_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// A queue from which records were received.
#[derive(Debug, Clone)]
pub struct ReceivedQueue {
    client: Client,
    queue_url: String,
}

impl ReceivedQueue {
    /// Uses the queue at this address.
    pub fn new(client: Client, queue_url: String) -> Self {
        Self { client, queue_url }
    }
}

#[async_trait]
impl MessageRedelivery for ReceivedQueue {
    async fn show_again(&self, receipt_handle: &str, delay: Duration) -> Result<(), PortError> {
        let changed = self
            .client
            .change_message_visibility()
            .queue_url(&self.queue_url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(whole_seconds(delay))
            .send()
            .await;
        let failed = |source| PortError { operation: "set when a message is redelivered", source };
        changed.map(drop).map_err(|error| failed(error.into()))
    }

    async fn hide_messages(&self, receipt_handles: &[String]) -> Result<(), PortError> {
        if receipt_handles.is_empty() {
            return Ok(());
        }
        let failed = |source| PortError { operation: "hide received messages", source };
        let entry = |(number, handle): (usize, &String)| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(number.to_string())
                .receipt_handle(handle)
                .visibility_timeout(whole_seconds(HIDDEN_FOR))
                .build()
        };
        let entries = receipt_handles.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>();
        let request = self.client.change_message_visibility_batch().queue_url(&self.queue_url);
        let request = request.set_entries(Some(entries.map_err(|error| failed(error.into()))?));
        let hidden = request.send().await.map_err(|error| failed(error.into()))?;
        check_entries(hidden.failed()).map_err(|refused| failed(refused.into()))
    }

    #[expect(clippy::disallowed_methods, reason = "the batch is processed meanwhile")]
    async fn keep_hidden(&self, held: &HeldMessages) {
        loop {
            tokio::time::sleep(HIDDEN_AGAIN_AFTER).await;
            if let Err(error) = self.hide_messages(&held.list_handles()).await {
                tracing::warn!(
                    error = %ErrorChain(&error),
                    "received messages could not be hidden again"
                );
            }
        }
    }

    async fn delete_messages(&self, receipt_handles: &[String]) -> Result<(), PortError> {
        if receipt_handles.is_empty() {
            return Ok(());
        }
        let failed = |source| PortError { operation: "delete received messages", source };
        let entry = |(number, handle): (usize, &String)| {
            DeleteMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .receipt_handle(handle)
                .build()
        };
        let entries = receipt_handles.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>();
        let request = self.client.delete_message_batch().queue_url(&self.queue_url);
        let request = request.set_entries(Some(entries.map_err(|error| failed(error.into()))?));
        let deleted = request.send().await.map_err(|error| failed(error.into()))?;
        check_entries(deleted.failed()).map_err(|refused| failed(refused.into()))
    }
}

/// SQS refused entries of a batch that it accepted as a whole.
#[derive(Debug, thiserror::Error)]
#[error("SQS refused {count} of the messages, the first with {code}")]
pub(super) struct RefusedEntries {
    count: usize,
    code: String,
}

/// A batch call succeeds even if entries of it fail
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html>).
pub(super) fn check_entries(failed: &[BatchResultErrorEntry]) -> Result<(), RefusedEntries> {
    let Some(first) = failed.first() else { return Ok(()) };
    Err(RefusedEntries { count: failed.len(), code: first.code().to_owned() })
}

fn whole_seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::clients::ATTEMPT_TIMEOUT;

    #[test]
    fn a_message_stays_hidden_if_the_call_that_hides_it_again_times_out_once() {
        assert!(HIDDEN_AGAIN_AFTER + ATTEMPT_TIMEOUT < HIDDEN_FOR);
    }

    #[test]
    fn three_stops_of_a_function_take_less_than_a_minute() {
        assert!(HIDDEN_FOR * 3 < Duration::from_mins(1));
    }
}
