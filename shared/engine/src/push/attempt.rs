//! One attempt at many records: brought to Xero together, settled one by one.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use domain::failure::{Failure, FailureClass};
use domain::ids::{CrmId, Ledger};
use domain::mapping::Mapping;
use domain::operation::{Trace, Urgency};
use domain::retry;
use futures::FutureExt;
use xero::XeroError;

use super::{Claimed, Settled, Unrecorded, settle};
use crate::desk::{Desk, Trouble};
use crate::entity::{Brought, Entity, Task};
use crate::{Engine, Invocation, abreast};

type Outcome = Result<Brought, Trouble>;
/// Tasks with their places among all.
type Indexed<'a, S> = Vec<(usize, Task<'a, S>)>;

/// Attempts every claimed record and records what came of it.
pub(super) async fn all<E: Entity>(
    engine: &Engine,
    ledger: &Ledger,
    claimed: Vec<(usize, CrmId, Claimed)>,
    urgency: Urgency,
    invocation: Invocation,
) -> Vec<(usize, CrmId, Result<Settled, Unrecorded>)> {
    let rows = claimed.iter().map(|(_, _, row)| &row.row.record).collect::<Vec<_>>();
    let outcomes = bring_all::<E>(engine, ledger, &rows, urgency, invocation).await;
    let settled = claimed.into_iter().zip(outcomes).map(|((index, crm_id, row), outcome)| {
        let settle = async move { (index, crm_id, settle::<E>(engine, &row, outcome).await) };
        settle.boxed()
    });
    abreast::all(settled.collect()).await
}

async fn settle<E: Entity>(
    engine: &Engine,
    claimed: &Claimed,
    outcome: Outcome,
) -> Result<Settled, Unrecorded> {
    match outcome {
        Ok(brought) => settle::confirm::<E>(engine, claimed, brought).await,
        Err(Trouble::Unrecorded(error)) => Err(error),
        Err(trouble) => settle::fail::<E>(engine, claimed, trouble).await,
    }
}

/// Brings the mappings' snapshots to Xero: one outcome for each, in their order.
async fn bring_all<E: Entity>(
    engine: &Engine,
    ledger: &Ledger,
    mappings: &[&Mapping],
    urgency: Urgency,
    invocation: Invocation,
) -> Vec<Outcome> {
    if mappings.is_empty() {
        return Vec::new();
    }
    let mut desk = match Desk::open(engine, ledger, urgency, invocation).await {
        Ok(desk) => desk,
        Err(trouble) => return mappings.iter().map(|_| Err(trouble.clone())).collect(),
    };
    let mut outcomes: Vec<Option<Outcome>> = mappings.iter().map(|_| None).collect();
    let mut tasks: Vec<(usize, Task<'_, E::Snapshot>)> = Vec::new();
    for ((index, mapping), outcome) in mappings.iter().enumerate().zip(&mut outcomes) {
        match settle::snapshot::<E>(mapping) {
            Ok(snapshot) => tasks.push((index, Task::new(mapping, snapshot, engine.memory))),
            Err(failure) => *outcome = Some(Err(failure.into())),
        }
    }
    for group in by_batch_size(tasks) {
        let (indices, tasks): (Vec<usize>, Vec<_>) = group.into_iter().unzip();
        let mut brought = survived::<E>(&desk, &tasks).await;
        if brought.iter().any(is_token_rejected) {
            desk = match desk.reopened().await {
                Ok(reopened) => {
                    again::<E>(&reopened, tasks, &mut brought).await;
                    reopened
                }
                Err(trouble) => return all_of(outcomes, indices, brought, &trouble),
            };
        }
        note(&desk, &brought).await;
        fill(&mut outcomes, indices, brought);
    }
    let lost = || Err(Trouble::Failure(panicked()));
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(lost)).collect()
}

/// Those with fewer failures behind them first, and never together with others.
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

/// Brings tasks together. If that panics, each alone, after a look at what the first go may have left:
/// a record that breaks us breaks itself alone.
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
        let mut mapping = task.mapping.clone();
        mapping.operation.trace = Trace::Uncertain;
        let alone = [Task::new(&mapping, task.snapshot.clone(), task.memory)];
        let outcome = guarded::<E>(desk, &alone).await.and_then(|mut one| one.pop());
        outcomes.push(outcome.unwrap_or_else(|| Err(panicked().into())));
    }
    outcomes
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
        "The integration has a fault of its own with this record.",
        "Your books are not affected. Contact support if it stays.",
    )
}

fn is_token_rejected(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Err(Trouble::Xero(error)) if matches!(**error, XeroError::TokenRejected { expired: _ })
    )
}

/// Once more with a fresh token, for those that Xero refused the first one.
async fn again<E: Entity>(
    desk: &Desk<'_>,
    tasks: Vec<Task<'_, E::Snapshot>>,
    outcomes: &mut [Outcome],
) {
    let refused = outcomes.iter().map(is_token_rejected).collect::<Vec<_>>();
    let tasks = tasks.into_iter().zip(&refused).filter(|(_, refused)| **refused);
    let tasks = tasks.map(|(task, _)| task).collect::<Vec<_>>();
    let brought = survived::<E>(desk, &tasks).await;
    let slots = outcomes.iter_mut().zip(&refused).filter(|(_, refused)| **refused);
    for ((slot, _), outcome) in slots.zip(brought) {
        *slot = outcome;
    }
}

/// What the answers say about the whole connection, each once.
async fn note(desk: &Desk<'_>, outcomes: &[Outcome]) {
    let mut noted: Vec<usize> = Vec::new();
    for outcome in outcomes {
        let Err(Trouble::Xero(error)) = outcome else { continue };
        let shared = Arc::as_ptr(error).addr();
        if !noted.contains(&shared) {
            noted.push(shared);
            desk.note(error).await;
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

/// No token any more: what Xero took is kept, everything else shares the trouble.
fn all_of(
    mut outcomes: Vec<Option<Outcome>>,
    indices: Vec<usize>,
    brought: Vec<Outcome>,
    trouble: &Trouble,
) -> Vec<Outcome> {
    let answered = answered(trouble);
    let kept = brought
        .into_iter()
        .map(|outcome| if is_token_rejected(&outcome) { Err(answered.clone()) } else { outcome });
    fill(&mut outcomes, indices, kept.collect());
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(trouble.clone()))).collect()
}

/// The same trouble, for whom Xero has answered, if only that it refuses the token: that answer, too, must not be
/// replayed.
fn answered(trouble: &Trouble) -> Trouble {
    match trouble {
        Trouble::Failure(failure) => Trouble::Explained(failure.clone()),
        Trouble::Xero(_)
        | Trouble::Explained(_)
        | Trouble::Blocked { failure: _, on: _ }
        | Trouble::Unrecorded(_) => trouble.clone(),
    }
}
