//! Moves tokens between Secrets Manager and the table while functions run: each grant when its
//! tokens are renewed. During a deployment some processes still write to the former place, so both
//! places are read, and the newer value counts.
//!
//! Nothing is deleted when tokens are written, because a slow process may delete what a faster one
//! has just written. [`SecretStore::remove_moved`] deletes them later.

use std::sync::Arc;

use async_trait::async_trait;
use domain::grant::Grant;
use secrecy::SecretString;
use uuid::Uuid;

use super::KeptTokens;
use crate::Engine;
use crate::error_chain::ErrorChain;
use crate::ports::{IfMissing, PortError, SecretStore};

/// Where tokens are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenPlace {
    /// In Secrets Manager.
    Secrets,
    /// In the table, encrypted.
    Table,
}

/// Both places of tokens.
#[derive(Debug, Clone)]
pub struct TokenStores {
    /// Secrets Manager.
    pub secrets: Arc<dyn SecretStore>,
    /// The table.
    pub table: Arc<dyn SecretStore>,
    /// Where renewed tokens are written.
    pub wanted: TokenPlace,
}

impl TokenStores {
    /// Both places, the wanted one first.
    fn in_order(&self) -> [&dyn SecretStore; 2] {
        match self.wanted {
            TokenPlace::Secrets => [&*self.secrets, &*self.table],
            TokenPlace::Table => [&*self.table, &*self.secrets],
        }
    }
}

#[async_trait]
impl SecretStore for TokenStores {
    async fn get_secret(&self, name: &str) -> Result<Option<SecretString>, PortError> {
        let [wanted, former] = self.in_order();
        let (in_wanted, in_former) =
            (wanted.get_secret(name).await?, former.get_secret(name).await?);
        let is_former_newer =
            in_former.as_ref().map(read_serial) > in_wanted.as_ref().map(read_serial);
        Ok(if is_former_newer { in_former } else { in_wanted })
    }

    async fn get_version(
        &self,
        name: &str,
        version: Uuid,
    ) -> Result<Option<SecretString>, PortError> {
        let [wanted, former] = self.in_order();
        match wanted.get_version(name, version).await? {
            Some(found) => Ok(Some(found)),
            None => former.get_version(name, version).await,
        }
    }

    /// Writes to the wanted place. A process whose lock has expired finds a newer value, and writes
    /// beside it: there both are found, whichever of them Xero accepts.
    async fn write_secret(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
        if_missing: IfMissing,
    ) -> Result<(), PortError> {
        let [wanted, former] = self.in_order();
        let (in_wanted, in_former) =
            (wanted.get_secret(name).await?, former.get_secret(name).await?);
        let newest = in_wanted.as_ref().map(read_serial).max(in_former.as_ref().map(read_serial));
        if in_former.as_ref().map(read_serial) == newest && newest > Some(read_serial(value)) {
            return former.write_secret(name, value, version, IfMissing::Fail).await;
        }
        // Only tokens that move are created in the wanted place: if all were deleted since they were
        // read, they stay deleted.
        let is_moving = in_wanted.is_none() && in_former.is_some();
        let if_missing = if is_moving { IfMissing::Create } else { if_missing };
        wanted.write_secret(name, value, version, if_missing).await
    }

    async fn delete_secret(&self, name: &str) -> Result<(), PortError> {
        for store in self.in_order() {
            store.delete_secret(name).await?;
        }
        Ok(())
    }

    async fn remove_moved(&self, name: &str, version: Uuid) -> Result<(), PortError> {
        let [wanted, former] = self.in_order();
        let is_moved = wanted.get_version(name, version).await?.is_some();
        if is_moved && former.get_secret(name).await?.is_some() {
            former.delete_secret(name).await?;
        }
        Ok(())
    }
}

/// Removes what remains of moved tokens in their former place, unless a process may be writing the
/// grant's tokens. The next run tries again after an error.
pub(crate) async fn remove_moved_tokens(engine: &Engine, grant: &Grant) {
    let Some(version) = grant.settled_version(engine.clock.now()) else { return };
    if let Err(error) = engine.secrets.remove_moved(&engine.secret_name(grant), version).await {
        tracing::warn!(
            error = %ErrorChain(&error),
            "moved tokens remain in their former place"
        );
    }
}

/// The position of a value among all values of its secret; 0 if it cannot be read.
fn read_serial(value: &SecretString) -> u64 {
    KeptTokens::from_secret(value).map_or(0, |tokens| tokens.serial)
}
