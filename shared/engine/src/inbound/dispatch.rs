//! Processes the records of a batch: defers them until more have arrived, or pushes them at once.

mod clients;

use std::collections::BTreeSet;

use domain::batching::{ArrivalRate, ArrivedRecords};
use domain::ids::Ledger;
use domain::mapping::{KeptSnapshot, MappingKey};
use domain::operation::Trigger;
use domain::sync_log::{LogStatus, LoggedOperation};
use futures::FutureExt;

use self::clients::{find_client_error, keep_clients, push_clients};
use super::MessageOutcome;
use super::batch::{BatchRecord, IndexedOutcome, RecordGroup};
use crate::errors::{PersistError, isolate_record};
use crate::record_isolation::catch_panic;
use crate::sync::push::{self, KeepReason, PushOffer, PushOutcome, PushedKind};
use crate::sync::sync_log;
use crate::{Engine, Invocation};

/// Processes the records of one kind. Records of a kind that this process does not push are errors.
pub(super) async fn process_group(
    engine: &Engine,
    group: &RecordGroup<'_>,
    rate: ArrivalRate,
    invocation: Invocation,
) -> Vec<IndexedOutcome> {
    let Some(pushed) = engine.kinds.find_kind(group.kind) else {
        return refuse_group(group);
    };
    if count_batch(group, rate).should_defer() {
        return defer_group(engine, group, pushed).await;
    }
    let mut outcomes = Vec::new();
    for wave in split_into_waves(&group.records) {
        outcomes.extend(push_wave(engine, group, pushed, wave, invocation).await);
    }
    outcomes
}

/// Returns the messages of the records to their queue: the snapshots that they carry must not be
/// lost.
fn refuse_group(group: &RecordGroup<'_>) -> Vec<IndexedOutcome> {
    let error = PersistError::OtherFunction { work: group.kind.as_str() };
    group.records.iter().map(|arrival| (arrival.message, Err(error.clone()))).collect()
}

fn count_batch(group: &RecordGroup<'_>, rate: ArrivalRate) -> ArrivedRecords {
    let ids = |fresh: bool| {
        let some = group.records.iter().filter(move |one| one.content.is_some() == fresh);
        some.map(|one| &one.crm_id).collect::<BTreeSet<_>>()
    };
    let (fresh, hinted) = (ids(true), ids(false));
    ArrivedRecords { fresh: fresh.len(), hinted: hinted.difference(&fresh).count(), rate }
}

/// Splits the records of a batch into waves that contain each record once, in their order.
fn split_into_waves<'a, 'b>(arrivals: &'b [BatchRecord<'a>]) -> Vec<Vec<&'b BatchRecord<'a>>> {
    let mut waves: Vec<Vec<&BatchRecord<'_>>> = Vec::new();
    for arrival in arrivals {
        let is_in =
            |wave: &Vec<&BatchRecord<'_>>| wave.iter().any(|one| one.crm_id == arrival.crm_id);
        let next = waves.iter().rposition(is_in).map_or(0, |last| last + 1);
        match waves.get_mut(next) {
            Some(wave) => wave.push(arrival),
            None => waves.push(vec![arrival]),
        }
    }
    waves
}

/// Stores the snapshots, and enqueues one wake-up about all of them behind the messages already in
/// the queue. A failure to store a snapshot affects only its own message.
async fn defer_group(
    engine: &Engine,
    group: &RecordGroup<'_>,
    pushed: &PushedKind,
) -> Vec<IndexedOutcome> {
    let RecordGroup { ledger, kind, records: arrivals } = group;
    let arrivals = arrivals.iter().collect::<Vec<_>>();
    let failed = keep_clients(engine, ledger, *kind, &arrivals).await;
    let (mut outcomes, mut stored) = (Vec::with_capacity(arrivals.len()), Vec::new());
    let are_stored = failed.is_empty() && keep_together(engine, ledger, pushed, &arrivals).await;
    for arrival in arrivals {
        let result = match find_client_error(arrival, &failed) {
            Some(error) => Err(error.clone()),
            None if are_stored => Ok(()),
            None => isolate_record(keep_record(engine, ledger, pushed, arrival)).await,
        };
        match result {
            Ok(()) => stored.push(arrival),
            Err(error) => outcomes.push((arrival.message, Err(error))),
        }
    }
    let records = stored.iter().map(|arrival| arrival.crm_id.clone()).collect::<BTreeSet<_>>();
    let records = records.into_iter().collect::<Vec<_>>();
    let enqueued = engine.enqueue_wake_ups(ledger, *kind, &records).await;
    let outcome = enqueued.map_err(PersistError::from).map(|()| MessageOutcome::Deferred);
    outcomes.extend(stored.into_iter().map(|arrival| (arrival.message, outcome.clone())));
    outcomes
}

