//! Releases parked records whose condition is met although no wake-up arrived.

use domain::ids::Ledger;
use domain::mapping::{Mapping, MappingKey};
use domain::operation::{OperationState, ParkingReason};
use futures::FutureExt;
use store::{ReadAheadKeys, StoreError};

use super::{
    ReleaseTerms, find_working_epoch, has_failed_before, is_prerequisite_met, release_mappings,
};
use crate::Engine;
use crate::errors::PersistError;

/// Records that are read together. With the longest snapshots, they take 13 MB of memory, and those
/// for which they wait as much.
const READ_TOGETHER: usize = 50;

/// Releases those of the given parked mappings whose condition is met although no wake-up arrived.
/// The sweep calls this once every five minutes for each, so they continue at once.
pub(crate) async fn release_overlooked(
    engine: &Engine,
    ledger: &Ledger,
    keys: Vec<MappingKey>,
) -> Result<(), PersistError> {
    let epoch = find_working_epoch(engine, ledger).await?;
    let mut ready = Vec::new();
    for keys in keys.chunks(READ_TOGETHER) {
        ready.extend(list_ready(engine, ledger, keys, epoch).await?);
    }
    let terms = ReleaseTerms { epoch, ..ReleaseTerms::AT_ONCE };
    release_mappings(engine, ledger, ready, terms, |_| true).await.map(drop)
}

/// Returns those of the parked mappings whose condition is met. Their rows are read together, and so
/// are the records for which they wait. `epoch` is that of their connection, if that works.
async fn list_ready(
    engine: &Engine,
    ledger: &Ledger,
    keys: &[MappingKey],
    epoch: Option<u64>,
) -> Result<Vec<MappingKey>, StoreError> {
    let (mut rows, mut awaited) = (ReadAheadKeys::default(), ReadAheadKeys::default());
    for key in keys {
        rows.add_mapping(key);
    }
    let ahead = engine.with_rows_read_ahead(rows).await;
    let mut parked = Vec::with_capacity(keys.len());
    for key in keys {
        let read = ahead.store.find_mapping(key).boxed();
        let row = engine.skip_failing(&ledger.account, read).await?.flatten();
        let Some(mapping) = row.map(|row| row.record) else { continue };
        if let Some(record) = mapping.awaited_record().filter(|_| epoch.is_some()) {
            awaited.add_mapping(&record);
        }
        parked.push((key, mapping));
    }
    let ahead = engine.with_rows_read_ahead(awaited).await;
    let mut ready = Vec::new();
    for (key, mapping) in parked {
        let is_ready = is_ready(&ahead, &mapping, epoch).boxed();
        if engine.skip_failing(&ledger.account, is_ready).await? == Some(true) {
            ready.push(key.clone());
        }
    }
    Ok(ready)
}

/// Returns whether the condition of a parked mapping is met.
async fn is_ready(
    engine: &Engine,
    mapping: &Mapping,
    epoch: Option<u64>,
) -> Result<bool, StoreError> {
    Ok(match mapping.operation.state {
        OperationState::Parked { on: ParkingReason::Reconnect } => {
            epoch.is_some_and(|epoch| has_failed_before(mapping, epoch))
        }
        OperationState::Parked { on: ParkingReason::Prerequisite { .. } } => {
            epoch.is_some() && is_prerequisite_met(engine, mapping).await?
        }
        OperationState::Due
        | OperationState::Claimed { by: _, until: _ }
        | OperationState::Waiting { until: _ }
        | OperationState::Synced
        | OperationState::Skipped
        | OperationState::Withheld => false,
    })
}
