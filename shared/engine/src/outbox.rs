//! The outbox: events are committed with the change they tell of and delivered right after. What is not
//! delivered then, the sweep delivers, or whoever has the account's next event: nothing is delivered before
//! what was committed earlier.

use std::num::NonZeroU16;

use domain::ids::AccountId;
use domain::outbound::{Event, News};

use crate::Engine;
use crate::chain::Chain;

/// Events read at once.
const PAGE: NonZeroU16 = NonZeroU16::new(50).expect("not zero");
/// As many times at most; what is left then, the sweep goes on with.
const PAGES_MAX: u32 = 10;

impl Engine {
    /// An event of now, to be committed with its change.
    pub(crate) fn event(&self, account: &AccountId, news: News) -> Event {
        Event::new(self.ids.uuid(), account.clone(), news, self.clock.now())
    }

    /// Delivers what has just been committed for an account, behind whatever of it was not delivered before.
    /// Failing costs nothing but time.
    pub(crate) async fn deliver<'a>(
        &self,
        account: &AccountId,
        committed: impl IntoIterator<Item = &'a Event>,
    ) {
        if committed.into_iter().next().is_some() {
            self.empty_outbox(account).await;
        }
    }

    /// Delivers what the outbox of an account holds, in order, up to what cannot be delivered now. How many
    /// were.
    ///
    /// The outbox is read as the last commit left it, and an event leaves it only when it was delivered: so
    /// two processes may both deliver one, which the queue or the CRM drops, and none overtakes another.
    pub(crate) async fn empty_outbox(&self, account: &AccountId) -> usize {
        let mut delivered = 0;
        for _ in 0..PAGES_MAX {
            let events = match self.store.undelivered(account, PAGE).await {
                Ok(events) => events,
                Err(error) => {
                    tracing::warn!(
                        error = %Chain(&error),
                        account.id = %account,
                        "the outbox was not read; the sweep will do it"
                    );
                    return delivered;
                }
            };
            for event in &events {
                if !self.deliver_one(event).await {
                    return delivered;
                }
                delivered += 1;
            }
            if events.len() < usize::from(PAGE.get()) {
                break;
            }
        }
        delivered
    }

    /// Whether the next one may follow.
    async fn deliver_one(&self, event: &Event) -> bool {
        if let Err(error) = self.events.publish(event).await {
            tracing::warn!(
                error = %Chain(&error),
                account.id = %event.account_id,
                "an event was not delivered; the sweep will do it"
            );
            return false;
        }
        if let Err(error) = self.store.delivered(event).await {
            tracing::warn!(
                error = %Chain(&error),
                account.id = %event.account_id,
                "a delivery was not noted; the event will be delivered again"
            );
        }
        true
    }
}
