//! A document as seen by the rules of payments, for any kind of document.

use super::Books;
use super::invoice::{InvoiceKind, InvoiceStatus};
use super::payment::PaymentTarget;
use rust_decimal::Decimal;
use uuid::Uuid;

/// A document that can be paid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payable<'a> {
    pub(crate) id: Uuid,
    pub(crate) number: Option<&'a str>,
    /// The document's type on the wire, such as `ACCREC`.
    pub(crate) word: &'static str,
    /// The type of its payments on the wire, such as `ACCRECPAYMENT`.
    pub(crate) payment_word: &'static str,
    pub(crate) contact: Uuid,
    pub(crate) currency: &'a str,
    /// The amount that can still be paid.
    pub(crate) outstanding: Decimal,
    /// Whether its status allows payments.
    pub(crate) is_open: bool,
    pub(crate) flow: Flow,
}

/// The direction of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Into the organisation's account.
    In,
    /// Out of it.
    Out,
}

impl Flow {
    /// The amount with its sign in a balance.
    pub(crate) fn signed(self, amount: Decimal) -> Decimal {
        match self {
            Self::In => amount,
            Self::Out => -amount,
        }
    }
}

impl Books {
    /// The document a payment is for.
    pub(crate) fn payable(&self, target: PaymentTarget) -> Option<Payable<'_>> {
        match target {
            PaymentTarget::Invoice(id) => {
                let invoice = self.invoice(id)?;
                let (payment_word, flow) = match invoice.kind {
                    InvoiceKind::Sales => ("ACCRECPAYMENT", Flow::In),
                    InvoiceKind::Bill => ("ACCPAYPAYMENT", Flow::Out),
                };
                Some(Payable {
                    id,
                    number: invoice.number.as_deref(),
                    word: invoice.kind.as_str(),
                    payment_word,
                    contact: invoice.contact,
                    currency: &invoice.currency,
                    outstanding: invoice.amount_due(),
                    is_open: invoice.status == InvoiceStatus::Authorised,
                    flow,
                })
            }
            PaymentTarget::Credit(credit) => {
                let creditable = self.creditable(credit)?;
                Some(Payable {
                    id: credit.id(),
                    number: creditable.number,
                    word: creditable.word,
                    payment_word: creditable.payment_word,
                    contact: creditable.contact,
                    currency: creditable.currency,
                    outstanding: creditable.remaining,
                    is_open: creditable.is_open,
                    flow: match creditable.invoice_kind {
                        InvoiceKind::Sales => Flow::Out,
                        InvoiceKind::Bill => Flow::In,
                    },
                })
            }
        }
    }
}
