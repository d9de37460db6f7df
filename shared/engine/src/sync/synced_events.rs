//! The delivery of events about records that a push has written to Xero. They are many, and their
//! order does not matter, because each shows the instant of what it reports. So those of a whole
//! push, with the clients of its documents, are delivered together. Events about records that were
//! given up, and about changes in Xero that an attempt has read, are delivered after them in their
//! order: so the outbox is read once for all of them, and no longer contains the others.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use domain::ids::AccountId;
use domain::outbound::EventMessage;
use futures::FutureExt;

use crate::Engine;
use crate::connection::activity;
use crate::record_isolation::catch_panic;
use crate::sync::outbox::log_undelivered;

/// The events that a push has committed and not delivered yet. A push of documents shares them with
/// the push of their clients. Outside a push there are none.
#[derive(Debug, Clone, Default)]
pub struct SyncedEvents(Option<Arc<Mutex<FinishedAttempts>>>);

/// What attempts have left to be delivered and recorded.
#[derive(Debug, Default)]
struct FinishedAttempts {
    events: Vec<EventMessage>,
    has_ordered: bool,
    is_attempted: bool,
    is_synced: bool,
}

impl SyncedEvents {
    /// Adds an event that was just committed, if there is one. Outside a push, the sweep delivers
    /// it.
    pub(crate) fn add(&self, event: Option<EventMessage>) {
        if let Some(events) = &self.0 {
            events.lock().unwrap_or_else(PoisonError::into_inner).events.extend(event);
        }
    }

    /// Adds that an event was just committed that is delivered in order. Outside a push, the sweep
    /// delivers it.
    pub(crate) fn add_ordered(&self) {
        if let Some(finished) = &self.0 {
            finished.lock().unwrap_or_else(PoisonError::into_inner).has_ordered = true;
        }
    }

    /// Adds that records were attempted, and whether any of them is synced.
    pub(crate) fn add_attempts(&self, is_synced: bool) {
        if let Some(finished) = &self.0 {
            let mut finished = finished.lock().unwrap_or_else(PoisonError::into_inner);
            finished.is_attempted = true;
            finished.is_synced |= is_synced;
        }
    }

    fn take(&self) -> FinishedAttempts {
        let take = |finished: &Arc<Mutex<FinishedAttempts>>| {
            mem::take(&mut *finished.lock().unwrap_or_else(PoisonError::into_inner))
        };
        self.0.as_ref().map(take).unwrap_or_default()
    }
}

impl Engine {
    /// Returns an engine that collects the events of a push until
    /// [`deliver_synced_events`](Self::deliver_synced_events), or `None` if the push is part of
    /// another one, which delivers them. The engine is boxed, because futures hold it.
    pub(crate) fn with_collected_events(&self) -> Option<Box<Self>> {
        let synced_events = SyncedEvents(Some(Arc::default()));
        self.synced_events.0.is_none().then(|| Box::new(Self { synced_events, ..self.clone() }))
    }

    /// Delivers the collected events, then those that are delivered in order. Records in the
    /// same transaction that attempts have just ended, if there were any. A failure or a panic only
    /// delays the events: the sweep delivers them.
    pub(crate) async fn deliver_synced_events(&self, account: &AccountId) {
        let FinishedAttempts { events, has_ordered, is_attempted, is_synced } =
            self.synced_events.take();
        let delivery = async {
            if is_attempted {
                let delivered = self.publish_synced_events(&events).await;
                activity::record_attempts(self, account, is_synced, &delivered).await;
            }
            if has_ordered {
                self.deliver_outbox(account).await;
            }
        };
        if catch_panic(delivery.boxed()).await.is_none() {
            tracing::error!(account.id = %account, "delivering the events of an account panicked");
        }
    }

    /// Returns those that the queue accepted.
    async fn publish_synced_events<'a>(&self, events: &'a [EventMessage]) -> Vec<&'a EventMessage> {
        if events.is_empty() {
            return Vec::new();
        }
        let published = self.events.publish_unordered_events(events).await;
        let (accepted, refused): (Vec<_>, Vec<_>) =
            events.iter().partition(|event| published.accepted.contains(&event.event_id));
        if let (Some(error), Some(event)) = (&published.error, refused.first()) {
            log_undelivered(event, error);
        }
        accepted
    }
}
