//! Finds the ledger of an account: its use of the organisation that it is or was connected to.

use domain::connection::Connection;
use domain::ids::{AccountId, Ledger, TenantId};
use store::StoreError;

use crate::Engine;

/// Returns the ledger that holds an account's records: that of the current or last connected
/// organisation, otherwise the one without an organisation.
pub(crate) async fn find_records_ledger(
    engine: &Engine,
    account: &AccountId,
) -> Result<Ledger, StoreError> {
    let connection = engine.store.find_connection(account).await?.map(|row| row.record);
    Ok(ledger_of(connection.as_ref(), account))
}

/// Like [`find_records_ledger`], for a connection that has just been read.
pub(crate) fn ledger_of(connection: Option<&Connection>, account: &AccountId) -> Ledger {
    let unassigned = || Ledger { account: account.clone(), tenant: TenantId::NONE };
    connection.and_then(Connection::current_ledger).unwrap_or_else(unassigned)
}

/// Returns the ledger of an account's mappings, or `None` if it was never connected.
pub(crate) async fn find_connected_ledger(
    engine: &Engine,
    account: &AccountId,
) -> Result<Option<Ledger>, StoreError> {
    let connection = engine.store.find_connection(account).await?;
    Ok(connection.and_then(|connection| connection.record.current_ledger()))
}
