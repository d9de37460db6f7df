//! The inbound contract: one JSON envelope for every message from the CRM, version 1.
//!
//! A message is a notification with a snapshot. Reading it returns either a checked record or an
//! error that names the field; the error is attached to the message in the dead-letter queue.
//! Fields that the contract does not have are rejected by name. Wake-ups are sent by the product
//! itself, possibly by a newer version, so their unknown fields are ignored.

mod checks;
mod message_type;
mod shapes;
mod subject;
mod unreadable;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use self::checks::{
    check_client, check_discounts, check_method, check_number, check_queue_and_group,
};
pub use self::message_type::MessageType;
pub use self::subject::{MessageSubject, find_subject};
pub use self::unreadable::UnreadableBody;
use crate::body::{self, BodyShape, parse_ignoring_unknown};
use crate::crm::allocation::{self, Allocation};
use crate::crm::client::Client;
use crate::crm::credit_note::CreditNote;
use crate::crm::invoice::Invoice;
use crate::crm::lines::RecordStatus;
use crate::crm::payment::{self, Payment, PaymentPart};
use crate::crm::text;
use crate::entity::EntityKind;
use crate::ids::{AccountId, MessageId};
pub use crate::wake_up::{QueueSource, WAKE_UP_RECORDS_MAX, WakeUp, WakeUpKind};

/// The contract version that this code reads.
pub const CONTRACT_VERSION: u64 = 1;

/// The maximum length of a body, in bytes. A longer body is rejected without being parsed.
pub const BODY_LIMIT_BYTES: usize = 256 * 1024;

/// What arrived on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundBody {
    /// A message from the CRM.
    Message(Box<CrmMessage>),
    /// A wake-up that was scheduled earlier. It carries keys, never data.
    Wake(WakeUp),
}

/// A message from the CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmMessage {
    /// The CRM's id of the message.
    pub id: MessageId,
    /// The account that the message belongs to. Equal to the queue's message group.
    pub account: AccountId,
    /// When the CRM sent it.
    pub sent_at: Timestamp,
    /// The message's content.
    pub content: MessageContent,
}

/// The content of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageContent {
    /// `client.upserted`: a client changed.
    Client {
        /// The client.
        client: Client,
        /// Whether to push it now or only store it.
        mode: ClientSyncMode,
    },
    /// `invoice.sent`, `invoice.updated`, `invoice.voided`: an invoice with its client.
    Invoice {
        /// The client, which must be in Xero before the invoice.
        client: Client,
        /// The invoice. Its status says whether it was voided.
        invoice: Invoice,
    },
    /// `credit_note.issued`, `credit_note.updated`, `credit_note.voided`: a credit note with its
    /// client. Also an `invoice.*` message with a negative total, which is a credit note in Xero.
    CreditNote {
        /// The client, which must be in Xero before the note.
        client: Client,
        /// The note. Its status says whether it was voided.
        note: CreditNote,
    },
    /// `credit_note.allocated`, `credit_note.deallocated`: an allocation.
    Allocation(Allocation),
    /// `payment.recorded`, `payment.deleted`: a payment.
    Payment {
        /// The payment. Its status says whether it was deleted.
        payment: Payment,
        /// Its parts that are written to Xero.
        parts: Vec<PaymentPart>,
    },
}

impl MessageContent {
    /// The kind of the document in Xero that the message is about.
    pub const fn entity_kind(&self) -> EntityKind {
        match self {
            Self::Client { client: _, mode: _ } => EntityKind::Contact,
            Self::Invoice { client: _, invoice: _ } => EntityKind::Invoice,
            Self::CreditNote { client: _, note: _ } => EntityKind::CreditNote,
            Self::Allocation(_) => EntityKind::Allocation,
            Self::Payment { payment: _, parts: _ } => EntityKind::Payment,
        }
    }
}

impl MessageContent {
    /// The kind whose queue the message belongs on.
    const fn queue_kind(&self) -> EntityKind {
        match self {
            // In the CRM, the record is an invoice.
            Self::CreditNote { client: _, note } if note.is_negative_invoice => EntityKind::Invoice,
            Self::Client { .. }
            | Self::Invoice { .. }
            | Self::CreditNote { .. }
            | Self::Allocation(_)
            | Self::Payment { .. } => self.entity_kind().queue_kind(),
        }
    }
}

/// What to do with a client's snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientSyncMode {
    /// Push it to Xero now.
    #[default]
    Push,
    /// Only store it. It is pushed together with the client's first invoice.
    Record,
}

