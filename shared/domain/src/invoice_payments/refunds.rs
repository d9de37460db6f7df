//! Refunds on an invoice. Each becomes a credit note of its own, so Xero limits none of them by
//! what was paid on the invoice. The rows of the payments hold the refunds, so that two that are
//! written at the same time count, too.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{InvoicePayments, PaymentMatch};
use crate::crm::payment::{REFUND_NOTE_PART, REFUND_PART, build_part_id};
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
    /// It may, and was before, with this amount.
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
        build_part_id(&self.refund, REFUND_NOTE_PART)
    }

    /// The id of the refund's part that returns the money.
    pub fn money_part_id(&self) -> CrmId {
        build_part_id(&self.refund, REFUND_PART)
    }
}

impl InvoicePayments {
    /// Admits a refund if all refunds together return at most `limit`. An admitted refund stays
    /// admitted, unless it comes with another amount: then it counts with that one, or no longer.
    pub fn admit_refund(&mut self, refund: &InvoiceRefund, limit: Money) -> RefundAdmission {
        if self.counts_refund(refund) {
            return RefundAdmission::Known;
        }
        self.forget_refund(&refund.refund);
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

    /// Whether a refund counts already, with this amount.
    pub fn counts_refund(&self, refund: &InvoiceRefund) -> bool {
        self.refunds.contains(refund)
    }

    /// Whether a refund counts already, with any amount.
    fn knows_refund(&self, refund: &PaymentId) -> bool {
        self.refunds.iter().any(|known| known.refund == *refund)
    }

    /// Adds a refund that is in Xero, whatever the limit, unless it counts already. An earlier
    /// release, which did not follow refunds, may have sent it. Beyond [`REFUNDS_MAX`] it is not
    /// added: then no further refund is admitted.
    pub fn add_sent_refund(&mut self, refund: &InvoiceRefund) {
        if !self.knows_refund(&refund.refund) && self.refunds.len() < REFUNDS_MAX {
            self.refunds.push(refund.clone());
        }
    }

    /// Whether refunds may be admitted that were refused with the payments `before`: more was paid,
    /// or a refund no longer counts.
    pub fn admits_more_refunds_than(&self, before: &Self) -> bool {
        let recorded = self.recorded.iter().map(|one| one.amount.currency);
        let received = self.received.iter().map(|one| one.amount.currency);
        let currencies = recorded.chain(received).collect::<BTreeSet<Currency>>();
        let is_more_paid = |currency: &Currency| {
            self.paid_amount(*currency).amount > before.paid_amount(*currency).amount
        };
        currencies.iter().any(is_more_paid)
            || before.refunds.iter().any(|known| !self.knows_refund(&known.refund))
    }

    /// Forgets a refund that returns nothing: it was deleted in Xero, its credit note was voided
    /// there, or it is never to be written. Returns whether it was known.
    pub fn forget_refund(&mut self, refund: &PaymentId) -> bool {
        let before = self.refunds.len();
        self.refunds.retain(|known| known.refund != *refund);
        self.refunds.len() < before
    }

    /// Whether a payment on the invoice is known, even if it was deleted.
    pub const fn has_known_payments(&self) -> bool {
        !self.recorded.is_empty() || !self.received.is_empty()
    }

    /// What was paid on the invoice in a currency: the payments that the CRM recorded, and those
    /// that only Xero has. A payment in Xero that may be one of the CRM does not count: it would
    /// count twice.
    pub fn paid_amount(&self, currency: Currency) -> Money {
        let received = self.received.iter().filter(|one| match one.is {
            PaymentMatch::Imported => true,
            PaymentMatch::Unclear { candidates: _ }
            | PaymentMatch::Same { payment: _ }
            | PaymentMatch::Removed => false,
        });
        let received = sum_amounts(received.map(|one| one.amount), currency);
        let paid = received.saturating_add(self.recorded_amount(currency).amount);
        Money::new(paid, currency).in_cents()
    }

    /// What the CRM recorded as paid on the invoice in a currency, whether Xero has it or not.
    pub fn recorded_amount(&self, currency: Currency) -> Money {
        let recorded = self.recorded.iter().filter(|one| one.is_in_effect());
        let amounts = recorded.map(|one| one.amount);
        Money::new(sum_amounts(amounts, currency), currency).in_cents()
    }
}

fn sum_amounts(amounts: impl Iterator<Item = Money>, currency: Currency) -> Decimal {
    let amounts = amounts.filter(|one| one.currency == currency).map(|one| one.amount);
    amounts.fold(Decimal::ZERO, Decimal::saturating_add)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;
    use uuid::Uuid;

    use super::*;
    use crate::crm::payment::{PaymentMethod, PaymentRecordStatus};
    use crate::ids::XeroPaymentId;
    use crate::invoice_payments::{ReceivedPayment, RecordedPayment};
    use crate::mapping::tests::a_key;
    use crate::money::tests::pounds;

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
        assert_eq!(payments.refunds, [a_refund("ref_1", 8_000), a_refund("ref_3", 4_000)]);
        assert!(payments.forget_refund(&PaymentId::new("ref_1").unwrap()));
        assert!(!payments.forget_refund(&PaymentId::new("ref_1").unwrap()));
        let again = a_refund("ref_2", 4_001);
        assert_eq!(payments.admit_refund(&again, limit), RefundAdmission::Admitted);
    }

