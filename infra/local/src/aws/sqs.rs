//! Queues: sends, counts, and reads dead letters.

use std::collections::HashMap;

use aws_sdk_sqs::types::{
    self, DeleteMessageBatchRequestEntry, MessageAttributeValue, QueueAttributeName,
};

use super::{Aws, failed};
use crate::failure::Failure;

/// How long a received message is hidden while it is deleted, in seconds.
const HIDDEN_SECONDS: i32 = 30;

/// A message for a FIFO queue.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// The URL of the queue.
    pub queue_url: &'a str,
    /// The body.
    pub message_body: &'a str,
    /// The message group.
    pub message_group_id: &'a str,
    /// A second message with this id within five minutes is not delivered.
    pub message_deduplication_id: &'a str,
}

/// A message read from a queue.
#[derive(Debug, Clone)]
pub struct Found {
    /// The body.
    pub body: String,
    attributes: HashMap<String, MessageAttributeValue>,
}

impl Found {
    /// The text of a message attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.string_value()
    }
}

impl From<types::Message> for Found {
    fn from(message: types::Message) -> Self {
        Self {
            body: message.body.unwrap_or_default(),
            attributes: message.message_attributes.unwrap_or_default(),
        }
    }
}

impl Aws {
    /// Sends a message to a queue.
    pub async fn send_message(&self, message: &Message<'_>) -> Result<(), Failure> {
        let send = self
            .sqs
            .send_message()
            .queue_url(message.queue_url)
            .message_body(message.message_body)
            .message_group_id(message.message_group_id)
            .message_deduplication_id(message.message_deduplication_id);
        send.send().await.map(drop).map_err(|error| failed("SQS SendMessage", error))
    }

    /// How many messages a queue holds: visible, in flight, delayed.
    pub async fn messages_left(&self, queue_url: &str) -> Result<u64, Failure> {
        let count = self
            .sqs
            .get_queue_attributes()
            .queue_url(queue_url)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesDelayed);
        let counted = count.send().await;
        let counted = counted.map_err(|error| failed("SQS GetQueueAttributes", error))?;
        let counts = counted.attributes.unwrap_or_default();
        Ok(counts.values().filter_map(|count| count.parse::<u64>().ok()).sum())
    }

    /// Reads the oldest messages of a queue, at most ten, and leaves them there.
    pub async fn peek(&self, queue_url: &str) -> Result<Vec<Found>, Failure> {
        let messages = self.receive(queue_url, 0).await?;
        Ok(messages.into_iter().map(Found::from).collect())
    }

    /// Receives and deletes the oldest messages of a queue, at most ten.
    pub async fn take(&self, queue_url: &str) -> Result<Vec<Found>, Failure> {
        let messages = self.receive(queue_url, HIDDEN_SECONDS).await?;
        // A batch must not be empty.
        if !messages.is_empty() {
            self.delete_messages(queue_url, &messages).await?;
        }
        Ok(messages.into_iter().map(Found::from).collect())
    }

    /// Deletes received messages, one to ten.
    async fn delete_messages(
        &self,
        queue_url: &str,
        messages: &[types::Message],
    ) -> Result<(), Failure> {
        let call = "SQS DeleteMessageBatch";
        let mut delete = self.sqs.delete_message_batch().queue_url(queue_url);
        for (number, message) in messages.iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .set_receipt_handle(message.receipt_handle.clone())
                .build()
                .map_err(|error| Failure::new(format!("Cannot build {call}")).because(error))?;
            delete = delete.entries(entry);
        }
        let deleted = delete.send().await.map_err(|error| failed(call, error))?;
        match deleted.failed.first() {
            None => Ok(()),
            Some(refused) => {
                let message = refused.message().unwrap_or_default();
                Err(Failure::new(format!("{call} answered {}: {message}", refused.code())))
            }
        }
    }

    async fn receive(&self, queue_url: &str, hidden: i32) -> Result<Vec<types::Message>, Failure> {
        let receive = self
            .sqs
            .receive_message()
            .queue_url(queue_url)
            .max_number_of_messages(10)
            .visibility_timeout(hidden)
            .message_attribute_names("All");
        let received = receive.send().await;
        let received = received.map_err(|error| failed("SQS ReceiveMessage", error))?;
        Ok(received.messages.unwrap_or_default())
    }
}
