//! Releases stopped records once the condition for which they waited is met.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use domain::connection::UnusableConnection;
use domain::crm::credit_note::may_identify;
use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::{OperationEvent, OperationState, ParkingReason};
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use store::table::WriteExpectation;
use store::{ShardScan, StoreError, VersionedRecord};

use crate::errors::PersistError;
use crate::sync::is_credit_note_in_xero;
use crate::{Engine, Invocation, concurrency};

/// Of each of the index's shards. What is beyond is released by the sweep.
const PER_SHARD: NonZeroU16 = NonZeroU16::new(250).expect("not zero");
/// A schedule may not lie in the past when it is made, and none fires more exactly than this.
const WAKE_UP_DELAY: SignedDuration = SignedDuration::from_secs(60);

/// Releases everything of a ledger that is parked: its connection works again. Repeating it, or
/// being interrupted, does no harm.
pub(crate) async fn release_parked(engine: &Engine, ledger: &Ledger) -> Result<(), PersistError> {
    let keys = engine.store.list_parked(ledger, PER_SHARD).await?;
    release_mappings(engine, ledger, keys, OperationEvent::Released, |_| true).await.map(drop)
}

/// Releases what is parked on a document that has just come into being in Xero.
pub(crate) async fn release_waiting_for(
    engine: &Engine,
    done: &MappingKey,
) -> Result<(), PersistError> {
    let keys = engine.store.list_parked(&done.ledger, PER_SHARD).await?;
    release_mappings(engine, &done.ledger, keys, OperationEvent::Released, |mapping| {
        awaited_prerequisite(mapping)
            .is_some_and(|(kind, crm_id)| kind == done.kind && may_identify(crm_id, &done.crm_id))
    })
    .await
    .map(drop)
}

/// Releases records that could not be translated, after the settings have changed.
pub(crate) async fn release_untranslatable(
    engine: &Engine,
    ledger: &Ledger,
) -> Result<(), PersistError> {
    let keys = engine.store.list_skipped(ledger, PER_SHARD).await?;
    release_mappings(engine, ledger, keys, OperationEvent::Released, |_| true).await.map(drop)
}

