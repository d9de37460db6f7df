//! Commands of operators: end an account's connection, erase an account, or end every connection
//! and revoke every grant.
//!
//! Each command does as much as time allows and reports whether it is done; if not, the operator
//! repeats it. Repeating a command does no harm. Documents in Xero stay unchanged.

mod revocation;

use std::collections::BTreeSet;

use domain::connection::{Connection, OAUTH_ATTEMPT_MINUTES, TICKET_MINUTES};
use domain::ids::{AccountId, Ledger, TenantId};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use store::{AccountPartition, StoreError, VersionedRecord};

use self::revocation::has_ended;
pub use self::revocation::{
    EndConnectionOutcome, RevocationSummary, end_connection, revoke_all_grants,
};
use crate::connection::change_connection;
use crate::connection::upgrade::{self, ClaimProgress};
use crate::{Engine, Invocation};

/// Time after which everything that was in progress when a connection ended is over: an invocation
/// (Lambda: at most 15 minutes) and a connect.
const WORK_ENDS_AFTER: SignedDuration =
    SignedDuration::from_mins(OAUTH_ATTEMPT_MINUTES + TICKET_MINUTES);

/// The progress of erasing an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ErasureSummary {
    /// Whether all data of the account is removed. Otherwise repeat the command.
    pub done: bool,
    /// Rows removed by this run.
    pub rows: usize,
    /// Whether Xero no longer lists this app for the account and its grants are revoked.
    pub disconnected: bool,
    /// Work that was in progress when the account was disconnected may write until then. Repeat the
    /// command afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_after: Option<Timestamp>,
    /// The organisations whose records were removed.
    pub organisations: Vec<TenantId>,
}

/// Erases an account: disconnects it, then removes its records in every organisation, its sync log,
/// its settings and its undelivered events, and finally its connection. `others` are organisations
/// that an earlier release did not record in the connection.
pub async fn erase_account(
    engine: &Engine,
    account: &AccountId,
    others: &[TenantId],
    invocation: Invocation,
) -> Result<ErasureSummary, StoreError> {
    let ended = end_connection(engine, account, invocation).await?;
    let connection = engine.store.find_connection(account).await?.map(|row| row.record);
    let tenants = list_tenants(connection.as_ref(), others);
    let is_ended = connection.as_ref().is_none_or(has_ended);
    let (mut rows, mut is_empty) = (0, is_ended);
    // While the account is connected, its records prevent duplicates in Xero.
    if is_ended {
        engine.deliver_outbox(account).await;
        for partition in list_partitions(account, &tenants) {
            let (removed, is_removed) = remove_rows(engine, &partition, invocation).await?;
            rows += removed;
            is_empty &= is_removed;
        }
        // Later log entries of the account have to register its log again.
        engine.logged_accounts.forget_account(account);
    }
    let mut erased = ErasureSummary {
        done: false,
        rows,
        disconnected: ended.done,
        repeat_after: None,
        organisations: tenants.into_iter().filter(|tenant| *tenant != TenantId::NONE).collect(),
    };
    if ended.done && is_empty {
        match remove_connection(engine, account).await? {
            RemovalOutcome::Done => erased.done = true,
            RemovalOutcome::NotBefore(at) => erased.repeat_after = Some(at),
            RemovalOutcome::Changed => {}
        }
    }
    tracing::info!(account.id = %account, removed = rows, is_cut_short = !erased.done, "erased");
    Ok(erased)
}

/// Returns every organisation in which an account may have records.
fn list_tenants(connection: Option<&Connection>, others: &[TenantId]) -> BTreeSet<TenantId> {
    let mut tenants = BTreeSet::from([TenantId::NONE]);
    tenants.extend(others);
    if let Some(connection) = connection {
        tenants.extend(&connection.tenants);
        tenants.extend(&connection.carried_from);
        tenants.extend(&connection.claims);
        tenants.extend(connection.organisation.iter().map(|one| one.tenant));
        tenants.extend(connection.leftovers.iter().map(|one| one.tenant));
    }
    tenants
}

fn list_partitions(account: &AccountId, tenants: &BTreeSet<TenantId>) -> Vec<AccountPartition> {
    let ledgers = tenants.iter().map(|tenant| {
        AccountPartition::Ledger(Ledger { account: account.clone(), tenant: *tenant })
    });
    let own = [AccountPartition::Log(account.clone()), AccountPartition::Account(account.clone())];
    ledgers.chain(own).collect()
}

/// Removes the rows of a partition while there is time. Returns how many, and whether all are
/// removed.
async fn remove_rows(
    engine: &Engine,
    partition: &AccountPartition,
    invocation: Invocation,
) -> Result<(usize, bool), StoreError> {
    let mut rows = 0;
    while !invocation.is_past_last_call(engine.clock.now()) {
        let removed = engine.store.remove_rows(partition).await?;
        rows += removed.rows;
        if !removed.is_more {
            return Ok((rows, true));
        }
        // Other processes are writing the remaining rows at the same time.
        if removed.rows == 0 {
            break;
        }
    }
    Ok((rows, false))
}

/// The result of removing a connection.
enum RemovalOutcome {
    /// The connection is removed.
    Done,
    /// Work that was in progress when the connection ended may write until then.
    NotBefore(Timestamp),
    /// Another process changed the connection at the same time.
    Changed,
}

/// Removes a connection once nothing can be written for it any more. The connection is last,
/// because it refers to everything else.
async fn remove_connection(
    engine: &Engine,
    account: &AccountId,
) -> Result<RemovalOutcome, StoreError> {
    // Writing the connection unchanged releases claims and uses that it still has.
    let is_owner =
        |connection: &Connection| !connection.claims.is_empty() || !connection.grants.is_empty();
    change_connection(engine, account, |connection| is_owner(&connection).then_some(connection))
        .await?;
    let Some(VersionedRecord { record, version }) = engine.store.find_connection(account).await?
    else {
        return Ok(RemovalOutcome::Done);
    };
    let settled_at =
        record.disconnected_at.map(|at| at.saturating_add(WORK_ENDS_AFTER).unwrap_or(at));
    if let Some(at) = settled_at.filter(|at| *at > engine.clock.now()) {
        return Ok(RemovalOutcome::NotBefore(at));
    }
    if is_owner(&record) || !has_ended(&record) {
        return Ok(RemovalOutcome::Changed);
    }
    match engine.store.remove_connection(account, version).await {
        Ok(()) => Ok(RemovalOutcome::Done),
        Err(StoreError::Conflict) => Ok(RemovalOutcome::Changed),
        Err(error) => Err(error),
    }
}

/// Determines which accounts use which grants, if an earlier release did not record it. Returns
/// whether all accounts were asked. If the row of one cannot be read, no grant is revoked.
async fn find_grant_uses(engine: &Engine, invocation: Invocation) -> Result<bool, StoreError> {
    Ok(upgrade::claim_existing_connections(engine, invocation).await? != ClaimProgress::CutShort)
}
