//! Users' decisions about unclear payments.

use super::notices::new_payment_notice;
use super::{InvoicePayments, PaymentMatch, PaymentNotice, ReceivedPayment};
use crate::ids::{PaymentId, XeroPaymentId};

/// A user's decision about an unclear payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentDecision {
    /// It is this payment of the CRM.
    Same(PaymentId),
    /// It is not a payment that the CRM knows.
    New,
}

impl InvoicePayments {
    /// Applies a person's decision about an unclear payment. Returns `None` if there is no such
    /// payment, if it is not unclear, or if the chosen payment of the CRM is not available. A payment
    /// by a method that the integration always writes is never available: its own document in Xero
    /// would count the money twice.
    pub fn resolve_payment(
        &mut self,
        id: XeroPaymentId,
        answer: PaymentDecision,
    ) -> Option<Vec<PaymentNotice>> {
        let is = match answer {
            PaymentDecision::New => PaymentMatch::Imported,
            PaymentDecision::Same(payment) => {
                let known = self.recorded.iter().any(|one| {
                    one.payment == payment && one.is_in_effect() && !one.method.is_always_pushed()
                });
                let taken = self.received.iter().any(|one| one.is_same_as(&payment));
                if !known || taken {
                    return None;
                }
                PaymentMatch::Same { payment }
            }
        };
        let unclear = |one: &&mut ReceivedPayment| {
            one.id == id && matches!(one.is, PaymentMatch::Unclear { candidates: _ })
        };
        let received = self.received.iter_mut().find(unclear)?;
        if let (PaymentMatch::Imported, PaymentMatch::Unclear { candidates }) = (&is, &received.is)
        {
            // The answer is about each of them, and they may be written now.
            let candidates = candidates.clone();
            received.remember_comparisons(&candidates);
        }
        received.is = is;
        let received = received.clone();
        let notice = new_payment_notice(&received);
        let duplicate = self.find_possible_duplicate(&received);
        let notice = notice.unwrap_or(PaymentNotice::Resolved(received));
        Some(std::iter::once(notice).chain(duplicate).collect())
    }
}
