//! Events that were committed with a change and are delivered afterwards.

use std::num::NonZeroU16;

use domain::activity::AccountActivity;
use domain::ids::AccountId;
use domain::outbound::{EventMessage, sort_for_delivery};

use crate::keys;
use crate::results::{OutboxPage, StoreError, UndeliveredEvent, VersionedRecord};
use crate::store::{Store, decode_each, decode_item, encode_item, new_event};
use crate::table::{
    ItemKey, ItemVersion, ItemWrite, MAX_WRITES, PageCursor, SortOrder, SortRange, StoredItem,
    TableQuery, WriteExpectation,
};

impl Store {
    /// Returns the oldest `limit` undelivered events of an account, or the oldest after a page, as
    /// every commit before this call left them, in the order of delivery.
    pub async fn list_undelivered(
        &self,
        account: &AccountId,
        after: Option<PageCursor>,
        limit: NonZeroU16,
    ) -> Result<OutboxPage, StoreError> {
        const OPERATION: &str = "read the undelivered events";
        let query = TableQuery {
            pk: keys::account_partition(account),
            range: SortRange::Prefix(keys::OUTBOX.to_owned()),
            order: SortOrder::Ascending,
            limit,
            after,
        };
        let page = self.table.query_items(query).await;
        let page = page.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
        let (events, unreadable) =
            decode_each(OPERATION, page.items, page.corrupt, decode_undelivered);
        Ok(OutboxPage {
            events: sort_for_delivery(events, |event| &event.message),
            unreadable,
            next: page.next,
        })
    }

    /// Records that an event was delivered, which removes it from the outbox. Repeated and
    /// concurrent calls do no harm.
    pub async fn mark_delivered(&self, event: &UndeliveredEvent) -> Result<(), StoreError> {
        self.remove_event(event.key.clone()).await
    }

    /// Records that events of this release were delivered, [`MAX_WRITES`] of them in each
    /// transaction.
    async fn mark_all_delivered(&self, events: &[&EventMessage]) -> Result<(), StoreError> {
        for events in events.chunks(MAX_WRITES) {
            self.mark_delivered_together(events).await?;
        }
        Ok(())
    }

    /// Records that events were delivered, in one transaction if none was recorded before. At least
    /// one event and at most [`MAX_WRITES`].
    async fn mark_delivered_together(&self, events: &[&EventMessage]) -> Result<(), StoreError> {
        if let [event] = events {
            return self.remove_event(keys::event_key(event)).await;
        }
        let gone = events.iter().map(|event| delivered(event)).collect();
        match self.write_all("record deliveries", gone).await {
            // Another process recorded some of them.
            Err(StoreError::Conflict) => {
                for event in events {
                    self.remove_event(keys::event_key(event)).await?;
                }
                Ok(())
            }
            result => result,
        }
    }

    /// Records that any number of events of this release were delivered, and the last attempts of
    /// the account as `decide` makes them from the stored row. The first [`MAX_WRITES`] rows are
    /// written in one transaction if no other process has changed any of them. Nothing is written
    /// about the attempts if `decide` returns `None`.
    pub async fn record_deliveries_and_activity(
        &self,
        account: &AccountId,
        events: &[&EventMessage],
        decide: impl Fn(Option<AccountActivity>) -> Option<AccountActivity>,
    ) -> Result<(), StoreError> {
        let row = self.find_activity(account).await?;
        let expect = WriteExpectation::from(row.as_ref().map(|row| row.version));
        let Some(next) = decide(row.map(|row| row.record)) else {
            return self.mark_all_delivered(events).await;
        };
        // One write of the transaction is the activity.
        let (together, rest) = events.split_at(events.len().min(MAX_WRITES - 1));
        let mut writes = together.iter().map(|event| delivered(event)).collect::<Vec<_>>();
        writes.push(ItemWrite::Put { item: encode_item(&next), expect });
        match self.write_all("record deliveries and the last attempts", writes).await {
            Ok(()) => {}
            // Another process changed one of these rows, most often the activity.
            Err(StoreError::Conflict) => {
                self.mark_all_delivered(together).await?;
                self.update_activity(account, decide).await?;
            }
            Err(error) => return Err(error),
        }
        self.mark_all_delivered(rest).await
    }

    /// Removes an event from the outbox, if it is there.
    async fn remove_event(&self, key: ItemKey) -> Result<(), StoreError> {
        // An event is written once and never changes.
        let gone = ItemWrite::Delete { key, expect: ItemVersion::FIRST };
        match self.write_all("record a delivery", vec![gone]).await {
            Ok(()) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Writes an event without a change of a row.
    pub async fn put_event(&self, event: &EventMessage) -> Result<(), StoreError> {
        self.write_all("write an event", vec![new_event(event)]).await
    }
}

fn decode_undelivered(item: StoredItem) -> Result<UndeliveredEvent, StoreError> {
    let key = item.key.clone();
    let VersionedRecord { record: message, version: _ } = decode_item(item)?;
    Ok(UndeliveredEvent { message, key })
}

/// The write that removes a delivered event of this release. An event is written once and never
/// changes.
fn delivered(event: &EventMessage) -> ItemWrite {
    ItemWrite::Delete { key: keys::event_key(event), expect: ItemVersion::FIRST }
}

#[cfg(test)]
mod tests;