/// Stores the snapshots in one transaction. Returns whether all are stored; otherwise none is.
async fn keep_together(
    engine: &Engine,
    ledger: &Ledger,
    pushed: &PushedKind,
    arrivals: &[&BatchRecord<'_>],
) -> bool {
    let snapshots = arrivals.iter().filter_map(|arrival| {
        let key = MappingKey::new(ledger.clone(), pushed.kind, arrival.crm_id.clone());
        Some((key, arrival.kept_snapshot(pushed)?))
    });
    let snapshots = snapshots.collect::<Vec<_>>();
    let keeping = push::keep_snapshots_together(engine, &snapshots, KeepReason::Queue);
    catch_panic(keeping.boxed()).await.unwrap_or(false)
}

async fn keep_record(
    engine: &Engine,
    ledger: &Ledger,
    pushed: &PushedKind,
    arrival: &BatchRecord<'_>,
) -> Result<(), PersistError> {
    if let Some(snapshot) = arrival.kept_snapshot(pushed) {
        let key = MappingKey::new(ledger.clone(), pushed.kind, arrival.crm_id.clone());
        push::keep_snapshot(engine, &key, &snapshot, KeepReason::Queue).await?;
    }
    Ok(())
}

/// Pushes the clients of the documents first, then the records.
async fn push_wave(
    engine: &Engine,
    group: &RecordGroup<'_>,
    pushed: &PushedKind,
    wave: Vec<&BatchRecord<'_>>,
    invocation: Invocation,
) -> Vec<IndexedOutcome> {
    let RecordGroup { ledger, kind, records: _ } = group;
    let collector = engine.with_collected_events();
    let engine = collector.as_deref().unwrap_or(engine);
    let failed = push_clients(engine, ledger, *kind, &wave, invocation).await;
    let mut outcomes = Vec::with_capacity(wave.len());
    let mut ready = Vec::with_capacity(wave.len());
    for arrival in wave {
        match find_client_error(arrival, &failed) {
            Some(error) => outcomes.push((arrival.message, Err(error.clone()))),
            None => ready.push(arrival),
        }
    }
    let offers = ready.iter().map(|arrival| PushOffer {
        crm_id: arrival.crm_id.clone(),
        snapshot: arrival.kept_snapshot(pushed),
    });
    let offers = offers.collect::<Vec<_>>();
    let routine = Trigger::Routine;
    let pushed = push::push_records(engine, ledger, *kind, &offers, routine, invocation).await;
    engine.deliver_synced_events(&ledger.account).await;
    for ((arrival, offer), outcome) in ready.into_iter().zip(&offers).zip(pushed) {
        if let (Ok(pushed), Some(snapshot)) = (&outcome, &offer.snapshot) {
            let key = MappingKey::new(ledger.clone(), *kind, offer.crm_id.clone());
            log_without_push(engine, key, snapshot, pushed).await;
        }
        outcomes.push((arrival.message, outcome.map(MessageOutcome::Pushed)));
    }
    outcomes
}

/// Logs an arrived snapshot that required no work.
async fn log_without_push(
    engine: &Engine,
    key: MappingKey,
    snapshot: &KeptSnapshot,
    pushed: &PushOutcome,
) {
    let message = match pushed {
        PushOutcome::Unchanged => "Xero already has this version.".to_owned(),
        PushOutcome::Stale { known } => {
            format!("Version {} arrived after version {known} and was ignored.", snapshot.revision)
        }
        PushOutcome::Withheld => "It was not sent, because it is marked Never send.".to_owned(),
        PushOutcome::Synced
        | PushOutcome::Waiting { until: _ }
        | PushOutcome::Parked
        | PushOutcome::Skipped
        | PushOutcome::Held { until: _ }
        | PushOutcome::Superseded
        | PushOutcome::Unknown => return,
    };
    let MappingKey { ledger, kind, crm_id } = key;
    let subject = (kind, crm_id, snapshot.natural_key.clone());
    let notice = sync_log::LogNotice {
        operation: LoggedOperation::Receive,
        subject,
        status: LogStatus::Unchanged,
        message,
        failure: None,
        began: engine.clock.now(),
    };
    sync_log::log_without_attempt(engine, &ledger.account, notice).await;
}
