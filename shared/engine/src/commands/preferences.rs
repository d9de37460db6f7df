//! An account's choices about what is written to Xero.

use domain::ids::{AccountId, UserId};
use domain::sync_preferences::SyncPreferences;
use store::{StoreError, VersionedSetting};

use crate::Engine;

/// The result of changing the choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreferencesOutcome {
    /// They are used from the next attempt on.
    Done,
    /// Another person has changed the settings since.
    Changed,
}

/// Reads the choices of an account.
pub async fn read_sync_preferences(
    engine: &Engine,
    account: &AccountId,
) -> Result<VersionedSetting<SyncPreferences>, StoreError> {
    engine.store.find_sync_preferences(account).await
}

/// Replaces the choices of an account, if the version of their row is `expected`. They concern
/// later attempts; documents that are in Xero stay as they are.
pub async fn replace_sync_preferences(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    preferences: SyncPreferences,
    expected: Option<u64>,
) -> Result<PreferencesOutcome, StoreError> {
    if !engine.store.replace_sync_preferences(account, preferences, expected).await? {
        return Ok(PreferencesOutcome::Changed);
    }
    tracing::info!(
        account.id = %account,
        user.id = %by,
        "a user changed what is written to Xero"
    );
    Ok(PreferencesOutcome::Done)
}
