//! The payments on one invoice: those that the CRM recorded and those that Xero has. Their rows
//! change together under one version, so that each decision about them is made once.
//!
//! The same payment is counted once. A payment that the integration pushed is identified by its
//! reference. A payment that the CRM recorded and that reaches Xero by other means (through the
//! bank, or entered by hand) is recognised by reference, amount and date. A payment that Xero has
//! and the CRM does not know is imported. A payment that could be either is left to a person.
//!
//! An invoice may have many payments: each side is followed up to [`PAYMENTS_MAX`], and one change
//! affects at most [`CHANGES_MAX`] of them, so that it fits into one transaction. The caller
//! repeats a larger change until [`PaymentChanges::is_all`].

mod changes;
mod counterpart;
mod decided;
mod decision;
mod duplicates;
mod notices;
mod paid_invoices;
mod recognise;
mod refunds;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::crm::payment::{
    Payment, PaymentMethod, PaymentRecordStatus, normalise_reference, payment_reference_tag,
};
use crate::ids::{CrmId, InvoiceId, Ledger, PaymentId, XeroId, XeroPaymentId};
use crate::money::Money;

pub use changes::PaymentChanges;
pub use counterpart::Counterpart;
pub use decision::PaymentDecision;
pub use notices::PaymentNotice;
pub use paid_invoices::PaidInvoices;
pub use refunds::{InvoiceRefund, REFUNDS_MAX, RefundAdmission};

/// The maximum number of payments of each side that are followed on one invoice. The CRM is
/// notified once if Xero has more; further payments of the CRM are rejected.
pub const PAYMENTS_MAX: usize = 2_000;

/// The maximum number of payments that one change affects. Each is a row and may cause an event,
/// which is another row. Together with the other rows that change, they stay below the 100 items of
/// a transaction.
pub const CHANGES_MAX: usize = 40;

/// The maximum number of candidates among the CRM's payments that a person is shown for an unclear
/// payment.
pub const CANDIDATES_MAX: usize = 20;

/// The maximum length of texts that are stored of a payment in Xero, in characters.
const TEXT_MAX: usize = 255;

/// The payments on one invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoicePayments {
    /// The account and the organisation.
    pub ledger: Ledger,
    /// The invoice in the CRM.
    pub invoice: CrmId,
    /// The payments that the CRM recorded, in the order of their arrival.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recorded: Vec<RecordedPayment>,
    /// The payments that Xero has, in the order in which they were first seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub received: Vec<ReceivedPayment>,
    /// Whether Xero has more payments on the invoice than are followed. If set, the CRM was
    /// notified of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_beyond_limit: bool,
    /// The refunds on the invoice that the integration writes, at most [`REFUNDS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<InvoiceRefund>,
    /// When it was last decided whether Xero has a payment of the CRM. A payment that failed
    /// earlier, because this was unclear, may continue. Rows of earlier releases do not say it. One
    /// instant is enough for all payments of the invoice: a later decision about another payment
    /// releases one too many, whose attempt reads Xero before it writes, and never one too few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// Xero's total of the invoice minus the CRM's, if they differ, as last observed together with
    /// a payment in Xero. Rows of earlier releases do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_difference: Option<Money>,
}

/// This invoice's share of a payment that the CRM recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedPayment {
    /// The CRM's id.
    pub payment: PaymentId,
    /// Its newest revision.
    pub revision: u64,
    /// How the payment was made.
    pub method: PaymentMethod,
    /// The share of this invoice.
    pub amount: Money,
    /// The day on which it was taken.
    pub date: Date,
    /// The payment's identifier elsewhere, such as a cheque's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Whether it is in effect or was deleted.
    pub standing: PaymentRecordStatus,
}

/// A payment on the invoice in Xero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedPayment {
    /// Xero's id of the payment.
    pub id: XeroPaymentId,
    /// The amount, in the invoice's currency.
    pub amount: Money,
    /// The date of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// The reference, which is free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The account that the money went to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<DepositAccount>,
    /// The batch payment that it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<XeroId>,
    /// How the payment relates to the CRM's payments.
    pub is: PaymentMatch,
    /// When it was first seen.
    pub seen_at: Timestamp,
    /// The payments of the CRM about which people were asked whether they are this one, although it was
    /// imported; at most [`CANDIDATES_MAX`]. They are not asked again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compared_with: Vec<PaymentId>,
}

/// An account that money went to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepositAccount {
    /// The account's name.
    pub name: String,
    /// The account's code, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Whether it is a bank account.
    pub is_bank: bool,
}

