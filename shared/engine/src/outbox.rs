//! The outbox: events are committed with the change they tell of and delivered right after. What is not
//! delivered then, the sweep delivers.

use domain::outbound::{Event, News};

use crate::Engine;
use crate::chain::Chain;
use domain::ids::AccountId;

impl Engine {
    /// An event of now, to be committed with its change.
    pub(crate) fn event(&self, account: &AccountId, news: News) -> Event {
        Event::new(self.ids.uuid(), account.clone(), news, self.clock.now())
    }

    /// Delivers events that are committed, in their order. What comes after one that could not be
    /// delivered is left to the sweep with it.
    pub(crate) async fn deliver_all(&self, events: &[Event]) {
        for event in events {
            if !self.deliver(event).await {
                return;
            }
        }
    }

    /// Delivers an event that is committed. Failing costs nothing but time. Whether it was delivered.
    pub(crate) async fn deliver(&self, event: &Event) -> bool {
        if let Err(error) = self.events.publish(event).await {
            tracing::warn!(
                error = %Chain(&error),
                account.id = %event.account_id,
                "an event was not delivered; the sweep will do it"
            );
            return false;
        }
        if let Err(error) = self.store.delivered(event, self.clock.now()).await {
            tracing::warn!(
                error = %Chain(&error),
                account.id = %event.account_id,
                "a delivery was not noted; the event will be delivered again"
            );
        }
        true
    }
}
