//! The inbound contract: one JSON envelope for every message from the CRM, version 1.
//!
//! A message is a notification with a snapshot. Reading it returns either a checked record or an
//! error that names the field; the error is attached to the message in the dead-letter queue.
//! Fields that the contract does not have are rejected by name. Wake-ups are sent by the product
//! itself, possibly by a newer version, so their unknown fields are ignored.

mod checks;
mod message_type;
mod parse_message;
mod shapes;
mod subject;
mod unreadable;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use self::checks::check_queue_and_group;
pub use self::message_type::MessageType;
use self::parse_message::parse_message;
pub use self::subject::{MessageHead, MessageSubject, find_subject, read_message_head};
pub use self::unreadable::UnreadableBody;
use crate::body::parse_ignoring_unknown;
use crate::crm::allocation::Allocation;
use crate::crm::client::Client;
use crate::crm::credit_note::CreditNote;
use crate::crm::invoice::Invoice;
use crate::crm::payment::{Payment, PaymentPart};
use crate::crm::refund::Refund;
use crate::crm::text;
use crate::entity::EntityKind;
use crate::ids::{AccountId, MessageId};
pub use crate::wake_up::{DependantRelease, QueueSource, WAKE_UP_RECORDS_MAX, WakeUp, WakeUpKind};

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
        /// Its parts, which are written to Xero if payments by its method are.
        parts: Vec<PaymentPart>,
    },
    /// `payment.refunded`: money that was returned.
    Refund {
        /// The refund.
        refund: Refund,
        /// Its parts, which are written to Xero if payments by its method are.
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
            Self::Payment { payment: _, parts: _ } | Self::Refund { refund: _, parts: _ } => {
                EntityKind::Payment
            }
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
            | Self::Payment { .. }
            | Self::Refund { .. } => self.entity_kind().queue_kind(),
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
struct BodyHead {
    version: Option<Number>,
    #[serde(rename = "type")]
    message_type: Option<String>,
    wake: Option<IgnoredAny>,
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
    let head: BodyHead = parse_ignoring_unknown(body)?;
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

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
