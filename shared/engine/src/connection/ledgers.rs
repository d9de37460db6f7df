//! Finds the ledger of an account: its use of the organisation that it is or was connected to.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::connection::Connection;
use domain::ids::{AccountId, Ledger, TenantId};
use store::StoreError;

use crate::Engine;

/// Maximum number of remembered accounts. A process serves many accounts.
const ACCOUNTS_MAX: usize = 4_096;

/// The organisations in which this process last found the records of accounts. It may be outdated:
/// it decides which rows are read together with the connection, which says whether they are the
/// right ones.
#[derive(Debug, Default)]
pub struct LastTenants(Mutex<HashMap<AccountId, TenantId>>);

impl LastTenants {
    /// Returns the ledger in which the records of an account were last found.
    pub(crate) fn find_ledger(&self, account: &AccountId) -> Option<Ledger> {
        let tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tenant = *tenants.get(account)?;
        Some(Ledger { account: account.clone(), tenant })
    }

    /// Remembers where the records of an account are.
    pub(crate) fn remember_ledger(&self, ledger: &Ledger) {
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= ACCOUNTS_MAX {
            tenants.clear();
        }
        tenants.insert(ledger.account.clone(), ledger.tenant);
    }
}

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
