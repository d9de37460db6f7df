//! Attempts many records: writes them to Xero together and records their outcomes one by one.

mod panics;

use std::sync::Arc;

use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::ids::Ledger;
use domain::mapping::Mapping;
use domain::operation::{Trigger, WriteTrace};
use domain::retry;
use futures::FutureExt;
use xero::XeroError;

use self::panics::sync_isolating_panics;
use super::snapshots::decode_snapshot;
use super::{AttemptFacts, ClaimedRecord, RecordedOutcome, record_outcome};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::errors::{PersistError, isolate_record};
use crate::sync::{Outcome, OutcomeSlot, SyncEntity, SyncTask, WriteState};
use crate::{Engine, Invocation, concurrency};

/// One claimed record during its attempt.
pub(super) struct Attempt {
    claimed: ClaimedRecord,
    writes: WriteState,
    outcome: OutcomeSlot,
}

impl Attempt {
    fn new(claimed: ClaimedRecord) -> Self {
        let (writes, outcome) = (WriteState::default(), OutcomeSlot::default());
        Self { claimed, writes, outcome }
    }
}

/// Attempts every claimed record and records the outcomes. Each record comes with a value of the
/// caller, which is returned with its result.
pub(super) async fn attempt_records<I: Send>(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    claimed: Vec<(I, ClaimedRecord)>,
    trigger: Trigger,
    invocation: Invocation,
) -> Vec<(I, Result<RecordedOutcome, PersistError>)> {
    let attempts = claimed.into_iter().map(|(item, claimed)| (item, Attempt::new(claimed)));
    let (items, attempts): (Vec<I>, Vec<Attempt>) = attempts.unzip();
    let epoch = sync_attempts(engine, ledger, kind, &attempts, trigger, invocation).await;
    // What is recorded depends on what other processes have done meanwhile.
    let engine: &Engine = &engine.without_read_ahead();
    let recorded = items.into_iter().zip(attempts).map(|(item, attempt)| {
        let Attempt { claimed, writes, outcome } = attempt;
        let tried = AttemptFacts {
            write_answer: writes.decisive_answer(),
            may_have_left_document: writes.may_have_left_document(),
            epoch,
            trigger,
        };
        let outcome = outcome.into_outcome();
        let recording = async move {
            let recorded =
                isolate_record(persist_outcome(engine, &claimed, outcome, tried).boxed()).await;
            (item, recorded)
        };
        recording.boxed()
    });
    concurrency::map_concurrently(recorded.collect()).await
}

async fn persist_outcome(
    engine: &Engine,
    claimed: &ClaimedRecord,
    outcome: Outcome,
    tried: AttemptFacts,
) -> Result<RecordedOutcome, PersistError> {
    match outcome {
        Ok(synced) => record_outcome::record_success(engine, claimed, synced, tried).await,
        Err(AttemptError::Persist(error)) => Err(error),
        Err(error) => record_outcome::record_failure(engine, claimed, error, tried).await,
    }
}

/// Pushes the claimed snapshots to Xero, and records an outcome at every attempt. Returns the epoch
/// of the connection.
async fn sync_attempts(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    attempts: &[Attempt],
    trigger: Trigger,
    invocation: Invocation,
) -> Option<u64> {
    if attempts.is_empty() {
        return None;
    }
    let connection = match engine.store.find_connection(&ledger.account).await {
        Ok(connection) => connection,
        Err(error) => {
            fail_attempts(attempts, &error.into());
            return None;
        }
    };
    let epoch = connection.as_ref().map(|row| row.record.epoch);
    match TenantSession::open_on_connection(
        engine,
        connection.as_ref(),
        ledger,
        trigger,
        invocation,
    )
    .await
    {
        Ok(tenant_session) => sync_in_session(&tenant_session, kind, attempts).await,
        Err(error) => fail_attempts(attempts, &error),
    }
    epoch
}

/// Records the same error for all attempts.
fn fail_attempts(attempts: &[Attempt], error: &AttemptError) {
    for attempt in attempts {
        attempt.outcome.set(Err(error.clone()));
    }
}

/// Pushes the claimed snapshots in a session. Only from here on does the protocol depend on the
/// kind. A kind that this process does not push is a defect: a record's wake-ups arrive where its
/// kind is pushed, so the next attempt may succeed.
async fn sync_in_session(
    tenant_session: &TenantSession<'_>,
    kind: EntityKind,
    attempts: &[Attempt],
) {
    match tenant_session.engine.kinds.find_kind(kind) {
        Some(pushed) => pushed.sync_attempts(tenant_session, attempts).await,
        None => fail_attempts(attempts, &missing_kind_failure(kind).into()),
    }
}

fn missing_kind_failure(kind: EntityKind) -> Failure {
    Failure::new(
        FailureClass::Defect,
        "kind_not_pushed",
        format!(
            "The integration could not send this {} because of an internal error.",
            kind.display_noun()
        ),
        "Your books are not affected. If this persists, contact support.",
    )
}

/// Pushes the claimed snapshots of one kind, and records an outcome at every attempt.
pub(super) async fn sync_snapshots<E: SyncEntity>(
    tenant_session: &TenantSession<'_>,
    attempts: &[Attempt],
) {
    let mut tasks: Vec<SyncTask<'_, E::Snapshot>> = Vec::with_capacity(attempts.len());
    for Attempt { claimed, writes, outcome } in attempts {
        let mapping = &claimed.row.record;
        match decode_snapshot::<E>(&mapping.snapshot) {
            Ok(snapshot) => {
                tasks.push(SyncTask::new(
                    mapping,
                    snapshot,
                    tenant_session.engine.recovery_mode,
                    writes,
                    outcome,
                ));
            }
            Err(failure) => outcome.set(Err(failure.into())),
        }
    }
    for group in group_by_batch_size(tasks) {
        sync_and_bisect::<E>(tenant_session, &group).await;
        record_answers_on_connection(tenant_session, &group).await;
    }
}

/// Groups tasks by batch size, those with fewer failures first, so that records with different
/// batch sizes do not share a call.
fn group_by_batch_size<S>(tasks: Vec<SyncTask<'_, S>>) -> Vec<Vec<SyncTask<'_, S>>> {
    let mut groups: Vec<(usize, Vec<SyncTask<'_, S>>)> = Vec::new();
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
async fn sync_and_bisect<E: SyncEntity>(
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

/// Returns the mapping marked as uncertain, because Xero may have a document that it does not know.
fn mark_uncertain(mapping: &Mapping) -> Mapping {
    let mut mapping = mapping.clone();
    mapping.operation.trace = WriteTrace::Uncertain;
    mapping
}

/// Records on the connection what the answers reveal about all of it, once per answer.
async fn record_answers_on_connection<S: Sync>(
    tenant_session: &TenantSession<'_>,
    tasks: &[SyncTask<'_, S>],
) {
    let mut recorded: Vec<(usize, Option<Failure>)> = Vec::new();
    for task in tasks {
        let Some(error) = task.outcome.xero_error() else { continue };
        let shared = Arc::as_ptr(&error).addr();
        let known = recorded.iter().find(|(one, _)| *one == shared).map(|(_, known)| known.clone());
        let instead = if let Some(instead) = known {
            instead
        } else {
            let instead = tenant_session.record_on_connection(&error).await;
            recorded.push((shared, instead.clone()));
            instead
        };
        if let Some(failure) = instead {
            task.set_outcome(Err(AttemptError::Explained(failure)));
        }
    }
}
