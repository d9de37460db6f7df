//! The inbound contract: one JSON envelope for every message from the CRM, version 1.
//!
//! A message is a hint with a snapshot. Reading it returns either a checked record or an error that
//! names the field; the error is attached to the message in the dead-letter queue. Fields that the
//! contract does not have are rejected by name. Wake-ups are sent by the product itself, possibly
//! by a newer version, so their unknown fields are ignored.

mod checks;
mod message_type;
mod shapes;
mod subject;
mod unreadable;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use self::checks::{check_client, check_discounts, check_method, check_number, check_place};
pub use self::message_type::MessageType;
pub use self::subject::{Subject, find_subject};
pub use self::unreadable::Unreadable;
use crate::body::{self, Shape, parse};
use crate::crm::allocation::{self, Allocation};
use crate::crm::client::Client;
use crate::crm::credit_note::CreditNote;
use crate::crm::invoice::Invoice;
use crate::crm::lines::Standing;
use crate::crm::payment::{self, Payment, PaymentPart};
use crate::crm::text;
use crate::entity::EntityKind;
use crate::ids::{AccountId, MessageId};
pub use crate::wake::{Errand, Source, WAKE_RECORDS_MAX, Wake};

/// The contract version that this code reads.
pub const CONTRACT_VERSION: u64 = 1;

/// The maximum length of a body, in bytes. A longer body is rejected without being parsed.
pub const BODY_LIMIT_BYTES: usize = 256 * 1024;

/// What arrived on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inbound {
    /// A message from the CRM.
    Message(Box<Message>),
    /// A wake-up that was scheduled earlier. It carries keys, never data.
    Wake(Wake),
}

/// A message from the CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The CRM's id of the message.
    pub id: MessageId,
    /// The account that the message belongs to. Equal to the queue's message group.
    pub account: AccountId,
    /// When the CRM sent it.
    pub sent_at: Timestamp,
    /// The message's content.
    pub content: Content,
}

/// The content of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// `client.upserted`: a client changed.
    Client {
        /// The client.
        client: Client,
        /// Whether to push it now or only store it.
        mode: Mode,
    },
    /// `invoice.sent`, `invoice.updated`, `invoice.voided`: an invoice with its client.
    Invoice {
        /// The client, which must be in Xero before the invoice.
        client: Client,
        /// The invoice. Its standing says whether it was voided.
        invoice: Invoice,
    },
    /// `credit_note.issued`, `credit_note.updated`, `credit_note.voided`: a credit note with its
    /// client. Also an `invoice.*` message with a negative total, which is a credit note in Xero.
    CreditNote {
        /// The client, which must be in Xero before the note.
        client: Client,
        /// The note. Its standing says whether it was voided.
        note: CreditNote,
    },
    /// `credit_note.allocated`, `credit_note.deallocated`: an allocation.
    Allocation(Allocation),
    /// `payment.recorded`, `payment.deleted`: a payment.
    Payment {
        /// The payment. Its standing says whether it was deleted.
        payment: Payment,
        /// Its parts that are written to Xero.
        parts: Vec<PaymentPart>,
    },
}

impl Content {
    /// The kind of the document in Xero that the message is about.
    pub const fn kind(&self) -> EntityKind {
        match self {
            Self::Client { client: _, mode: _ } => EntityKind::Contact,
            Self::Invoice { client: _, invoice: _ } => EntityKind::Invoice,
            Self::CreditNote { client: _, note: _ } => EntityKind::CreditNote,
            Self::Allocation(_) => EntityKind::Allocation,
            Self::Payment { payment: _, parts: _ } => EntityKind::Payment,
        }
    }
}

impl Content {
    /// The kind whose queue the message belongs on.
    const fn queue(&self) -> EntityKind {
        match self {
            // In the CRM, the record is an invoice.
            Self::CreditNote { client: _, note } if note.is_negative_invoice => EntityKind::Invoice,
            Self::Client { .. }
            | Self::Invoice { .. }
            | Self::CreditNote { .. }
            | Self::Allocation(_)
            | Self::Payment { .. } => self.kind().queue(),
        }
    }
}

/// What to do with a client's snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Push it to Xero now.
    #[default]
    Push,
    /// Only store it. It is pushed together with the client's first invoice.
    Record,
}

