//! The queue of polls: chunks of ledgers, each with its own delay.

use aws_sdk_sqs::Client;
use engine::poll::PollChunk;
use engine::ports::PortError;
use requests::PollMessage;

/// The queue of polls.
#[derive(Debug, Clone)]
pub struct PollQueue {
    client: Client,
    queue_url: String,
}

impl PollQueue {
    /// Creates the queue at this address.
    pub fn new(client: Client, queue_url: String) -> Self {
        Self { client, queue_url }
    }

    /// Sends a chunk that is to be polled after its delay.
    pub(crate) async fn send_chunk(&self, chunk: PollChunk) -> Result<(), PortError> {
        let delay_seconds = i32::try_from(chunk.delay.as_secs()).unwrap_or(0);
        let sent = self
            .client
            .send_message()
            .queue_url(&self.queue_url)
            .message_body(PollMessage { ledgers: chunk.ledgers }.to_body())
            .delay_seconds(delay_seconds)
            .send()
            .await;
        let failed = |source| PortError { operation: "send a chunk of ledgers to poll", source };
        sent.map(drop).map_err(|error| failed(error.into()))
    }
}
