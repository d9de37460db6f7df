//! The outbound contract: the events that the CRM receives, version 1.
//!
//! An event is written to the table in the same transaction as the change that it reports, and is
//! delivered afterwards at least once, always with the same id. The CRM drops an event whose id it
//! has seen.

mod message;
mod order;
mod payments;
mod skipped;
mod synced_record;

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::message::EventMessage;
pub use self::order::sort_for_delivery;
pub use self::payments::{
    PaymentEventContent, PaymentState, RefundEventContent, RemovalReason, UnclearState,
};
pub use self::synced_record::SyncedRecord;
use crate::books::{BooksTally, CompletedComparison};
use crate::connection::ConnectionStatus;
use crate::document::invoice::AppliedCredit;
use crate::entity::EntityKind;
use crate::envelope::CONTRACT_VERSION;
use crate::ids::{AccountId, CrmId, EventId, MessageId, PaymentId};
use crate::money::Money;
use crate::surplus::SurplusEventContent;

/// The years of the dates in events, as in the schemas.
const YEARS: RangeInclusive<i16> = 1900..=2199;

/// An event for the CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboundEvent {
    /// The contract's version.
    pub version: u64,
    /// Its id, the same in every delivery.
    pub event_id: EventId,
    /// The account that the event is about.
    pub account_id: AccountId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The content of the event.
    #[serde(flatten)]
    pub content: EventContent,
}

/// The content of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum EventContent {
    /// A record was given up, and a person must act.
    #[serde(rename = "sync.skipped")]
    Skipped {
        /// The kind of record.
        entity: EntityKind,
        /// The record in the CRM.
        crm_id: CrmId,
        /// The number people know it by.
        number: String,
        /// A stable name of the reason, for programs and support.
        code: String,
        /// What happened, in sentences for people.
        message: String,
        /// What a person can do about it. Empty when no action helps.
        remedy: String,
    },
    /// A record was written to Xero, or found there.
    #[serde(rename = "record.synced")]
    RecordSynced(SyncedRecord),
    /// A message of the CRM was refused, and its record is unknown. If the record is known, a
    /// [`Skipped`](Self::Skipped) names it.
    #[serde(rename = "message.refused")]
    MessageRefused {
        /// The queue's id of the message, which the CRM received when it sent the message.
        queue_message_id: String,
        /// The CRM's id of the message, if it can be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_id: Option<MessageId>,
        /// The type of the message, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_type: Option<String>,
        /// A stable name of the reason, for programs and support.
        code: String,
        /// What happened, in sentences for people.
        message: String,
        /// What a person can do about it. Empty when no action helps.
        remedy: String,
    },
    /// The amounts paid or due of an invoice changed in Xero.
    #[serde(rename = "invoice.payment_status")]
    PaymentStatus {
        /// The invoice in the CRM.
        invoice_id: CrmId,
        /// The number people know it by.
        number: String,
        /// The sequence number of the event. A lower number among the events about the same invoice
        /// is older.
        sequence: u64,
        /// How far it is paid.
        status: PaymentState,
        /// The invoice's total in Xero.
        total: Money,
        /// The sum of its payments.
        amount_paid: Money,
        /// The sum of its credits: credit notes, overpayments and prepayments. They are not
        /// payments.
        amount_credited: Money,
        /// The amount that is still due.
        amount_due: Money,
        /// The date on which the invoice was fully paid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paid_on: Option<Date>,
        /// The individual credits.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        credits: Vec<AppliedCredit>,
    },
    /// An invoice was voided or deleted in Xero, is missing there, differs from what was sent, or has
    /// payments there that may be the same money.
    #[serde(rename = "invoice.xero_status")]
    XeroStatus {
        /// The invoice in the CRM.
        invoice_id: CrmId,
        /// The number people know it by.
        number: String,
        /// The sequence number of the event. A lower number among the events about the same invoice
        /// is older.
        sequence: u64,
        /// Its status in Xero. Also `DELETED` when Xero no longer has it.
        status: String,
        /// Sentences about the invoice for people.
        remarks: Vec<String>,
    },
    /// A credit note was voided or deleted in Xero, or differs from what was sent.
    #[serde(rename = "credit_note.xero_status")]
    CreditNoteStatus {
        /// The credit note in the CRM.
        credit_note_id: CrmId,
        /// The number people know it by.
        number: String,
        /// Its status in Xero.
        status: String,
        /// Sentences about the credit note for people.
        remarks: Vec<String>,
    },
    /// Xero has a payment on an invoice that the CRM does not know. The CRM records it.
    #[serde(rename = "payment.imported")]
    PaymentImported(PaymentEventContent),
    /// A payment is no longer in Xero, or its import was a duplicate.
    #[serde(rename = "payment.removed")]
    PaymentRemoved {
        /// The payment.
        #[serde(flatten)]
        payment: PaymentEventContent,
        /// The reason.
        reason: RemovalReason,
        /// The CRM's own payment that it is or was, if it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment_id: Option<PaymentId>,
    },
    /// A refund of the CRM was deleted in Xero.
    #[serde(rename = "refund.removed")]
    RefundRemoved(RefundEventContent),
    /// A payment in Xero may be one that the CRM recorded, and a person must decide; or this is
    /// decided.
    #[serde(rename = "payment.unclear")]
    PaymentUnclear {
        /// The payment.
        #[serde(flatten)]
        payment: PaymentEventContent,
        /// Whether a person must still decide.
        state: UnclearState,
        /// The CRM's payments that it may be, at most 20. Empty once it is decided.
        candidates: Vec<PaymentId>,
    },
    /// A client has money in Xero that is not applied to an invoice, and a person must decide; or
    /// this is decided.
    #[serde(rename = "payment.overpaid")]
    PaymentOverpaid(SurplusEventContent),
    /// The status of the connection to Xero changed.
    #[serde(rename = "connection.status")]
    Connection {
        /// The new status.
        status: ConnectionStatus,
        /// The organisation's name, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        organisation: Option<String>,
        /// The reason, in sentences for people. Empty when the connection works.
        message: String,
    },
    /// The open balances of the CRM's invoices and credit notes were compared with those in Xero.
    #[serde(rename = "books.compared")]
    BooksCompared {
        /// When the invoices had been read from Xero.
        verified_at: Timestamp,
        /// Whether the books are equal: every record was compared, and none differs.
        is_equal: bool,
        /// The sums and the differences.
        #[serde(flatten)]
        tally: BooksTally,
    },
}