/// How a payment in Xero relates to the CRM's payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum PaymentMatch {
    /// The CRM did not know it and was notified of it.
    Imported,
    /// It is a payment that the CRM recorded.
    Same {
        /// The CRM's payment.
        payment: PaymentId,
    },
    /// It may be one of the CRM's payments or none of them. A person must decide.
    Unclear {
        /// The payments of the CRM that it may be.
        candidates: Vec<PaymentId>,
    },
    /// It was deleted in Xero.
    Removed,
}

/// How a payment in Xero was made, inferred from its account: Xero has no field for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InferredMethod {
    /// Into a bank account, by any means.
    Bank,
    /// Into another account.
    Other,
}

impl InvoicePayments {
    /// The payments of an invoice of which none is known.
    pub const fn new(ledger: Ledger, invoice: CrmId) -> Self {
        Self {
            ledger,
            invoice,
            recorded: Vec::new(),
            received: Vec::new(),
            is_beyond_limit: false,
            refunds: Vec::new(),
            decided_at: None,
            total_difference: None,
        }
    }

    /// Whether a payment of the CRM can be followed: it is already followed, or there is room for
    /// it.
    pub fn has_room_for(&self, payment: &PaymentId) -> bool {
        self.recorded.len() < PAYMENTS_MAX
            || self.recorded.iter().any(|one| one.payment == *payment)
    }

    /// The payments about which a person must decide.
    pub fn unclear_payments(&self) -> impl Iterator<Item = &ReceivedPayment> {
        self.received.iter().filter(|one| matches!(one.is, PaymentMatch::Unclear { candidates: _ }))
    }
}

impl RecordedPayment {
    /// A payment's share of an invoice, or `None` if it has none.
    pub fn from_payment(payment: &Payment, invoice: &InvoiceId) -> Option<Self> {
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

    /// The reference that it has in Xero if the integration wrote it.
    fn reference_tag(&self) -> String {
        payment_reference_tag(self.method, self.reference.as_deref(), &self.payment)
    }

    /// Whether a payment in Xero is the document that the integration wrote for this payment.
    fn is_written_as(&self, received: &ReceivedPayment) -> bool {
        // Every tag ends with a bracket. The comparison with most references needs no tag.
        let is_tag = |reference: &str| {
            reference.ends_with(')') && normalise_reference(reference) == self.reference_tag()
        };
        received.reference.as_deref().is_some_and(is_tag)
    }

    /// Whether the payment was not deleted.
    pub fn is_in_effect(&self) -> bool {
        self.standing == PaymentRecordStatus::Recorded
    }
}

impl ReceivedPayment {
    /// How the payment was made, as far as its account tells.
    pub fn inferred_method(&self) -> InferredMethod {
        match &self.account {
            Some(account) if account.is_bank => InferredMethod::Bank,
            Some(_) | None => InferredMethod::Other,
        }
    }

    /// Remembers that people were asked whether it is one of these payments of the CRM, at most
    /// [`CANDIDATES_MAX`] of them, the newest ones.
    fn remember_comparisons<'p>(&mut self, payments: impl IntoIterator<Item = &'p PaymentId>) {
        for payment in payments {
            self.compared_with.retain(|compared| compared != payment);
            self.compared_with.push(payment.clone());
        }
        let surplus = self.compared_with.len().saturating_sub(CANDIDATES_MAX);
        self.compared_with.drain(..surplus);
    }

    /// The payment with texts cut to their maximum length, independent of Xero's own limits.
    #[must_use]
    pub fn with_clipped_texts(self) -> Self {
        let account = self.account.map(|account| DepositAccount {
            name: clip_text(account.name),
            code: account.code.map(clip_text),
            ..account
        });
        Self { reference: self.reference.map(clip_text), account, ..self }
    }

    /// The CRM's payment that it is, if any.
    fn same_as(&self) -> Option<&PaymentId> {
        match &self.is {
            PaymentMatch::Same { payment } => Some(payment),
            PaymentMatch::Imported
            | PaymentMatch::Unclear { candidates: _ }
            | PaymentMatch::Removed => None,
        }
    }

    fn is_same_as(&self, payment: &PaymentId) -> bool {
        self.same_as() == Some(payment)
    }
}

pub(crate) fn clip_text(text: String) -> String {
    if text.chars().nth(TEXT_MAX).is_none() { text } else { text.chars().take(TEXT_MAX).collect() }
}

#[cfg(test)]
mod tests;
