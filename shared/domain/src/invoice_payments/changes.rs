//! Changes of the payments on an invoice, and the notifications for the CRM.

use std::collections::{BTreeMap, BTreeSet};

use super::recognise::recognise_payment;
use super::{
    CHANGES_MAX, InvoicePayments, PAYMENTS_MAX, PaymentMatch, ReceivedPayment, RecordedPayment,
};
use crate::ids::{PaymentId, XeroPaymentId};

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
}

/// The result of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentChanges {
    /// The notifications for the CRM, in order.
    pub notices: Vec<PaymentNotice>,
    /// Whether the change is complete. If not, repeating it continues where this one stopped.
    pub is_all: bool,
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

/// A user's decision about an unclear payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentDecision {
    /// It is this payment of the CRM.
    Same(PaymentId),
    /// It is not a payment that the CRM knows.
    New,
}

impl InvoicePayments {
    /// Records a payment that the CRM recorded or deleted. Nothing changes if the payment is known
    /// and all consequences are complete.
    pub fn record_payment(&mut self, recorded: RecordedPayment) -> PaymentChanges {
        let payment = recorded.payment.clone();
        let mut budget = ChangeBudget::new();
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
            }
        }
        self.recognise_again(budget)
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
        let mut told = Vec::new();
        let here: BTreeSet<XeroPaymentId> = present.iter().map(|one| one.id).collect();
        // The CRM deleted these payments itself, so their removal is not reported.
        let deleted = self.recorded.iter().filter(|one| !one.is_in_effect());
        let deleted: BTreeSet<PaymentId> = deleted.map(|one| one.payment.clone()).collect();
        for known in &mut self.received {
            if here.contains(&known.id) || known.is == PaymentMatch::Removed {
                continue;
            }
            if !budget.take_one() {
                return PaymentChanges { notices: told, is_all: false };
            }
            let is_known = known.same_as().is_some_and(|payment| deleted.contains(payment));
            told.extend(mark_removed(known).filter(|_| !is_known));
        }
        let known = self.received.iter().enumerate();
        let mut places: BTreeMap<XeroPaymentId, usize> =
            known.map(|(place, one)| (one.id, place)).collect();
        for one in present {
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
                return PaymentChanges { notices: told, is_all: false };
            }
            let one = ReceivedPayment { is: recognise_payment(self, one), ..one.clone() };
            told.extend(imported_notice(&one));
            if let Some(slot) = place.and_then(|place| self.received.get_mut(place)) {
                *slot = one;
            } else {
                places.insert(one.id, self.received.len());
                self.received.push(one);
            }
        }
        PaymentChanges { notices: told, is_all: true }
    }

    /// Whether Xero has payments on the invoice that are not followed because there are too many.
    pub fn leaves_out(&self, present: &[ReceivedPayment]) -> bool {
        if self.received.len() < PAYMENTS_MAX {
            return false;
        }
        let known: BTreeSet<XeroPaymentId> = self.received.iter().map(|one| one.id).collect();
        present.iter().any(|one| !known.contains(&one.id))
    }

    /// Applies a person's decision about an unclear payment. Returns `None` if there is no such
    /// payment, if it is not unclear, or if the chosen payment of the CRM is not available.
    pub fn resolve_payment(
        &mut self,
        id: XeroPaymentId,
        answer: PaymentDecision,
    ) -> Option<Vec<PaymentNotice>> {
        let is = match answer {
            PaymentDecision::New => PaymentMatch::Imported,
            PaymentDecision::Same(payment) => {
                let known =
                    self.recorded.iter().any(|one| one.payment == payment && one.is_in_effect());
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
        received.is = is;
        Some(imported_notice(received).into_iter().collect())
    }

    /// Repeats the recognition after a change in the CRM: an imported or unclear payment may be the
    /// one just recorded, and a payment that was recognised as a deleted one is now a payment in
    /// Xero alone.
    fn recognise_again(&mut self, mut budget: ChangeBudget) -> PaymentChanges {
        let mut told = Vec::new();
        for index in 0..self.received.len() {
            let Some(known) = self.received.get(index).cloned() else { continue };
            let is = match &known.is {
                PaymentMatch::Removed => continue,
                // A pushed payment is deleted in Xero as well; a payment that came through the bank
                // is still there.
                PaymentMatch::Same { payment } if !self.was_taken_back(payment) => continue,
                PaymentMatch::Same { payment: _ } => self.reclassify_payment(index, &known),
                PaymentMatch::Imported | PaymentMatch::Unclear { candidates: _ } => {
                    recognise_payment(self, &known)
                }
            };
            let was_imported = known.is == PaymentMatch::Imported;
            // The CRM already has the import, and uncertainty is no reason to withdraw it.
            let is_doubt = was_imported && matches!(is, PaymentMatch::Unclear { candidates: _ });
            if is == known.is || is_doubt {
                continue;
            }
            if !budget.take_one() {
                return PaymentChanges { notices: told, is_all: false };
            }
            match &is {
                PaymentMatch::Same { payment } if was_imported => {
                    told.push(PaymentNotice::Same {
                        received: known.clone(),
                        payment: payment.clone(),
                    });
                }
                PaymentMatch::Imported => {
                    told.push(PaymentNotice::Imported(ReceivedPayment {
                        is: is.clone(),
                        ..known.clone()
                    }));
                }
                PaymentMatch::Same { payment: _ }
                | PaymentMatch::Unclear { candidates: _ }
                | PaymentMatch::Removed => {}
            }
            if let Some(slot) = self.received.get_mut(index) {
                slot.is = is;
            }
        }
        PaymentChanges { notices: told, is_all: true }
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

    /// Whether the CRM deleted a payment that the integration did not push.
    fn was_taken_back(&self, payment: &PaymentId) -> bool {
        let known = self.recorded.iter().find(|one| one.payment == *payment);
        known.is_some_and(|one| !one.is_in_effect() && !one.method.is_pushed())
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

/// The notification about a new payment, if the CRM does not know it. The CRM is not notified of an
/// unclear payment, so that no money is counted twice; a user decides first.
fn imported_notice(received: &ReceivedPayment) -> Option<PaymentNotice> {
    (received.is == PaymentMatch::Imported).then(|| PaymentNotice::Imported(received.clone()))
}

fn mark_removed(known: &mut ReceivedPayment) -> Option<PaymentNotice> {
    let was = std::mem::replace(&mut known.is, PaymentMatch::Removed);
    let received = known.clone();
    match was {
        PaymentMatch::Imported => Some(PaymentNotice::Removed { received, payment: None }),
        PaymentMatch::Same { payment } => {
            Some(PaymentNotice::Removed { received, payment: Some(payment) })
        }
        PaymentMatch::Unclear { candidates: _ } | PaymentMatch::Removed => None,
    }
}
