//! The outbound contract: the events that the CRM receives, version 1.
//!
//! An event is written to the table in the same transaction as the change that it reports, and is
//! delivered afterwards at least once, always with the same id. The CRM drops an event whose id it
//! has seen.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::connection::ConnectionStatus;
use crate::document::invoice::AppliedCredit;
use crate::entity::EntityKind;
use crate::envelope::CONTRACT_VERSION;
use crate::failure::Failure;
use crate::ids::{AccountId, CrmId, EventId, PaymentId, XeroId, XeroPaymentId};
use crate::invoice_payments::{InferredMethod, ReceivedPayment};
use crate::mapping::Mapping;
use crate::money::Money;

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
    pub news: EventContent,
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
    /// An invoice was voided or deleted in Xero, is missing there, or differs from what was sent.
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
}

/// How far an invoice is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Nothing was paid or credited.
    Unpaid,
    /// Part of it was paid or credited, and part is still due.
    PartPaid,
    /// Nothing is due any more.
    Paid,
}

/// A payment in Xero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentEventContent {
    /// Xero's id of the payment. Every event about one payment has the same id.
    pub xero_payment_id: XeroPaymentId,
    /// The invoice in the CRM.
    pub invoice_id: CrmId,
    /// The sequence number of the event. A lower number among the events about the same invoice is
    /// older.
    pub sequence: u64,
    /// The amount, in the invoice's currency.
    pub amount: Money,
    /// The date of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// How it was made, as far as Xero reveals: `bank` for money in a bank account.
    pub method: InferredMethod,
    /// The name of the account that the money went to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The payment's reference in Xero, which is free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The batch payment that it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<XeroId>,
}

impl PaymentEventContent {
    /// The content of the event about a payment on an invoice.
    pub fn new(received: ReceivedPayment, invoice_id: CrmId, sequence: u64) -> Self {
        let method = received.inferred_method();
        let ReceivedPayment { id, amount, date, reference, account, batch, is: _, seen_at: _ } =
            received;
        Self {
            xero_payment_id: id,
            invoice_id,
            sequence,
            amount,
            date,
            method,
            account: account.map(|account| account.name),
            reference,
            batch_id: batch,
        }
    }
}

/// The reason why a payment no longer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovalReason {
    /// It was deleted in Xero.
    RemovedInXero,
    /// It is a payment that the CRM recorded itself. The CRM drops the import, not its own payment.
    SamePayment,
}

impl OutboundEvent {
    /// An event that occurs now.
    pub fn new(id: Uuid, account: AccountId, news: EventContent, now: Timestamp) -> Self {
        Self {
            version: CONTRACT_VERSION,
            event_id: EventId(id),
            account_id: account,
            occurred_at: now,
            news,
        }
    }

    /// The event as the JSON body of a message.
    pub fn to_body(&self) -> String {
        serde_json::to_string(self).expect("ids, texts and instants always make JSON")
    }
}

/// Sorts events into the order of their delivery. They are sorted by their instants, which come
/// from more than one clock; among the events about one invoice, `sequence` decides.
pub fn sort_for_delivery(mut events: Vec<OutboundEvent>) -> Vec<OutboundEvent> {
    let mut places: BTreeMap<CrmId, Vec<usize>> = BTreeMap::new();
    for (place, event) in events.iter().enumerate() {
        if let Some((invoice, _)) = event.news.invoice_sequence() {
            places.entry(invoice.clone()).or_default().push(place);
        }
    }
    for places in places.into_values() {
        let mut of_invoice: Vec<OutboundEvent> =
            places.iter().filter_map(|place| events.get(*place).cloned()).collect();
        of_invoice.sort_by_key(|event| event.news.invoice_sequence().map(|(_, sequence)| sequence));
        for (place, event) in places.into_iter().zip(of_invoice) {
            if let Some(there) = events.get_mut(place) {
                *there = event;
            }
        }
    }
    events
}

impl EventContent {
    /// The invoice that the event is about, and the event's sequence number for it.
    pub const fn invoice_sequence(&self) -> Option<(&CrmId, u64)> {
        match self {
            Self::PaymentStatus { invoice_id, sequence, .. }
            | Self::XeroStatus { invoice_id, sequence, .. } => Some((invoice_id, *sequence)),
            Self::PaymentImported(payment) | Self::PaymentRemoved { payment, .. } => {
                Some((&payment.invoice_id, payment.sequence))
            }
            Self::Skipped { .. } | Self::Connection { .. } => None,
        }
    }

    /// The content of the event that a mapping was given up because of this failure.
    pub fn for_skipped_record(mapping: &Mapping, failure: &Failure) -> Self {
        Self::Skipped {
            entity: mapping.key.kind,
            crm_id: mapping.key.crm_id.clone(),
            number: mapping.snapshot.natural_key.clone(),
            code: failure.code.clone().into_owned(),
            message: failure.message.clone(),
            remedy: failure.remedy.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn an_event(at: i64, id: u128, about: Option<(&str, u64)>) -> OutboundEvent {
        let news = match about {
            Some((invoice, sequence)) => EventContent::XeroStatus {
                invoice_id: CrmId::new(invoice).unwrap(),
                number: String::new(),
                sequence,
                status: "VOIDED".to_owned(),
                remarks: Vec::new(),
            },
            None => EventContent::Connection {
                status: ConnectionStatus::Active,
                organisation: None,
                message: String::new(),
            },
        };
        let at = Timestamp::from_second(at).unwrap();
        OutboundEvent::new(Uuid::from_u128(id), AccountId::new("acc_1").unwrap(), news, at)
    }

    #[test]
    fn what_is_told_of_one_invoice_keeps_its_order_whatever_the_clocks_say() {
        let events = vec![
            an_event(1, 1, Some(("inv_1", 7))),
            an_event(2, 2, Some(("inv_2", 1))),
            an_event(2, 3, None),
            an_event(3, 4, Some(("inv_1", 6))),
            an_event(4, 5, Some(("inv_1", 8))),
        ];
        let ids = sort_for_delivery(events).into_iter().map(|event| event.event_id.0.as_u128());
        assert_eq!(ids.collect::<Vec<_>>(), [4, 2, 3, 1, 5]);
    }
}
