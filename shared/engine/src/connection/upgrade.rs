//! Upgrades rows that an earlier release wrote, each upgrade once for all accounts.
//!
//! The hourly health check performs them. A connect performs those on which it depends itself. They
//! may be interrupted and repeated.

use std::num::NonZeroU16;

use domain::connection::Connection;
use domain::ids::AccountId;
use domain::mapping::MappingKey;
use futures::FutureExt;
use store::table::WriteExpectation;
use store::{ShardScan, StoreError};

use crate::connection::change_connection;
use crate::connection::token::CLAIMS_UPGRADE;
use crate::{Engine, Invocation, concurrency};

/// Accounts read per page of the index.
const PAGE: NonZeroU16 = NonZeroU16::new(250).expect("not zero");

/// The upgrade that adds every record that was given up to the `attention` index.
const ATTENTION_UPGRADE: &str = "attention";

/// The upgrade that makes every record that waits for another one findable by that one's key.
const DEPENDANTS_UPGRADE: &str = "dependants";

/// The connections that have their claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimProgress {
    /// All connections.
    All,
    /// All connections whose rows can be read. The grants of the others are unknown, so no grant is
    /// revoked.
    AllReadable,
    /// Not all connections, because time ran out.
    CutShort,
}

/// Performs every outstanding upgrade while there is time.
pub(crate) async fn perform_upgrades(
    engine: &Engine,
    invocation: Invocation,
) -> Result<(), StoreError> {
    match claim_existing_connections(engine, invocation).await? {
        ClaimProgress::All | ClaimProgress::AllReadable => {
            index_given_up(engine, invocation).await?;
            record_dependants(engine, invocation).await
        }
        ClaimProgress::CutShort => Ok(()),
    }
}

/// Ensures that every connection that can be read has its claims. Until then, the owner of an
/// organisation is unknown.
pub(crate) async fn require_claims(
    engine: &Engine,
    invocation: Invocation,
) -> Result<(), StoreError> {
    match claim_existing_connections(engine, invocation).await? {
        ClaimProgress::All | ClaimProgress::AllReadable => Ok(()),
        ClaimProgress::CutShort => Err(StoreError::Conflict),
    }
}

/// Gives every connection of an earlier release the claims on its organisation and its grant, so
/// that no other account can connect to the organisation. If two accounts share an organisation,
/// the first one found gets the claim, and both continue to work. A connection whose row cannot be
/// read is reported, and the upgrade is not done.
pub(crate) async fn claim_existing_connections(
    engine: &Engine,
    invocation: Invocation,
) -> Result<ClaimProgress, StoreError> {
    if engine.store.is_upgraded(CLAIMS_UPGRADE).await? {
        return Ok(ClaimProgress::All);
    }
    let mut claims = ClaimProgress::All;
    let mut scan = ShardScan::from_shard(0);
    while let Some((shard, after)) = scan.next_page() {
        if invocation.is_past_last_call(engine.clock.now()) {
            return Ok(ClaimProgress::CutShort);
        }
        let ledgers = scan.take_page(engine.store.list_polled(shard, after, PAGE).await?);
        let accounts = ledgers.into_iter().map(|ledger| ledger.account).collect();
        claim_for_accounts(engine, accounts, &mut claims).await?;
    }
    // Connected accounts that are not polled, such as expired ones, have at least a sync log.
    let mut scan = ShardScan::from_shard(0);
    while let Some((shard, after)) = scan.next_page() {
        if invocation.is_past_last_call(engine.clock.now()) {
            return Ok(ClaimProgress::CutShort);
        }
        let accounts = scan.take_page(engine.store.list_logged(shard, after, PAGE).await?);
        claim_for_accounts(engine, accounts, &mut claims).await?;
    }
    if claims == ClaimProgress::All {
        engine.store.put_upgraded(CLAIMS_UPGRADE).await?;
    }
    Ok(claims)
}

