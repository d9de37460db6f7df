//! How many records an account may send before it is connected.

use domain::activity::{KEPT_MAX, KeptRecords};
use domain::ids::AccountId;
use store::StoreError;
use store::table::Expect;

use crate::Engine;

/// A row that somebody else writes at the same moment is read and written again, this many times.
const CONFLICTS_MAX: u32 = 12;

/// Counts records that are about to be kept without a connection. `false` if there is no room for them: then
/// none is counted.
pub(crate) async fn admit(
    engine: &Engine,
    account: &AccountId,
    records: u32,
) -> Result<bool, StoreError> {
    for _ in 0..CONFLICTS_MAX {
        let known = engine.store.kept_records(account).await?;
        let expect = known.as_ref().map_or(Expect::Absent, |row| Expect::Version(row.version));
        let count = known.map_or(0, |row| row.record.count).saturating_add(records);
        if count > KEPT_MAX {
            return Ok(false);
        }
        let kept = KeptRecords { account: account.clone(), count };
        match engine.store.put_kept_records(&kept, expect).await {
            Ok(_) => return Ok(true),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Conflict)
}

/// Begins to count anew: the account is connected, and what it sent is on its way.
pub(crate) async fn reset(engine: &Engine, account: &AccountId) -> Result<(), StoreError> {
    let Some(known) = engine.store.kept_records(account).await? else { return Ok(()) };
    if known.record.count == 0 {
        return Ok(());
    }
    let kept = KeptRecords { account: account.clone(), count: 0 };
    match engine.store.put_kept_records(&kept, Expect::Version(known.version)).await {
        // A record that came meanwhile is counted; it belongs to the next time.
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}
