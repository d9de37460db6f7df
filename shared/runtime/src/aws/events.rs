//! The queue that delivers events to the CRM.

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use domain::outbound::OutboundEvent;
use engine::ports::{EventPublisher, PortError};

use super::refusals::classify_refusal;

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
    async fn publish_event(&self, event: &OutboundEvent) -> Result<(), PortError> {
        let sent = self
            .client
            .send_message()
            .queue_url(&self.queue_url)
            .message_body(event.to_body())
            .message_group_id(event.account_id.as_str())
            .message_deduplication_id(event.event_id.to_string())
            .send()
            .await;
        let failed = |source| PortError { operation: "deliver an event", source };
        sent.map(drop).map_err(|error| failed(classify_refusal(error)))
    }
}
