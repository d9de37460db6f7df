//! Sends the CRM's messages: envelopes to the right queue, in the right message group.

use serde::Serialize;
use serde_json::Value;

use super::credit_note::{Allocation, CreditNote};
use super::material::{Client, Entry, Malformed};
use super::older_clients::OlderClient;
use super::payments::{Payment, Refund};
use crate::aws::sqs::Message;
use crate::clock;
use crate::crm::STORY_ACCOUNT;
use crate::crm_queues::CrmQueue;
use crate::failure::Failure;
use crate::stack::Stack;

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
    #[serde(flatten)]
    content: Content<'a>,
}

/// The content of a message, with the contract's field names.
#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Client { client: &'a Value },
    OlderClient { mode: &'a str, client: &'a OlderClient },
    Invoice { client: &'a Value, invoice: &'a Value },
    CreditNote { client: &'a Value, credit_note: &'a CreditNote },
    Allocation { allocation: &'a Allocation },
    Payment { payment: &'a Payment },
    Refund { refund: &'a Refund },
}

impl<'a> Post<'a> {
    /// An outbox that has sent no message yet.
    pub(super) fn new(stack: &'a Stack) -> Self {
        Self { stack, sent: 0 }
    }

    /// How many messages were sent.
    pub(super) fn sent(&self) -> u32 {
        self.sent
    }

    /// Sends a client that was entered or changed.
    pub(super) async fn client(&mut self, client: &Client) -> Result<(), Failure> {
        let id = self.next_id();
        let queue = self.queue(CrmQueue::Contacts)?;
        let content = Content::Client { client: &client.snapshot };
        self.envelope(queue, &id, "client.upserted", content).await
    }

    /// Sends a client that is recorded without being pushed to Xero.
    pub(super) async fn older_client(&mut self, client: &OlderClient) -> Result<(), Failure> {
        let id = self.next_id();
        let queue = self.queue(CrmQueue::Contacts)?;
        let content = Content::OlderClient { mode: "record", client };
        self.envelope(queue, &id, "client.upserted", content).await
    }

    /// Sends an invoice that was sent, updated or voided.
    pub(super) async fn invoice(&mut self, entry: &Entry, client: &Client) -> Result<(), Failure> {
        let id = self.next_id();
        let queue = self.queue(CrmQueue::Invoices)?;
        let content = Content::Invoice { client: &client.snapshot, invoice: &entry.snapshot };
        self.envelope(queue, &id, &entry.kind, content).await
    }

    /// Sends the same message twice, and its content once more under another id: queues and
    /// outboxes deliver at least once.
    pub(super) async fn invoice_three_times(
        &mut self,
        entry: &Entry,
        client: &Client,
    ) -> Result<(), Failure> {
        let queue = self.queue(CrmQueue::Invoices)?;
        let id = self.next_id();
        let again = self.next_id();
        for id in [&id, &id, &again] {
            let content = Content::Invoice { client: &client.snapshot, invoice: &entry.snapshot };
            self.envelope(queue, id, &entry.kind, content).await?;
        }
        Ok(())
    }

    /// Sends a credit note that was issued.
    pub(super) async fn credit_note(
        &mut self,
        credit_note: &CreditNote,
        client: &Client,
    ) -> Result<(), Failure> {
        let id = self.next_id();
        let queue = self.queue(CrmQueue::CreditNotes)?;
        let content = Content::CreditNote { client: &client.snapshot, credit_note };
        self.envelope(queue, &id, "credit_note.issued", content).await
    }

    /// Sends an allocation of credit to an invoice.
    pub(super) async fn allocation(&mut self, allocation: &Allocation) -> Result<(), Failure> {
        let id = self.next_id();
        let queue = self.queue(CrmQueue::CreditNotes)?;
        let content = Content::Allocation { allocation };
        self.envelope(queue, &id, "credit_note.allocated", content).await
    }

    /// Sends a payment that was taken.
    pub(super) async fn payment(&mut self, payment: &Payment) -> Result<(), Failure> {
        let id = self.next_id();
        let queue = self.queue(CrmQueue::Payments)?;
        self.envelope(queue, &id, "payment.recorded", Content::Payment { payment }).await
    }

    /// Sends money that was returned.
    pub(super) async fn refund(&mut self, refund: &Refund) -> Result<(), Failure> {
        let id = self.next_id();
        let queue = self.queue(CrmQueue::Payments)?;
        self.envelope(queue, &id, "payment.refunded", Content::Refund { refund }).await
    }

    /// Sends a message that cannot be read.
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
        content: Content<'_>,
    ) -> Result<(), Failure> {
        let body = body(id, kind, content)?;
        let message = Message {
            queue_url,
            message_body: &body,
            message_group_id: STORY_ACCOUNT,
            message_deduplication_id: id,
        };
        self.stack.aws.send_message(&message).await
    }

    fn queue(&self, queue: CrmQueue) -> Result<&'a str, Failure> {
        self.stack.outputs.get(queue.output())
    }

    fn next_id(&mut self) -> String {
        self.sent = self.sent.saturating_add(1);
        format!("msg_{:06}", self.sent)
    }
}

fn body(id: &str, kind: &str, content: Content<'_>) -> Result<String, Failure> {
    let envelope = Envelope {
        version: 1,
        kind,
        message_id: id,
        account_id: STORY_ACCOUNT,
        sent_at: clock::now().to_string(),
        content,
    };
    serde_json::to_string(&envelope)
        .map_err(|error| Failure::new("Cannot serialise a message").because(error))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::Value;

    use super::{Content, body};
    use crate::story::older_clients::RENAMED;
    use crate::story::payments::{Payment, Refund};

    fn names(content: Content<'_>) -> Vec<String> {
        let body = body("msg_1", "invoice.sent", content).unwrap();
        let message: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&message["version"], &message["type"]), (&1.into(), &"invoice.sent".into()));
        message.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_content_of_a_message_is_beside_the_envelope_fields() {
        let (client, invoice) = (Value::default(), Value::default());
        let envelope = ["account_id", "message_id", "sent_at", "type", "version"];
        let alone = names(Content::Client { client: &client });
        assert!(envelope.iter().all(|name| alone.iter().any(|found| found == name)), "{alone:?}");
        assert_eq!(alone.len(), envelope.len() + 1);
        assert!(alone.contains(&"client".to_owned()));
        let both = names(Content::Invoice { client: &client, invoice: &invoice });
        assert_eq!(both.len(), envelope.len() + 2);
        assert!(both.contains(&"invoice".to_owned()));
        let older = names(Content::OlderClient { mode: "record", client: &RENAMED });
        assert_eq!(older.len(), envelope.len() + 2);
        assert!(older.contains(&"mode".to_owned()) && older.contains(&"client".to_owned()));
        let payment = names(Content::Payment { payment: &Payment::in_euros(date(2026, 11, 6)) });
        assert!(payment.contains(&"payment".to_owned()), "{payment:?}");
        let refund = names(Content::Refund { refund: &Refund::in_euros(date(2026, 11, 6)) });
        assert!(refund.contains(&"refund".to_owned()), "{refund:?}");
    }
}
