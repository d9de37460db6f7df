//! The count of calls on an organisation, and the progress of a Sync All.

use domain::call_budget::CallBudget;
use domain::ids::{Ledger, TenantId};
use domain::sync_all::SyncAll;

use crate::keys;
use crate::results::{StoreError, VersionedRecord};
use crate::store::Store;
use crate::table::{ItemVersion, WriteExpectation};

impl Store {
    /// Reads the count of calls on an organisation.
    pub async fn find_call_budget(
        &self,
        tenant: TenantId,
    ) -> Result<Option<VersionedRecord<CallBudget>>, StoreError> {
        self.read_record("read the call budget", &keys::call_budget_key(tenant)).await
    }

    /// Writes the count of calls on an organisation.
    pub async fn put_call_budget(
        &self,
        meter: &CallBudget,
        expect: WriteExpectation,
    ) -> Result<ItemVersion, StoreError> {
        self.put_record("write the call budget", meter, expect).await
    }

    /// Reads a ledger's newest Sync All.
    pub async fn find_sync_all(
        &self,
        ledger: &Ledger,
    ) -> Result<Option<VersionedRecord<SyncAll>>, StoreError> {
        self.read_record("read the Sync All", &keys::sync_all_key(ledger)).await
    }

    /// Writes a ledger's Sync All.
    pub async fn put_sync_all(
        &self,
        sync_all: &SyncAll,
        expect: WriteExpectation,
    ) -> Result<ItemVersion, StoreError> {
        self.put_record("write the Sync All", sync_all, expect).await
    }
}
