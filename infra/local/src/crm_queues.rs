//! The CRM's ends of the queues. The stand-in serves them over HTTP, so that tests in any language
//! send messages and receive events without an AWS client: `POST /queues/messages`, `GET` and
//! `DELETE /queues/events`, and `POST /queues/payment-check`, which reads the payments from Xero now
//! instead of within 15 minutes.

mod message_address;

use bytes::Bytes;
use clap::ValueEnum;
use http::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::message_address::{MESSAGE_BYTES_MAX, MessageAddress, new_deduplication_id};
use crate::aws::Aws;
use crate::aws::sqs::{Found, Message};
use crate::deployment::{Outputs, function_name};
use crate::failure::Failure;
use crate::http_server::text;

/// The start of the paths.
pub const QUEUES_PATH: &str = "/queues/";
/// Sends the message in the body.
pub const MESSAGES_PATH: &str = "/queues/messages";
/// Receives events, as a JSON array of at most ten.
pub const EVENTS_PATH: &str = "/queues/events";
/// Reads the payments from Xero now.
pub const PAYMENT_CHECK_PATH: &str = "/queues/payment-check";

/// The function that reads payments from Xero.
const PAYMENT_POLL: &str = "payment-poll";

/// A queue that takes messages of the CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CrmQueue {
    /// Clients.
    Contacts,
    /// Invoices.
    Invoices,
    /// Credit notes, and their credit on invoices.
    CreditNotes,
    /// Payments.
    Payments,
}

impl CrmQueue {
    /// The queue for messages of a type; `None` if the type belongs to no queue.
    pub fn for_type(message_type: &str) -> Option<Self> {
        let (subject, _) = message_type.split_once('.')?;
        match subject {
            "client" => Some(Self::Contacts),
            "invoice" => Some(Self::Invoices),
            "credit_note" => Some(Self::CreditNotes),
            "payment" => Some(Self::Payments),
            _ => None,
        }
    }

    /// The stack's output with its URL.
    pub const fn output(self) -> &'static str {
        match self {
            Self::Contacts => "ContactQueueUrl",
            Self::Invoices => "InvoiceQueueUrl",
            Self::CreditNotes => "CreditNoteQueueUrl",
            Self::Payments => "PaymentQueueUrl",
        }
    }

    /// The stack's output with the URL of the queue of its refused messages.
    pub const fn dead_letter_output(self) -> &'static str {
        match self {
            Self::Contacts => "ContactDeadLetterQueueUrl",
            Self::Invoices => "InvoiceDeadLetterQueueUrl",
            Self::CreditNotes => "CreditNoteDeadLetterQueueUrl",
            Self::Payments => "PaymentDeadLetterQueueUrl",
        }
    }

    /// Its name on the command line, in addresses and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Invoices => "invoices",
            Self::CreditNotes => "credit-notes",
            Self::Payments => "payments",
        }
    }
}

/// The queues of a deployed stack.
#[derive(Debug, Clone)]
pub struct CrmQueues {
    aws: Aws,
    outputs: Outputs,
}

impl CrmQueues {
    /// The queues in the outputs of the template.
    pub fn new(aws: Aws, outputs: Outputs) -> Self {
        Self { aws, outputs }
    }

    /// Answers a request to a path under [`QUEUES_PATH`].
    pub async fn answer_request(
        &self,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, Failure> {
        let query = request.uri().query().unwrap_or_default();
        match (request.method(), request.uri().path()) {
            (&Method::POST, MESSAGES_PATH) => self.send_message(request.body(), query).await,
            (&Method::GET, EVENTS_PATH) => {
                answer_events(self.aws.peek(self.outputs.get("EventQueueUrl")?).await?)
            }
            (&Method::DELETE, EVENTS_PATH) => {
                answer_events(self.aws.take(self.outputs.get("EventQueueUrl")?).await?)
            }
            (&Method::POST, PAYMENT_CHECK_PATH) => {
                self.aws.call_function(&function_name(PAYMENT_POLL)).await?;
                Ok(text(StatusCode::NO_CONTENT, "text/plain", ""))
            }
            _ => Ok(text(StatusCode::NOT_FOUND, "text/plain", "There is no such address.")),
        }
    }

    async fn send_message(&self, body: &Bytes, query: &str) -> Result<Response<Bytes>, Failure> {
        let address = match MessageAddress::read_from(body, query) {
            Ok(address) => address,
            Err(problem) => return Ok(text(StatusCode::BAD_REQUEST, "text/plain", problem)),
        };
        let body = String::from_utf8_lossy(body);
        let message = Message {
            queue_url: self.outputs.get(address.queue.output())?,
            message_body: &body,
            message_group_id: &address.message_group_id,
            message_deduplication_id: &address.message_deduplication_id,
        };
        self.aws.send_message(&message).await?;
        answer_json(StatusCode::ACCEPTED, &address)
    }
}

/// The bodies of events as an array.
fn answer_events(found: Vec<Found>) -> Result<Response<Bytes>, Failure> {
    let bodies = found.into_iter().map(|event| RawValue::from_string(event.body));
    let bodies = bodies.collect::<Result<Vec<_>, _>>();
    let bodies = bodies.map_err(|error| Failure::new("An event is not JSON").because(error))?;
    answer_json(StatusCode::OK, &bodies)
}

fn answer_json(status: StatusCode, value: &impl Serialize) -> Result<Response<Bytes>, Failure> {
    let body = serde_json::to_vec(value)
        .map_err(|error| Failure::new("Cannot serialise a response").because(error))?;
    Ok(text(status, "application/json", body))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::CrmQueue;

    #[test]
    fn a_queue_has_one_name_everywhere() {
        for queue in CrmQueue::value_variants() {
            let value = queue.to_possible_value().unwrap();
            assert_eq!(value.get_name(), queue.name());
            assert_eq!(serde_json::to_string(queue).unwrap(), format!("\"{}\"", queue.name()));
        }
    }
}
