//! The money on one invoice, from both sides: what the CRM recorded and what Xero has. Its rows change
//! together under one version, so that whatever is decided about it is decided once.
//!
//! The same money is counted once. A payment that we pushed is known by its reference. One that the CRM
//! recorded and that reaches Xero by the bank is recognised by reference, amount and date. What Xero has
//! and the CRM does not know is imported. What could be either is left to a person.
//!
//! An invoice may have many payments: each side is followed up to [`PAYMENTS_MAX`], and one change makes
//! at most [`CHANGES_MAX`] of them different, so that it fits into one transaction. Whoever has more to
//! change repeats the change until [`Changes::is_all`].

mod recognise;
mod step;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::crm::payment::{Method, Payment, Standing, tag};
use crate::ids::{CrmId, InvoiceId, Ledger, PaymentId, XeroId, XeroPaymentId};
use crate::money::Money;

pub use step::{Answer, Changes, Told};

/// The payments of each side that are followed on one invoice. Of further payments in Xero the CRM is told
/// once that there are some; a further payment of the CRM is refused.
pub const PAYMENTS_MAX: usize = 2_000;

/// The payments that one change makes different, at most. Each is a row, and each may be an event, which is
/// another: with the rows that change beside them they stay below the hundred of a transaction.
pub const CHANGES_MAX: usize = 40;

/// A person is shown no more payments of the CRM than this that an unclear one may be.
pub const CANDIDATES_MAX: usize = 20;

/// The longest text that is kept of a payment in Xero, in characters.
const TEXT_MAX: usize = 255;

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
    /// Whether Xero has more payments on the invoice than are followed, and the CRM was told so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_beyond_limit: bool,
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
        Self { ledger, invoice, recorded: Vec::new(), received: Vec::new(), is_beyond_limit: false }
    }

    /// Whether a payment of the CRM can be followed: it is known already, or there is room.
    pub fn has_room_for(&self, payment: &PaymentId) -> bool {
        self.recorded.len() < PAYMENTS_MAX
            || self.recorded.iter().any(|one| one.payment == *payment)
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

    /// The payment with texts of a bounded length: Xero's own limits are not ours to rely on.
    #[must_use]
    pub fn clipped(self) -> Self {
        let account = self.account.map(|account| BankedTo {
            name: clip(account.name),
            code: account.code.map(clip),
            ..account
        });
        Self { reference: self.reference.map(clip), account, ..self }
    }

    /// The CRM's payment that it is, if it is one.
    fn same_as(&self) -> Option<&PaymentId> {
        match &self.is {
            Standpoint::Same { payment } => Some(payment),
            Standpoint::Imported | Standpoint::Unclear { candidates: _ } | Standpoint::Removed => {
                None
            }
        }
    }

    fn is_same_as(&self, payment: &PaymentId) -> bool {
        self.same_as() == Some(payment)
    }
}

fn clip(text: String) -> String {
    if text.chars().nth(TEXT_MAX).is_none() { text } else { text.chars().take(TEXT_MAX).collect() }
}

#[cfg(test)]
mod tests;
