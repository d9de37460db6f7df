//! Payments in events.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::ids::{CrmId, PaymentId, XeroId, XeroPaymentId};
use crate::invoice_payments::{InferredMethod, ReceivedPayment};
use crate::money::Money;

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

/// A refund that was deleted in Xero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundEventContent {
    /// The refund in the CRM.
    pub refund_id: PaymentId,
    /// Xero's id of the payment that returned the money.
    pub xero_payment_id: XeroPaymentId,
    /// The amount, in the currency of its document.
    pub amount: Money,
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
        let ReceivedPayment {
            id,
            amount,
            date,
            reference,
            account,
            batch,
            is: _,
            seen_at: _,
            compared_with: _,
        } = received;
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

/// Whether a person must decide about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnclearState {
    /// A person must decide.
    Open,
    /// It is one of the CRM's payments, or was removed in Xero.
    Closed,
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
