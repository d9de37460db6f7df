//! Attempts many records: written to Xero together, recorded one by one.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use domain::failure::{Failure, FailureClass};
use domain::ids::Ledger;
use domain::mapping::Mapping;
use domain::operation::{Trace, Urgency};
use domain::retry;
use futures::FutureExt;
use xero::XeroError;

use super::{Claimed, Settled, Tried, settle};
use crate::desk::{Desk, Trouble};
use crate::entity::{Entity, Outcome, OutcomeSlot, Task, WriteState};
use crate::errors::{Unrecorded, isolate};
use crate::{Engine, Invocation, abreast};

/// One claimed record during its attempt.
struct Attempt<I> {
    /// What the caller keeps with the record.
    item: I,
    claimed: Claimed,
    writes: WriteState,
    outcome: OutcomeSlot,
}

impl<I> Attempt<I> {
    fn new(item: I, claimed: Claimed) -> Self {
        let (writes, outcome) = (WriteState::default(), OutcomeSlot::default());
        Self { item, claimed, writes, outcome }
    }
}

/// Attempts every claimed record and records the outcomes. Each record comes with what the caller
/// keeps with it, and gets its result with that.
pub(super) async fn all<E: Entity, I: Send + Sync>(
    engine: &Engine,
    ledger: &Ledger,
    claimed: Vec<(I, Claimed)>,
    urgency: Urgency,
    invocation: Invocation,
) -> Vec<(I, Result<Settled, Unrecorded>)> {
    let attempts = claimed.into_iter().map(|(item, claimed)| Attempt::new(item, claimed));
    let attempts = attempts.collect::<Vec<_>>();
    let epoch = bring_all::<E, I>(engine, ledger, &attempts, urgency, invocation).await;
    let settled = attempts.into_iter().map(|attempt| {
        let Attempt { item, claimed, writes, outcome } = attempt;
        let tried = Tried { wrote: writes.answer(), epoch };
        let outcome = outcome.into_outcome();
        let settle = async move {
            let settled = isolate(settle::<E>(engine, &claimed, outcome, tried)).await;
            (item, settled)
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

/// Pushes the claimed snapshots to Xero, and records an outcome at every attempt. Returns the epoch
/// of the connection.
async fn bring_all<E: Entity, I: Sync>(
    engine: &Engine,
    ledger: &Ledger,
    attempts: &[Attempt<I>],
    urgency: Urgency,
    invocation: Invocation,
) -> Option<u64> {
    if attempts.is_empty() {
        return None;
    }
    let connection = match engine.store.connection(&ledger.account).await {
        Ok(connection) => connection.map(|row| row.record),
        Err(error) => {
            fail_all(attempts, &error.into());
            return None;
        }
    };
    let epoch = connection.as_ref().map(|connection| connection.epoch);
    match Desk::open_on(engine, connection.as_ref(), ledger, urgency, invocation).await {
        Ok(desk) => bring_with::<E, I>(&desk, attempts).await,
        Err(trouble) => fail_all(attempts, &trouble),
    }
    epoch
}

/// Records the same error for all attempts.
fn fail_all<I>(attempts: &[Attempt<I>], trouble: &Trouble) {
    for attempt in attempts {
        attempt.outcome.set(Err(trouble.clone()));
    }
}

async fn bring_with<E: Entity, I: Sync>(desk: &Desk<'_>, attempts: &[Attempt<I>]) {
    let mut tasks: Vec<Task<'_, E::Snapshot>> = Vec::with_capacity(attempts.len());
    for Attempt { item: _, claimed, writes, outcome } in attempts {
        let mapping = &claimed.row.record;
        match settle::snapshot::<E>(mapping) {
            Ok(snapshot) => {
                tasks.push(Task::new(mapping, snapshot, desk.engine.memory, writes, outcome));
            }
            Err(failure) => outcome.set(Err(failure.into())),
        }
    }
    for group in by_batch_size(tasks) {
        divided::<E>(desk, &group).await;
        note(desk, &group).await;
    }
}

/// Groups tasks by batch size, those with fewer failures first, so that records with different
/// batch sizes do not share a call.
fn by_batch_size<S>(tasks: Vec<Task<'_, S>>) -> Vec<Vec<Task<'_, S>>> {
    let mut groups: Vec<(usize, Vec<Task<'_, S>>)> = Vec::new();
    for task in tasks {
        let size = retry::batch_size(task.mapping.operation.failures);
        match groups.iter_mut().find(|(of, _)| *of == size) {
            Some((_, group)) => group.push(task),
            None => groups.push((size, vec![task])),
        }
    }
    groups.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    groups.into_iter().map(|(_, group)| group).collect()
}

/// A further try at a task, whose earlier try may have left a document in Xero.
struct Retry<'a, S> {
    task: &'a Task<'a, S>,
    /// The task's mapping, marked as uncertain.
    mapping: Mapping,
    writes: WriteState,
    outcome: OutcomeSlot,
}

impl<'a, S: Clone> Retry<'a, S> {
    fn new(task: &'a Task<'a, S>) -> Self {
        let (writes, outcome) = (WriteState::default(), OutcomeSlot::default());
        Self { task, mapping: uncertain(task.mapping), writes, outcome }
    }

    /// Returns the task of this try.
    fn again(&self) -> Task<'_, S> {
        let Self { task, mapping, writes, outcome } = self;
        Task::new(mapping, task.snapshot.clone(), task.memory, writes, outcome)
    }
}

/// Pushes tasks together. Tasks whose documents Xero refused as a batch are pushed again in halves,
/// until each refused document is alone with its reason. What the refused batch may have left in
/// Xero is looked up before anything is written again.
async fn divided<E: Entity>(desk: &Desk<'_>, tasks: &[Task<'_, E::Snapshot>]) {
    survived::<E>(desk, tasks).await;
    let mut waiting = halves(refused_together(tasks.iter().collect()));
    while let Some(part) = waiting.pop() {
        let retries = part.iter().copied().map(Retry::new).collect::<Vec<_>>();
        let again = retries.iter().map(Retry::again).collect::<Vec<_>>();
        survived::<E>(desk, &again).await;
        drop(again);
        let mut is_stopped = false;
        for Retry { task, mapping: _, writes, outcome } in retries {
            task.writes.supersede(&writes);
            let outcome = outcome.into_outcome();
            is_stopped |= is_about_every_call(&outcome);
            task.finish(outcome);
        }
        // The remaining parts keep their outcome and are looked up by the next attempt.
        if is_stopped {
            break;
        }
        waiting.extend(halves(refused_together(part)));
    }
}

/// Returns those of the tasks whose documents Xero refused as a batch.
fn refused_together<'a, S>(tasks: Vec<&'a Task<'a, S>>) -> Vec<&'a Task<'a, S>> {
    let is_batch = |error: &XeroError| matches!(error, XeroError::BatchRejected { .. });
    tasks.into_iter().filter(|task| task.is_refused(is_batch)).collect()
}

/// Returns two halves, the first one last. A single task is not divided.
fn halves<T>(mut first: Vec<T>) -> Vec<Vec<T>> {
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
async fn survived<E: Entity>(desk: &Desk<'_>, tasks: &[Task<'_, E::Snapshot>]) {
    if guarded::<E>(desk, tasks).await {
        return;
    }
    for task in tasks {
        let has_survived = tasks.len() > 1 && alone::<E>(desk, task).await;
        if !has_survived {
            task.finish(Err(panicked().into()));
        }
    }
}

/// Pushes one task of a try that panicked. Returns whether this did not panic, too.
async fn alone<E: Entity>(desk: &Desk<'_>, task: &Task<'_, E::Snapshot>) -> bool {
    let mapping = uncertain(task.mapping);
    let snapshot = task.snapshot.clone();
    let alone = [Task::new(&mapping, snapshot, task.memory, task.writes, task.outcome)];
    guarded::<E>(desk, &alone).await
}

/// Returns the mapping marked as uncertain, because Xero may have a document that it does not know.
fn uncertain(mapping: &Mapping) -> Mapping {
    let mut mapping = mapping.clone();
    mapping.operation.trace = Trace::Uncertain;
    mapping
}

/// Pushes tasks together. Returns whether this did not panic. The outcomes of a try that panicked
/// are discarded.
async fn guarded<E: Entity>(desk: &Desk<'_>, tasks: &[Task<'_, E::Snapshot>]) -> bool {
    let result = AssertUnwindSafe(E::bring(desk, tasks)).catch_unwind().await;
    if result.is_err() {
        tracing::error!(records = tasks.len(), "an attempt panicked");
        for task in tasks {
            task.outcome.clear();
        }
    }
    result.is_ok()
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
async fn note<S: Sync>(desk: &Desk<'_>, tasks: &[Task<'_, S>]) {
    let mut noted: Vec<(usize, Option<Failure>)> = Vec::new();
    for task in tasks {
        let Some(error) = task.outcome.xero_error() else { continue };
        let shared = Arc::as_ptr(&error).addr();
        let known = noted.iter().find(|(one, _)| *one == shared).map(|(_, known)| known.clone());
        let instead = if let Some(instead) = known {
            instead
        } else {
            let instead = desk.note(&error).await;
            noted.push((shared, instead.clone()));
            instead
        };
        if let Some(failure) = instead {
            task.finish(Err(Trouble::Explained(failure)));
        }
    }
}
