//! The delivery of events about records that a push has written to Xero. They are many, and their
//! order does not matter, because each shows the instant of what it reports. So those of a whole
//! push, with the clients of its documents, are delivered together.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use domain::ids::AccountId;
use domain::outbound::OutboundEvent;
use futures::FutureExt;

use crate::Engine;
use crate::connection::activity;
use crate::record_isolation::catch_panic;
use crate::sync::outbox::log_undelivered;

/// The events that a push has committed and not delivered yet. A push of documents shares them with
/// the push of their clients.
#[derive(Debug, Clone, Default)]
pub struct SyncedEvents(Option<Arc<Mutex<Vec<OutboundEvent>>>>);

impl SyncedEvents {
    /// Adds an event that was just committed. Outside a push, the sweep delivers it.
    pub(crate) fn add(&self, event: OutboundEvent) {
        if let Some(events) = &self.0 {
            events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
        }
    }

    fn take(&self) -> Vec<OutboundEvent> {
        let take = |events: &Arc<Mutex<Vec<OutboundEvent>>>| {
            mem::take(&mut *events.lock().unwrap_or_else(PoisonError::into_inner))
        };
        self.0.as_ref().map(take).unwrap_or_default()
    }
}

impl Engine {
    /// Returns whether a push with this engine is part of another push, which delivers its events.
    pub(crate) const fn is_in_push(&self) -> bool {
        self.synced_events.0.is_some()
    }

    /// Makes this engine collect the events of a push, unless the push is part of another one.
    pub(crate) fn collect_synced_events(&mut self) {
        self.synced_events.0.get_or_insert_default();
    }

    /// Delivers the collected events and records in the same transaction that attempts have just
    /// ended. A failure or a panic only delays the events: the sweep delivers them.
    pub(crate) async fn deliver_synced_events(&self, account: &AccountId, is_synced: bool) {
        let events = self.synced_events.take();
        let delivery = async {
            let delivered = self.publish_synced_events(&events).await;
            let has_success = is_synced || !events.is_empty();
            activity::record_attempts(self, account, has_success, &delivered).await;
        };
        if catch_panic(delivery.boxed()).await.is_none() {
            tracing::error!(account.id = %account, "delivering the events of an account panicked");
        }
    }

    /// Returns those that the queue accepted.
    async fn publish_synced_events<'a>(
        &self,
        events: &'a [OutboundEvent],
    ) -> Vec<&'a OutboundEvent> {
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
