//! An account's choices about what is written to Xero.

use domain::ids::{AccountId, UserId};
use domain::sync_preferences::SyncPreferences;
use store::table::{ItemVersion, WriteExpectation};
use store::{ConflictLimit, StoreError};

use crate::Engine;

/// The choices of an account, with the version of their row; 0 if nothing was chosen yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionedPreferences {
    /// The choices.
    pub preferences: SyncPreferences,
    /// The version.
    pub version: u64,
}

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
) -> Result<VersionedPreferences, StoreError> {
    let (preferences, version) = engine.store.find_sync_preferences(account).await?;
    let version = version.map_or(0, ItemVersion::as_number);
    Ok(VersionedPreferences { preferences, version })
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
    let mut conflicts = ConflictLimit::default();
    loop {
        let known = read_sync_preferences(engine, account).await?.version;
        if expected.is_some_and(|expected| expected != known) {
            return Ok(PreferencesOutcome::Changed);
        }
        let expect = match known {
            0 => WriteExpectation::Absent,
            version => WriteExpectation::Version(ItemVersion::from_number(version)),
        };
        match engine.store.replace_sync_preferences(account, preferences, expect).await {
            Ok(_) => {
                tracing::info!(
                    account.id = %account,
                    user.id = %by,
                    "a user changed what is written to Xero"
                );
                return Ok(PreferencesOutcome::Done);
            }
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}
