//! Failed deliveries: the failures of messages, and events that were set aside.

use domain::dead_letter::DeadLetterReason;
use domain::delivery::{DeliveryFailures, EventAside};
use jiff::Timestamp;

use crate::keys;
use crate::records::StoredRecord;
use crate::results::{StoreError, UndeliveredEvent, VersionedRecord};
use crate::store::{Store, encode_item};
use crate::table::{ItemKey, ItemVersion, ItemWrite, NewItem, WriteExpectation};

impl StoredRecord for DeliveryFailures {
    fn item_key(&self) -> ItemKey {
        keys::delivery_failures_key(&self.message_id)
    }

    fn with_index_keys(&self, item: NewItem) -> NewItem {
        NewItem { expires_at: Some(DeliveryFailures::expires_at(self)), ..item }
    }
}

impl StoredRecord for EventAside {
    fn item_key(&self) -> ItemKey {
        keys::event_aside_key(&self.event)
    }

    fn with_index_keys(&self, item: NewItem) -> NewItem {
        NewItem { expires_at: Some(EventAside::expires_at(self)), ..item }
    }
}

impl Store {
    /// Reads the failures of a queue's message, if it has failed before.
    pub async fn find_delivery_failures(
        &self,
        message_id: &str,
    ) -> Result<Option<VersionedRecord<DeliveryFailures>>, StoreError> {
        let key = keys::delivery_failures_key(message_id);
        self.read_record("read the failures of a message", &key).await
    }

    /// Writes the failures of a queue's message.
    pub async fn put_delivery_failures(
        &self,
        failures: &DeliveryFailures,
        expect: WriteExpectation,
    ) -> Result<ItemVersion, StoreError> {
        self.put_record("write the failures of a message", failures, expect).await
    }

    /// Moves an undelivered event out of its account's outbox, in one transaction. Returns whether
    /// it did: nothing is written if another process has delivered it or set it aside.
    pub async fn set_event_aside(
        &self,
        event: &UndeliveredEvent,
        reason: &DeadLetterReason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let aside = EventAside::new(event.message.clone(), reason, now);
        let writes = vec![
            ItemWrite::Put { item: encode_item(&aside), expect: WriteExpectation::Absent },
            // An event is written once and never changes.
            ItemWrite::Delete { key: event.key.clone(), expect: ItemVersion::FIRST },
        ];
        match self.write_all("set an event aside", writes).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
