//! Ends connections for an operator, and revokes every grant that no other account uses, including
//! grants that no connection uses any more.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;

use domain::connection::Connection;
use domain::ids::{AccountId, GrantId};
use futures::FutureExt;
use serde::Serialize;
use store::{ShardScan, StoreError};

use super::find_grant_uses;
use crate::connection::disconnect::{DisconnectOutcome, disconnect_account};
use crate::connection::token;
use crate::error_chain::ErrorChain;
use crate::{Engine, Invocation, concurrency};

/// Accounts read per page of the index.
const PAGE: NonZeroU16 = NonZeroU16::new(250).expect("not zero");

/// The result of ending an account's connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct EndConnectionOutcome {
    /// Whether the connection has ended here and at Xero. Otherwise repeat the command.
    pub done: bool,
    /// Whether the account has a connection at all, including an ended one.
    pub known: bool,
    /// Whether there was something to end: a connection, a connect in progress, or an unused link.
    pub ended: bool,
}

impl EndConnectionOutcome {
    const UNKNOWN: Self = Self { done: true, known: false, ended: false };
}

/// The progress of ending all connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RevocationSummary {
    /// Whether every connection has ended, here and at Xero. Otherwise repeat the command.
    pub done: bool,
    /// Accounts that were processed.
    pub accounts: usize,
    /// Connections ended by this run.
    pub ended: usize,
    /// Accounts that are not finished, because time ran out or Xero did not respond.
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
) -> Result<EndConnectionOutcome, StoreError> {
    let Some(row) = engine.store.find_connection(account).await? else {
        return Ok(EndConnectionOutcome::UNKNOWN);
    };
    if !find_grant_uses(engine, invocation).await? {
        let ended = has_something_to_end(&row.record);
        return Ok(EndConnectionOutcome { done: false, known: true, ended });
    }
    end_with_known_uses(engine, &row.record, invocation).await
}

/// Ends a connection after it was determined which accounts use which grants. That reads all
/// accounts if the row of one cannot be read, so it is done once for all connections that a command
/// ends.
async fn end_with_known_uses(
    engine: &Engine,
    connection: &Connection,
    invocation: Invocation,
) -> Result<EndConnectionOutcome, StoreError> {
    let ended = has_something_to_end(connection);
    // This comes first: an ended connection no longer names the grants of organisations that were
    // only offered.
    let are_revoked = end_unlinked_grants(engine, connection).await;
    if !are_revoked {
        return Ok(EndConnectionOutcome { done: false, known: true, ended });
    }
    let disconnected = disconnect_account(engine, &connection.account, invocation).await?;
    let done = disconnected == DisconnectOutcome::Done;
    Ok(EndConnectionOutcome { done, known: true, ended })
}

fn has_something_to_end(connection: &Connection) -> bool {
    !has_ended(connection) || !connection.leftovers.is_empty()
}

/// Ends every connection and revokes every grant. The CRM receives one event for each account.
pub async fn revoke_all_grants(
    engine: &Engine,
    invocation: Invocation,
) -> Result<RevocationSummary, StoreError> {
    let mut revoked = RevocationSummary::default();
    if !find_grant_uses(engine, invocation).await? {
        return Ok(revoked);
    }
    let mut seen = BTreeSet::new();
    // Working connections come first.
    let mut scan = ShardScan::from_shard(0);
    while let Some((shard, after)) = scan.next_page() {
        if invocation.is_past_last_call(engine.clock.now()) {
            return Ok(revoked);
        }
        let ledgers = scan.take_page(engine.store.list_polled(shard, after, PAGE).await?);
        let accounts = ledgers.into_iter().map(|ledger| ledger.account);
        let new = accounts.filter(|account| seen.insert(account.clone())).collect();
        end_connections(engine, new, invocation, &mut revoked).await;
    }
    let mut scan = ShardScan::from_shard(0);
    while let Some((shard, after)) = scan.next_page() {
        if invocation.is_past_last_call(engine.clock.now()) {
            return Ok(revoked);
        }
        let accounts = scan.take_page(engine.store.list_logged(shard, after, PAGE).await?);
        let accounts = accounts.into_iter();
        let new = accounts.filter(|account| seen.insert(account.clone())).collect();
        end_connections(engine, new, invocation, &mut revoked).await;
    }
    revoked.done = revoked.later == 0 && revoked.failed == 0;
    Ok(revoked)
}

async fn end_connections(
    engine: &Engine,
    accounts: Vec<AccountId>,
    invocation: Invocation,
    revoked: &mut RevocationSummary,
) {
    let endings = accounts.iter().map(|account| {
        let ended = end_connection_in_time(engine, account, invocation);
        engine.skip_failing(account, ended).boxed()
    });
    for (account, ended) in
        accounts.iter().zip(concurrency::map_concurrently(endings.collect()).await)
    {
        revoked.accounts += 1;
        match ended {
            Ok(Some(ended)) => {
                revoked.ended += usize::from(ended.ended);
                revoked.later += usize::from(!ended.done);
            }
            Ok(None) => revoked.failed += 1,
            Err(error) => {
                tracing::error!(
                    error = %ErrorChain(&error),
                    account.id = %account,
                    "a connection was not ended; repeat the command"
                );
                revoked.failed += 1;
            }
        }
    }
}

async fn end_connection_in_time(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<EndConnectionOutcome, StoreError> {
    if invocation.is_past_last_call(engine.clock.now()) {
        return Ok(EndConnectionOutcome { done: false, known: true, ended: false });
    }
    match engine.store.find_connection(account).await? {
        Some(row) => end_with_known_uses(engine, &row.record, invocation).await,
        None => Ok(EndConnectionOutcome::UNKNOWN),
    }
}

/// Returns whether a connection has ended here, regardless of its links at Xero.
pub(super) fn has_ended(connection: &Connection) -> bool {
    !connection.state.is_connected()
        && connection.pending.is_none()
        && connection.offered.is_empty()
}

/// Ends the grants that a connection names without a link in use or an unused one. Returns whether
/// all have ended.
async fn end_unlinked_grants(engine: &Engine, connection: &Connection) -> bool {
    let account = &connection.account;
    let mut are_ended = true;
    for (grant, serial) in unlinked_grants(connection) {
        match token::end_unused_grant(engine, grant, serial).await {
            Ok(token::EndGrantOutcome::Done) => {}
            Ok(token::EndGrantOutcome::Later) => are_ended = false,
            Err(error) => {
                tracing::warn!(
                    error = %ErrorChain(&error),
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
