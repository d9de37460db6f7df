//! Changes of the payments on an invoice, and what the CRM is notified of.

use std::collections::{BTreeMap, BTreeSet};

use super::recognise::recognise;
use super::{CHANGES_MAX, PAYMENTS_MAX, Receipts, Received, Recorded, Standpoint};
use crate::ids::{PaymentId, XeroPaymentId};

/// A change of a payment that the CRM is notified of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Xero has a payment that the CRM does not know.
    Imported(Received),
    /// A payment that the CRM knows, imported or its own, is no longer in Xero.
    Removed {
        /// The payment as it was in Xero.
        received: Received,
        /// The CRM's own payment that it was, if any.
        payment: Option<PaymentId>,
    },
    /// An imported payment is one that the CRM has recorded itself, so its import is a duplicate.
    Same {
        /// The payment as it is in Xero.
        received: Received,
        /// The CRM's own payment that it is.
        payment: PaymentId,
    },
}

/// The result of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// What the CRM is notified of, in order.
    pub told: Vec<Told>,
    /// Whether the change is complete. If not, repeating it continues where this one stopped.
    pub is_all: bool,
}

/// The number of payments that a change may still affect.
struct Budget(usize);

impl Budget {
    const fn new() -> Self {
        Self(CHANGES_MAX)
    }

    /// Takes one from the budget. Returns `false` if none is left.
    fn take(&mut self) -> bool {
        let is_left = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        is_left
    }
}

/// A person's decision about an unclear payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is this payment of the CRM.
    Same(PaymentId),
    /// It is not a payment that the CRM knows.
    New,
}

impl Receipts {
    /// Records a payment that the CRM recorded or deleted. Nothing changes if the payment is known
    /// and all consequences are complete.
    pub fn record(&mut self, recorded: Recorded) -> Changes {
        let payment = recorded.payment.clone();
        let mut budget = Budget::new();
        match self.recorded.iter_mut().find(|one| one.payment == payment) {
            Some(known) if known.revision > recorded.revision => {
                return Changes { told: Vec::new(), is_all: true };
            }
            // The consequences of this revision may be incomplete.
            Some(known) if known.revision == recorded.revision => {}
            Some(known) => {
                *known = recorded;
                budget.take();
            }
            None => {
                self.recorded.push(recorded);
                budget.take();
            }
        }
        self.recognise_again(budget)
    }

    /// Compares the recorded state with all payments that Xero has on the invoice now. Payments
    /// that are missing were removed. If there are more payments than are followed, the first ones
    /// are followed.
    pub fn observe(&mut self, present: &[Received]) -> Changes {
        let mut budget = Budget::new();
        let mut told = Vec::new();
        let here: BTreeSet<XeroPaymentId> = present.iter().map(|one| one.id).collect();
        // The CRM deleted these payments itself, so their removal is no news.
        let deleted = self.recorded.iter().filter(|one| !one.stands());
        let deleted: BTreeSet<PaymentId> = deleted.map(|one| one.payment.clone()).collect();
        for known in &mut self.received {
            if here.contains(&known.id) || known.is == Standpoint::Removed {
                continue;
            }
            if !budget.take() {
                return Changes { told, is_all: false };
            }
            let is_known = known.same_as().is_some_and(|payment| deleted.contains(payment));
            told.extend(removed(known).filter(|_| !is_known));
        }
        let known = self.received.iter().enumerate();
        let mut places: BTreeMap<XeroPaymentId, usize> =
            known.map(|(place, one)| (one.id, place)).collect();
        for one in present {
            let place = places.get(&one.id).copied();
            let slot = place.and_then(|place| self.received.get(place));
            // A removed payment may reappear under the same id.
            if slot.is_some_and(|slot| slot.is != Standpoint::Removed) {
                continue;
            }
            if slot.is_none() && self.received.len() >= PAYMENTS_MAX {
                continue;
            }
            if !budget.take() {
                return Changes { told, is_all: false };
            }
            let one = Received { is: recognise(self, one), ..one.clone() };
            told.extend(imported(&one));
            if let Some(slot) = place.and_then(|place| self.received.get_mut(place)) {
                *slot = one;
            } else {
                places.insert(one.id, self.received.len());
                self.received.push(one);
            }
        }
        Changes { told, is_all: true }
    }

    /// Whether Xero has payments on the invoice that are not followed because there are too many.
    pub fn leaves_out(&self, present: &[Received]) -> bool {
        if self.received.len() < PAYMENTS_MAX {
            return false;
        }
        let known: BTreeSet<XeroPaymentId> = self.received.iter().map(|one| one.id).collect();
        present.iter().any(|one| !known.contains(&one.id))
    }

