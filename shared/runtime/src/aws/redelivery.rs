//! Sets when records that return to their queue are redelivered.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use engine::ports::PortError;

use crate::queue::Redelivery;

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
impl Redelivery for ReceivedQueue {
    async fn show_again(&self, receipt_handle: &str, delay: Duration) -> Result<(), PortError> {
        let seconds = i32::try_from(delay.as_secs()).unwrap_or(i32::MAX);
        let changed = self
            .client
            .change_message_visibility()
            .queue_url(&self.queue_url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(seconds)
            .send()
            .await;
        let failed = |source| PortError { operation: "set when a message is redelivered", source };
        changed.map(drop).map_err(|error| failed(error.into()))
    }
}