#[derive(Deserialize)]
struct Head {
    version: Option<Number>,
    #[serde(rename = "type")]
    message_type: Option<String>,
    wake: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct ClientBody {
    message_id: MessageId,
    account_id: AccountId,
    #[serde(deserialize_with = "text::instant")]
    sent_at: Timestamp,
    client: Client,
    #[serde(default)]
    mode: Mode,
}

#[derive(Deserialize)]
struct InvoiceBody {
    message_id: MessageId,
    account_id: AccountId,
    #[serde(deserialize_with = "text::instant")]
    sent_at: Timestamp,
    client: Client,
    invoice: Invoice,
}

#[derive(Deserialize)]
struct CreditNoteBody {
    message_id: MessageId,
    account_id: AccountId,
    #[serde(deserialize_with = "text::instant")]
    sent_at: Timestamp,
    client: Client,
    credit_note: CreditNote,
}

#[derive(Deserialize)]
struct AllocationBody {
    message_id: MessageId,
    account_id: AccountId,
    #[serde(deserialize_with = "text::instant")]
    sent_at: Timestamp,
    allocation: Allocation,
}

#[derive(Deserialize)]
struct PaymentBody {
    message_id: MessageId,
    account_id: AccountId,
    #[serde(deserialize_with = "text::instant")]
    sent_at: Timestamp,
    payment: Payment,
}

/// Reads a body from the CRM's queue of `kind` whose message group is `group`. This queue rejects
/// wake-ups: only the product may send one, to a separate queue ([`Source::WakeUps`]).
///
/// # Errors
///
/// The reason why the body cannot be accepted, as [`Unreadable`].
pub fn read(body: &str, kind: EntityKind, group: &str) -> Result<Inbound, Unreadable> {
    if body.len() > BODY_LIMIT_BYTES {
        return Err(Unreadable::Oversized { bytes: body.len() });
    }
    let head: Head = parse(body)?;
    if head.version.as_ref().and_then(text::whole) != Some(CONTRACT_VERSION) {
        return Err(Unreadable::UnknownVersion);
    }
    if head.wake.is_some() {
        let problem = "this queue accepts messages from the CRM, not wake-ups".to_owned();
        return Err(Unreadable::Field { field: "wake".to_owned(), problem });
    }
    let inbound = Inbound::Message(Box::new(message(body, head.message_type.as_deref())?));
    check_place(&inbound, kind, group)?;
    Ok(inbound)
}

fn message(body: &str, message_type: Option<&str>) -> Result<Message, Unreadable> {
    let message_type = message_type.and_then(MessageType::from_name);
    let message_type = message_type.ok_or(Unreadable::UnknownType)?;
    let shape = message_type.body_shape();
    match message_type {
        MessageType::ClientUpserted => {
            let ClientBody { message_id, account_id, sent_at, client, mode } =
                body::read(body, shape)?;
            let content = Content::Client { client, mode };
            Ok(Message { id: message_id, account: account_id, sent_at, content })
        }
        MessageType::InvoiceSent | MessageType::InvoiceUpdated => {
            invoice_message(body, shape, Standing::Sent)
        }
        MessageType::InvoiceVoided => invoice_message(body, shape, Standing::Voided),
        MessageType::CreditNoteIssued | MessageType::CreditNoteUpdated => {
            note_message(body, shape, Standing::Sent)
        }
        MessageType::CreditNoteVoided => note_message(body, shape, Standing::Voided),
        MessageType::CreditNoteAllocated => {
            allocation_message(body, shape, allocation::Standing::Applied)
        }
        MessageType::CreditNoteDeallocated => {
            allocation_message(body, shape, allocation::Standing::Removed)
        }
        MessageType::PaymentRecorded => payment_message(body, shape, payment::Standing::Recorded),
        MessageType::PaymentDeleted => payment_message(body, shape, payment::Standing::Deleted),
    }
}

fn invoice_message(body: &str, shape: Shape, standing: Standing) -> Result<Message, Unreadable> {
    let InvoiceBody { message_id, account_id, sent_at, client, invoice } = body::read(body, shape)?;
    check_client(&invoice.client_id, &client, "invoice.client_id")?;
    check_number(&invoice.number, "invoice.number")?;
    check_discounts(&invoice.lines, standing, "invoice")?;
    let invoice = Invoice { standing, ..invoice };
    let content = match CreditNote::of(&invoice) {
        Some(note) => Content::CreditNote { client, note },
        None => Content::Invoice { client, invoice },
    };
    Ok(Message { id: message_id, account: account_id, sent_at, content })
}

fn note_message(body: &str, shape: Shape, standing: Standing) -> Result<Message, Unreadable> {
    let CreditNoteBody { message_id, account_id, sent_at, client, credit_note } =
        body::read(body, shape)?;
    check_client(&credit_note.client_id, &client, "credit_note.client_id")?;
    check_number(&credit_note.number, "credit_note.number")?;
    check_discounts(&credit_note.lines, standing, "credit_note")?;
    let note = CreditNote { standing, is_negative_invoice: false, ..credit_note };
    let content = Content::CreditNote { client, note };
    Ok(Message { id: message_id, account: account_id, sent_at, content })
}

fn allocation_message(
    body: &str,
    shape: Shape,
    standing: allocation::Standing,
) -> Result<Message, Unreadable> {
    let AllocationBody { message_id, account_id, sent_at, allocation } = body::read(body, shape)?;
    check_number(&allocation.credit_note_number, "allocation.credit_note_number")?;
    check_number(&allocation.invoice_number, "allocation.invoice_number")?;
    let content = Content::Allocation(Allocation { standing, ..allocation });
    Ok(Message { id: message_id, account: account_id, sent_at, content })
}

fn payment_message(
    body: &str,
    shape: Shape,
    standing: payment::Standing,
) -> Result<Message, Unreadable> {
    let PaymentBody { message_id, account_id, sent_at, payment } = body::read(body, shape)?;
    check_method(&payment)?;
    let payment = Payment { standing, ..payment };
    let parts = payment.parts();
    let content = Content::Payment { payment, parts };
    Ok(Message { id: message_id, account: account_id, sent_at, content })
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
