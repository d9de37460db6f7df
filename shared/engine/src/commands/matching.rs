//! The matching settings: which certain matches a reconciliation links without a person.

use domain::ids::AccountId;
use domain::matching::MatchingSettings;
use store::table::{ItemVersion, WriteExpectation};
use store::{ConflictLimit, StoreError};

use crate::Engine;

/// The matching settings in use, with their version: 0 while the defaults are in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionedMatching {
    /// The settings.
    pub settings: MatchingSettings,
    /// The version, which every change increases.
    pub version: u64,
}

/// Returns the matching settings in use.
pub async fn read_matching(
    engine: &Engine,
    account: &AccountId,
) -> Result<VersionedMatching, StoreError> {
    let (settings, version) = engine.store.find_matching_settings(account).await?;
    Ok(VersionedMatching { settings, version: version.map_or(0, ItemVersion::as_number) })
}

/// Changes the matching settings for later reconciliations. If a version is expected and another
/// one is in use, nothing changes and the result is `false`.
pub async fn replace_matching(
    engine: &Engine,
    account: &AccountId,
    settings: MatchingSettings,
    expected: Option<u64>,
) -> Result<bool, StoreError> {
    let mut conflicts = ConflictLimit::default();
    loop {
        let (_, version) = engine.store.find_matching_settings(account).await?;
        if expected.is_some_and(|expected| expected != version.map_or(0, ItemVersion::as_number)) {
            return Ok(false);
        }
        let expect = version.map_or(WriteExpectation::Absent, WriteExpectation::Version);
        match engine.store.put_matching_settings(account, settings.clone(), expect).await {
            Ok(_) => return Ok(true),
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}