    #[test]
    fn a_refund_with_another_amount_than_before_counts_with_that_one_or_no_longer() {
        let mut payments = no_payments();
        let limit = pounds(12_000);
        payments.admit_refund(&a_refund("ref_1", 4_000), limit);
        payments.admit_refund(&a_refund("ref_2", 7_000), limit);
        for (refund, expected, counted) in [
            (a_refund("ref_1", 5_000), RefundAdmission::Admitted, 2),
            (a_refund("ref_1", 5_001), RefundAdmission::Exceeds(pounds(7_000)), 1),
            (a_refund("ref_2", 12_000), RefundAdmission::Admitted, 1),
        ] {
            assert_eq!(payments.admit_refund(&refund, limit), expected, "{refund:?}");
            assert_eq!(payments.refunds.len(), counted, "{refund:?}");
        }
        assert_eq!(payments.refunds, [a_refund("ref_2", 12_000)]);
    }

    #[test]
    fn a_refund_that_is_in_xero_counts_whatever_the_limit() {
        let mut payments = no_payments();
        let limit = pounds(5_000);
        for _ in 0..2 {
            payments.add_sent_refund(&a_refund("ref_1", 8_000));
        }
        assert_eq!(payments.refunds, [a_refund("ref_1", 8_000)]);
        let known = payments.admit_refund(&a_refund("ref_1", 8_000), limit);
        assert_eq!(known, RefundAdmission::Known);
        let further = payments.admit_refund(&a_refund("ref_2", 1), limit);
        assert_eq!(further, RefundAdmission::Exceeds(pounds(8_000)));
    }

    #[test]
    fn more_refunds_are_admitted_after_a_further_payment_or_without_a_refund() {
        let before = no_payments();
        let paid = |cents, standing| {
            let recorded = RecordedPayment {
                payment: PaymentId::new("pay_1").unwrap(),
                revision: 1,
                method: PaymentMethod::Cheque,
                amount: pounds(cents),
                date: date(2026, 11, 2),
                reference: None,
                standing,
            };
            InvoicePayments { recorded: vec![recorded], ..no_payments() }
        };
        let recorded = paid(6_000, PaymentRecordStatus::Recorded);
        let deleted = paid(6_000, PaymentRecordStatus::Deleted);
        assert!(recorded.admits_more_refunds_than(&before));
        assert!(!recorded.admits_more_refunds_than(&recorded));
        assert!(!deleted.admits_more_refunds_than(&recorded));
        assert!(!deleted.admits_more_refunds_than(&before));
        let refunded = InvoicePayments { refunds: vec![a_refund("ref_1", 100)], ..no_payments() };
        assert!(before.admits_more_refunds_than(&refunded));
        assert!(!refunded.admits_more_refunds_than(&before));
    }

    #[test]
    fn a_payment_counts_once_and_a_deleted_one_is_known_and_does_not_count() {
        let mut payments = no_payments();
        assert!(!payments.has_known_payments());
        let recorded = RecordedPayment {
            payment: PaymentId::new("pay_1").unwrap(),
            revision: 1,
            method: PaymentMethod::Cheque,
            amount: pounds(6_000),
            date: date(2026, 11, 2),
            reference: None,
            standing: PaymentRecordStatus::Recorded,
        };
        payments.recorded.push(recorded.clone());
        let same = PaymentMatch::Same { payment: recorded.payment.clone() };
        let unclear = PaymentMatch::Unclear { candidates: vec![recorded.payment.clone()] };
        for (is, paid) in [
            (same, 6_000),
            (unclear, 6_000),
            (PaymentMatch::Removed, 6_000),
            (PaymentMatch::Imported, 9_000),
        ] {
            payments.received = vec![ReceivedPayment {
                id: XeroPaymentId(Uuid::from_u128(1)),
                amount: pounds(3_000),
                date: None,
                reference: None,
                account: None,
                batch: None,
                is,
                seen_at: Timestamp::UNIX_EPOCH,
                compared_with: Vec::new(),
            }];
            assert_eq!(payments.paid_amount(pounds(0).currency), pounds(paid), "{payments:?}");
        }
        payments.received.clear();
        let standing = PaymentRecordStatus::Deleted;
        payments.recorded = vec![RecordedPayment { standing, ..recorded }];
        assert!(payments.has_known_payments());
        assert_eq!(payments.paid_amount(pounds(0).currency), pounds(0));
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
