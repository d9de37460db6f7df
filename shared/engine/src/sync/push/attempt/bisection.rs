//! Pushes a batch that Xero refused again in halves, until each refused document is alone with its
//! reason.

use domain::failure::FailureClass;
use domain::mapping::Mapping;
use xero::XeroError;

use super::mark_uncertain;
use super::panics::sync_isolating_panics;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::{Outcome, OutcomeSlot, SyncEntity, SyncTask, WriteState};

/// A further try of a task whose earlier try may have created a document in Xero.
struct Retry<'a, S> {
    task: &'a SyncTask<'a, S>,
    /// The task's mapping, marked as uncertain.
    mapping: Mapping,
    writes: WriteState,
    outcome: OutcomeSlot,
}

impl<'a, S: Clone> Retry<'a, S> {
    fn new(task: &'a SyncTask<'a, S>) -> Self {
        let (writes, outcome) = (WriteState::default(), OutcomeSlot::default());
        writes.record_possible_document();
        Self { task, mapping: mark_uncertain(task.mapping), writes, outcome }
    }

    /// Returns the task of this try.
    fn to_task(&self) -> SyncTask<'_, S> {
        let Self { task, mapping, writes, outcome } = self;
        SyncTask::new(mapping, task.snapshot.clone(), task.recovery_mode, writes, outcome)
    }
}

/// Pushes tasks together. Tasks whose documents Xero refused as a batch are pushed again in halves,
/// until each refused document is alone with its reason. Documents that the refused batch may have
/// created are looked up before anything is written again.
pub(super) async fn sync_and_bisect<E: SyncEntity>(
    tenant_session: &TenantSession<'_>,
    tasks: &[SyncTask<'_, E::Snapshot>],
) {
    sync_isolating_panics::<E>(tenant_session, tasks).await;
    let mut waiting = split_in_halves(select_batch_rejected(tasks.iter().collect()));
    while let Some(part) = waiting.pop() {
        let retries = part.iter().copied().map(Retry::new).collect::<Vec<_>>();
        let again = retries.iter().map(Retry::to_task).collect::<Vec<_>>();
        sync_isolating_panics::<E>(tenant_session, &again).await;
        drop(again);
        let mut is_stopped = false;
        for Retry { task, mapping: _, writes, outcome } in retries {
            task.writes.replace_with_later(&writes);
            let outcome = outcome.into_outcome();
            is_stopped |= is_about_every_call(&outcome);
            task.set_outcome(outcome);
        }
        // The remaining parts keep their outcome and are looked up by the next attempt.
        if is_stopped {
            break;
        }
        waiting.extend(split_in_halves(select_batch_rejected(part)));
    }
}

/// Returns those of the tasks whose documents Xero refused as a batch.
fn select_batch_rejected<'a, S>(tasks: Vec<&'a SyncTask<'a, S>>) -> Vec<&'a SyncTask<'a, S>> {
    let is_batch = |error: &XeroError| matches!(error, XeroError::BatchRejected { .. });
    tasks.into_iter().filter(|task| task.is_refused(is_batch)).collect()
}

/// Returns two halves, the first one last. A single task is not divided.
fn split_in_halves<T>(mut first: Vec<T>) -> Vec<Vec<T>> {
    if first.len() < 2 {
        return Vec::new();
    }
    let second = first.split_off(first.len() / 2);
    vec![second, first]
}

/// Returns whether the next call would fail as well, whatever it writes.
fn is_about_every_call(outcome: &Outcome) -> bool {
    match outcome {
        Err(AttemptError::Xero(error)) => {
            matches!(error.failure_class(), FailureClass::Throttled | FailureClass::Unauthorized)
        }
        Ok(_) | Err(_) => false,
    }
}
