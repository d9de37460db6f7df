//! The dead-letter queue, for messages that nobody can read.

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;
use domain::envelope::Unreadable;
use engine::ports::{DeadLetter, DeadLetters, PortError};

/// A push function's dead-letter queue.
#[derive(Debug, Clone)]
pub struct DeadLetterQueue {
    client: Client,
    queue_url: String,
}

impl DeadLetterQueue {
    /// The queue at this address.
    pub fn new(client: Client, queue_url: String) -> Self {
        Self { client, queue_url }
    }
}

#[async_trait]
impl DeadLetters for DeadLetterQueue {
    async fn bury(&self, letter: DeadLetter<'_>, reason: &Unreadable) -> Result<(), PortError> {
        // SQS takes no empty body; a body of one space is just as unreadable.
        let body = if letter.body.is_empty() { " " } else { letter.body };
        self.client
            .send_message()
            .queue_url(&self.queue_url)
            .message_body(body)
            .message_group_id(letter.group)
            .message_deduplication_id(letter.message_id)
            .message_attributes("reason", text(&reason.to_string()))
            .message_attributes("reason_code", text(reason.code()))
            .send()
            .await
            .map(drop)
            .map_err(|error| PortError {
                operation: "move a message to the dead-letter queue",
                source: error.into(),
            })
    }
}

fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
        .expect("a data type is set")
}