impl OutboundEvent {
    /// An event that occurs now. A date outside the years that the contract can express is left out.
    pub fn new(id: Uuid, account: AccountId, content: EventContent, now: Timestamp) -> Self {
        Self {
            version: CONTRACT_VERSION,
            event_id: EventId(id),
            account_id: account,
            occurred_at: now,
            content: content.without_inexpressible_dates(),
        }
    }

    /// The event as the JSON body of a message, in characters that SQS accepts
    /// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>).
    /// The sentences of an event quote what people wrote. JSON escapes control characters in every
    /// case; the last two characters of the basic plane, which SQS refuses, too, are escaped here.
    pub fn to_body(&self) -> String {
        let body = serde_json::to_string(self).expect("ids, texts and instants always make JSON");
        body.replace('\u{FFFE}', "\\ufffe").replace('\u{FFFF}', "\\uffff")
    }
}

impl EventContent {
    /// The invoice that the event is about, and the event's sequence number for it.
    pub const fn invoice_sequence(&self) -> Option<(&CrmId, u64)> {
        match self {
            Self::PaymentStatus { invoice_id, sequence, .. }
            | Self::XeroStatus { invoice_id, sequence, .. } => Some((invoice_id, *sequence)),
            Self::PaymentImported(payment)
            | Self::PaymentRemoved { payment, .. }
            | Self::PaymentUnclear { payment, .. } => Some((&payment.invoice_id, payment.sequence)),
            Self::PaymentOverpaid(_)
            | Self::RefundRemoved(_)
            | Self::CreditNoteStatus { .. }
            | Self::Skipped { .. }
            | Self::RecordSynced(_)
            | Self::MessageRefused { .. }
            | Self::Connection { .. }
            | Self::BooksCompared { .. } => None,
        }
    }

    /// The same content without a date that the contract cannot express: Xero accepts any year, and
    /// people mistype years.
    fn without_inexpressible_dates(mut self) -> Self {
        let date = match &mut self {
            Self::PaymentStatus { paid_on, .. } => Some(paid_on),
            Self::PaymentImported(payment)
            | Self::PaymentRemoved { payment, .. }
            | Self::PaymentUnclear { payment, .. } => Some(&mut payment.date),
            Self::PaymentOverpaid(surplus) => Some(&mut surplus.date),
            Self::XeroStatus { .. }
            | Self::RefundRemoved(_)
            | Self::CreditNoteStatus { .. }
            | Self::Skipped { .. }
            | Self::RecordSynced(_)
            | Self::MessageRefused { .. }
            | Self::Connection { .. }
            | Self::BooksCompared { .. } => None,
        };
        if let Some(date) = date {
            *date = date.filter(|date| YEARS.contains(&date.year()));
        }
        self
    }
}

impl From<CompletedComparison> for EventContent {
    fn from(completed: CompletedComparison) -> Self {
        let CompletedComparison { verified_at, compared_at: _, tally } = completed;
        Self::BooksCompared { verified_at, is_equal: tally.is_equal(), tally }
    }
}

#[cfg(test)]
mod tests;
