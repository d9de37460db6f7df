//! Events that were committed with a change and are delivered afterwards.

use std::num::NonZeroU16;

use domain::ids::AccountId;
use domain::outbound::{Event, in_order};

use crate::answers::{StoreError, Versioned};
use crate::keys;
use crate::store::{Store, decode, new_event};
use crate::table::{ItemKey, Order, Query, SortRange, Version, Write};

impl Store {
    /// Events of an account that nobody noted as delivered, the oldest `limit` of them, as every commit
    /// before this call left them: in the order in which they are to be delivered.
    pub async fn undelivered(
        &self,
        account: &AccountId,
        limit: NonZeroU16,
    ) -> Result<Vec<Event>, StoreError> {
        const OPERATION: &str = "read the undelivered events";
        let query = Query {
            pk: keys::account(account),
            range: SortRange::Prefix(keys::OUTBOX.to_owned()),
            order: Order::Ascending,
            limit,
            after: None,
        };
        let page = self.table.query(query).await;
        let page = page.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
        let events = page.items.into_iter().map(decode);
        let events = events.map(|row| row.map(|row: Versioned<Event>| row.record));
        Ok(in_order(events.collect::<Result<_, _>>()?))
    }

    /// Notes that an event was delivered: it leaves the outbox. Noting it twice, or beside somebody else,
    /// does no harm.
    pub async fn delivered(&self, event: &Event) -> Result<(), StoreError> {
        let (key, earlier) = (keys::event(event), keys::event_without_sequence(event));
        let is_gone = self.remove_event(key.clone()).await?;
        if !is_gone && earlier != key {
            self.remove_event(earlier).await?;
        }
        Ok(())
    }

    /// Whether it was there.
    async fn remove_event(&self, key: ItemKey) -> Result<bool, StoreError> {
        // It was written once and never changes.
        let gone = Write::Delete { key, expect: Version::FIRST };
        match self.write("note a delivery", vec![gone]).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes an event that no change of a row comes with.
    pub async fn put_event(&self, event: &Event) -> Result<(), StoreError> {
        self.write("write an event", vec![new_event(event)]).await
    }
}
