//! The payments on an invoice.

use domain::ids::{CrmId, Ledger};
use domain::invoice_payments::{InvoicePayments, PaidInvoices, ReceivedPayment, RecordedPayment};
use serde::{Deserialize, Serialize};

use super::StoredRecord;
use crate::keys;
use crate::table::{ItemKey, NewItem};

/// A payment on an invoice, in its own row, so that no row grows with the number of payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptPayment {
    pub(crate) ledger: Ledger,
    pub(crate) invoice: CrmId,
    /// Its position among the payments of its side, from 0.
    pub(crate) place: usize,
    pub(crate) payment: PaymentSide,
}

/// The side of a payment on an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaymentSide {
    /// The CRM recorded it.
    Recorded(RecordedPayment),
    /// Xero has it.
    Received(ReceivedPayment),
}

impl StoredRecord for InvoicePayments {
    fn item_key(&self) -> ItemKey {
        keys::invoice_payments_key(&self.ledger, &self.invoice)
    }
}

impl StoredRecord for PaidInvoices {
    fn item_key(&self) -> ItemKey {
        keys::paid_invoices_key(&self.account, &self.payment)
    }
}

impl StoredRecord for KeptPayment {
    fn item_key(&self) -> ItemKey {
        match &self.payment {
            PaymentSide::Recorded(one) => {
                keys::recorded_payment_key(&self.ledger, &self.invoice, &one.payment)
            }
            PaymentSide::Received(one) => {
                keys::received_payment_key(&self.ledger, &self.invoice, one.id)
            }
        }
    }

    fn with_index_keys(&self, item: NewItem) -> NewItem {
        let attention = match &self.payment {
            PaymentSide::Recorded(_) => None,
            PaymentSide::Received(one) => {
                keys::unclear_payment_key(&self.ledger, &self.invoice, one)
            }
        };
        NewItem { attention, ..item }
    }
}
