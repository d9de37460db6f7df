//! Payments that may be the same money: one that a user entered in Xero, and one that the
//! integration wrote or that the CRM recorded later.
//!
//! The integration cannot tell which of the two is right, and both count in Xero. So a person is
//! notified once, when the second of them is first seen; nothing is removed. A person who was asked
//! about the two before, or has answered that they differ, is not asked again.

use std::collections::BTreeMap;

use super::recognise::{DAYS_OF_DOUBT, days_between, recognise_payment};
use super::{InvoicePayments, PaymentMatch, PaymentNotice, ReceivedPayment, RecordedPayment};
use crate::ids::{PaymentId, XeroPaymentId};

impl InvoicePayments {
    /// The notification that a payment which is now known in Xero may be the same money as another one
    /// there. Of several, the one with the nearest date. `None` if there is no such payment.
    pub(super) fn find_possible_duplicate(
        &self,
        received: &ReceivedPayment,
    ) -> Option<PaymentNotice> {
        match &received.is {
            PaymentMatch::Imported => self.find_written_duplicate(received),
            PaymentMatch::Same { payment } => self.find_entered_duplicate(received, payment),
            PaymentMatch::Unclear { candidates: _ } | PaymentMatch::Removed => None,
        }
    }

    /// The payment of the CRM that the integration wrote and that an imported payment may repeat.
    fn find_written_duplicate(&self, entered: &ReceivedPayment) -> Option<PaymentNotice> {
        let in_xero = self.received.iter().filter_map(|one| Some((one.same_as()?, one)));
        let in_xero = in_xero.collect::<BTreeMap<&PaymentId, &ReceivedPayment>>();
        let written = self.recorded.iter().filter(|one| {
            let document = in_xero.get(&one.payment);
            is_unasked_suspicion(one, entered)
                && document.is_some_and(|document| one.is_written_as(document))
        });
        let nearest = written.min_by_key(|one| days_between(one, entered))?;
        Some(possible_duplicate(nearest, entered))
    }

    /// The notification that a payment which the CRM has just recorded may be one that was imported
    /// before. The import stays, because it is not certain, so both count in the CRM.
    pub(super) fn find_repeated_import(&self, recorded: &RecordedPayment) -> Option<PaymentNotice> {
        let may_be_it = |one: &&ReceivedPayment| {
            one.is == PaymentMatch::Imported
                && matches!(
                    recognise_payment(self, one),
                    PaymentMatch::Unclear { candidates } if candidates.contains(&recorded.payment)
                )
        };
        let imported = self.received.iter().filter(may_be_it);
        let nearest = imported.min_by_key(|one| days_between(recorded, one))?;
        Some(PaymentNotice::PossibleDuplicate {
            entered: nearest.clone(),
            payment: recorded.payment.clone(),
            paid_on: recorded.date,
            recorded: Some(recorded.amount),
        })
    }

    /// The imported payment that repeats a payment of the CRM, if the integration wrote that one.
    fn find_entered_duplicate(
        &self,
        received: &ReceivedPayment,
        payment: &PaymentId,
    ) -> Option<PaymentNotice> {
        let written = self.recorded.iter().find(|one| one.payment == *payment)?;
        if !written.is_written_as(received) {
            return None;
        }
        let entered = self
            .received
            .iter()
            .filter(|one| one.is == PaymentMatch::Imported && is_unasked_suspicion(written, one));
        let nearest = entered.min_by_key(|one| days_between(written, one))?;
        Some(possible_duplicate(written, nearest))
    }

    /// Remembers that people are asked whether an imported payment is this payment of the CRM.
    pub(super) fn remember_comparison(&mut self, entered: XeroPaymentId, payment: &PaymentId) {
        let Some(entered) = self.received.iter_mut().find(|one| one.id == entered) else { return };
        entered.remember_comparisons([payment]);
    }
}

/// Whether both have the same amount, and dates so near that a person would have to decide about a
/// payment that the integration does not write, unless people were asked about the two before.
fn is_unasked_suspicion(written: &RecordedPayment, entered: &ReceivedPayment) -> bool {
    written.is_in_effect()
        && !entered.compared_with.contains(&written.payment)
        && written.amount == entered.amount
        && days_between(written, entered) <= DAYS_OF_DOUBT
}

/// The notification about two payments in Xero.
fn possible_duplicate(written: &RecordedPayment, entered: &ReceivedPayment) -> PaymentNotice {
    PaymentNotice::PossibleDuplicate {
        entered: entered.clone(),
        payment: written.payment.clone(),
        paid_on: written.date,
        recorded: None,
    }
}
