//! The items and the tracking categories of a ledger.

use domain::ids::Ledger;
use domain::line_values::{ItemCatalogue, TrackingCatalogue};
use serde::de::DeserializeOwned;

use crate::keys;
use crate::records::{KeptLineValues, LineValueList};
use crate::results::{StoreError, VersionedRecord};
use crate::store::Store;

impl Store {
    /// Reads the stored items of a ledger. `None` if none are stored, or if they cannot be read:
    /// they have to be read from Xero again.
    pub async fn find_items(&self, ledger: &Ledger) -> Result<Option<ItemCatalogue>, StoreError> {
        self.find_line_values("read the items", ledger, LineValueList::Items).await
    }

    /// Reads the stored tracking categories of a ledger. `None` if none are stored, or if they
    /// cannot be read: they have to be read from Xero again.
    pub async fn find_tracking(
        &self,
        ledger: &Ledger,
    ) -> Result<Option<TrackingCatalogue>, StoreError> {
        self.find_line_values("read the tracking categories", ledger, LineValueList::Tracking).await
    }

    /// Stores the items of a ledger. Of two concurrent writers, one wins. Items that do not fit
    /// into a row are not stored and have to be read from Xero each time; a catalogue is made to
    /// fit.
    pub async fn put_items(
        &self,
        ledger: &Ledger,
        items: &ItemCatalogue,
    ) -> Result<(), StoreError> {
        let kept = KeptLineValues::of_items(ledger.clone(), items);
        self.put_line_values("write the items", &kept).await
    }

    /// Stores the tracking categories of a ledger. Of two concurrent writers, one wins. Categories
    /// that do not fit into a row are not stored and have to be read from Xero each time.
    pub async fn put_tracking(
        &self,
        ledger: &Ledger,
        tracking: &TrackingCatalogue,
    ) -> Result<(), StoreError> {
        let kept = KeptLineValues::of_tracking(ledger.clone(), tracking);
        self.put_line_values("write the tracking categories", &kept).await
    }

    async fn find_line_values<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        ledger: &Ledger,
        list: LineValueList,
    ) -> Result<Option<T>, StoreError> {
        let kept: Option<VersionedRecord<KeptLineValues>> = self
            .read_replaceable(operation, &keys::line_values_key(ledger, list.sort_key()))
            .await?;
        Ok(kept.and_then(|kept| kept.record.read_list()))
    }

    async fn put_line_values(
        &self,
        operation: &'static str,
        kept: &KeptLineValues,
    ) -> Result<(), StoreError> {
        match self.replace_record(operation, kept).await {
            Err(StoreError::TooLarge { .. }) => Ok(()),
            result => result,
        }
    }
}
