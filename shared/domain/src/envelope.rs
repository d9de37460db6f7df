//! The inbound contract: one JSON envelope for every message from the CRM, version 1.
//!
//! A message is a hint with a snapshot. Reading it either gives a checked record or an error that
//! names the field, which ends up beside the message in the dead-letter queue.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::crm::client::Client;
use crate::crm::invoice::{Invoice, Standing};
use crate::crm::payment::{self, Method, Payment, PaymentPart};
use crate::entity::EntityKind;
use crate::ids::{AccountId, MessageId};
pub use crate::wake::{Errand, WAKE_RECORDS_MAX, Wake};

/// The contract version this code reads.
pub const CONTRACT_VERSION: u64 = 1;

/// The longest body, in bytes. Longer ones are refused unread.
pub const BODY_LIMIT_BYTES: usize = 256 * 1024;

/// What arrived on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inbound {
    /// A message from the CRM.
    Message(Box<Message>),
    /// A wake-up that was booked earlier: a key, never data.
    Wake(Wake),
}

/// A message from the CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The CRM's id of it.
    pub id: MessageId,
    /// Whose it is. Equal to the queue's message group.
    pub account: AccountId,
    /// When the CRM sent it.
    pub sent_at: Timestamp,
    /// What it says.
    pub content: Content,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// `client.upserted`: a client changed.
    Client {
        /// The client.
        client: Client,
        /// Whether to push it now.
        mode: Mode,
    },
    /// `invoice.sent`, `invoice.updated`, `invoice.voided`, each with its client.
    Invoice {
        /// The client to be in Xero first.
        client: Client,
        /// The invoice; its standing says whether it was voided.
        invoice: Invoice,
    },
    /// `payment.recorded`, `payment.deleted`.
    Payment {
        /// The payment; its standing says whether it was deleted.
        payment: Payment,
        /// Its parts that are brought to Xero.
        parts: Vec<PaymentPart>,
    },
}

impl Content {
    /// The kind of document it is about, and so the queue it belongs on.
    pub const fn kind(&self) -> EntityKind {
        match self {
            Self::Client { client: _, mode: _ } => EntityKind::Contact,
            Self::Invoice { client: _, invoice: _ } => EntityKind::Invoice,
            Self::Payment { payment: _, parts: _ } => EntityKind::Payment,
        }
    }
}

/// What to do with a client's snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Bring Xero to it now.
    #[default]
    Push,
    /// Only remember it: it is pushed with the client's first invoice.
    Record,
}

/// Why a body cannot be read. The text names the field and never quotes its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The body is longer than [`BODY_LIMIT_BYTES`].
    #[error("the body is {bytes} bytes long; at most {BODY_LIMIT_BYTES} are read")]
    Oversized {
        /// Its length.
        bytes: usize,
    },
    /// The body is not JSON.
    #[error("the body is not JSON (line {line}, column {column})")]
    NotJson {
        /// Where it goes wrong.
        line: usize,
        /// Where in that line.
        column: usize,
    },
    /// The contract version is missing or another one.
    #[error("version must be {CONTRACT_VERSION}")]
    UnknownVersion,
    /// The type is none of this contract's.
    #[error(
        "type must be client.upserted, invoice.sent, invoice.updated, invoice.voided, \
         payment.recorded or payment.deleted"
    )]
    UnknownType,
    /// A field is missing or wrong.
    #[error("{field}: {problem}")]
    Field {
        /// The field's path, such as `invoice.lines[2].quantity`.
        field: String,
        /// What it must be.
        problem: String,
    },
    /// The message is on the queue of another kind.
    #[error("type: this queue takes messages about a {expected}")]
    WrongQueue {
        /// The queue's kind.
        expected: EntityKind,
    },
    /// The message group is another account's.
    #[error("account_id: differs from the message group, which names the account")]
    WrongAccount,
}

impl Unreadable {
    /// A stable name for logs and the dead-letter queue's `reason` attribute.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Oversized { bytes: _ } => "oversized",
            Self::NotJson { line: _, column: _ } => "not_json",
            Self::UnknownVersion => "unknown_version",
            Self::UnknownType => "unknown_type",
            Self::Field { field: _, problem: _ } => "field",
            Self::WrongQueue { expected: _ } => "wrong_queue",
            Self::WrongAccount => "wrong_account",
        }
    }
}

#[derive(Deserialize)]
struct Head {
    version: Option<u64>,
    #[serde(rename = "type")]
    message_type: Option<String>,
    wake: Option<Wake>,
}

#[derive(Deserialize)]
struct ClientBody {
    message_id: MessageId,
    account_id: AccountId,
    sent_at: Timestamp,
    client: Client,
    #[serde(default)]
    mode: Mode,
}

#[derive(Deserialize)]
struct InvoiceBody {
    message_id: MessageId,
    account_id: AccountId,
    sent_at: Timestamp,
    client: Client,
    invoice: Invoice,
}

