//! Refunds on an invoice. Each becomes a credit note of its own, so Xero limits none of them by
//! what was paid on the invoice. The rows of the payments hold the refunds, so that two that are
//! written at the same time count, too.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{InvoicePayments, PaymentMatch};
use crate::crm::payment::build_part_id;
use crate::ids::{CrmId, PaymentId};
use crate::money::{Currency, Money};

/// The maximum number of refunds of one invoice that are followed. Further ones are refused.
pub const REFUNDS_MAX: usize = 200;

/// A refund on the invoice that was written to Xero, or is about to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceRefund {
    /// The CRM's id of the refund.
    pub refund: PaymentId,
    /// The amount that is returned.
    pub amount: Money,
}

/// Whether a refund may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundAdmission {
    /// It may, and was before.
    Known,
    /// It may from now on.
    Admitted,
    /// It exceeds the limit together with the other refunds, which return this amount.
    Exceeds(Money),
    /// The invoice already has [`REFUNDS_MAX`] refunds.
    TooMany,
}

impl InvoiceRefund {
    /// The id of the refund's part that becomes a credit note.
    pub fn note_part_id(&self) -> CrmId {
        build_part_id(&self.refund, "note")
    }
}

impl InvoicePayments {
    /// Admits a refund if all refunds together return at most `limit`. An admitted refund stays
    /// admitted.
    pub fn admit_refund(&mut self, refund: &InvoiceRefund, limit: Money) -> RefundAdmission {
        if self.refunds.iter().any(|known| known.refund == refund.refund) {
            return RefundAdmission::Known;
        }
        if self.refunds.len() >= REFUNDS_MAX {
            return RefundAdmission::TooMany;
        }
        let amounts = self.refunds.iter().map(|known| known.amount);
        let returned = sum_amounts(amounts, limit.currency);
        if returned.saturating_add(refund.amount.amount) > limit.amount {
            return RefundAdmission::Exceeds(Money::new(returned, limit.currency).in_cents());
        }
        self.refunds.push(refund.clone());
        RefundAdmission::Admitted
    }

    /// Forgets a refund that returns nothing: it was deleted in Xero, or is never to be written.
    /// Returns whether it was known.
    pub fn forget_refund(&mut self, refund: &PaymentId) -> bool {
        let before = self.refunds.len();
        self.refunds.retain(|known| known.refund != *refund);
        self.refunds.len() < before
    }

    /// What was paid on the invoice in a currency: the payments that the CRM recorded, and those
    /// that only Xero has.
    pub fn paid_amount(&self, currency: Currency) -> Money {
        let recorded = self.recorded.iter().filter(|one| one.is_in_effect());
        let recorded = recorded.map(|one| one.amount);
        let received = self.received.iter().filter(|one| match one.is {
            PaymentMatch::Imported | PaymentMatch::Unclear { candidates: _ } => true,
            PaymentMatch::Same { payment: _ } | PaymentMatch::Removed => false,
        });
        let amounts = recorded.chain(received.map(|one| one.amount));
        Money::new(sum_amounts(amounts, currency), currency).in_cents()
    }
}

fn sum_amounts(amounts: impl Iterator<Item = Money>, currency: Currency) -> Decimal {
    let amounts = amounts.filter(|one| one.currency == currency).map(|one| one.amount);
    amounts.fold(Decimal::ZERO, Decimal::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::tests::a_key;

    fn pounds(cents: i64) -> Money {
        Money::new(Decimal::new(cents, 2), Currency::new("GBP").unwrap())
    }

    fn a_refund(id: &str, cents: i64) -> InvoiceRefund {
        InvoiceRefund { refund: PaymentId::new(id).unwrap(), amount: pounds(cents) }
    }

    fn no_payments() -> InvoicePayments {
        let key = a_key("inv_1");
        InvoicePayments::new(key.ledger, key.crm_id)
    }

    #[test]
    fn refunds_return_together_at_most_the_limit() {
        let mut payments = no_payments();
        let limit = pounds(12_000);
        for (refund, expected) in [
            (a_refund("ref_1", 8_000), RefundAdmission::Admitted),
            (a_refund("ref_1", 8_000), RefundAdmission::Known),
            (a_refund("ref_2", 4_001), RefundAdmission::Exceeds(pounds(8_000))),
            (a_refund("ref_3", 4_000), RefundAdmission::Admitted),
            (a_refund("ref_4", 1), RefundAdmission::Exceeds(pounds(12_000))),
        ] {
            assert_eq!(payments.admit_refund(&refund, limit), expected, "{refund:?}");
        }
        assert!(payments.forget_refund(&PaymentId::new("ref_1").unwrap()));
        assert!(!payments.forget_refund(&PaymentId::new("ref_1").unwrap()));
        let again = a_refund("ref_2", 4_001);
        assert_eq!(payments.admit_refund(&again, limit), RefundAdmission::Admitted);
    }

    #[test]
    fn more_refunds_than_are_followed_are_refused() {
        let mut payments = no_payments();
        for place in 0..REFUNDS_MAX {
            let refund = a_refund(&format!("ref_{place}"), 1);
            assert_eq!(payments.admit_refund(&refund, pounds(12_000)), RefundAdmission::Admitted);
        }
        let further = a_refund("ref_further", 1);
        assert_eq!(payments.admit_refund(&further, pounds(12_000)), RefundAdmission::TooMany);
    }
}
