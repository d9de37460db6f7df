//! The count of calls on an organisation, and the progress of a Sync All.

use domain::ids::{Ledger, TenantId};
use domain::meter::Meter;
use domain::sync_all::SyncAll;

use crate::answers::{StoreError, Versioned};
use crate::keys;
use crate::store::Store;
use crate::table::{Expect, Version};

impl Store {
    /// Reads the count of calls on an organisation.
    pub async fn meter(&self, tenant: TenantId) -> Result<Option<Versioned<Meter>>, StoreError> {
        self.read("read the meter", &keys::meter(tenant)).await
    }

    /// Writes the count of calls on an organisation.
    pub async fn put_meter(&self, meter: &Meter, expect: Expect) -> Result<Version, StoreError> {
        self.put("write the meter", meter, expect).await
    }

    /// Reads a ledger's newest Sync All.
    pub async fn sync_all(
        &self,
        ledger: &Ledger,
    ) -> Result<Option<Versioned<SyncAll>>, StoreError> {
        self.read("read the Sync All", &keys::sync_all(ledger)).await
    }

    /// Writes a ledger's Sync All.
    pub async fn put_sync_all(
        &self,
        sync_all: &SyncAll,
        expect: Expect,
    ) -> Result<Version, StoreError> {
        self.put("write the Sync All", sync_all, expect).await
    }
}
