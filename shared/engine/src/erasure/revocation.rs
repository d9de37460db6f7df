//! Ends connections for an operator, and revokes every grant that no other account uses, including
//! grants that no connection uses any more.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;

use domain::connection::Connection;
use domain::ids::{AccountId, GrantId};
use futures::FutureExt;
use serde::Serialize;
use store::{StoreError, Walk};

use super::{find_uses, is_late};
use crate::chain::Chain;
use crate::disconnect::{Disconnected, disconnect};
use crate::{Engine, Invocation, abreast, token};

/// Accounts read per page of the index.
const PAGE: NonZeroU16 = NonZeroU16::new(250).expect("not zero");

/// The result of ending an account's connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// Whether nothing of it is left here or at Xero. Otherwise repeat the command.
    pub done: bool,
    /// Whether the account has a connection at all, including an ended one.
    pub known: bool,
    /// Whether there was something to end: a connection, a connect in progress, or an unused link.
    pub ended: bool,
}

impl Ended {
    const UNKNOWN: Self = Self { done: true, known: false, ended: false };
}

/// How far all connections have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Revoked {
    /// Whether every connection has ended, here and at Xero. Otherwise repeat the command.
    pub done: bool,
    /// Accounts that were processed.
    pub accounts: usize,
    /// Connections ended by this run.
    pub ended: usize,
    /// Accounts that are not finished, because time ran out or Xero did not answer.
    pub later: usize,
    /// Accounts that could not be processed, because the table did not answer.
    pub failed: usize,
}

/// Ends an account's connection for good: no new work starts, its links at Xero are removed, and
/// its grants are revoked and their secrets deleted unless another account uses them. Another
/// account can then connect to the organisation. Records stay, so that a reconnect finds them.
pub async fn end_connection(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<Ended, StoreError> {
    let Some(row) = engine.store.connection(account).await? else { return Ok(Ended::UNKNOWN) };
    let ended = !has_ended(&row.record) || !row.record.leftovers.is_empty();
    if !find_uses(engine, invocation).await? {
        return Ok(Ended { done: false, known: true, ended });
    }
    // This comes first: an ended connection no longer names the grants of organisations that were
    // only offered.
    let are_revoked = end_unlinked(engine, &row.record).await;
    if !are_revoked {
        return Ok(Ended { done: false, known: true, ended });
    }
    let done = disconnect(engine, account, invocation).await? == Disconnected::Done;
    Ok(Ended { done, known: true, ended })
}

/// Ends every connection and revokes every grant. The CRM receives one event for each account.
pub async fn revoke_all(engine: &Engine, invocation: Invocation) -> Result<Revoked, StoreError> {
    let mut revoked = Revoked::default();
    if !find_uses(engine, invocation).await? {
        return Ok(revoked);
    }
    let mut seen = BTreeSet::new();
    // Working connections come first.
    let mut walk = Walk::from_shard(0);
    while let Some((shard, after)) = walk.place() {
        if is_late(engine, invocation) {
            return Ok(revoked);
        }
        let ledgers = walk.turn(engine.store.polled(shard, after, PAGE).await?);
        let accounts = ledgers.into_iter().map(|ledger| ledger.account);
        let new = accounts.filter(|account| seen.insert(account.clone())).collect();
        revoke(engine, new, invocation, &mut revoked).await;
    }
    let mut walk = Walk::from_shard(0);
    while let Some((shard, after)) = walk.place() {
        if is_late(engine, invocation) {
            return Ok(revoked);
        }
        let accounts = walk.turn(engine.store.with_log(shard, after, PAGE).await?);
        let accounts = accounts.into_iter();
        let new = accounts.filter(|account| seen.insert(account.clone())).collect();
        revoke(engine, new, invocation, &mut revoked).await;
    }
    revoked.done = revoked.later == 0 && revoked.failed == 0;
    Ok(revoked)
}

async fn revoke(
    engine: &Engine,
    accounts: Vec<AccountId>,
    invocation: Invocation,
    revoked: &mut Revoked,
) {
    let ends = accounts.iter().map(|account| {
        let ended = end_in_time(engine, account, invocation);
        engine.skip_failing(account, ended).boxed()
    });
    for (account, ended) in accounts.iter().zip(abreast::all(ends.collect()).await) {
        revoked.accounts += 1;
        match ended {
            Ok(Some(ended)) => {
                revoked.ended += usize::from(ended.ended);
                revoked.later += usize::from(!ended.done);
            }
            Ok(None) => revoked.failed += 1,
            Err(error) => {
                tracing::error!(
                    error = %Chain(&error),
                    account.id = %account,
                    "a connection was not ended; repeat the command"
                );
                revoked.failed += 1;
            }
        }
    }
}

async fn end_in_time(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<Ended, StoreError> {
    if is_late(engine, invocation) {
        return Ok(Ended { done: false, known: true, ended: false });
    }
    end_connection(engine, account, invocation).await
}

/// Returns whether a connection has ended here, regardless of its links at Xero.
pub(super) fn has_ended(connection: &Connection) -> bool {
    !connection.state.is_connected()
        && connection.pending.is_none()
        && connection.offered.is_empty()
}

/// Ends the grants that a connection names without a link in use or an unused one. Returns whether
/// none is left.
async fn end_unlinked(engine: &Engine, connection: &Connection) -> bool {
    let account = &connection.account;
    let mut are_ended = true;
    for (grant, serial) in unlinked_grants(connection) {
        match token::end_unused(engine, grant, serial).await {
            Ok(token::Ended::Done) => {}
            Ok(token::Ended::Later) => are_ended = false,
            Err(error) => {
                tracing::warn!(
                    error = %Chain(&error),
                    account.id = %account,
                    "a grant was not revoked; repeat the command"
                );
                are_ended = false;
            }
        }
    }
    are_ended
}

/// Returns the grants of organisations that were only offered, and of one that an earlier release
/// disconnected without deleting the secret, each with the serial of its newest consent.
fn unlinked_grants(connection: &Connection) -> BTreeMap<GrantId, u64> {
    let is_connected = connection.state.is_connected();
    let organisation = connection.organisation.iter();
    let linked = organisation.clone().filter(|_| is_connected).chain(&connection.leftovers);
    let linked: BTreeSet<GrantId> = linked.map(|one| one.grant).collect();
    let mut unlinked: BTreeMap<GrantId, u64> = BTreeMap::new();
    for one in organisation.filter(|_| !is_connected).chain(&connection.offered) {
        if !linked.contains(&one.grant) {
            let serial = unlinked.entry(one.grant).or_default();
            *serial = one.serial.max(*serial);
        }
    }
    unlinked
}
