//! What happens to the money on an invoice, and what the CRM is told of it.

use super::recognise::recognise;
use super::{Receipts, Received, Recorded, Standpoint};
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

/// What a person says of an unclear payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is this payment of the CRM.
    Same(PaymentId),
    /// It is none that the CRM knows.
    New,
}

impl Receipts {
    /// The CRM recorded a payment, or deleted one. Nothing changes when that is known already.
    pub fn record(&mut self, recorded: Recorded) -> Vec<Told> {
        let payment = recorded.payment.clone();
        match self.recorded.iter_mut().find(|one| one.payment == payment) {
            Some(known) if known.revision >= recorded.revision => return Vec::new(),
            Some(known) => *known = recorded,
            None => self.recorded.push(recorded),
        }
        self.recognise_again()
    }

    /// What Xero has on the invoice now, all of it. What is gone was removed.
    pub fn observe(&mut self, present: Vec<Received>) -> Vec<Told> {
        let mut told = Vec::new();
        for known in &mut self.received {
            let is_here = present.iter().any(|one| one.id == known.id);
            if !is_here && known.is != Standpoint::Removed {
                told.extend(removed(known));
            }
        }
        for one in present {
            let known = self.received.iter().position(|known| known.id == one.id);
            let slot = known.and_then(|at| self.received.get(at));
            // One that was removed may come back under the same key.
            if slot.is_some_and(|slot| slot.is != Standpoint::Removed) {
                continue;
            }
            let one = Received { is: recognise(self, &one), ..one };
            told.extend(imported(&one));
            match known.and_then(|at| self.received.get_mut(at)) {
                Some(slot) => *slot = one,
                None => self.received.push(one),
            }
        }
        told
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
    fn recognise_again(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        for index in 0..self.received.len() {
            let Some(known) = self.received.get(index).cloned() else { continue };
            let is = match &known.is {
                Standpoint::Removed | Standpoint::Same { payment: _ } => continue,
                Standpoint::Imported | Standpoint::Unclear { candidates: _ } => {
                    recognise(self, &known)
                }
            };
            let was_imported = known.is == Standpoint::Imported;
            match &is {
                Standpoint::Same { payment } if was_imported => {
                    told.push(Told::Same { received: known.clone(), payment: payment.clone() });
                }
                // The CRM has it already, and a doubt takes nothing back.
                Standpoint::Unclear { candidates: _ } if was_imported => continue,
                Standpoint::Imported if !was_imported => {
                    told.push(Told::Imported(Received { is: is.clone(), ..known.clone() }));
                }
                Standpoint::Same { payment: _ }
                | Standpoint::Unclear { candidates: _ }
                | Standpoint::Imported
                | Standpoint::Removed => {}
            }
            if let Some(slot) = self.received.get_mut(index) {
                slot.is = is;
            }
        }
        told
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
