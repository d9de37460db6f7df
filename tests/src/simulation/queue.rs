//! The queues: first in, first out for each account, at least once.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use domain::entity::EntityKind;
use jiff::{SignedDuration, Timestamp};

use super::executor::after;
use super::ports::locked;

/// A message in a queue.
#[derive(Debug, Clone)]
pub struct Message {
    /// Tells messages apart.
    pub id: u64,
    /// Whose.
    pub account: String,
    /// What it says.
    pub body: String,
    visible_at: Timestamp,
}

/// How long a delivered message stays hidden.
const VISIBILITY: SignedDuration = SignedDuration::from_mins(12);
/// The most messages of one delivery.
const BATCH: usize = 10;

#[derive(Debug, Default)]
struct Queue {
    messages: Vec<Message>,
    /// Accounts of which messages are out.
    busy: BTreeSet<String>,
}

/// The queue of each kind.
#[derive(Debug, Clone, Default)]
pub struct Queues(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    contacts: Queue,
    invoices: Queue,
    credit_notes: Queue,
    payments: Queue,
    made: u64,
}

impl State {
    fn of(&mut self, kind: EntityKind) -> &mut Queue {
        match kind {
            EntityKind::Contact => &mut self.contacts,
            EntityKind::Invoice => &mut self.invoices,
            EntityKind::CreditNote | EntityKind::Allocation => &mut self.credit_notes,
            EntityKind::Payment => &mut self.payments,
        }
    }
}

/// Messages that were handed over together.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Of which queue.
    pub kind: EntityKind,
    /// Of whom.
    pub account: String,
    /// In which order.
    pub messages: Vec<Message>,
}

impl Queues {
    /// A message arrives.
    pub fn push(&self, kind: EntityKind, account: &str, body: String) {
        let mut state = locked(&self.0);
        state.made += 1;
        let id = state.made;
        let account = account.to_owned();
        let message = Message { id, account, body, visible_at: Timestamp::MIN };
        state.of(kind).messages.push(message);
    }

    /// Hands over what the account at the front of a queue has, and hides it.
    pub fn deliver(&self, kind: EntityKind, now: Timestamp) -> Option<Batch> {
        let mut state = locked(&self.0);
        let queue = state.of(kind);
        // A message that is hidden holds up those behind it.
        let mut held = queue.busy.clone();
        let mut account: Option<String> = None;
        let mut messages = Vec::new();
        for message in &mut queue.messages {
            if message.visible_at > now {
                held.insert(message.account.clone());
            }
            let is_next = account.as_ref().is_none_or(|account| *account == message.account);
            if held.contains(&message.account) || !is_next || messages.len() == BATCH {
                continue;
            }
            account = Some(message.account.clone());
            message.visible_at = after(now, VISIBILITY);
            messages.push(message.clone());
        }
        let account = account?;
        queue.busy.insert(account.clone());
        Some(Batch { kind, account, messages })
    }

    /// A delivery is over: what was not returned is gone, what was comes again later.
    pub fn finished(&self, batch: &Batch, returned: &[u64]) {
        let mut state = locked(&self.0);
        let queue = state.of(batch.kind);
        queue.busy.remove(&batch.account);
        let is_done = |message: &Message| {
            batch.messages.iter().any(|one| one.id == message.id) && !returned.contains(&message.id)
        };
        queue.messages.retain(|message| !is_done(message));
    }

    /// When the next hidden message comes again.
    pub fn next_visible(&self, now: Timestamp) -> Option<Timestamp> {
        let mut state = locked(&self.0);
        let mut next: Option<Timestamp> = None;
        for kind in EntityKind::ALL {
            let hidden = state.of(kind).messages.iter().map(|message| message.visible_at);
            let soonest = hidden.filter(|at| *at > now).min();
            next = match (next, soonest) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
        next
    }

    /// Whether nothing is in any queue.
    pub fn is_empty(&self) -> bool {
        let mut state = locked(&self.0);
        EntityKind::ALL.into_iter().all(|kind| state.of(kind).messages.is_empty())
    }
}