/// Gives the connections of these accounts their claims. Sets `claims` if a row cannot be read.
async fn claim_for_accounts(
    engine: &Engine,
    accounts: Vec<AccountId>,
    claims: &mut ClaimProgress,
) -> Result<(), StoreError> {
    let claimed = accounts
        .iter()
        .map(|account| engine.skip_failing(account, claim_for_account(engine, account)).boxed());
    for claimed in concurrency::map_concurrently(claimed.collect()).await {
        if claimed?.is_none() {
            *claims = ClaimProgress::AllReadable;
        }
    }
    Ok(())
}

async fn claim_for_account(engine: &Engine, account: &AccountId) -> Result<(), StoreError> {
    let lacks = |connection: &Connection| {
        let tenants = connection.wanted_claims();
        let grants = connection.wanted_grants();
        tenants.iter().any(|tenant| !connection.claims.contains(tenant))
            || grants.iter().any(|grant| !connection.grants.contains(grant))
    };
    // Writing the connection unchanged adds its missing claims.
    let claimed =
        change_connection(engine, account, |connection| lacks(&connection).then_some(connection));
    if let Some(connection) = claimed.await?
        && lacks(&connection)
    {
        tracing::warn!(account.id = %account, "another account has claimed the organisation");
    }
    Ok(())
}

/// Rewrites every record that was given up, which adds it to the `attention` index. A record that
/// cannot be read or written is reported and left out.
async fn index_given_up(engine: &Engine, invocation: Invocation) -> Result<(), StoreError> {
    if engine.store.is_upgraded(ATTENTION_UPGRADE).await? {
        return Ok(());
    }
    let mut scan = ShardScan::from_shard(0);
    while let Some((shard, after)) = scan.next_page() {
        if invocation.is_past_last_call(engine.clock.now()) {
            return Ok(());
        }
        let given_up = scan.take_page(engine.store.list_given_up(shard, after, PAGE).await?);
        let indexed = given_up
            .iter()
            .map(|key| engine.skip_failing(&key.ledger.account, index_record(engine, key)).boxed());
        for indexed in concurrency::map_concurrently(indexed.collect()).await {
            indexed?;
        }
    }
    engine.store.put_upgraded(ATTENTION_UPGRADE).await
}

async fn index_record(engine: &Engine, key: &MappingKey) -> Result<(), StoreError> {
    let Some(row) = engine.store.find_mapping(key).await? else { return Ok(()) };
    if row.record.operation.failed_at.is_some() {
        return Ok(());
    }
    match engine.store.put_mapping(&row.record, WriteExpectation::Version(row.version), None).await
    {
        // Another process has written the row, which indexed it.
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Records for every parked record which one it waits for. Until then, and for records that an
/// earlier release parks during the upgrade, the sweep releases them. A record that cannot be read
/// or written is reported and left out.
async fn record_dependants(engine: &Engine, invocation: Invocation) -> Result<(), StoreError> {
    if engine.store.is_upgraded(DEPENDANTS_UPGRADE).await? {
        return Ok(());
    }
    let mut scan = ShardScan::from_shard(0);
    while let Some((shard, after)) = scan.next_page() {
        if invocation.is_past_last_call(engine.clock.now()) {
            return Ok(());
        }
        let parked = scan.take_page(engine.store.list_all_parked(shard, after, PAGE).await?);
        let recorded = parked.iter().map(|key| {
            engine.skip_failing(&key.ledger.account, record_dependant(engine, key)).boxed()
        });
        for recorded in concurrency::map_concurrently(recorded.collect()).await {
            recorded?;
        }
    }
    engine.store.put_upgraded(DEPENDANTS_UPGRADE).await
}

async fn record_dependant(engine: &Engine, key: &MappingKey) -> Result<(), StoreError> {
    let Some(row) = engine.store.find_mapping(key).await? else { return Ok(()) };
    match row.record.awaited_record() {
        Some(awaited) => engine.store.record_dependant(&row.record.key, &awaited).await,
        None => Ok(()),
    }
}
