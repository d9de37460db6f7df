//! An account's account codes and its choices about what is written to Xero. They share a row, so that
//! a push reads both at once.

use domain::account_codes::AccountCodes;
use domain::ids::AccountId;
use domain::sync_preferences::SyncPreferences;

use crate::keys;
use crate::records::AccountSettings;
use crate::results::{StoreError, VersionedRecord};
use crate::store::Store;
use crate::table::{ItemVersion, WriteExpectation};
use crate::update::ConflictLimit;

impl Store {
    /// Reads the account codes that an account has chosen, or the defaults.
    pub async fn read_account_codes(
        &self,
        account: &AccountId,
    ) -> Result<AccountCodes, StoreError> {
        let settings = self.find_account_settings(account).await?;
        Ok(settings.map(|settings| settings.record.codes).unwrap_or_default())
    }

    /// Reads an account's codes, or the defaults, with the version of their row, if there is one.
    pub async fn find_account_codes(
        &self,
        account: &AccountId,
    ) -> Result<(AccountCodes, Option<ItemVersion>), StoreError> {
        let settings = self.find_account_settings(account).await?;
        Ok(settings.map_or_else(Default::default, |row| (row.record.codes, Some(row.version))))
    }

    /// Writes an account's codes if their row is as expected, else [`StoreError::Conflict`]. The
    /// account's other choices stay.
    pub async fn replace_account_codes(
        &self,
        account: &AccountId,
        codes: AccountCodes,
        expect: WriteExpectation,
    ) -> Result<ItemVersion, StoreError> {
        let known = self.find_account_settings(account).await?;
        let preferences = known.map(|known| known.record.preferences).unwrap_or_default();
        let settings = AccountSettings { account: account.clone(), codes, preferences };
        self.put_record("write the settings", &settings, expect).await
    }

    /// Writes an account's codes, regardless of earlier ones.
    pub async fn put_account_codes(
        &self,
        account: &AccountId,
        codes: AccountCodes,
    ) -> Result<(), StoreError> {
        let mut conflicts = ConflictLimit::default();
        loop {
            let known = self.find_account_settings(account).await?;
            let expect = known
                .map_or(WriteExpectation::Absent, |row| WriteExpectation::Version(row.version));
            match self.replace_account_codes(account, codes.clone(), expect).await {
                Ok(_) => return Ok(()),
                Err(error) => conflicts.allow_retry(error)?,
            }
        }
    }

    /// Reads the codes and the choices of an account, or the defaults.
    pub async fn read_account_settings(
        &self,
        account: &AccountId,
    ) -> Result<(AccountCodes, SyncPreferences), StoreError> {
        let settings = self.find_account_settings(account).await?;
        Ok(settings.map(|row| (row.record.codes, row.record.preferences)).unwrap_or_default())
    }

    /// Reads the choices of an account, or the defaults.
    pub async fn read_sync_preferences(
        &self,
        account: &AccountId,
    ) -> Result<SyncPreferences, StoreError> {
        Ok(self.find_sync_preferences(account).await?.0)
    }

    /// Reads the choices of an account, or the defaults, with the version of their row, if there is
    /// one.
    pub async fn find_sync_preferences(
        &self,
        account: &AccountId,
    ) -> Result<(SyncPreferences, Option<ItemVersion>), StoreError> {
        let settings = self.find_account_settings(account).await?;
        Ok(settings
            .map_or_else(Default::default, |row| (row.record.preferences, Some(row.version))))
    }

    /// Writes the choices of an account if their row is as expected, else [`StoreError::Conflict`].
    /// The codes stay.
    pub async fn replace_sync_preferences(
        &self,
        account: &AccountId,
        preferences: SyncPreferences,
        expect: WriteExpectation,
    ) -> Result<ItemVersion, StoreError> {
        let known = self.find_account_settings(account).await?;
        let codes = known.map(|row| row.record.codes).unwrap_or_default();
        let settings = AccountSettings { account: account.clone(), codes, preferences };
        self.put_record("write the settings", &settings, expect).await
    }

    /// Reads the row of an account's settings, if there is one.
    pub(crate) async fn find_account_settings(
        &self,
        account: &AccountId,
    ) -> Result<Option<VersionedRecord<AccountSettings>>, StoreError> {
        self.read_record("read the settings", &keys::settings_key(account)).await
    }
}
