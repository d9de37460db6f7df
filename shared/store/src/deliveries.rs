//! Failed deliveries: the failures of messages, and events that were set aside.

use domain::delivery::{DeliveryFailures, EventAside};

use crate::answers::{StoreError, Versioned};
use crate::keys;
use crate::records::Record;
use crate::store::{Store, encode};
use crate::table::{Expect, ItemKey, NewItem, Version, Write};

impl Record for DeliveryFailures {
    fn key(&self) -> ItemKey {
        keys::delivery_failures(&self.message_id)
    }

    fn indexed(&self, item: NewItem) -> NewItem {
        NewItem { expires_at: Some(DeliveryFailures::expires_at(self)), ..item }
    }
}

impl Record for EventAside {
    fn key(&self) -> ItemKey {
        keys::event_aside(&self.event)
    }

    fn indexed(&self, item: NewItem) -> NewItem {
        NewItem { expires_at: Some(EventAside::expires_at(self)), ..item }
    }
}

impl Store {
    /// Reads the failures of a queue's message, if it has failed before.
    pub async fn delivery_failures(
        &self,
        message_id: &str,
    ) -> Result<Option<Versioned<DeliveryFailures>>, StoreError> {
        let key = keys::delivery_failures(message_id);
        self.read("read the failures of a message", &key).await
    }

    /// Writes the failures of a queue's message.
    pub async fn put_delivery_failures(
        &self,
        failures: &DeliveryFailures,
        expect: Expect,
    ) -> Result<Version, StoreError> {
        self.put("write the failures of a message", failures, expect).await
    }

    /// Moves an undelivered event out of its account's outbox, in one transaction. Returns whether
    /// it did: nothing is written if another process has delivered it or set it aside.
    pub async fn set_event_aside(&self, aside: &EventAside) -> Result<bool, StoreError> {
        let (key, earlier) =
            (keys::event(&aside.event), keys::event_without_sequence(&aside.event));
        let is_moved = self.move_event(aside, key.clone()).await?;
        if is_moved || earlier == key {
            return Ok(is_moved);
        }
        self.move_event(aside, earlier).await
    }

    /// Returns whether the event was in the outbox under this key.
    async fn move_event(&self, aside: &EventAside, key: ItemKey) -> Result<bool, StoreError> {
        let writes = vec![
            Write::Put { item: encode(aside), expect: Expect::Absent },
            // An event is written once and never changes.
            Write::Delete { key, expect: Version::FIRST },
        ];
        match self.write("set an event aside", writes).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
