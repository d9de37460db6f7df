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

    /// Delivers an event that is committed. Failing costs nothing but time.
    pub(crate) async fn deliver(&self, event: &Event) {
        if let Err(error) = self.events.publish(event).await {
            tracing::warn!(
                error = %Chain(&error),
                account.id = %event.account_id,
                "an event was not delivered; the sweep will do it"
            );
            return;
        }
        if let Err(error) = self.store.delivered(event, self.clock.now()).await {
            tracing::warn!(
                error = %Chain(&error),
                account.id = %event.account_id,
                "a delivery was not noted; the event will be delivered again"
            );
        }
    }
}
