//! Changes of the payments on an invoice, and the notifications for the CRM.

use std::collections::{BTreeMap, BTreeSet};

use super::notices::{mark_removed, new_payment_notice};
use super::recognise::recognise_payment;
use super::{
    CHANGES_MAX, InvoicePayments, PAYMENTS_MAX, PaymentMatch, PaymentNotice, ReceivedPayment,
    RecordedPayment,
};
use crate::crm::payment::normalise_reference;
use crate::ids::{PaymentId, XeroPaymentId};

/// The result of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentChanges {
    /// The notifications for the CRM, in order.
    pub notices: Vec<PaymentNotice>,
    /// Whether the change is complete. If not, repeating it continues where this one stopped.
    pub is_all: bool,
}

/// The payments of the CRM of which Xero has a document of the integration that is not known yet.
fn list_written_anew(
    recorded: &[RecordedPayment],
    known: &[ReceivedPayment],
    present: &[ReceivedPayment],
) -> Vec<PaymentId> {
    let known: BTreeSet<XeroPaymentId> = known.iter().map(|one| one.id).collect();
    let new = present.iter().filter(|one| !known.contains(&one.id));
    let tags = new.filter_map(|one| one.reference.as_deref().map(normalise_reference));
    let tags: BTreeSet<String> = tags.collect();
    if tags.is_empty() {
        return Vec::new();
    }
    let written = recorded.iter().filter(|one| tags.contains(&one.reference_tag()));
    written.map(|one| one.payment.clone()).collect()
}

/// The number of payments that a change may still affect.
struct ChangeBudget(usize);

impl ChangeBudget {
    const fn new() -> Self {
        Self(CHANGES_MAX)
    }

    /// Uses one unit of the budget. Returns `false` if the budget is used up.
    fn take_one(&mut self) -> bool {
        let is_left = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        is_left
    }
}

impl InvoicePayments {
    /// Records a payment that the CRM recorded or deleted. Nothing changes if the payment is known
    /// and all consequences are complete.
    pub fn record_payment(&mut self, recorded: RecordedPayment) -> PaymentChanges {
        let payment = recorded.payment.clone();
        let (mut budget, mut is_new) = (ChangeBudget::new(), false);
        match self.recorded.iter_mut().find(|one| one.payment == payment) {
            Some(known) if known.revision > recorded.revision => {
                return PaymentChanges { notices: Vec::new(), is_all: true };
            }
            // The consequences of this revision may be incomplete.
            Some(known) if known.revision == recorded.revision => {}
            Some(known) => {
                *known = recorded;
                budget.take_one();
            }
            None => {
                self.recorded.push(recorded);
                budget.take_one();
                is_new = true;
            }
        }
        let new = self.recorded.last().filter(|_| is_new);
        let repeated = new.and_then(|recorded| self.find_repeated_import(recorded));
        if let Some(PaymentNotice::PossibleDuplicate { entered, payment, .. }) = &repeated {
            self.remember_comparison(entered.id, payment);
            budget.take_one();
        }
        let changes = self.recognise_again(budget);
        let notices = repeated.into_iter().chain(changes.notices).collect();
        PaymentChanges { notices, ..changes }
    }

    /// Adds payments that the CRM recorded in another ledger and that are unknown here, in their
    /// order, up to [`PAYMENTS_MAX`]. `None` if there is nothing to add or no room.
    pub fn add_recorded(&mut self, others: &[RecordedPayment]) -> Option<PaymentChanges> {
        let known: BTreeSet<&PaymentId> = self.recorded.iter().map(|one| &one.payment).collect();
        let new = others.iter().filter(|one| !known.contains(&one.payment));
        let room = PAYMENTS_MAX.saturating_sub(self.recorded.len());
        let new = new.take(room).cloned().collect::<Vec<_>>();
        if new.is_empty() {
            return None;
        }
        let is_all = new.len() <= CHANGES_MAX;
        self.recorded.extend(new.into_iter().take(CHANGES_MAX));
        Some(PaymentChanges { notices: Vec::new(), is_all })
    }

    /// The payments of the CRM that `other` does not know.
    pub fn recorded_beyond(&self, other: &Self) -> Vec<RecordedPayment> {
        let known: BTreeSet<&PaymentId> = other.recorded.iter().map(|one| &one.payment).collect();
        let beyond = self.recorded.iter().filter(|one| !known.contains(&one.payment));
        beyond.cloned().collect()
    }

    /// Compares the recorded state with all payments that Xero has on the invoice now. Payments
    /// that are missing were removed. If there are more payments than are followed, the first ones
    /// are followed.
    pub fn observe_payments(&mut self, present: &[ReceivedPayment]) -> PaymentChanges {
        let mut budget = ChangeBudget::new();
        let mut notices = Vec::new();
        let here: BTreeSet<XeroPaymentId> = present.iter().map(|one| one.id).collect();
        // The CRM deleted these payments itself, so their removal is not reported. It may have
        // recorded one again since, which then has another document.
        let written_anew = list_written_anew(&self.recorded, &self.received, present);
        let deleted = self.recorded.iter().filter(|one| !one.is_in_effect());
        let deleted = deleted.map(|one| one.payment.clone());
        let deleted: BTreeSet<PaymentId> = deleted.chain(written_anew).collect();
        for known in &mut self.received {
            if here.contains(&known.id) || known.is == PaymentMatch::Removed {
                continue;
            }
            if !budget.take_one() {
                return PaymentChanges { notices, is_all: false };
            }
            let is_known = known.same_as().is_some_and(|payment| deleted.contains(payment));
            notices.extend(mark_removed(known).filter(|_| !is_known));
        }
        let known = self.received.iter().enumerate();
        let mut places: BTreeMap<XeroPaymentId, usize> =
            known.map(|(place, one)| (one.id, place)).collect();
        for one in self.sort_written_first(present) {
            let place = places.get(&one.id).copied();
            let slot = place.and_then(|place| self.received.get(place));
            // A removed payment may reappear under the same id.
            if slot.is_some_and(|slot| slot.is != PaymentMatch::Removed) {
                continue;
            }
            if slot.is_none() && self.received.len() >= PAYMENTS_MAX {
                continue;
            }
            if !budget.take_one() {
                return PaymentChanges { notices, is_all: false };
            }
            let compared_with = slot.map(|slot| slot.compared_with.clone()).unwrap_or_default();
            let is = recognise_payment(self, one);
            let one = ReceivedPayment { is, compared_with, ..one.clone() };
            notices.extend(new_payment_notice(&one));
            notices.extend(self.find_possible_duplicate(&one));
            if let Some(slot) = place.and_then(|place| self.received.get_mut(place)) {
                *slot = one;
            } else {
                places.insert(one.id, self.received.len());
                self.received.push(one);
            }
        }
        PaymentChanges { notices, is_all: true }
    }

