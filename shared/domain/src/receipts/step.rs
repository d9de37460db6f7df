//! What happens to the money on an invoice, and what the CRM is told of it.

use std::collections::{BTreeMap, BTreeSet};

use super::recognise::recognise;
use super::{CHANGES_MAX, PAYMENTS_MAX, Receipts, Received, Recorded, Standpoint};
use crate::ids::{PaymentId, XeroPaymentId};

/// What the CRM is told of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Xero has money that the CRM does not know.
    Imported(Received),
    /// Money that the CRM knows, by import or as its own, is no longer in Xero.
    Removed {
        /// As it was.
        received: Received,
        /// The CRM's own payment, if it was one.
        payment: Option<PaymentId>,
    },
    /// Money that was imported is a payment that the CRM had recorded, or recorded later: its import is
    /// one too many.
    Same {
        /// As Xero has it.
        received: Received,
        /// The CRM's own payment.
        payment: PaymentId,
    },
}

/// What one change came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// What the CRM is told, in order.
    pub told: Vec<Told>,
    /// Whether that was all. If not, the same change goes on where this one stopped.
    pub is_all: bool,
}

/// Counts the payments that a change makes different.
struct Budget(usize);

impl Budget {
    const fn new() -> Self {
        Self(CHANGES_MAX)
    }

    /// Takes one, if there is one left.
    fn take(&mut self) -> bool {
        let is_left = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        is_left
    }
}

/// What a person says of an unclear payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is this payment of the CRM.
    Same(PaymentId),
    /// It is none that the CRM knows.
    New,
}

impl Receipts {
    /// The CRM recorded a payment, or deleted one. Nothing changes when that is known already and everything
    /// that follows from it was done.
    pub fn record(&mut self, recorded: Recorded) -> Changes {
        let payment = recorded.payment.clone();
        let mut budget = Budget::new();
        match self.recorded.iter_mut().find(|one| one.payment == payment) {
            Some(known) if known.revision > recorded.revision => {
                return Changes { told: Vec::new(), is_all: true };
            }
            // What follows from it may not have been done to its end.
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

    /// What Xero has on the invoice now, all of it. What is gone was removed. Of more payments than are
    /// followed, the first are.
    pub fn observe(&mut self, present: &[Received]) -> Changes {
        let mut budget = Budget::new();
        let mut told = Vec::new();
        let here: BTreeSet<XeroPaymentId> = present.iter().map(|one| one.id).collect();
        // What the CRM deleted itself is no news to it.
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
            // One that was removed may come back under the same key.
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

    /// Whether Xero has payments on the invoice that are not followed, because there are too many.
    pub fn leaves_out(&self, present: &[Received]) -> bool {
        if self.received.len() < PAYMENTS_MAX {
            return false;
        }
        let known: BTreeSet<XeroPaymentId> = self.received.iter().map(|one| one.id).collect();
        present.iter().any(|one| !known.contains(&one.id))
    }

    /// A person says what an unclear payment is. `None` when it is not unclear, or there is no such
    /// payment.
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

    /// What was imported, or was unclear, may be what the CRM has just recorded; what was a payment that
    /// the CRM has deleted is Xero's alone.
    fn recognise_again(&mut self, mut budget: Budget) -> Changes {
        let mut told = Vec::new();
        for index in 0..self.received.len() {
            let Some(known) = self.received.get(index).cloned() else { continue };
            let is = match &known.is {
                Standpoint::Removed => continue,
                // Ours is removed in Xero as well; what came by the bank is there still.
                Standpoint::Same { payment } if !self.was_taken_back(payment) => continue,
                Standpoint::Same { payment: _ } => self.recognise_anew(index, &known),
                Standpoint::Imported | Standpoint::Unclear { candidates: _ } => {
                    recognise(self, &known)
                }
            };
            let was_imported = known.is == Standpoint::Imported;
            // The CRM has it already, and a doubt takes nothing back.
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

    /// What a payment is once it is no longer the one that it was taken for.
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

    /// Whether the CRM deleted a payment of its own that we did not bring to Xero.
    fn was_taken_back(&self, payment: &PaymentId) -> bool {
        let known = self.recorded.iter().find(|one| one.payment == *payment);
        known.is_some_and(|one| !one.stands() && !one.method.is_pushed())
    }

    /// Whether a payment that is recorded already is recorded again as something else: it is not taken up.
    pub fn contradicts(&self, recorded: &Recorded) -> bool {
        let known = self.recorded.iter().find(|one| one.payment == recorded.payment);
        known.is_some_and(|one| {
            recorded.stands()
                && recorded.revision > one.revision
                && (one.amount != recorded.amount || one.method != recorded.method)
        })
    }
}

/// The CRM is told of what it does not know. What is unclear it is not told, so that nothing is counted
/// twice; a person is asked.
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
