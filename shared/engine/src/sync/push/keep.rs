//! Stores snapshots without an attempt.

use std::collections::BTreeSet;

use domain::mapping::{KeptSnapshot, Mapping, MappingKey};
use domain::operation::{AttentionReason, OperationEvent, OperationState};
use store::StoreError;
use store::table::WriteExpectation;

use super::PushOutcome;
use super::claim::{PendingMapping, SnapshotChange, accept_snapshot, refuse_too_large};
use crate::Engine;
use crate::errors::PersistError;

/// Why a snapshot is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeepReason {
    /// For later use by other records or commands.
    Record,
    /// For an attempt that a wake-up will trigger.
    Queue,
}

/// Stores a snapshot without an attempt, unless the row has it or a newer one.
pub(crate) async fn keep_snapshot(
    engine: &Engine,
    key: &MappingKey,
    offered: &KeptSnapshot,
    keep: KeepReason,
) -> Result<(), StoreError> {
    let decide = |known| decide_keeping(engine, known, key, offered, keep);
    match engine.store.update_mapping(key, decide).await {
        Ok(_) => Ok(()),
        Err(StoreError::TooLarge { .. }) => {
            refuse_too_large(engine, key, Some(offered)).await?;
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Stores the snapshot of a client that is pushed with its documents, unless the row has it or a
/// newer one. If an attempt at the client has failed, documents may wait for it: then it is due, and
/// a wake-up is enqueued for it.
pub(crate) async fn keep_client_snapshot(
    engine: &Engine,
    key: &MappingKey,
    offered: &KeptSnapshot,
) -> Result<(), PersistError> {
    let decide = |known: Option<Mapping>| {
        let is_wanted = known.as_ref().is_some_and(has_failed_without_contact);
        let keep = if is_wanted { KeepReason::Queue } else { KeepReason::Record };
        decide_keeping(engine, known, key, offered, keep)
    };
    let kept = match engine.store.update_mapping(key, decide).await {
        Ok(kept) => kept,
        Err(StoreError::TooLarge { .. }) => {
            refuse_too_large(engine, key, Some(offered)).await?;
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let is_due =
        |kept: &Mapping| matches!(kept.operation.state, OperationState::Waiting { until: _ });
    if kept.as_ref().is_ok_and(is_due) {
        let client = std::slice::from_ref(&key.crm_id);
        engine.enqueue_wake_ups(&key.ledger, key.kind, client).await?;
    }
    Ok(())
}

/// Returns whether a client has no contact and is failing or was given up. One that waits for a limit
/// or a reconnect continues by itself.
fn has_failed_without_contact(client: &Mapping) -> bool {
    let reason = client.operation.attention_reason();
    let has_failed = matches!(reason, Some(AttentionReason::Failing | AttentionReason::GivenUp));
    client.link.is_none() && has_failed
}

/// Stores the snapshots of different records as [`keep_snapshot`] does, in one transaction. Returns
/// whether all of them are stored. Otherwise none is, for example because one is too large or
/// another process writes one of the rows, and the caller stores each by itself.
pub(crate) async fn keep_snapshots_together(
    engine: &Engine,
    snapshots: &[(MappingKey, KeptSnapshot)],
    keep: KeepReason,
) -> bool {
    let ids = snapshots.iter().map(|(key, _)| &key.crm_id).collect::<BTreeSet<_>>();
    if ids.len() < snapshots.len() {
        return false;
    }
    let mut changed = Vec::with_capacity(snapshots.len());
    for (key, offered) in snapshots {
        let Ok(row) = engine.store.find_mapping(key).await else { return false };
        let expect = WriteExpectation::from(row.as_ref().map(|row| row.version));
        let known = row.map(|row| row.record);
        if let Ok(mapping) = decide_keeping(engine, known, key, offered, keep) {
            changed.push((mapping, expect));
        }
    }
    engine.store.put_mappings(&changed).await.is_ok()
}

/// Returns the mapping to be stored, or why the row stays as it is.
fn decide_keeping(
    engine: &Engine,
    known: Option<Mapping>,
    key: &MappingKey,
    offered: &KeptSnapshot,
    keep: KeepReason,
) -> Result<Mapping, PushOutcome> {
    let now = engine.clock.now();
    let PendingMapping { mapping, change } = accept_snapshot(known, key, Some(offered), now)?;
    match (change, keep) {
        (SnapshotChange::None, _) => Err(PushOutcome::Unchanged),
        (SnapshotChange::Snapshot, KeepReason::Record) => Ok(mapping),
        (SnapshotChange::Snapshot, KeepReason::Queue) => {
            Ok(mapping.apply_event(OperationEvent::Queued, now).unwrap_or(mapping))
        }
    }
}
