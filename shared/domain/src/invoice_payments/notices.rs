//! Changes of payments that the CRM is notified of.

use jiff::civil::Date;

use super::{PaymentMatch, ReceivedPayment};
use crate::ids::PaymentId;
use crate::money::Money;

/// A change of a payment that the CRM is notified of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentNotice {
    /// Xero has a payment that the CRM does not know.
    Imported(ReceivedPayment),
    /// A payment that the CRM knows, imported or its own, is no longer in Xero.
    Removed {
        /// The payment as it was in Xero.
        received: ReceivedPayment,
        /// The CRM's own payment that it was, if any.
        payment: Option<PaymentId>,
    },
    /// An imported payment is one that the CRM has recorded itself, so its import is a duplicate.
    Same {
        /// The payment as it is in Xero.
        received: ReceivedPayment,
        /// The CRM's own payment that it is.
        payment: PaymentId,
    },
    /// A payment in Xero may be one that the CRM recorded, and a person must decide.
    Unclear {
        /// The payment as it is in Xero.
        received: ReceivedPayment,
        /// The payments of the CRM that it may be.
        candidates: Vec<PaymentId>,
    },
    /// A payment that was unclear is a payment of the CRM, or was removed in Xero. Nothing has to be
    /// imported or dropped.
    Resolved(ReceivedPayment),
    /// An imported payment may be the same money as a payment that the integration wrote, or as one
    /// that the CRM recorded after the import. Both count, and a person must compare them.
    PossibleDuplicate {
        /// The imported payment.
        entered: ReceivedPayment,
        /// The CRM's payment.
        payment: PaymentId,
        /// The day on which that one was taken.
        paid_on: Date,
        /// Its amount, if the CRM recorded it after the import and the integration has not written
        /// it.
        recorded: Option<Money>,
    },
}

/// The notification about a payment that the CRM does not know, or that a person must decide about.
/// An unclear payment is not imported, so that no money is counted twice.
pub(super) fn new_payment_notice(received: &ReceivedPayment) -> Option<PaymentNotice> {
    match &received.is {
        PaymentMatch::Imported => Some(PaymentNotice::Imported(received.clone())),
        PaymentMatch::Unclear { candidates } => Some(PaymentNotice::Unclear {
            received: received.clone(),
            candidates: candidates.clone(),
        }),
        PaymentMatch::Same { payment: _ } | PaymentMatch::Removed => None,
    }
}

/// Marks a payment as removed in Xero. Returns the notification about it.
pub(super) fn mark_removed(known: &mut ReceivedPayment) -> Option<PaymentNotice> {
    let was = std::mem::replace(&mut known.is, PaymentMatch::Removed);
    let received = known.clone();
    match was {
        PaymentMatch::Imported => Some(PaymentNotice::Removed { received, payment: None }),
        PaymentMatch::Same { payment } => {
            Some(PaymentNotice::Removed { received, payment: Some(payment) })
        }
        PaymentMatch::Unclear { candidates: _ } => Some(PaymentNotice::Resolved(received)),
        PaymentMatch::Removed => None,
    }
}
