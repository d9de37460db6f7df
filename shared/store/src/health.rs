//! The results of health checks.

use domain::health::AccountHealth;
use domain::ids::AccountId;

use crate::keys;
use crate::results::{StoreError, VersionedRecord};
use crate::store::Store;
use crate::table::{ItemVersion, WriteExpectation};

impl Store {
    /// Reads the result of the newest health check of an account. `None` if no check has found
    /// anything.
    pub async fn find_health(
        &self,
        account: &AccountId,
    ) -> Result<Option<VersionedRecord<AccountHealth>>, StoreError> {
        self.read_record("read the health", &keys::health_key(account)).await
    }

    /// Writes the result of a health check.
    pub async fn put_health(
        &self,
        health: &AccountHealth,
        expect: WriteExpectation,
    ) -> Result<ItemVersion, StoreError> {
        self.put_record("write the health", health, expect).await
    }
}
