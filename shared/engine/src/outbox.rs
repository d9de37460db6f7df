//! The outbox: events are committed together with the change they report, and delivered right
//! afterwards. An event that could not be delivered is delivered by the sweep or together with the
//! account's next event, always in the order of their commits.

use std::num::NonZeroU16;

use domain::ids::AccountId;
use domain::outbound::{Event, News};
use futures::FutureExt;
use store::OutboxPage;

use crate::Engine;
use crate::chain::Chain;
use crate::unreadable_rows::catch_panic;

/// Events read per page.
const PAGE: NonZeroU16 = NonZeroU16::new(50).expect("not zero");
/// Maximum pages per delivery. The sweep delivers the rest.
const PAGES_MAX: u32 = 10;

impl Engine {
    /// Creates an event at the current time, to be committed with its change.
    pub(crate) fn event(&self, account: &AccountId, news: News) -> Event {
        Event::new(self.ids.uuid(), account.clone(), news, self.clock.now())
    }

    /// Delivers the events just committed for an account, after its earlier undelivered ones. A
    /// failure only delays them.
    pub(crate) async fn deliver<'a>(
        &self,
        account: &AccountId,
        committed: impl IntoIterator<Item = &'a Event>,
    ) {
        if committed.into_iter().next().is_some() {
            self.empty_outbox(account).await;
        }
    }

    /// Delivers the events of an account's outbox in order, up to the first that cannot be
    /// delivered. Returns how many were delivered.
    ///
    /// The outbox is read as the last commit left it, and an event leaves it only after delivery.
    /// So two processes may deliver the same event, which the queue or the CRM deduplicates, but no
    /// event overtakes another. A panic only delays the events, too.
    pub(crate) async fn empty_outbox(&self, account: &AccountId) -> usize {
        let mut delivered = 0;
        // It must not fail the record whose change was just committed.
        if catch_panic(self.deliver_pages(account, &mut delivered).boxed()).await.is_none() {
            tracing::error!(account.id = %account, "delivering the events of an account panicked");
        }
        delivered
    }

    async fn deliver_pages(&self, account: &AccountId, delivered: &mut usize) {
        for _ in 0..PAGES_MAX {
            let page = self.store.undelivered(account, PAGE).await;
            let OutboxPage { events, unreadable, is_last } = match page {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(
                        error = %Chain(&error),
                        account.id = %account,
                        "the outbox could not be read; the sweep tries again"
                    );
                    return;
                }
            };
            for event in &events {
                if !self.deliver_one(event).await {
                    return;
                }
                *delivered += 1;
            }
            if is_last || events.is_empty() {
                self.report_unreadable(account, &unreadable);
                break;
            }
        }
    }

    /// Delivers one event. Returns whether the next one may follow.
    async fn deliver_one(&self, event: &Event) -> bool {
        if let Err(error) = self.events.publish(event).await {
            tracing::warn!(
                error = %Chain(&error),
                account.id = %event.account_id,
                "an event could not be delivered; the sweep tries again"
            );
            return false;
        }
        if let Err(error) = self.store.delivered(event).await {
            tracing::warn!(
                error = %Chain(&error),
                account.id = %event.account_id,
                "a delivery could not be recorded; the event will be delivered again"
            );
        }
        true
    }
}
