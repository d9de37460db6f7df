//! Releases stopped records once the condition for which they waited is met.

mod release_mappings;

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use domain::connection::UnusableConnection;
use domain::crm::credit_note::may_identify;
use domain::entity::EntityKind;
use domain::ids::Ledger;
use domain::mapping::{Mapping, MappingKey};
use domain::operation::{OperationEvent, OperationState, ParkingReason};
use futures::FutureExt;
use store::{LedgerScan, ShardScan, StoreError};

pub(crate) use self::release_mappings::ReleaseTiming;
use self::release_mappings::release_mappings;
use crate::errors::PersistError;
use crate::sync::{is_credit_note_in_xero, is_undecided};
use crate::{Engine, Invocation, concurrency};

/// Maximum records per shard of the index. The sweep releases the others.
const PER_SHARD: NonZeroU16 = NonZeroU16::new(250).expect("not zero");
/// Records that waited for one record, per page, and the maximum number of pages. The sweep
/// releases the others.
const PER_PAGE: NonZeroU16 = PER_SHARD;
const DEPENDANT_PAGES_MAX: u32 = 16;

/// Releases all parked records of a ledger whose connection works again. May be interrupted and
/// repeated.
pub(crate) async fn release_parked(engine: &Engine, ledger: &Ledger) -> Result<(), PersistError> {
    let keys = engine.store.list_parked(ledger, PER_SHARD).await?;
    let epoch = find_working_epoch(engine, ledger).await?;
    let (event, at_once) = (OperationEvent::Released, ReleaseTiming::AtOnce);
    let wanted = |mapping: &Mapping| has_other_epoch(mapping, epoch);
    release_mappings(engine, ledger, keys, event, at_once, wanted).await.map(drop)
}

/// Returns whether the connection may have started to work since the mapping was parked. A process
/// that was interrupted before it released the mapping must not release it for an epoch in which
/// the mapping has failed meanwhile.
fn has_other_epoch(mapping: &Mapping, epoch: Option<u64>) -> bool {
    let is_parked_for_connection =
        mapping.operation.state == OperationState::Parked { on: ParkingReason::Reconnect };
    !is_parked_for_connection || mapping.operation.failed_epoch != epoch
}

/// Releases the records that are parked on a record whose attempt has just succeeded. If the record
/// is in Xero, no other record can begin to wait for it, and the rows of those that did are
/// removed.
pub(crate) async fn release_dependants(
    engine: &Engine,
    done: &Mapping,
) -> Result<(), PersistError> {
    let key = &done.key;
    let (mut dependants, mut after) = (Vec::new(), None);
    for _ in 0..DEPENDANT_PAGES_MAX {
        let page = engine.store.list_dependants(key, after, PER_PAGE).await?;
        dependants.extend(page.dependants);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let keys = dependants.clone();
    let (event, at_once) = (OperationEvent::Released, ReleaseTiming::AtOnce);
    release_mappings(engine, &key.ledger, keys, event, at_once, |mapping| {
        let awaited = mapping.awaited_record();
        awaited.is_some_and(|one| one.kind == key.kind && may_identify(&one.crm_id, &key.crm_id))
    })
    .await?;
    if done.link.is_some() {
        engine.store.remove_dependants(key, &dependants).await?;
    }
    Ok(())
}

/// Releases what is parked on any of these records, which have just got their links.
pub(crate) async fn release_all_dependants(
    engine: &Engine,
    done: Vec<Mapping>,
) -> Result<(), PersistError> {
    for done in engine.store.select_awaited(done).await? {
        release_dependants(engine, &done).await?;
    }
    Ok(())
}

/// Releases records that could not be translated, after the settings have changed, while there is
/// time. A first Sync All with a wrong account may have given up thousands. If time runs out, a Sync
/// All or another change of the settings releases the others. An error of some records is returned
/// after the others are released.
pub(crate) async fn release_untranslatable(
    engine: &Engine,
    ledger: &Ledger,
    invocation: Invocation,
) -> Result<(), PersistError> {
    let (mut scan, mut failed) = (LedgerScan::new(), None);
    while !scan.is_done() {
        let keys = engine.store.list_next_skipped(ledger, &mut scan, PER_SHARD).await?;
        let (event, at_once) = (OperationEvent::Released, ReleaseTiming::AtOnce);
        let released = release_mappings(engine, ledger, keys, event, at_once, |_| true).await;
        failed = failed.or(released.err());
        if !scan.is_done() && engine.clock.now() > invocation.last_call {
            tracing::warn!(
                account.id = %ledger.account,
                "not every record that was given up was released after a change of the settings"
            );
            break;
        }
    }
    failed.map_or(Ok(()), Err)
}

/// The result of an operator's command to release records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutageReleaseSummary {
    /// Records that were released; wake-ups for them are in the queues.
    pub records: usize,
    /// Records that were checked.
    pub looked_at: usize,
    /// Whether time ran out before all were checked. Then repeat the command.
    pub is_cut_short: bool,
}

