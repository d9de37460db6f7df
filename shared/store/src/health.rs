//! The results of health checks.

use domain::health::Health;
use domain::ids::AccountId;

use crate::answers::{StoreError, Versioned};
use crate::keys;
use crate::store::Store;
use crate::table::{Expect, Version};

impl Store {
    /// Reads the result of the newest health check of an account. `None` if no check has found
    /// anything.
    pub async fn health(
        &self,
        account: &AccountId,
    ) -> Result<Option<Versioned<Health>>, StoreError> {
        self.read("read the health", &keys::health(account)).await
    }

    /// Writes the result of a health check.
    pub async fn put_health(&self, health: &Health, expect: Expect) -> Result<Version, StoreError> {
        self.put("write the health", health, expect).await
    }
}
