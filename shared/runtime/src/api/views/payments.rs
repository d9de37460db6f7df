//! The payments of an invoice in responses.

use domain::invoice_payments::{DepositAccount, InvoicePayments, PaymentMatch};
use domain::invoice_payments::{ReceivedPayment, RecordedPayment};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::records::MoneyView;
use super::words::{PaymentKind, PaymentStanding};

/// The payments of an invoice, from both sides.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvoicePaymentsView {
    /// The payments that the CRM recorded.
    pub(crate) recorded: Vec<RecordedPaymentView>,
    /// The payments in Xero, each with its relation to the CRM's.
    pub(crate) received: Vec<ReceivedPaymentView>,
    /// The number of payments that a person has to decide on.
    pub(crate) unclear: usize,
}

/// The invoice's share of a payment that the CRM recorded.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordedPaymentView {
    /// The payment.
    pub(crate) payment: String,
    /// Its newest revision.
    pub(crate) revision: u64,
    /// How the payment was made.
    pub(crate) method: PaymentKind,
    /// The share of this invoice.
    pub(crate) amount: MoneyView,
    /// The day on which it was taken.
    pub(crate) date: Date,
    /// The payment's identifier elsewhere, such as a cheque's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    /// Whether it is in effect.
    pub(crate) standing: PaymentStanding,
}

/// A payment on the invoice in Xero.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReceivedPaymentView {
    /// Its id in Xero.
    pub(crate) id: Uuid,
    /// The amount, in the invoice's currency.
    pub(crate) amount: MoneyView,
    /// The date of the payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<Date>,
    /// The reference, which is free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    /// The account that the money went to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<DepositAccountView>,
    /// The batch payment that it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) batch: Option<Uuid>,
    /// What it is to the CRM.
    pub(crate) is: RelationView,
    /// When it was first seen.
    pub(crate) seen_at: Timestamp,
}

/// An account that money went to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepositAccountView {
    /// Its name.
    pub(crate) name: String,
    /// Its code, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// Whether it is a bank account.
    pub(crate) is_bank: bool,
}

/// What a payment in Xero is to the CRM: `imported`, the `same` as a payment of the CRM, `unclear`
/// until a person decides, or `removed` in Xero.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "what")]
pub(crate) enum RelationView {
    /// The CRM did not know it.
    Imported,
    /// It is a payment that the CRM recorded.
    Same {
        /// The CRM's payment.
        payment: String,
    },
    /// A person must decide.
    Unclear {
        /// The payments of the CRM that it may be.
        candidates: Vec<String>,
    },
    /// It was deleted in Xero.
    Removed,
}

impl From<Option<InvoicePayments>> for InvoicePaymentsView {
    fn from(payments: Option<InvoicePayments>) -> Self {
        let unclear = payments.as_ref().map_or(0, |known| known.unclear_payments().count());
        let (recorded, received) =
            payments.map(|known| (known.recorded, known.received)).unwrap_or_default();
        Self {
            recorded: recorded.into_iter().map(RecordedPaymentView::from).collect(),
            received: received.into_iter().map(ReceivedPaymentView::from).collect(),
            unclear,
        }
    }
}

impl From<RecordedPayment> for RecordedPaymentView {
    fn from(payment: RecordedPayment) -> Self {
        Self {
            payment: payment.payment.to_string(),
            revision: payment.revision,
            method: payment.method.into(),
            amount: payment.amount.into(),
            date: payment.date,
            reference: payment.reference,
            standing: payment.standing.into(),
        }
    }
}

impl From<ReceivedPayment> for ReceivedPaymentView {
    fn from(payment: ReceivedPayment) -> Self {
        Self {
            id: payment.id.0,
            amount: payment.amount.into(),
            date: payment.date,
            reference: payment.reference,
            account: payment.account.map(DepositAccountView::from),
            batch: payment.batch.map(|batch| batch.0),
            is: payment.is.into(),
            seen_at: payment.seen_at,
        }
    }
}

impl From<DepositAccount> for DepositAccountView {
    fn from(account: DepositAccount) -> Self {
        let DepositAccount { name, code, is_bank } = account;
        Self { name, code, is_bank }
    }
}

impl From<PaymentMatch> for RelationView {
    fn from(relation: PaymentMatch) -> Self {
        match relation {
            PaymentMatch::Imported => Self::Imported,
            PaymentMatch::Same { payment } => Self::Same { payment: payment.to_string() },
            PaymentMatch::Unclear { candidates } => {
                let candidates = candidates.iter().map(ToString::to_string).collect();
                Self::Unclear { candidates }
            }
            PaymentMatch::Removed => Self::Removed,
        }
    }
}
