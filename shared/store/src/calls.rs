//! The count of calls on an organisation, and the progress of a Sync All.

use domain::call_budget::CallBudget;
use domain::ids::{AccountId, Ledger, TenantId};
use domain::sync_all::SyncAll;

use crate::keys;
use crate::results::{StoreError, VersionedRecord};
use crate::store::{Store, encode_item};
use crate::table::{ItemVersion, ItemWrite, WriteExpectation};

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
        call_budget: &CallBudget,
        expect: WriteExpectation,
    ) -> Result<ItemVersion, StoreError> {
        self.put_record("write the call budget", call_budget, expect).await
    }

    /// Like [`Store::put_call_budget`], on the condition that the account's connection has this
    /// version. Otherwise the write is a [`StoreError::Conflict`].
    pub async fn put_call_budget_on_connection(
        &self,
        call_budget: &CallBudget,
        expect: WriteExpectation,
        account: &AccountId,
        connection: ItemVersion,
    ) -> Result<ItemVersion, StoreError> {
        let (key, unchanged) =
            (keys::connection_key(account), WriteExpectation::Version(connection));
        let writes = vec![
            ItemWrite::Put { item: encode_item(call_budget), expect },
            ItemWrite::Check { key, expect: unchanged },
        ];
        self.write_all("write the call budget", writes).await?;
        Ok(expect.next_version())
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
