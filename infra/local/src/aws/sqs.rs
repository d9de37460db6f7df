//! Queues: sends, counts, and reads dead letters.

use super::Aws;
use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A message for a FIFO queue.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
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
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Found {
    /// The body.
    pub body: String,
    receipt_handle: String,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    string_value: Option<String>,
}

impl Found {
    /// The text of a message attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.message_attributes.get(name)?.string_value.as_deref()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Accepted {
    #[serde(rename = "MessageId")]
    _message_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Asked<'a> {
    queue_url: &'a str,
    attribute_names: [&'static str; 3],
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Counted {
    attributes: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Receive<'a> {
    queue_url: &'a str,
    max_number_of_messages: u8,
    visibility_timeout: u8,
    message_attribute_names: [&'static str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Delete<'a> {
    queue_url: &'a str,
    receipt_handle: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Received {
    #[serde(default)]
    messages: Vec<Found>,
}

impl Aws {
    /// Sends a message to a queue.
    pub async fn send_message(&self, message: &Message<'_>) -> Result<(), Failure> {
        self.json::<Accepted>("AmazonSQS.SendMessage", message).await.map(|_| ())
    }

    /// How many messages a queue holds: visible, in flight, delayed.
    pub async fn messages_left(&self, queue_url: &str) -> Result<u64, Failure> {
        let attribute_names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ];
        let asked = Asked { queue_url, attribute_names };
        let counted: Counted = self.json("AmazonSQS.GetQueueAttributes", &asked).await?;
        Ok(counted.attributes.values().filter_map(|count| count.parse::<u64>().ok()).sum())
    }

    /// Reads the oldest messages of a queue, at most ten, and leaves them there.
    pub async fn peek(&self, queue_url: &str) -> Result<Vec<Found>, Failure> {
        let receive = Receive {
            queue_url,
            max_number_of_messages: 10,
            visibility_timeout: 0,
            message_attribute_names: ["All"],
        };
        let received: Received = self.json("AmazonSQS.ReceiveMessage", &receive).await?;
        Ok(received.messages)
    }

    /// Receives and deletes the oldest messages of a queue, at most ten.
    pub async fn take(&self, queue_url: &str) -> Result<Vec<Found>, Failure> {
        let receive = Receive {
            queue_url,
            max_number_of_messages: 10,
            visibility_timeout: 30,
            message_attribute_names: ["All"],
        };
        let received: Received = self.json("AmazonSQS.ReceiveMessage", &receive).await?;
        for message in &received.messages {
            let delete = Delete { queue_url, receipt_handle: &message.receipt_handle };
            self.send("AmazonSQS.DeleteMessage", &delete).await?;
        }
        Ok(received.messages)
    }
}
