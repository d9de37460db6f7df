//! Attempts many records: written to Xero together, recorded one by one.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use domain::failure::{Failure, FailureClass};
use domain::ids::{CrmId, Ledger};
use domain::mapping::Mapping;
use domain::operation::{Trace, Urgency};
use domain::retry;
use futures::FutureExt;
use xero::XeroError;

use super::{Claimed, Settled, Tried, settle};
use crate::desk::{Desk, Trouble};
use crate::entity::{Brought, Entity, Task, WriteState};
use crate::errors::{Unrecorded, isolate};
use crate::{Engine, Invocation, abreast};

type Outcome = Result<Brought, Trouble>;
/// Tasks with their positions among all records.
type Indexed<'a, S> = Vec<(usize, Task<'a, S>)>;

/// Attempts every claimed record and records the outcomes.
pub(super) async fn all<E: Entity>(
    engine: &Engine,
    ledger: &Ledger,
    claimed: Vec<(usize, CrmId, Claimed)>,
    urgency: Urgency,
    invocation: Invocation,
) -> Vec<(usize, CrmId, Result<Settled, Unrecorded>)> {
    let rows = claimed.iter().map(|(_, _, row)| &row.row.record).collect::<Vec<_>>();
    let writes = rows.iter().map(|_| WriteState::default()).collect::<Vec<_>>();
    let (outcomes, epoch) =
        bring_all::<E>(engine, ledger, &rows, &writes, urgency, invocation).await;
    let tried = writes.iter().map(|writes| Tried { wrote: writes.answer(), epoch });
    let outcomes = outcomes.into_iter().zip(tried);
    let settled = claimed.into_iter().zip(outcomes).map(|((index, crm_id, row), outcome)| {
        let (outcome, tried) = outcome;
        let settle = async move {
            let settled = isolate(settle::<E>(engine, &row, outcome, tried)).await;
            (index, crm_id, settled)
        };
        settle.boxed()
    });
    abreast::all(settled.collect()).await
}

async fn settle<E: Entity>(
    engine: &Engine,
    claimed: &Claimed,
    outcome: Outcome,
    tried: Tried,
) -> Result<Settled, Unrecorded> {
    match outcome {
        Ok(brought) => settle::confirm::<E>(engine, claimed, brought, tried).await,
        Err(Trouble::Unrecorded(error)) => Err(error),
        Err(trouble) => settle::fail::<E>(engine, claimed, trouble, tried).await,
    }
}

/// Pushes the mappings' snapshots to Xero. Returns one outcome per mapping, in their order, and the
/// epoch of the connection. `writes` has one element per mapping.
async fn bring_all<E: Entity>(
    engine: &Engine,
    ledger: &Ledger,
    mappings: &[&Mapping],
    writes: &[WriteState],
    urgency: Urgency,
    invocation: Invocation,
) -> (Vec<Outcome>, Option<u64>) {
    if mappings.is_empty() {
        return (Vec::new(), None);
    }
    let failed = |trouble: Trouble| mappings.iter().map(|_| Err(trouble.clone())).collect();
    let connection = match engine.store.connection(&ledger.account).await {
        Ok(connection) => connection.map(|row| row.record),
        Err(error) => return (failed(error.into()), None),
    };
    let epoch = connection.as_ref().map(|connection| connection.epoch);
    let opened = Desk::open_on(engine, connection.as_ref(), ledger, urgency, invocation).await;
    let outcomes = match opened {
        Ok(desk) => bring_with::<E>(&desk, mappings, writes).await,
        Err(trouble) => failed(trouble),
    };
    (outcomes, epoch)
}

async fn bring_with<E: Entity>(
    desk: &Desk<'_>,
    mappings: &[&Mapping],
    writes: &[WriteState],
) -> Vec<Outcome> {
    let mut outcomes: Vec<Option<Outcome>> = mappings.iter().map(|_| None).collect();
    let mut tasks: Vec<(usize, Task<'_, E::Snapshot>)> = Vec::new();
    let places = mappings.iter().zip(writes).enumerate();
    for ((index, (mapping, writes)), outcome) in places.zip(&mut outcomes) {
        match settle::snapshot::<E>(mapping) {
            Ok(snapshot) => {
                tasks.push((index, Task::new(mapping, snapshot, desk.engine.memory, writes)));
            }
            Err(failure) => *outcome = Some(Err(failure.into())),
        }
    }
    for group in by_batch_size(tasks) {
        let (indices, tasks): (Vec<usize>, Vec<_>) = group.into_iter().unzip();
        let mut brought = divided::<E>(desk, &tasks).await;
        note(desk, &mut brought).await;
        fill(&mut outcomes, indices, brought);
    }
    let lost = || Err(Trouble::Failure(panicked()));
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(lost)).collect()
}

