//! The matching settings: which certain matches a reconciliation links without a person.

use domain::ids::AccountId;
use domain::matching::MatchingSettings;
use store::{StoreError, VersionedSetting};

use crate::Engine;

/// Returns the matching settings in use.
pub async fn read_matching(
    engine: &Engine,
    account: &AccountId,
) -> Result<VersionedSetting<MatchingSettings>, StoreError> {
    engine.store.find_matching_settings(account).await
}

/// Changes the matching settings for later reconciliations. If a version is expected and another
/// one is in use, nothing changes and the result is `false`.
pub async fn replace_matching(
    engine: &Engine,
    account: &AccountId,
    settings: MatchingSettings,
    expected: Option<u64>,
) -> Result<bool, StoreError> {
    engine.store.replace_matching_settings(account, settings, expected).await
}
