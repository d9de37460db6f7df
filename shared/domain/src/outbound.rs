//! The outbound contract: what the CRM is told, version 1.
//!
//! An event is written to the table in the same transaction as the change it tells of, and delivered
//! afterwards: at least once, always with the same id. The CRM drops an id it has seen.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::connection::Status;
use crate::document::invoice::AppliedCredit;
use crate::entity::EntityKind;
use crate::envelope::CONTRACT_VERSION;
use crate::failure::Failure;
use crate::ids::{AccountId, CrmId, EventId, PaymentId, XeroId, XeroPaymentId};
use crate::mapping::Mapping;
use crate::money::Money;
use crate::receipts::{InferredMethod, Received};

/// Something the CRM is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The contract's version.
    pub version: u64,
    /// Its id, the same in every delivery.
    pub event_id: EventId,
    /// Whose.
    pub account_id: AccountId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub news: News,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum News {
    /// A record was given up and needs a person.
    #[serde(rename = "sync.skipped")]
    Skipped {
        /// The kind of record.
        entity: EntityKind,
        /// The record in the CRM.
        crm_id: CrmId,
        /// The number people know it by.
        number: String,
        /// A stable name of the reason.
        code: String,
        /// What happened.
        message: String,
        /// What to do about it; empty when only time helps.
        remedy: String,
    },
    /// What is paid and due of an invoice has changed in Xero.
    #[serde(rename = "invoice.payment_status")]
    PaymentStatus {
        /// The invoice in the CRM.
        invoice_id: CrmId,
        /// The number people know it by.
        number: String,
        /// Rises with every event about this invoice: one with a lower number is older.
        sequence: u64,
        /// How far it is paid.
        status: PaymentState,
        /// What the invoice comes to in Xero.
        total: Money,
        /// What was paid.
        amount_paid: Money,
        /// What credit notes, over- and prepayments took off. They are no payments.
        amount_credited: Money,
        /// What is still due.
        amount_due: Money,
        /// When nothing was due any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paid_on: Option<Date>,
        /// The credits, each.
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
        /// Rises with every event about this invoice: one with a lower number is older.
        sequence: u64,
        /// Its status in Xero; `DELETED`, too, when Xero has it no longer.
        status: String,
        /// What people should know, in plain sentences.
        remarks: Vec<String>,
    },
    /// Xero has money on an invoice that the CRM does not know: to be kept as a payment there.
    #[serde(rename = "payment.imported")]
    PaymentImported(PaymentNews),
    /// A payment is no longer in Xero, or its import was one too many.
    #[serde(rename = "payment.removed")]
    PaymentRemoved {
        /// The payment.
        #[serde(flatten)]
        payment: PaymentNews,
        /// Why.
        reason: RemovalReason,
        /// The CRM's own payment that it is or was, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment_id: Option<PaymentId>,
    },
    /// The connection to Xero works, or no longer does.
    #[serde(rename = "connection.status")]
    Connection {
        /// How it stands.
        status: Status,
        /// The organisation's name, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        organisation: Option<String>,
        /// Why, in a sentence for people; empty when it works.
        message: String,
    },
}

/// How far an invoice is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Nothing was paid or credited.
    Unpaid,
    /// Something is still due.
    PartPaid,
    /// Nothing is due any more.
    Paid,
}

/// A payment in Xero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentNews {
    /// Xero's key: the same payment is told under the same key, once.
    pub xero_payment_id: XeroPaymentId,
    /// The invoice in the CRM.
    pub invoice_id: CrmId,
    /// Rises with every event about this invoice: one with a lower number is older.
    pub sequence: u64,
    /// How much, in the invoice's currency.
    pub amount: Money,
    /// The day it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// How it was made, as far as Xero lets us know: `bank` for money in a bank account.
    pub method: InferredMethod,
    /// The name of the account it went to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The batch it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<XeroId>,
}

impl PaymentNews {
    /// What is told of a payment on an invoice.
    pub fn new(received: Received, invoice_id: CrmId, sequence: u64) -> Self {
        let method = received.method();
        let Received { id, amount, date, reference, account, batch, is: _, seen_at: _ } = received;
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

/// Why a payment no longer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovalReason {
    /// It was deleted in Xero.
    RemovedInXero,
    /// It turned out to be a payment that the CRM has: the import is to be dropped, not the payment.
    SamePayment,
}

impl Event {
    /// An event of now.
    pub fn new(id: Uuid, account: AccountId, news: News, now: Timestamp) -> Self {
        Self {
            version: CONTRACT_VERSION,
            event_id: EventId(id),
            account_id: account,
            occurred_at: now,
            news,
        }
    }

    /// The message body.
    pub fn to_body(&self) -> String {
        serde_json::to_string(self).expect("ids, texts and instants always make JSON")
    }
}

/// Puts events into the order of their delivery. They come in the order of their instants, which are those
/// of more than one clock; of one invoice, `sequence` decides.
pub fn in_order(mut events: Vec<Event>) -> Vec<Event> {
    let mut places: BTreeMap<CrmId, Vec<usize>> = BTreeMap::new();
    for (place, event) in events.iter().enumerate() {
        if let Some((invoice, _)) = event.news.sequence() {
            places.entry(invoice.clone()).or_default().push(place);
        }
    }
    for places in places.into_values() {
        let mut of_invoice: Vec<Event> =
            places.iter().filter_map(|place| events.get(*place).cloned()).collect();
        of_invoice.sort_by_key(|event| event.news.sequence().map(|(_, sequence)| sequence));
        for (place, event) in places.into_iter().zip(of_invoice) {
            if let Some(there) = events.get_mut(place) {
                *there = event;
            }
        }
    }
    events
}

impl News {
    /// The invoice this is about, and its place among what is told of it.
    pub const fn sequence(&self) -> Option<(&CrmId, u64)> {
        match self {
            Self::PaymentStatus { invoice_id, sequence, .. }
            | Self::XeroStatus { invoice_id, sequence, .. } => Some((invoice_id, *sequence)),
            Self::PaymentImported(payment) | Self::PaymentRemoved { payment, .. } => {
                Some((&payment.invoice_id, payment.sequence))
            }
            Self::Skipped { .. } | Self::Connection { .. } => None,
        }
    }

    /// That a mapping was given up, for this reason.
    pub fn skipped(mapping: &Mapping, failure: &Failure) -> Self {
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

    fn an_event(at: i64, id: u128, about: Option<(&str, u64)>) -> Event {
        let news = match about {
            Some((invoice, sequence)) => News::XeroStatus {
                invoice_id: CrmId::new(invoice).unwrap(),
                number: String::new(),
                sequence,
                status: "VOIDED".to_owned(),
                remarks: Vec::new(),
            },
            None => News::Connection {
                status: Status::Active,
                organisation: None,
                message: String::new(),
            },
        };
        let at = Timestamp::from_second(at).unwrap();
        Event::new(Uuid::from_u128(id), AccountId::new("acc_1").unwrap(), news, at)
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
        let ids = in_order(events).into_iter().map(|event| event.event_id.0.as_u128());
        assert_eq!(ids.collect::<Vec<_>>(), [4, 2, 3, 1, 5]);
    }
}
