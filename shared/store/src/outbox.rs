//! Events that were committed with a change and are delivered afterwards.

use std::num::NonZeroU16;

use domain::outbound::Event;
use jiff::Timestamp;

use crate::answers::{StoreError, Versioned};
use crate::keys;
use crate::records::KeptEvent;
use crate::store::Store;
use crate::table::{Expect, SortRange, Version};

impl Store {
    /// Notes that an event was delivered. Noting it twice, or beside somebody else, does no harm.
    pub async fn delivered(&self, event: &Event, now: Timestamp) -> Result<(), StoreError> {
        let kept = KeptEvent { event: event.clone(), delivered_at: Some(now) };
        // It was written once, undelivered.
        match self.put("note a delivery", &kept, Expect::Version(Version::FIRST)).await {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Events of a shard that were written before an instant and not delivered yet, oldest first.
    pub async fn undelivered(
        &self,
        shard: u32,
        before: Timestamp,
        limit: NonZeroU16,
    ) -> Result<Vec<Event>, StoreError> {
        const OPERATION: &str = "find undelivered events";
        let range = SortRange::AtMost(keys::instant(before));
        let page = self.due_page(OPERATION, keys::undelivered(shard), range, limit, None).await?;
        let mut events = Vec::with_capacity(page.entries.len());
        for entry in page.entries {
            let kept: Option<Versioned<KeptEvent>> = self.read(OPERATION, &entry.key).await?;
            let kept = kept.map(|kept| kept.record);
            // The index may be behind.
            events.extend(kept.filter(|kept| kept.delivered_at.is_none()).map(|kept| kept.event));
        }
        Ok(events)
    }
}
