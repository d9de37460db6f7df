//! The money on one invoice, from both sides: what the CRM recorded and what Xero has. One row, so that
//! whatever is decided about it is decided once.
//!
//! The same money is counted once. A payment that we pushed is known by its reference. One that the CRM
//! recorded and that reaches Xero by the bank is recognised by reference, amount and date. What Xero has
//! and the CRM does not know is imported. What could be either is left to a person.

mod recognise;
mod step;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::crm::payment::{Method, Payment, Standing, tag};
use crate::ids::{CrmId, InvoiceId, Ledger, PaymentId, XeroId, XeroPaymentId};
use crate::money::Money;

pub use step::{Answer, Told};

/// The money on one invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipts {
    /// Whose books.
    pub ledger: Ledger,
    /// The invoice in the CRM.
    pub invoice: CrmId,
    /// What the CRM recorded, in the order it came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recorded: Vec<Recorded>,
    /// What Xero has, in the order it was seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub received: Vec<Received>,
}

/// A payment that the CRM recorded, as far as it is on this invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The CRM's id.
    pub payment: PaymentId,
    /// Its newest revision.
    pub revision: u64,
    /// How it was paid.
    pub method: Method,
    /// This invoice's share.
    pub amount: Money,
    /// The day it was taken.
    pub date: Date,
    /// What identifies it elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Whether it stands.
    pub standing: Standing,
}

/// A payment that Xero has on the invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// Xero's key.
    pub id: XeroPaymentId,
    /// How much, in the invoice's currency.
    pub amount: Money,
    /// The day it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Where the money went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<BankedTo>,
    /// The batch it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<XeroId>,
    /// What it is to the CRM.
    pub is: Standpoint,
    /// When it was first seen.
    pub seen_at: Timestamp,
}

/// An account that money went to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankedTo {
    /// Its name.
    pub name: String,
    /// Its code, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Whether it is a bank account.
    pub is_bank: bool,
}

/// What a payment in Xero is to the CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Standpoint {
    /// The CRM did not know of it, and was told.
    Imported,
    /// It is a payment that the CRM recorded.
    Same {
        /// Which.
        payment: PaymentId,
    },
    /// It may be one of these, or none: a person has to say.
    Unclear {
        /// Which it may be.
        candidates: Vec<PaymentId>,
    },
    /// It was deleted in Xero.
    Removed,
}

/// How a payment in Xero was made, as far as Xero lets us know: it has no field for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InferredMethod {
    /// Into a bank account, however it got there.
    Bank,
    /// Into another account.
    Other,
}

impl Receipts {
    /// Nothing is known yet.
    pub const fn new(ledger: Ledger, invoice: CrmId) -> Self {
        Self { ledger, invoice, recorded: Vec::new(), received: Vec::new() }
    }

    /// What is unclear, for a person.
    pub fn unclear(&self) -> impl Iterator<Item = &Received> {
        self.received.iter().filter(|one| matches!(one.is, Standpoint::Unclear { candidates: _ }))
    }
}

impl Recorded {
    /// A payment's share on an invoice, if it has one.
    pub fn of(payment: &Payment, invoice: &InvoiceId) -> Option<Self> {
        let share = payment.allocations.iter().find(|share| share.invoice_id == *invoice)?;
        Some(Self {
            payment: payment.id.clone(),
            revision: payment.revision,
            method: payment.method,
            amount: Money::new(share.amount, payment.currency),
            date: payment.date,
            reference: payment.reference.clone(),
            standing: payment.standing,
        })
    }

    /// The reference that it has in Xero, if we push it.
    fn tag(&self) -> Option<String> {
        let tag = tag(self.method, self.reference.as_deref(), &self.payment);
        self.method.is_pushed().then_some(tag)
    }

    fn stands(&self) -> bool {
        self.standing == Standing::Recorded
    }
}

impl Received {
    /// How it was made, as far as can be said.
    pub fn method(&self) -> InferredMethod {
        match &self.account {
            Some(account) if account.is_bank => InferredMethod::Bank,
            Some(_) | None => InferredMethod::Other,
        }
    }

    fn is_same_as(&self, payment: &PaymentId) -> bool {
        matches!(&self.is, Standpoint::Same { payment: same } if same == payment)
    }
}

#[cfg(test)]
mod tests;