#[derive(Deserialize)]
struct PaymentBody {
    message_id: MessageId,
    account_id: AccountId,
    sent_at: Timestamp,
    payment: Payment,
}

/// Reads a body from the queue of `kind` whose message group is `group`.
pub fn read(body: &str, kind: EntityKind, group: &str) -> Result<Inbound, Unreadable> {
    if body.len() > BODY_LIMIT_BYTES {
        return Err(Unreadable::Oversized { bytes: body.len() });
    }
    let head: Head = parse(body)?;
    if head.version != Some(CONTRACT_VERSION) {
        return Err(Unreadable::UnknownVersion);
    }
    let inbound = match head.wake {
        Some(wake) => Inbound::Wake(wake),
        None => Inbound::Message(Box::new(message(body, head.message_type.as_deref())?)),
    };
    check_place(&inbound, kind, group)?;
    Ok(inbound)
}

fn message(body: &str, message_type: Option<&str>) -> Result<Message, Unreadable> {
    match message_type {
        Some("client.upserted") => {
            let ClientBody { message_id, account_id, sent_at, client, mode } = parse(body)?;
            let content = Content::Client { client, mode };
            Ok(Message { id: message_id, account: account_id, sent_at, content })
        }
        Some("invoice.sent" | "invoice.updated") => invoice_message(body, Standing::Sent),
        Some("invoice.voided") => invoice_message(body, Standing::Voided),
        Some("payment.recorded") => payment_message(body, payment::Standing::Recorded),
        Some("payment.deleted") => payment_message(body, payment::Standing::Deleted),
        Some(_) | None => Err(Unreadable::UnknownType),
    }
}

fn invoice_message(body: &str, standing: Standing) -> Result<Message, Unreadable> {
    let InvoiceBody { message_id, account_id, sent_at, client, invoice } = parse(body)?;
    if invoice.client_id != client.id {
        return Err(Unreadable::Field {
            field: "invoice.client_id".to_owned(),
            problem: "must be the id of the client in the same message".to_owned(),
        });
    }
    let invoice = Invoice { standing, ..invoice };
    let content = Content::Invoice { client, invoice };
    Ok(Message { id: message_id, account: account_id, sent_at, content })
}

fn payment_message(body: &str, standing: payment::Standing) -> Result<Message, Unreadable> {
    let PaymentBody { message_id, account_id, sent_at, payment } = parse(body)?;
    let only_stripe = [("payment.fee", payment.fee), ("payment.surcharge", payment.surcharge)];
    let misplaced = only_stripe.into_iter().find(|(_, amount)| {
        payment.method != Method::Stripe && amount.is_some_and(|amount| !amount.is_zero())
    });
    if let Some((field, _)) = misplaced {
        return Err(Unreadable::Field {
            field: field.to_owned(),
            problem: "belongs to a payment by Stripe".to_owned(),
        });
    }
    let payment = Payment { standing, ..payment };
    let parts = payment.parts();
    let content = Content::Payment { payment, parts };
    Ok(Message { id: message_id, account: account_id, sent_at, content })
}

fn check_place(inbound: &Inbound, kind: EntityKind, group: &str) -> Result<(), Unreadable> {
    let (found, account) = match inbound {
        Inbound::Message(message) => (message.content.kind(), &message.account),
        Inbound::Wake(wake) => (wake.kind, &wake.account),
    };
    if found != kind {
        return Err(Unreadable::WrongQueue { expected: kind });
    }
    if account.as_str() != group {
        return Err(Unreadable::WrongAccount);
    }
    Ok(())
}

fn parse<'de, T: Deserialize<'de>>(body: &'de str) -> Result<T, Unreadable> {
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        unreadable(&path, &error.into_inner())
    })?;
    deserializer.end().map_err(|error| unreadable(".", &error))?;
    Ok(value)
}

fn unreadable(path: &str, error: &serde_json::Error) -> Unreadable {
    use serde_json::error::Category;
    match error.classify() {
        Category::Syntax | Category::Eof | Category::Io => {
            Unreadable::NotJson { line: error.line(), column: error.column() }
        }
        Category::Data => {
            let text = error.to_string();
            let problem = text.split(" at line ").next().unwrap_or_default();
            field_problem(path, problem)
        }
    }
}

/// Serde's sentence, without the value it quotes: a value may be personal.
fn field_problem(path: &str, problem: &str) -> Unreadable {
    let missing = problem.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    let (field, problem) = match (missing, problem.split_once(", expected ")) {
        (Some(name), _) if path == "." => (name.to_owned(), "is missing".to_owned()),
        (Some(name), _) => (format!("{path}.{name}"), "is missing".to_owned()),
        (None, Some((_, expected))) => (path.to_owned(), format!("must be {expected}")),
        (None, None) => (path.to_owned(), problem.to_owned()),
    };
    Unreadable::Field { field, problem }
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
