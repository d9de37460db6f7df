//! Events that were committed with a change and are delivered afterwards.

use domain::outbound::Event;
use jiff::Timestamp;

use crate::answers::{StoreError, Versioned};
use crate::records::KeptEvent;
use crate::store::Store;
use crate::table::{Expect, ItemKey, Version};

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

    /// An event that is kept there, unless it was delivered meanwhile.
    pub(crate) async fn undelivered(&self, key: &ItemKey) -> Result<Option<Event>, StoreError> {
        let kept: Option<Versioned<KeptEvent>> =
            self.read("read an undelivered event", key).await?;
        let kept = kept.map(|kept| kept.record).filter(|kept| kept.delivered_at.is_none());
        Ok(kept.map(|kept| kept.event))
    }
}
