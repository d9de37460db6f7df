//! The names of the users who change something, for the pages that show who did.

use std::collections::BTreeMap;

use domain::ids::{AccountId, UserId};
use domain::people::KnownPeople;
use store::StoreError;
use store::table::WriteExpectation;

use crate::Engine;

/// Records the name of a user, as the user's token gives it. If another process changes the names at
/// the same time, this name is recorded with the user's next change.
pub async fn remember_name(
    engine: &Engine,
    account: &AccountId,
    user: &UserId,
    name: &str,
) -> Result<(), StoreError> {
    let (known, expect) = match engine.store.find_people(account).await? {
        Some(row) => (row.record, WriteExpectation::Version(row.version)),
        None => (KnownPeople::without_people(account.clone()), WriteExpectation::Absent),
    };
    let Some(next) = known.with_name(user, name) else { return Ok(()) };
    match engine.store.put_people(&next, expect).await {
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Returns the names of the users of an account who changed something.
pub async fn list_people(
    engine: &Engine,
    account: &AccountId,
) -> Result<BTreeMap<UserId, String>, StoreError> {
    let row = engine.store.find_people(account).await?;
    Ok(row.map(|row| row.record.names).unwrap_or_default())
}
