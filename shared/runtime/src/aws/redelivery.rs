//! Records that go back to their queue, and when they come again.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use engine::ports::PortError;

use crate::queue::Redelivery;

/// A queue that records were received from.
#[derive(Debug, Clone)]
pub struct ReceivedQueue {
    client: Client,
    queue_url: String,
}

impl ReceivedQueue {
    /// The queue at this address.
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
        let failed = |source| PortError { operation: "let a message come again", source };
        changed.map(drop).map_err(|error| failed(error.into()))
    }
}
