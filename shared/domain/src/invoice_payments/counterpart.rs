//! The payment in Xero that is or may be a payment of the CRM that is about to be written.

use super::{InvoicePayments, PaymentMatch, ReceivedPayment};
use crate::ids::PaymentId;

/// A payment in Xero that the integration did not write, seen from a payment of the CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counterpart<'a> {
    /// It is the payment.
    Same(&'a ReceivedPayment),
    /// It may be the payment; a person must decide.
    Possible(&'a ReceivedPayment),
}

impl InvoicePayments {
    /// The payment in Xero, not written by the integration, that is or may be this payment of the
    /// CRM. While there is one, the payment is not written: the money would count twice.
    pub fn find_counterpart(&self, payment: &PaymentId) -> Option<Counterpart<'_>> {
        let recorded = self.recorded.iter().find(|one| one.payment == *payment)?;
        if recorded.method.is_always_pushed() {
            return None;
        }
        self.received.iter().find_map(|received| match &received.is {
            PaymentMatch::Same { payment: same } => {
                let is_other = same == payment && !recorded.is_written_as(received);
                is_other.then_some(Counterpart::Same(received))
            }
            PaymentMatch::Unclear { candidates } => {
                candidates.contains(payment).then_some(Counterpart::Possible(received))
            }
            PaymentMatch::Imported | PaymentMatch::Removed => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;
    use rust_decimal::Decimal;
    use uuid::Uuid;

    use super::*;
    use crate::crm::payment::{PaymentMethod, PaymentRecordStatus};
    use crate::ids::{AccountId, CrmId, Ledger, TenantId, XeroPaymentId};
    use crate::invoice_payments::RecordedPayment;
    use crate::money::{Currency, Money};

    fn amount() -> Money {
        Money::new(Decimal::new(5_000, 2), Currency::new("GBP").unwrap())
    }

    /// An invoice with one payment of the CRM, and one in Xero with this reference and match.
    fn payments(method: PaymentMethod, reference: &str, is: PaymentMatch) -> InvoicePayments {
        let account = AccountId::new("acc_1").unwrap();
        let ledger = Ledger { account, tenant: TenantId(Uuid::from_u128(1)) };
        let recorded = RecordedPayment {
            payment: PaymentId::new("pay_1").unwrap(),
            revision: 1,
            method,
            amount: amount(),
            date: date(2026, 11, 2),
            reference: None,
            standing: PaymentRecordStatus::Recorded,
        };
        let received = ReceivedPayment {
            id: XeroPaymentId(Uuid::from_u128(2)),
            amount: amount(),
            date: Some(date(2026, 11, 2)),
            reference: Some(reference.to_owned()),
            account: None,
            batch: None,
            is,
            seen_at: Timestamp::UNIX_EPOCH,
            compared_with: Vec::new(),
        };
        InvoicePayments {
            recorded: vec![recorded],
            received: vec![received],
            ..InvoicePayments::new(ledger, CrmId::new("inv_1").unwrap())
        }
    }

    #[test]
    fn money_that_came_by_other_means_is_a_counterpart_and_our_own_document_is_none() {
        let id = PaymentId::new("pay_1").unwrap();
        let same = || PaymentMatch::Same { payment: id.clone() };
        let by_hand = payments(PaymentMethod::Cash, "banked", same());
        assert!(matches!(by_hand.find_counterpart(&id), Some(Counterpart::Same(_))));
        let ours = payments(PaymentMethod::Cash, "Cash (SC-pay_1)", same());
        assert_eq!(ours.find_counterpart(&id), None);
        let unclear = PaymentMatch::Unclear { candidates: vec![id.clone()] };
        let unclear = payments(PaymentMethod::Cheque, "banked", unclear);
        assert!(matches!(unclear.find_counterpart(&id), Some(Counterpart::Possible(_))));
        let imported = payments(PaymentMethod::Cash, "banked", PaymentMatch::Imported);
        assert_eq!(imported.find_counterpart(&id), None);
        let stripe = payments(PaymentMethod::Stripe, "banked", same());
        assert_eq!(stripe.find_counterpart(&id), None);
    }
}
