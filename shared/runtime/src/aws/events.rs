//! The queue that delivers events to the CRM.

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use domain::ids::EventId;
use domain::outbound::EventMessage;
use engine::ports::{BoxError, EventPublisher, PortError, PublishedEvents};

use super::redelivery::check_entries;
use super::refusals::classify_refusal;

/// Maximum number of entries in a call
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>).
const ENTRIES_MAX: usize = 10;
/// Maximum bytes of the bodies in a call. SQS accepts at least 262,144 bytes in all, with what it
/// counts besides the bodies.
const BODIES_BYTES_MAX: usize = 250_000;

/// The CRM's queue of events.
#[derive(Debug, Clone)]
pub struct EventQueue {
    client: Client,
    queue_url: String,
}

impl EventQueue {
    /// Creates the queue at this address.
    pub fn new(client: Client, queue_url: String) -> Self {
        Self { client, queue_url }
    }
}

#[async_trait]
impl EventPublisher for EventQueue {
    async fn publish_event(&self, event: &EventMessage) -> Result<(), PortError> {
        let sent = self
            .client
            .send_message()
            .queue_url(&self.queue_url)
            .message_body(event.body_text())
            .message_group_id(event.account_id.as_str())
            .message_deduplication_id(event.event_id.to_string())
            .send()
            .await;
        sent.map(drop).map_err(|error| undelivered(classify_refusal(error)))
    }

    async fn publish_unordered_events(&self, events: &[EventMessage]) -> PublishedEvents {
        let mut published = PublishedEvents::default();
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            match new_entry(event) {
                Ok(entry) => entries.push(entry),
                Err(error) => published.add([], Err(undelivered(error.into()))),
            }
        }
        while !entries.is_empty() {
            let later = entries.split_off(count_for_one_call(&entries));
            self.publish_entries(entries, &mut published).await;
            entries = later;
        }
        published
    }
}

impl EventQueue {
    /// Sends events in one call.
    async fn publish_entries(
        &self,
        entries: Vec<SendMessageBatchRequestEntry>,
        published: &mut PublishedEvents,
    ) {
        let request = self.client.send_message_batch().queue_url(&self.queue_url);
        match request.set_entries(Some(entries)).send().await {
            Ok(sent) => {
                let ids = sent.successful().iter().filter_map(|entry| entry.id().parse().ok());
                published.add(ids.map(EventId), Ok(()));
                let refused = check_entries(sent.failed());
                published.add([], refused.map_err(|refused| undelivered(refused.into())));
            }
            Err(error) => published.add([], Err(undelivered(classify_refusal(error)))),
        }
    }
}

/// Creates the entry of a batch for an event. Its id in the batch is the event's.
fn new_entry(event: &EventMessage) -> Result<SendMessageBatchRequestEntry, BuildError> {
    SendMessageBatchRequestEntry::builder()
        .id(event.event_id.to_string())
        .message_body(event.body_text())
        .message_group_id(event.account_id.as_str())
        .message_deduplication_id(event.event_id.to_string())
        .build()
}

/// Returns how many of the entries one call takes: at least one, at most [`ENTRIES_MAX`].
fn count_for_one_call(entries: &[SendMessageBatchRequestEntry]) -> usize {
    let mut bytes = 0;
    let fits = entries.iter().take(ENTRIES_MAX).take_while(|entry| {
        bytes += entry.message_body().len();
        bytes <= BODIES_BYTES_MAX
    });
    fits.count().max(1)
}

fn undelivered(source: BoxError) -> PortError {
    PortError { operation: "deliver an event", source }
}

#[cfg(test)]
mod tests;
