//! Sending what the CRM sends: envelopes in the right queue, in the right line.

use super::material::{Client, Entry, Malformed, QueueName};
use crate::aws::sqs::Message;
use crate::clock;
use crate::crm::STORY_ACCOUNT;
use crate::failure::Failure;
use crate::stack::Stack;
use serde::Serialize;
use serde_json::Value;

/// The CRM's outbox: it numbers its messages.
#[derive(Debug)]
pub(super) struct Post<'a> {
    stack: &'a Stack,
    sent: u32,
}

#[derive(Serialize)]
struct Envelope<'a> {
    version: u32,
    #[serde(rename = "type")]
    kind: &'a str,
    message_id: &'a str,
    account_id: &'a str,
    sent_at: String,
    client: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice: Option<&'a Value>,
}

impl<'a> Post<'a> {
    /// An outbox that has sent nothing yet.
    pub(super) fn new(stack: &'a Stack) -> Self {
        Self { stack, sent: 0 }
    }

    /// How many messages were sent.
    pub(super) fn sent(&self) -> u32 {
        self.sent
    }

    /// A client was entered or changed.
    pub(super) async fn client(&mut self, client: &Client) -> Result<(), Failure> {
        let id = self.next_id();
        let queue = self.queue(QueueName::Contacts)?;
        self.envelope(queue, &id, "client.upserted", client, None).await
    }

    /// An invoice was sent, updated or voided.
    pub(super) async fn invoice(&mut self, entry: &Entry, client: &Client) -> Result<(), Failure> {
        let id = self.next_id();
        let queue = self.queue(QueueName::Invoices)?;
        self.envelope(queue, &id, &entry.kind, client, Some(&entry.snapshot)).await
    }

    /// The same message twice, and its content once more under another id: queues deliver at least
    /// once, and so do outboxes.
    pub(super) async fn invoice_three_times(
        &mut self,
        entry: &Entry,
        client: &Client,
    ) -> Result<(), Failure> {
        let queue = self.queue(QueueName::Invoices)?;
        let id = self.next_id();
        let again = self.next_id();
        for id in [&id, &id, &again] {
            self.envelope(queue, id, &entry.kind, client, Some(&entry.snapshot)).await?;
        }
        Ok(())
    }

    /// A message nobody can read.
    pub(super) async fn malformed(&mut self, malformed: &Malformed) -> Result<(), Failure> {
        let id = self.next_id();
        let message = Message {
            queue_url: self.queue(malformed.queue)?,
            message_body: &malformed.body(),
            message_group_id: &malformed.group,
            message_deduplication_id: &id,
        };
        self.stack.aws.send_message(&message).await
    }

    async fn envelope(
        &self,
        queue_url: &str,
        id: &str,
        kind: &str,
        client: &Client,
        invoice: Option<&Value>,
    ) -> Result<(), Failure> {
        let envelope = Envelope {
            version: 1,
            kind,
            message_id: id,
            account_id: STORY_ACCOUNT,
            sent_at: clock::now().to_string(),
            client: &client.snapshot,
            invoice,
        };
        let body = serde_json::to_string(&envelope)
            .map_err(|error| Failure::new("A message cannot be written").because(error))?;
        let message = Message {
            queue_url,
            message_body: &body,
            message_group_id: STORY_ACCOUNT,
            message_deduplication_id: id,
        };
        self.stack.aws.send_message(&message).await
    }

    fn queue(&self, name: QueueName) -> Result<&'a str, Failure> {
        self.stack.outputs.get(match name {
            QueueName::Contacts => "ContactQueueUrl",
            QueueName::Invoices => "InvoiceQueueUrl",
        })
    }

    fn next_id(&mut self) -> String {
        self.sent = self.sent.saturating_add(1);
        format!("msg_{:06}", self.sent)
    }
}