/// The result of an operator's release.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutageReleaseSummary {
    /// Records that are tried again within a minute or two.
    pub records: usize,
    /// Records that were looked at.
    pub looked_at: usize,
    /// Whether there was no time for all: ask again.
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
    let mut walk = ShardScan::from_shard(0);
    while let Some((shard, after)) = walk.next_page() {
        if engine.clock.now() > invocation.last_call {
            given.is_cut_short = true;
            break;
        }
        let keys = walk.take_page(engine.store.list_given_up(shard, after, PER_SHARD).await?);
        given.looked_at += keys.len();
        let mut ledgers: BTreeMap<Ledger, Vec<MappingKey>> = BTreeMap::new();
        for key in keys {
            ledgers.entry(key.ledger.clone()).or_default().push(key);
        }
        let released = ledgers.iter().map(|(ledger, keys)| {
            release_mappings(engine, ledger, keys.clone(), OperationEvent::Outlived, |_| true)
                .boxed()
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

/// Releases one mapping that was parked for want of a connection, if that has changed since: the
/// connection has started to work after the attempt began. Otherwise the next attempt would fail
/// for the same reason.
pub(crate) async fn release_if_connected(
    engine: &Engine,
    mapping: &Mapping,
) -> Result<(), PersistError> {
    let key = &mapping.key;
    if let Some(epoch) = working_epoch(engine, &key.ledger).await?
        && mapping.operation.failed_epoch != Some(epoch)
    {
        release_mappings(engine, &key.ledger, vec![key.clone()], OperationEvent::Released, |_| {
            true
        })
        .await?;
    }
    Ok(())
}

/// Releases one mapping that was parked on another, if that one is in Xero by now.
pub(crate) async fn release_if_prerequisite_met(
    engine: &Engine,
    mapping: &Mapping,
) -> Result<(), PersistError> {
    if is_prerequisite_met(engine, mapping).await? {
        let key = &mapping.key;
        release_mappings(engine, &key.ledger, vec![key.clone()], OperationEvent::Released, |_| {
            true
        })
        .await?;
    }
    Ok(())
}

/// Releases those of some parked mappings whose condition is met although no wake-up arrived.
pub(crate) async fn release_overlooked(
    engine: &Engine,
    ledger: &Ledger,
    keys: Vec<MappingKey>,
) -> Result<(), PersistError> {
    let epoch = working_epoch(engine, ledger).await?;
    let mut ready = Vec::new();
    for key in keys {
        let is_ready = is_ready(engine, &key, epoch).boxed();
        if engine.skip_failing(&ledger.account, is_ready).await? == Some(true) {
            ready.push(key);
        }
    }
    release_mappings(engine, ledger, ready, OperationEvent::Released, |_| true).await.map(drop)
}

/// Returns whether what a parked mapping waits for has happened. `epoch` is that of its connection,
/// if that works.
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

/// The epoch of a ledger's connection, if the connection works.
pub(crate) async fn working_epoch(
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
    let Some((kind, crm_id)) = awaited_prerequisite(mapping) else { return Ok(false) };
    if kind == EntityKind::CreditNote {
        match is_credit_note_in_xero(engine, mapping).await {
            Err(error) if error.is_about_the_record() => return Ok(false),
            Err(error) => return Err(error),
            Ok(Some(is_met)) => return Ok(is_met),
            Ok(None) => {}
        }
    }
    let key = MappingKey::new(mapping.key.ledger.clone(), kind, crm_id.clone());
    match engine.store.find_mapping(&key).await {
        // Whoever reads it for its own sake reports it.
        Err(error) if error.is_about_the_record() => Ok(false),
        row => Ok(row?.is_some_and(|row| row.record.link.is_some())),
    }
}

fn awaited_prerequisite(mapping: &Mapping) -> Option<(EntityKind, &CrmId)> {
    match &mapping.operation.state {
        OperationState::Parked { on: ParkingReason::Prerequisite { kind, crm_id } } => {
            Some((*kind, crm_id))
        }
        OperationState::Parked { on: ParkingReason::Reconnect }
        | OperationState::Due
        | OperationState::Claimed { by: _, until: _ }
        | OperationState::Waiting { until: _ }
        | OperationState::Synced
        | OperationState::Skipped
        | OperationState::Withheld => None,
    }
}

/// Releases those of the mappings that are wanted and stopped, and schedules wake-ups for them, 50
/// at a time. Returns how many. A mapping that can never be released is reported and left out. Any
/// other failure of one is returned after the others are released and their wake-ups scheduled.
async fn release_mappings(
    engine: &Engine,
    ledger: &Ledger,
    keys: Vec<MappingKey>,
    event: OperationEvent,
    wanted: impl Fn(&Mapping) -> bool + Sync,
) -> Result<usize, PersistError> {
    let (event, wanted) = (&event, &wanted);
    let ends = keys.iter().map(|key| {
        let released = release_mapping(engine, key, event, wanted);
        engine.skip_failing(&key.ledger.account, released).boxed()
    });
    let (mut released, mut failed) = (Vec::new(), None);
    for end in concurrency::map_concurrently(ends.collect()).await {
        match end {
            Ok(one) => released.extend(one.flatten()),
            Err(error) => failed = failed.or(Some(PersistError::from(error))),
        }
    }
    let now = engine.clock.now();
    let at = now.saturating_add(WAKE_UP_DELAY).unwrap_or(now);
    for kind in EntityKind::ALL {
        let of_kind = released.iter().filter(|(one, _)| *one == kind);
        let looks: Vec<(CrmId, Timestamp)> =
            of_kind.map(|(_, crm_id)| (crm_id.clone(), at)).collect();
        for (_, booked) in engine.schedule_wake_ups(ledger, kind, looks).await {
            failed = failed.or(booked.err().map(PersistError::from));
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(released.len()),
    }
}

/// Gives the mapping if it was released.
async fn release_mapping(
    engine: &Engine,
    key: &MappingKey,
    event: &OperationEvent,
    wanted: &(impl Fn(&Mapping) -> bool + Sync),
) -> Result<Option<(EntityKind, CrmId)>, StoreError> {
    let known = engine.store.find_mapping(key).await?;
    let Some(VersionedRecord { record, version }) = known else { return Ok(None) };
    let stopped = matches!(
        record.operation.state,
        OperationState::Parked { on: _ } | OperationState::Skipped
    );
    if !stopped || !wanted(&record) {
        return Ok(None);
    }
    let Ok(released) = record.apply_event(event.clone(), engine.clock.now()) else {
        return Ok(None);
    };
    match engine.store.put_mapping(&released, WriteExpectation::Version(version), None).await {
        Ok(_) => Ok(Some((key.kind, key.crm_id.clone()))),
        // Another process has changed it.
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error),
    }
}
