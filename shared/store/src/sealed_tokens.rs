//! The encrypted tokens of grants, if the table stores them.

use domain::grant::SealedTokens;

use crate::keys;
use crate::results::{StoreError, VersionedRecord};
use crate::store::Store;
use crate::table::{ItemVersion, ItemWrite, WriteExpectation};

impl Store {
    /// Reads the encrypted tokens of a secret's name.
    pub async fn find_sealed_tokens(
        &self,
        name: &str,
    ) -> Result<Option<VersionedRecord<SealedTokens>>, StoreError> {
        self.read_record("read the encrypted tokens", &keys::sealed_tokens_key(name)).await
    }

    /// Writes encrypted tokens if their row is as expected, else [`StoreError::Conflict`].
    pub async fn put_sealed_tokens(
        &self,
        tokens: &SealedTokens,
        expect: WriteExpectation,
    ) -> Result<ItemVersion, StoreError> {
        self.put_record("write the encrypted tokens", tokens, expect).await
    }

    /// Removes encrypted tokens. If they have changed since they were read, the result is a
    /// [`StoreError::Conflict`].
    pub async fn remove_sealed_tokens(
        &self,
        name: &str,
        expect: ItemVersion,
    ) -> Result<(), StoreError> {
        let key = keys::sealed_tokens_key(name);
        self.write_all("remove the encrypted tokens", vec![ItemWrite::Delete { key, expect }]).await
    }
}