/// Releases records that were given up because Xero was unavailable for longer than the ladder, so
/// that an operator need not ask every customer to run Sync All. Records given up for their own
/// reasons stay. A failure of one ledger is returned after the others are done. Repeating it does
/// no harm.
pub async fn release_after_outage(
    engine: &Engine,
    invocation: Invocation,
) -> Result<OutageReleaseSummary, PersistError> {
    let mut given = OutageReleaseSummary::default();
    let mut failed = None;
    let mut scan = ShardScan::from_shard(0);
    while let Some((shard, after)) = scan.next_page() {
        if engine.clock.now() > invocation.last_call {
            given.is_cut_short = true;
            break;
        }
        let keys = scan.take_page(engine.store.list_given_up(shard, after, PER_SHARD).await?);
        given.looked_at += keys.len();
        let mut ledgers: BTreeMap<Ledger, Vec<MappingKey>> = BTreeMap::new();
        for key in keys {
            ledgers.entry(key.ledger.clone()).or_default().push(key);
        }
        let released = ledgers.iter().map(|(ledger, keys)| {
            let (event, at_once) = (OperationEvent::Outlived, ReleaseTiming::AtOnce);
            release_mappings(engine, ledger, keys.clone(), event, at_once, |_| true).boxed()
        });
        for released in concurrency::map_concurrently(released.collect()).await {
            match released {
                Ok(records) => given.records += records,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(given),
    }
}

/// Releases a mapping that was parked without a working connection, if the connection has started
/// to work after the attempt began. Otherwise the next attempt would fail for the same reason. Each
/// epoch of the connection releases a mapping once, so it continues at once.
pub(crate) async fn release_if_connected(
    engine: &Engine,
    mapping: &Mapping,
) -> Result<(), PersistError> {
    let key = &mapping.key;
    if let Some(epoch) = find_working_epoch(engine, &key.ledger).await?
        && mapping.operation.failed_epoch != Some(epoch)
    {
        let (event, at_once) = (OperationEvent::Released, ReleaseTiming::AtOnce);
        let wanted = |mapping: &Mapping| has_other_epoch(mapping, Some(epoch));
        release_mappings(engine, &key.ledger, vec![key.clone()], event, at_once, wanted).await?;
    }
    Ok(())
}

/// Releases a mapping that was parked on another record, if that record is now in Xero.
pub(crate) async fn release_if_prerequisite_met(
    engine: &Engine,
    mapping: &Mapping,
    timing: ReleaseTiming,
) -> Result<(), PersistError> {
    if is_prerequisite_met(engine, mapping).await? {
        let (key, event) = (&mapping.key, OperationEvent::Released);
        release_mappings(engine, &key.ledger, vec![key.clone()], event, timing, |_| true).await?;
    }
    Ok(())
}

/// Releases those of the given parked mappings whose condition is met although no wake-up arrived.
/// The sweep calls this once every five minutes for each, so they continue at once.
pub(crate) async fn release_overlooked(
    engine: &Engine,
    ledger: &Ledger,
    keys: Vec<MappingKey>,
) -> Result<(), PersistError> {
    let epoch = find_working_epoch(engine, ledger).await?;
    let mut ready = Vec::new();
    for key in keys {
        let is_ready = is_ready(engine, &key, epoch).boxed();
        if engine.skip_failing(&ledger.account, is_ready).await? == Some(true) {
            ready.push(key);
        }
    }
    let (event, at_once) = (OperationEvent::Released, ReleaseTiming::AtOnce);
    let wanted = |mapping: &Mapping| has_other_epoch(mapping, epoch);
    release_mappings(engine, ledger, ready, event, at_once, wanted).await.map(drop)
}

/// Returns whether the condition of a parked mapping is met. `epoch` is that of its connection, if
/// that works.
async fn is_ready(
    engine: &Engine,
    key: &MappingKey,
    epoch: Option<u64>,
) -> Result<bool, StoreError> {
    let Some(row) = engine.store.find_mapping(key).await? else { return Ok(false) };
    Ok(match row.record.operation.state {
        OperationState::Parked { on: ParkingReason::Reconnect } => {
            epoch.is_some() && row.record.operation.failed_epoch != epoch
        }
        OperationState::Parked { on: ParkingReason::Prerequisite { .. } } => {
            epoch.is_some() && is_prerequisite_met(engine, &row.record).await?
        }
        OperationState::Due
        | OperationState::Claimed { by: _, until: _ }
        | OperationState::Waiting { until: _ }
        | OperationState::Synced
        | OperationState::Skipped
        | OperationState::Withheld => false,
    })
}

/// Returns the epoch of a ledger's connection, if the connection works.
pub(crate) async fn find_working_epoch(
    engine: &Engine,
    ledger: &Ledger,
) -> Result<Option<u64>, StoreError> {
    let connection = engine.store.find_connection(&ledger.account).await?;
    let connection = connection.map(|row| row.record);
    let connection = connection.filter(|one| one.current_ledger().as_ref() == Some(ledger));
    Ok(connection.and_then(|connection| match connection.usable_organisation(engine.clock.now()) {
        Ok(_) | Err(UnusableConnection::PausedUntil(_)) => Some(connection.epoch),
        Err(
            UnusableConnection::NotConnected
            | UnusableConnection::TokenExpired
            | UnusableConnection::Unavailable,
        ) => None,
    }))
}

async fn is_prerequisite_met(engine: &Engine, mapping: &Mapping) -> Result<bool, StoreError> {
    let Some(awaited) = mapping.awaited_record() else { return Ok(false) };
    // Whether the record is in Xero, if it is awaited by another name than its id.
    let by_other_name = match awaited.kind {
        EntityKind::CreditNote => is_credit_note_in_xero(engine, mapping).await,
        EntityKind::Contact
        | EntityKind::Invoice
        | EntityKind::Allocation
        | EntityKind::Payment => Ok(None),
    };
    match by_other_name {
        Err(error) if error.is_about_the_record() => return Ok(false),
        Err(error) => return Err(error),
        Ok(Some(is_met)) => return Ok(is_met),
        Ok(None) => {}
    }
    match engine.store.find_mapping(&awaited).await {
        // Code that needs the unreadable row itself reports it.
        Err(error) if error.is_about_the_record() => return Ok(false),
        // Only payments and allocations wait for an invoice, and Xero accepts neither before its
        // approval.
        row => {
            let awaited = row?.map(|row| row.record);
            if !awaited.is_some_and(|one| one.link.is_some() && !one.is_unapproved_in_xero()) {
                return Ok(false);
            }
        }
    }
    match is_undecided(engine, mapping).await {
        Err(error) if error.is_about_the_record() => Ok(false),
        undecided => Ok(!undecided?),
    }
}
