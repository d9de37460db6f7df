//! What an operator asks for: an account's connection ended, everything that is kept about an account removed,
//! or every connection ended and every grant revoked.
//!
//! Each does as much as there is time for, and says whether that was all: otherwise it is asked for again. Asking
//! too often does no harm. Documents in Xero stay as they are.

mod revocation;

use std::collections::BTreeSet;

use domain::connection::{Connection, OAUTH_ATTEMPT_MINUTES, TICKET_MINUTES};
use domain::ids::{AccountId, Ledger, TenantId};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use store::{AccountPartition, StoreError, Versioned};

use self::revocation::has_ended;
pub use self::revocation::{Ended, Revoked, end_connection, revoke_all};
use crate::connection::change;
use crate::{Engine, Invocation, upgrade};

/// Whatever was under way when a connection ended is over by then: an invocation (Lambda: 15 minutes at most), and
/// a connect that somebody had begun.
const SETTLED_AFTER: SignedDuration =
    SignedDuration::from_mins(OAUTH_ATTEMPT_MINUTES + TICKET_MINUTES);

/// How far an account is erased.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// Whether nothing of the account is kept any more. Otherwise the command is repeated.
    pub done: bool,
    /// Rows that were removed this time.
    pub rows: usize,
    /// Whether Xero no longer lists this app for the account, and its grants are revoked.
    pub disconnected: bool,
    /// What was under way when the account was disconnected may write until then: repeat the command afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_after: Option<Timestamp>,
    /// The organisations whose records were removed.
    pub organisations: Vec<TenantId>,
}

/// Erases an account: disconnects it, then removes its records in every organisation, its sync log, its settings
/// and events that could not be delivered, and its connection last. `others` are organisations that the connection
/// does not name, because an earlier release did not keep them.
pub async fn erase(
    engine: &Engine,
    account: &AccountId,
    others: &[TenantId],
    invocation: Invocation,
) -> Result<Erased, StoreError> {
    let ended = end_connection(engine, account, invocation).await?;
    let connection = engine.store.connection(account).await?.map(|row| row.record);
    let tenants = tenants(connection.as_ref(), others);
    let is_ended = connection.as_ref().is_none_or(has_ended);
    let (mut rows, mut is_empty) = (0, is_ended);
    // While the account is connected, its records keep documents from being sent twice.
    if is_ended {
        engine.empty_outbox(account).await;
        for partition in partitions(account, &tenants) {
            let (removed, is_removed) = remove_rows(engine, &partition, invocation).await?;
            rows += removed;
            is_empty &= is_removed;
        }
    }
    let mut erased = Erased {
        done: false,
        rows,
        disconnected: ended.done,
        repeat_after: None,
        organisations: tenants.into_iter().filter(|tenant| *tenant != TenantId::NONE).collect(),
    };
    if ended.done && is_empty {
        match remove_connection(engine, account).await? {
            Removal::Done => erased.done = true,
            Removal::NotBefore(at) => erased.repeat_after = Some(at),
            Removal::Changed => {}
        }
    }
    tracing::info!(account.id = %account, removed = rows, is_cut_short = !erased.done, "erased");
    Ok(erased)
}

/// Every organisation that an account may have records in.
fn tenants(connection: Option<&Connection>, others: &[TenantId]) -> BTreeSet<TenantId> {
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

fn partitions(account: &AccountId, tenants: &BTreeSet<TenantId>) -> Vec<AccountPartition> {
    let ledgers = tenants.iter().map(|tenant| {
        AccountPartition::Ledger(Ledger { account: account.clone(), tenant: *tenant })
    });
    let own = [AccountPartition::Log(account.clone()), AccountPartition::Account(account.clone())];
    ledgers.chain(own).collect()
}

/// Removes the rows of a partition while there is time. How many, and whether none is left.
async fn remove_rows(
    engine: &Engine,
    partition: &AccountPartition,
    invocation: Invocation,
) -> Result<(usize, bool), StoreError> {
    let mut rows = 0;
    while !is_late(engine, invocation) {
        let removed = engine.store.remove_rows(partition).await?;
        rows += removed.rows;
        if !removed.is_more {
            return Ok((rows, true));
        }
        // Somebody writes them at the same moment.
        if removed.rows == 0 {
            break;
        }
    }
    Ok((rows, false))
}

/// Whether a connection was removed.
enum Removal {
    /// It is gone.
    Done,
    /// Something that was under way when it ended may write until then.
    NotBefore(Timestamp),
    /// Somebody changed it at the same moment.
    Changed,
}

/// Removes a connection, which names everything else, once nothing can be written for it any more.
async fn remove_connection(engine: &Engine, account: &AccountId) -> Result<Removal, StoreError> {
    // A claim or a use that it still has is given up with a change that leaves it as it is.
    let is_owner =
        |connection: &Connection| !connection.claims.is_empty() || !connection.grants.is_empty();
    change(engine, account, |connection| is_owner(&connection).then_some(connection)).await?;
    let Some(Versioned { record, version }) = engine.store.connection(account).await? else {
        return Ok(Removal::Done);
    };
    let settled_at =
        record.disconnected_at.map(|at| at.saturating_add(SETTLED_AFTER).unwrap_or(at));
    if let Some(at) = settled_at.filter(|at| *at > engine.clock.now()) {
        return Ok(Removal::NotBefore(at));
    }
    if is_owner(&record) || !has_ended(&record) {
        return Ok(Removal::Changed);
    }
    match engine.store.remove_connection(account, version).await {
        Ok(()) => Ok(Removal::Done),
        Err(StoreError::Conflict) => Ok(Removal::Changed),
        Err(error) => Err(error),
    }
}

fn is_late(engine: &Engine, invocation: Invocation) -> bool {
    engine.clock.now() > invocation.last_call
}

/// Finds out who uses which grant, where an earlier release did not write it down. Whether that is known now.
async fn find_uses(engine: &Engine, invocation: Invocation) -> Result<bool, StoreError> {
    upgrade::claim_existing(engine, invocation).await
}