    /// The payments in Xero, those first that the integration wrote: a payment that it wrote is not
    /// taken for another one of the same amount.
    fn sort_written_first<'p>(&self, present: &'p [ReceivedPayment]) -> Vec<&'p ReceivedPayment> {
        let tags: BTreeSet<String> =
            self.recorded.iter().map(RecordedPayment::reference_tag).collect();
        let is_written = |one: &&ReceivedPayment| {
            let reference = one.reference.as_deref();
            reference.is_some_and(|text| tags.contains(&normalise_reference(text)))
        };
        let (mut sorted, others): (Vec<_>, Vec<_>) = present.iter().partition(is_written);
        sorted.extend(others);
        sorted
    }

    /// Whether Xero has payments on the invoice that are not followed because there are too many.
    pub fn leaves_out(&self, present: &[ReceivedPayment]) -> bool {
        if self.received.len() < PAYMENTS_MAX {
            return false;
        }
        let known: BTreeSet<XeroPaymentId> = self.received.iter().map(|one| one.id).collect();
        present.iter().any(|one| !known.contains(&one.id))
    }

    /// Repeats the recognition after a change in the CRM: an imported or unclear payment may be the
    /// one just recorded, and a payment that was recognised as a deleted one is now a payment in
    /// Xero alone.
    fn recognise_again(&mut self, mut budget: ChangeBudget) -> PaymentChanges {
        let mut notices = Vec::new();
        for index in 0..self.received.len() {
            let Some(known) = self.received.get(index).cloned() else { continue };
            let is = match &known.is {
                PaymentMatch::Removed => continue,
                // A pushed payment is deleted in Xero as well; a payment that came through the bank
                // is still there.
                PaymentMatch::Same { payment } if !self.was_taken_back(payment, &known) => continue,
                PaymentMatch::Same { payment: _ } => self.reclassify_payment(index, &known),
                PaymentMatch::Imported | PaymentMatch::Unclear { candidates: _ } => {
                    recognise_payment(self, &known)
                }
            };
            let was_imported = known.is == PaymentMatch::Imported;
            let was_unclear = matches!(known.is, PaymentMatch::Unclear { candidates: _ });
            // The CRM already has the import, and uncertainty is no reason to withdraw it.
            let is_doubt = was_imported && matches!(is, PaymentMatch::Unclear { candidates: _ });
            if is == known.is || is_doubt {
                continue;
            }
            if !budget.take_one() {
                return PaymentChanges { notices, is_all: false };
            }
            let changed = ReceivedPayment { is: is.clone(), ..known.clone() };
            match &is {
                PaymentMatch::Same { payment } if was_imported => {
                    let payment = payment.clone();
                    notices.push(PaymentNotice::Same { received: known, payment });
                }
                PaymentMatch::Same { payment: _ } if was_unclear => {
                    notices.push(PaymentNotice::Resolved(known));
                }
                PaymentMatch::Imported
                | PaymentMatch::Same { payment: _ }
                | PaymentMatch::Unclear { candidates: _ }
                | PaymentMatch::Removed => {
                    notices.extend(new_payment_notice(&changed));
                    notices.extend(self.find_possible_duplicate(&changed));
                }
            }
            if let Some(slot) = self.received.get_mut(index) {
                slot.is = is;
            }
        }
        PaymentChanges { notices, is_all: true }
    }

    /// Classifies a payment that was matched with a payment of the CRM and no longer is.
    fn reclassify_payment(&mut self, index: usize, known: &ReceivedPayment) -> PaymentMatch {
        if let Some(slot) = self.received.get_mut(index) {
            slot.is = PaymentMatch::Removed;
        }
        let is = recognise_payment(self, known);
        if let Some(slot) = self.received.get_mut(index) {
            slot.is = known.is.clone();
        }
        is
    }

    /// Whether the CRM deleted a payment, and its counterpart in Xero is not the integration's.
    fn was_taken_back(&self, payment: &PaymentId, received: &ReceivedPayment) -> bool {
        let known = self.recorded.iter().find(|one| one.payment == *payment);
        known.is_some_and(|one| {
            !one.is_in_effect() && !one.method.is_always_pushed() && !one.is_written_as(received)
        })
    }

    /// Whether a payment is recorded again with different contents. Such a change is rejected.
    pub fn contradicts_recorded(&self, recorded: &RecordedPayment) -> bool {
        let known = self.recorded.iter().find(|one| one.payment == recorded.payment);
        known.is_some_and(|one| {
            recorded.is_in_effect()
                && recorded.revision > one.revision
                && (one.amount != recorded.amount || one.method != recorded.method)
        })
    }
}
