//! An account's account codes and its choices about what is written to Xero. They share a row, so that
//! a push reads both at once.

use domain::account_codes::AccountCodes;
use domain::ids::AccountId;
use domain::sync_preferences::SyncPreferences;

use crate::keys;
use crate::records::AccountSettings;
use crate::results::{StoreError, VersionedRecord, VersionedSetting};
use crate::store::Store;

impl Store {
    /// Reads the account codes that an account has chosen, or the defaults.
    pub async fn read_account_codes(
        &self,
        account: &AccountId,
    ) -> Result<AccountCodes, StoreError> {
        let settings = self.find_account_settings(account).await?;
        Ok(settings.map(|settings| settings.record.codes).unwrap_or_default())
    }

    /// Reads an account's codes, or the defaults, with the version of their row.
    pub async fn find_account_codes(
        &self,
        account: &AccountId,
    ) -> Result<VersionedSetting<AccountCodes>, StoreError> {
        let settings = self.find_account_settings(account).await?;
        Ok(VersionedSetting::from_row(settings, |settings| settings.codes))
    }

    /// Writes an account's codes, if the version of their row is `expected`; `None` accepts every
    /// version. The account's other choices stay. Returns whether the codes were written.
    pub async fn replace_account_codes(
        &self,
        account: &AccountId,
        codes: AccountCodes,
        expected: Option<u64>,
    ) -> Result<bool, StoreError> {
        let change =
            |settings: AccountSettings| AccountSettings { codes: codes.clone(), ..settings };
        self.update_account_settings(account, expected, change).await
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
        Ok(self.find_sync_preferences(account).await?.value)
    }

    /// Reads the choices of an account, or the defaults, with the version of their row.
    pub async fn find_sync_preferences(
        &self,
        account: &AccountId,
    ) -> Result<VersionedSetting<SyncPreferences>, StoreError> {
        let settings = self.find_account_settings(account).await?;
        Ok(VersionedSetting::from_row(settings, |settings| settings.preferences))
    }

    /// Writes the choices of an account, if the version of their row is `expected`; `None` accepts
    /// every version. The codes stay. Returns whether the choices were written.
    pub async fn replace_sync_preferences(
        &self,
        account: &AccountId,
        preferences: SyncPreferences,
        expected: Option<u64>,
    ) -> Result<bool, StoreError> {
        let change = |settings: AccountSettings| AccountSettings { preferences, ..settings };
        self.update_account_settings(account, expected, change).await
    }

    async fn update_account_settings(
        &self,
        account: &AccountId,
        expected: Option<u64>,
        change: impl Fn(AccountSettings) -> AccountSettings,
    ) -> Result<bool, StoreError> {
        let read = move || self.find_account_settings(account);
        let change = move |known: Option<AccountSettings>| {
            change(known.unwrap_or_else(|| AccountSettings::without_choices(account.clone())))
        };
        self.update_settings("write the settings", read, expected, change).await
    }

    /// Reads the row of an account's settings, if there is one.
    pub(crate) async fn find_account_settings(
        &self,
        account: &AccountId,
    ) -> Result<Option<VersionedRecord<AccountSettings>>, StoreError> {
        self.read_record("read the settings", &keys::settings_key(account)).await
    }
}
