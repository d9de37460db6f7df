//! What each push function pushes and does. The `main` of a function names its constant and no
//! other, so that its binary contains the code of its own kinds and steps only.

use domain::entity::EntityKind;

use super::MessageSteps;
use crate::Engine;
use crate::sync::push::{PushedKind, PushedKinds};

/// A push function: the kind whose queues it serves, the kinds that it pushes, and the steps that
/// it performs for messages.
///
/// A record reaches a function in a message or a wake-up of its queues, in a step of a walk on them,
/// or as the client of a document. Its set contains each of these kinds.
#[derive(Debug, Clone, Copy)]
pub struct PushFunction {
    queue: EntityKind,
    kinds: PushedKinds,
    steps: MessageSteps,
}

impl PushFunction {
    /// Pushes clients. Continues the walks that begin with clients.
    pub const CONTACTS: Self = Self {
        queue: EntityKind::Contact,
        kinds: PushedKinds::new(&[PushedKind::CONTACT]),
        steps: MessageSteps::CONTACTS,
    };
    /// Pushes invoices, their clients, and invoices with a negative total, which are credit notes in
    /// Xero.
    pub const INVOICES: Self = Self {
        queue: EntityKind::Invoice,
        kinds: PushedKinds::new(&[
            PushedKind::CONTACT,
            PushedKind::INVOICE,
            PushedKind::CREDIT_NOTE,
        ]),
        steps: MessageSteps::INVOICES,
    };
    /// Pushes credit notes, their clients and allocations.
    pub const CREDIT_NOTES: Self = Self {
        queue: EntityKind::CreditNote,
        kinds: PushedKinds::new(&[
            PushedKind::CONTACT,
            PushedKind::CREDIT_NOTE,
            PushedKind::ALLOCATION,
        ]),
        steps: MessageSteps::EVERY_QUEUE,
    };
    /// Pushes the parts of payments and refunds.
    pub const PAYMENTS: Self = Self {
        queue: EntityKind::Payment,
        kinds: PushedKinds::new(&[PushedKind::PAYMENT]),
        steps: MessageSteps::PAYMENTS,
    };

    /// Returns the kind whose queues the function serves.
    pub const fn served_queue(self) -> EntityKind {
        self.queue
    }

    /// Returns the kinds that the function pushes.
    pub const fn pushed_kinds(self) -> PushedKinds {
        self.kinds
    }

    /// Returns the engine as this function uses it: with its kinds and steps, and no others.
    pub fn configure_engine(self, engine: Engine) -> Engine {
        Engine { kinds: self.kinds, steps: self.steps, ..engine }
    }
}
