//! Tokens in the table, encrypted: the alternative to one secret per grant in Secrets Manager. Each
//! value is encrypted with a data key of its own, and written under the condition that the row has
//! not changed since it was read.

use std::sync::Arc;

use async_trait::async_trait;
use domain::grant::{SealedTokens, SealedValue};
use secrecy::SecretString;
use store::table::WriteExpectation;
use store::{ConflictLimit, Store, StoreError, VersionedRecord};
use uuid::Uuid;

use super::kept_keys::KeptKeys;
use crate::ports::{DataKey, DataKeys, IfMissing, PortError, SecretStore};
use crate::sealing;

const READ: &str = "read encrypted tokens";
const WRITE: &str = "write encrypted tokens";
const DELETE: &str = "delete encrypted tokens";

/// Tokens in the table.
#[derive(Debug, Clone)]
pub struct SealedSecrets {
    store: Store,
    keys: Arc<KeptKeys>,
}

impl SealedSecrets {
    /// Stores tokens in this table, under data keys of this key service. Clones remember the same
    /// data keys.
    pub fn new(store: Store, keys: Arc<dyn DataKeys>) -> Self {
        Self { store, keys: Arc::new(KeptKeys::new(keys)) }
    }

    async fn find_row(
        &self,
        name: &str,
    ) -> Result<Option<VersionedRecord<SealedTokens>>, PortError> {
        self.store.find_sealed_tokens(name).await.map_err(|error| failed(READ, error))
    }

    async fn open_value(
        &self,
        name: &str,
        value: Option<&SealedValue>,
    ) -> Result<Option<SecretString>, PortError> {
        let Some(value) = value else { return Ok(None) };
        let key = self.keys.open_key(&value.data_key, name).await?;
        let opened = sealing::open_sealed(&key, &seal_context(name, value.version), &value.sealed);
        let foreign = || PortError { operation: READ, source: "the key does not fit".into() };
        opened.map(Some).ok_or_else(foreign)
    }
}

#[async_trait]
impl SecretStore for SealedSecrets {
    async fn get_secret(&self, name: &str) -> Result<Option<SecretString>, PortError> {
        let Some(row) = self.find_row(name).await? else { return Ok(None) };
        self.open_value(name, row.record.newest()).await
    }

    async fn get_version(
        &self,
        name: &str,
        version: Uuid,
    ) -> Result<Option<SecretString>, PortError> {
        let Some(row) = self.find_row(name).await? else { return Ok(None) };
        self.open_value(name, row.record.find_version(version)).await
    }

    async fn write_secret(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
        if_missing: IfMissing,
    ) -> Result<(), PortError> {
        let DataKey { plain, encrypted } = self.keys.new_key(name).await?;
        let sealed = sealing::seal_text(&plain, &seal_context(name, version), value);
        let value = SealedValue { version, data_key: encrypted, sealed };
        let mut conflicts = ConflictLimit::default();
        loop {
            let (tokens, expect) = match (self.find_row(name).await?, if_missing) {
                (Some(row), _) => (row.record, WriteExpectation::Version(row.version)),
                (None, IfMissing::Create) => (SealedTokens::new(name), WriteExpectation::Absent),
                (None, IfMissing::Fail) => {
                    return Err(PortError {
                        operation: WRITE,
                        source: "there is no such row".into(),
                    });
                }
            };
            if tokens.find_version(version).is_some() {
                return Ok(());
            }
            match self.store.put_sealed_tokens(&tokens.with_value(value.clone()), expect).await {
                Ok(_) => return Ok(()),
                Err(error) => {
                    conflicts.allow_retry(error).map_err(|error| failed(WRITE, error))?;
                }
            }
        }
    }

    async fn delete_secret(&self, name: &str) -> Result<(), PortError> {
        let mut conflicts = ConflictLimit::default();
        while let Some(row) = self.find_row(name).await? {
            match self.store.remove_sealed_tokens(name, row.version).await {
                Ok(()) => break,
                Err(error) => {
                    conflicts.allow_retry(error).map_err(|error| failed(DELETE, error))?;
                }
            }
        }
        self.keys.forget_keys(name);
        Ok(())
    }
}

/// Binds a value to its place, so that it cannot be read in another one.
fn seal_context(name: &str, version: Uuid) -> String {
    format!("{name} {version}")
}

fn failed(operation: &'static str, error: StoreError) -> PortError {
    PortError { operation, source: error.into() }
}