/// Groups tasks by batch size, those with fewer failures first, so that records with different
/// batch sizes do not share a call.
fn by_batch_size<S>(tasks: Indexed<'_, S>) -> Vec<Indexed<'_, S>> {
    let mut groups: Vec<(usize, Indexed<'_, S>)> = Vec::new();
    for (index, task) in tasks {
        let size = retry::batch_size(task.mapping.operation.failures);
        match groups.iter_mut().find(|(of, _)| *of == size) {
            Some((_, group)) => group.push((index, task)),
            None => groups.push((size, vec![(index, task)])),
        }
    }
    groups.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Pushes tasks together. Tasks whose documents Xero refused as a batch are pushed again in halves,
/// until each refused document is alone with its reason. What the refused batch may have left in
/// Xero is looked up before anything is written again.
async fn divided<E: Entity>(desk: &Desk<'_>, tasks: &[Task<'_, E::Snapshot>]) -> Vec<Outcome> {
    let mut outcomes = survived::<E>(desk, tasks).await;
    let mut waiting = halves(refused_together(&outcomes, (0..tasks.len()).collect()));
    while let Some(part) = waiting.pop() {
        let of_part = part.iter().filter_map(|index| tasks.get(*index)).collect::<Vec<_>>();
        let mappings = of_part.iter().map(|task| uncertain(task.mapping)).collect::<Vec<_>>();
        let writes = of_part.iter().map(|_| WriteState::default()).collect::<Vec<_>>();
        let mut again = Vec::with_capacity(of_part.len());
        for ((task, mapping), writes) in of_part.iter().zip(&mappings).zip(&writes) {
            again.push(Task::new(mapping, task.snapshot.clone(), task.memory, writes));
        }
        let brought = survived::<E>(desk, &again).await;
        for (task, writes) in of_part.iter().zip(&writes) {
            task.writes.supersede(writes);
        }
        let is_stopped = brought.iter().any(is_about_every_call);
        for (index, outcome) in part.iter().zip(brought) {
            if let Some(slot) = outcomes.get_mut(*index) {
                *slot = outcome;
            }
        }
        // The remaining parts keep their outcome and are looked up by the next attempt.
        if is_stopped {
            break;
        }
        waiting.extend(halves(refused_together(&outcomes, part)));
    }
    outcomes
}

/// Returns those of the tasks whose documents Xero refused as a batch.
fn refused_together(outcomes: &[Outcome], tasks: Vec<usize>) -> Vec<usize> {
    let is_refused = |index: &usize| match outcomes.get(*index) {
        Some(Err(Trouble::Xero(error))) => matches!(**error, XeroError::BatchRejected { .. }),
        Some(Ok(_) | Err(_)) | None => false,
    };
    tasks.into_iter().filter(is_refused).collect()
}

/// Returns two halves, the first one last. A single task is not divided.
fn halves(mut first: Vec<usize>) -> Vec<Vec<usize>> {
    if first.len() < 2 {
        return Vec::new();
    }
    let second = first.split_off(first.len() / 2);
    vec![second, first]
}

/// Returns whether the next call would fail as well, whatever it is about.
fn is_about_every_call(outcome: &Outcome) -> bool {
    match outcome {
        Err(Trouble::Xero(error)) => {
            matches!(error.class(), FailureClass::Throttled | FailureClass::Unauthorized)
        }
        Ok(_) | Err(_) => false,
    }
}

/// Pushes tasks together. If that panics, pushes each alone after looking up what the first try may
/// have left, so that a record that causes a panic fails alone.
async fn survived<E: Entity>(desk: &Desk<'_>, tasks: &[Task<'_, E::Snapshot>]) -> Vec<Outcome> {
    if let Some(outcomes) = guarded::<E>(desk, tasks).await {
        return outcomes;
    }
    let mut outcomes = Vec::with_capacity(tasks.len());
    for task in tasks {
        if tasks.len() == 1 {
            outcomes.push(Err(panicked().into()));
            continue;
        }
        let mapping = uncertain(task.mapping);
        let alone = [Task::new(&mapping, task.snapshot.clone(), task.memory, task.writes)];
        let outcome = guarded::<E>(desk, &alone).await.and_then(|mut one| one.pop());
        outcomes.push(outcome.unwrap_or_else(|| Err(panicked().into())));
    }
    outcomes
}

/// Returns the mapping marked as uncertain, because Xero may have a document that it does not know.
fn uncertain(mapping: &Mapping) -> Mapping {
    let mut mapping = mapping.clone();
    mapping.operation.trace = Trace::Uncertain;
    mapping
}

async fn guarded<E: Entity>(
    desk: &Desk<'_>,
    tasks: &[Task<'_, E::Snapshot>],
) -> Option<Vec<Outcome>> {
    let outcomes = AssertUnwindSafe(E::bring(desk, tasks)).catch_unwind().await;
    if outcomes.is_err() {
        tracing::error!(records = tasks.len(), "an attempt panicked");
    }
    outcomes.ok()
}

fn panicked() -> Failure {
    Failure::new(
        FailureClass::Defect,
        "integration_fault",
        "The integration failed on this record because of an internal error.",
        "Your books are not affected. If this persists, contact support.",
    )
}

/// Records what the answers say about the whole connection, once per answer.
async fn note(desk: &Desk<'_>, outcomes: &mut [Outcome]) {
    let mut noted: Vec<(usize, Option<Failure>)> = Vec::new();
    for outcome in outcomes {
        let Err(Trouble::Xero(error)) = outcome else { continue };
        let shared = Arc::as_ptr(error).addr();
        let known = noted.iter().find(|(one, _)| *one == shared).map(|(_, known)| known.clone());
        let instead = if let Some(instead) = known {
            instead
        } else {
            let instead = desk.note(error).await;
            noted.push((shared, instead.clone()));
            instead
        };
        if let Some(failure) = instead {
            *outcome = Err(Trouble::Explained(failure));
        }
    }
}

fn fill(outcomes: &mut [Option<Outcome>], indices: Vec<usize>, brought: Vec<Outcome>) {
    for (index, outcome) in indices.into_iter().zip(brought) {
        if let Some(slot) = outcomes.get_mut(index) {
            *slot = Some(outcome);
        }
    }
}
