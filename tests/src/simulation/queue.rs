//! The queues: first in, first out for each account, at least once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use domain::entity::EntityKind;
use domain::envelope::QueueSource;
use jiff::{SignedDuration, Timestamp};

use super::executor::after;
use crate::ports::locked;

/// A message in a queue.
#[derive(Debug, Clone)]
pub struct Message {
    /// The identity of the message.
    pub id: u64,
    /// The account.
    pub account: String,
    /// Its content.
    pub body: String,
    visible_at: Timestamp,
}

/// How long a delivered message stays hidden.
const VISIBILITY: SignedDuration = SignedDuration::from_mins(12);
/// Maximum messages of one delivery.
const BATCH: usize = 10;

#[derive(Debug, Default)]
struct Queue {
    messages: Vec<Message>,
    /// Accounts with messages in flight.
    busy: BTreeSet<String>,
}

/// The two queues of each kind.
#[derive(Debug, Clone, Default)]
pub struct Queues(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    queues: BTreeMap<(EntityKind, QueueSource), Queue>,
    made: u64,
}

impl State {
    fn of(&mut self, kind: EntityKind, source: QueueSource) -> &mut Queue {
        self.queues.entry((kind.queue_kind(), source)).or_default()
    }
}

/// Messages that were delivered together.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The kind of the queues.
    pub kind: EntityKind,
    /// Which of the two queues.
    pub source: QueueSource,
    /// The account.
    pub account: String,
    /// The messages in order.
    pub messages: Vec<Message>,
}

impl Queues {
    /// A message arrives.
    pub fn push(&self, kind: EntityKind, source: QueueSource, account: &str, body: String) {
        let mut state = locked(&self.0);
        state.made += 1;
        let id = state.made;
        let account = account.to_owned();
        let message = Message { id, account, body, visible_at: Timestamp::MIN };
        state.of(kind, source).messages.push(message);
    }

    /// Delivers the messages of the account at the front of a queue, and hides them.
    pub fn deliver(&self, kind: EntityKind, source: QueueSource, now: Timestamp) -> Option<Batch> {
        let mut state = locked(&self.0);
        let queue = state.of(kind, source);
        // A hidden message blocks those behind it.
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
        Some(Batch { kind, source, account, messages })
    }

    /// Ends a delivery: messages that were not returned are deleted, the others are delivered again
    /// later.
    pub fn finished(&self, batch: &Batch, returned: &[u64]) {
        let mut state = locked(&self.0);
        let queue = state.of(batch.kind, batch.source);
        queue.busy.remove(&batch.account);
        let is_done = |message: &Message| {
            batch.messages.iter().any(|one| one.id == message.id) && !returned.contains(&message.id)
        };
        queue.messages.retain(|message| !is_done(message));
    }

    /// When the next hidden message becomes visible.
    pub fn next_visible(&self, now: Timestamp) -> Option<Timestamp> {
        let state = locked(&self.0);
        let messages = state.queues.values().flat_map(|queue| &queue.messages);
        messages.map(|message| message.visible_at).filter(|at| *at > now).min()
    }

    /// Whether all queues are empty.
    pub fn is_empty(&self) -> bool {
        locked(&self.0).queues.values().all(|queue| queue.messages.is_empty())
    }
}
