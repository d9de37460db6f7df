//! Counts the records that an account has sent before it is connected.

use domain::activity::{KEPT_MAX, KeptRecords};
use domain::ids::AccountId;
use store::StoreError;
use store::table::WriteExpectation;

use crate::Engine;

/// Counts records that are about to be stored without a connection. Returns `false` and counts none
/// if there is no room for all of them.
pub(crate) async fn reserve_records(
    engine: &Engine,
    account: &AccountId,
    records: u32,
) -> Result<bool, StoreError> {
    let updated = engine.store.update_kept_records(account, |known| {
        let count = known.map_or(0, |row| row.count).saturating_add(records);
        let has_room = count <= KEPT_MAX;
        has_room.then(|| KeptRecords { account: account.clone(), count }).ok_or(())
    });
    Ok(updated.await?.is_ok())
}

/// Resets the count after the account was connected and its records were carried over.
pub(crate) async fn reset_count(engine: &Engine, account: &AccountId) -> Result<(), StoreError> {
    let Some(known) = engine.store.find_kept_records(account).await? else { return Ok(()) };
    if known.record.count == 0 {
        return Ok(());
    }
    let kept = KeptRecords { account: account.clone(), count: 0 };
    match engine.store.put_kept_records(&kept, WriteExpectation::Version(known.version)).await {
        // A record that arrived concurrently stays counted.
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}