    /// Applies a person's decision about an unclear payment. Returns `None` if there is no such
    /// payment, if it is not unclear, or if the chosen payment of the CRM is not available.
    pub fn settle(&mut self, id: XeroPaymentId, answer: Answer) -> Option<Vec<Told>> {
        let is = match answer {
            Answer::New => Standpoint::Imported,
            Answer::Same(payment) => {
                let known = self.recorded.iter().any(|one| one.payment == payment && one.stands());
                let taken = self.received.iter().any(|one| one.is_same_as(&payment));
                if !known || taken {
                    return None;
                }
                Standpoint::Same { payment }
            }
        };
        let unclear = |one: &&mut Received| {
            one.id == id && matches!(one.is, Standpoint::Unclear { candidates: _ })
        };
        let received = self.received.iter_mut().find(unclear)?;
        received.is = is;
        Some(imported(received).into_iter().collect())
    }

    /// Repeats the recognition after a change in the CRM: an imported or unclear payment may be the
    /// one just recorded, and a payment that was recognised as a deleted one is now a payment in
    /// Xero alone.
    fn recognise_again(&mut self, mut budget: Budget) -> Changes {
        let mut told = Vec::new();
        for index in 0..self.received.len() {
            let Some(known) = self.received.get(index).cloned() else { continue };
            let is = match &known.is {
                Standpoint::Removed => continue,
                // A pushed payment is deleted in Xero as well; a payment that came through the bank
                // is still there.
                Standpoint::Same { payment } if !self.was_taken_back(payment) => continue,
                Standpoint::Same { payment: _ } => self.recognise_anew(index, &known),
                Standpoint::Imported | Standpoint::Unclear { candidates: _ } => {
                    recognise(self, &known)
                }
            };
            let was_imported = known.is == Standpoint::Imported;
            // The CRM has the import already, and doubt is no reason to withdraw it.
            let is_doubt = was_imported && matches!(is, Standpoint::Unclear { candidates: _ });
            if is == known.is || is_doubt {
                continue;
            }
            if !budget.take() {
                return Changes { told, is_all: false };
            }
            match &is {
                Standpoint::Same { payment } if was_imported => {
                    told.push(Told::Same { received: known.clone(), payment: payment.clone() });
                }
                Standpoint::Imported => {
                    told.push(Told::Imported(Received { is: is.clone(), ..known.clone() }));
                }
                Standpoint::Same { payment: _ }
                | Standpoint::Unclear { candidates: _ }
                | Standpoint::Removed => {}
            }
            if let Some(slot) = self.received.get_mut(index) {
                slot.is = is;
            }
        }
        Changes { told, is_all: true }
    }

    /// What a payment is now that it is no longer the CRM's payment for which it was taken.
    fn recognise_anew(&mut self, index: usize, known: &Received) -> Standpoint {
        if let Some(slot) = self.received.get_mut(index) {
            slot.is = Standpoint::Removed;
        }
        let is = recognise(self, known);
        if let Some(slot) = self.received.get_mut(index) {
            slot.is = known.is.clone();
        }
        is
    }

    /// Whether the CRM deleted a payment that the integration did not push.
    fn was_taken_back(&self, payment: &PaymentId) -> bool {
        let known = self.recorded.iter().find(|one| one.payment == *payment);
        known.is_some_and(|one| !one.stands() && !one.method.is_pushed())
    }

    /// Whether a payment is recorded again with other contents. Such a change is rejected.
    pub fn contradicts(&self, recorded: &Recorded) -> bool {
        let known = self.recorded.iter().find(|one| one.payment == recorded.payment);
        known.is_some_and(|one| {
            recorded.stands()
                && recorded.revision > one.revision
                && (one.amount != recorded.amount || one.method != recorded.method)
        })
    }
}

/// The notification about a new payment, if the CRM does not know it. The CRM is not notified of an
/// unclear payment, so that no money is counted twice; a person decides first.
fn imported(received: &Received) -> Option<Told> {
    (received.is == Standpoint::Imported).then(|| Told::Imported(received.clone()))
}

fn removed(known: &mut Received) -> Option<Told> {
    let was = std::mem::replace(&mut known.is, Standpoint::Removed);
    let received = known.clone();
    match was {
        Standpoint::Imported => Some(Told::Removed { received, payment: None }),
        Standpoint::Same { payment } => Some(Told::Removed { received, payment: Some(payment) }),
        Standpoint::Unclear { candidates: _ } | Standpoint::Removed => None,
    }
}
