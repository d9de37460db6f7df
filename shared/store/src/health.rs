//! How accounts stand.

use domain::health::Health;
use domain::ids::AccountId;

use crate::answers::{StoreError, Versioned};
use crate::keys;
use crate::store::Store;
use crate::table::{Expect, Version};

impl Store {
    /// What the newest health check found of an account; none where there never was anything to find.
    pub async fn health(
        &self,
        account: &AccountId,
    ) -> Result<Option<Versioned<Health>>, StoreError> {
        self.read("read the health", &keys::health(account)).await
    }

    /// Writes what a health check found.
    pub async fn put_health(&self, health: &Health, expect: Expect) -> Result<Version, StoreError> {
        self.put("write the health", health, expect).await
    }
}