#[derive(Deserialize)]
struct MessageHead {
    version: Option<Number>,
    #[serde(rename = "type")]
    message_type: Option<String>,
    wake: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct ClientBody {
    message_id: MessageId,
    account_id: AccountId,
    #[serde(deserialize_with = "text::deserialize_instant")]
    sent_at: Timestamp,
    client: Client,
    #[serde(default)]
    mode: ClientSyncMode,
}

#[derive(Deserialize)]
struct InvoiceBody {
    message_id: MessageId,
    account_id: AccountId,
    #[serde(deserialize_with = "text::deserialize_instant")]
    sent_at: Timestamp,
    client: Client,
    invoice: Invoice,
}

#[derive(Deserialize)]
struct CreditNoteBody {
    message_id: MessageId,
    account_id: AccountId,
    #[serde(deserialize_with = "text::deserialize_instant")]
    sent_at: Timestamp,
    client: Client,
    credit_note: CreditNote,
}

#[derive(Deserialize)]
struct AllocationBody {
    message_id: MessageId,
    account_id: AccountId,
    #[serde(deserialize_with = "text::deserialize_instant")]
    sent_at: Timestamp,
    allocation: Allocation,
}

#[derive(Deserialize)]
struct PaymentBody {
    message_id: MessageId,
    account_id: AccountId,
    #[serde(deserialize_with = "text::deserialize_instant")]
    sent_at: Timestamp,
    payment: Payment,
}

/// Reads a body from the CRM's queue of `kind` whose message group is `group`. This queue rejects
/// wake-ups: only the product may send one, to a separate queue ([`QueueSource::WakeUps`]).
///
/// # Errors
///
/// The reason why the body cannot be accepted, as [`UnreadableBody`].
pub fn read_crm_body(
    body: &str,
    kind: EntityKind,
    group: &str,
) -> Result<InboundBody, UnreadableBody> {
    if body.len() > BODY_LIMIT_BYTES {
        return Err(UnreadableBody::Oversized { bytes: body.len() });
    }
    let head: MessageHead = parse_ignoring_unknown(body)?;
    if head.version.as_ref().and_then(text::parse_whole_number) != Some(CONTRACT_VERSION) {
        return Err(UnreadableBody::UnknownVersion);
    }
    if head.wake.is_some() {
        let problem = "this queue accepts messages from the CRM, not wake-ups".to_owned();
        return Err(UnreadableBody::Field { field: "wake".to_owned(), problem });
    }
    let inbound =
        InboundBody::Message(Box::new(parse_message(body, head.message_type.as_deref())?));
    check_queue_and_group(&inbound, kind, group)?;
    Ok(inbound)
}

fn parse_message(body: &str, message_type: Option<&str>) -> Result<CrmMessage, UnreadableBody> {
    let message_type = message_type.and_then(MessageType::from_name);
    let message_type = message_type.ok_or(UnreadableBody::UnknownType)?;
    let shape = message_type.body_shape();
    match message_type {
        MessageType::ClientUpserted => {
            let ClientBody { message_id, account_id, sent_at, client, mode } =
                body::parse_with_shape(body, shape)?;
            let content = MessageContent::Client { client, mode };
            Ok(CrmMessage { id: message_id, account: account_id, sent_at, content })
        }
        MessageType::InvoiceSent | MessageType::InvoiceUpdated => {
            parse_invoice_message(body, shape, RecordStatus::Sent)
        }
        MessageType::InvoiceVoided => parse_invoice_message(body, shape, RecordStatus::Voided),
        MessageType::CreditNoteIssued | MessageType::CreditNoteUpdated => {
            parse_credit_note_message(body, shape, RecordStatus::Sent)
        }
        MessageType::CreditNoteVoided => {
            parse_credit_note_message(body, shape, RecordStatus::Voided)
        }
        MessageType::CreditNoteAllocated => {
            parse_allocation_message(body, shape, allocation::AllocationRecordStatus::Applied)
        }
        MessageType::CreditNoteDeallocated => {
            parse_allocation_message(body, shape, allocation::AllocationRecordStatus::Removed)
        }
        MessageType::PaymentRecorded => {
            parse_payment_message(body, shape, payment::PaymentRecordStatus::Recorded)
        }
        MessageType::PaymentDeleted => {
            parse_payment_message(body, shape, payment::PaymentRecordStatus::Deleted)
        }
    }
}

fn parse_invoice_message(
    body: &str,
    shape: BodyShape,
    standing: RecordStatus,
) -> Result<CrmMessage, UnreadableBody> {
    let InvoiceBody { message_id, account_id, sent_at, client, invoice } =
        body::parse_with_shape(body, shape)?;
    check_client(&invoice.client_id, &client, "invoice.client_id")?;
    check_number(&invoice.number, "invoice.number")?;
    check_discounts(&invoice.lines, standing, "invoice")?;
    let invoice = Invoice { standing, ..invoice };
    let content = match CreditNote::from_negative_invoice(&invoice) {
        Some(note) => MessageContent::CreditNote { client, note },
        None => MessageContent::Invoice { client, invoice },
    };
    Ok(CrmMessage { id: message_id, account: account_id, sent_at, content })
}

fn parse_credit_note_message(
    body: &str,
    shape: BodyShape,
    standing: RecordStatus,
) -> Result<CrmMessage, UnreadableBody> {
    let CreditNoteBody { message_id, account_id, sent_at, client, credit_note } =
        body::parse_with_shape(body, shape)?;
    check_client(&credit_note.client_id, &client, "credit_note.client_id")?;
    check_number(&credit_note.number, "credit_note.number")?;
    check_discounts(&credit_note.lines, standing, "credit_note")?;
    let note = CreditNote { standing, is_negative_invoice: false, ..credit_note };
    let content = MessageContent::CreditNote { client, note };
    Ok(CrmMessage { id: message_id, account: account_id, sent_at, content })
}

fn parse_allocation_message(
    body: &str,
    shape: BodyShape,
    standing: allocation::AllocationRecordStatus,
) -> Result<CrmMessage, UnreadableBody> {
    let AllocationBody { message_id, account_id, sent_at, allocation } =
        body::parse_with_shape(body, shape)?;
    check_number(&allocation.credit_note_number, "allocation.credit_note_number")?;
    check_number(&allocation.invoice_number, "allocation.invoice_number")?;
    let content = MessageContent::Allocation(Allocation { standing, ..allocation });
    Ok(CrmMessage { id: message_id, account: account_id, sent_at, content })
}

fn parse_payment_message(
    body: &str,
    shape: BodyShape,
    standing: payment::PaymentRecordStatus,
) -> Result<CrmMessage, UnreadableBody> {
    let PaymentBody { message_id, account_id, sent_at, payment } =
        body::parse_with_shape(body, shape)?;
    check_method(&payment)?;
    let payment = Payment { standing, ..payment };
    let parts = payment.split_into_parts();
    let content = MessageContent::Payment { payment, parts };
    Ok(CrmMessage { id: message_id, account: account_id, sent_at, content })
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
