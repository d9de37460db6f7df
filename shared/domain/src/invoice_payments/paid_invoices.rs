//! The invoices of a payment that is only recorded.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::crm::payment::{Payment, PaymentRecordStatus};
use crate::ids::{AccountId, InvoiceId, PaymentId};

/// The invoices of a payment that is recorded and not written to Xero. Nothing else leads from such
/// a payment to its invoices: it has no records of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidInvoices {
    /// The account.
    pub account: AccountId,
    /// The payment.
    pub payment: PaymentId,
    /// The revision that names these invoices.
    pub revision: u64,
    /// The invoices.
    pub invoices: BTreeSet<InvoiceId>,
}

impl PaidInvoices {
    /// The invoices that a payment names.
    pub fn of_payment(account: AccountId, payment: &Payment) -> Self {
        let invoices = payment.allocations.iter().map(|share| share.invoice_id.clone()).collect();
        Self { account, payment: payment.id.clone(), revision: payment.revision, invoices }
    }

    /// Whether a payment is a later revision, in effect, that lacks one of these invoices. Such a
    /// change is rejected.
    pub fn is_contradicted_by(&self, payment: &Payment) -> bool {
        payment.standing == PaymentRecordStatus::Recorded
            && payment.revision > self.revision
            && self.unnamed_by(payment).next().is_some()
    }

    /// The invoices that a revision of the payment does not name.
    pub fn unnamed_by(&self, payment: &Payment) -> impl Iterator<Item = &InvoiceId> {
        let is_named = move |invoice: &InvoiceId| {
            payment.allocations.iter().any(|share| share.invoice_id == *invoice)
        };
        self.invoices.iter().filter(move |invoice| !is_named(invoice))
    }
}
