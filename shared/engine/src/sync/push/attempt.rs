//! Attempts many records: writes them to Xero together and records their outcomes one by one.

mod bisection;
mod other_books;
mod panics;

use std::sync::Arc;

use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::mapping::Mapping;
use domain::operation::WriteTrace;
use domain::retry;
use futures::FutureExt;

use self::bisection::sync_and_bisect;
use super::snapshots::decode_snapshot;
use super::{AttemptFacts, ClaimedRecord, PushRound, RecordedOutcome, copy, record_outcome};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::errors::{PersistError, isolate_record};
use crate::sync::{Outcome, OutcomeSlot, SyncEntity, SyncTask, WriteState};
use crate::{Engine, concurrency};

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

/// The end of one attempt at a record.
enum EndedAttempt {
    Recorded(RecordedOutcome),
    /// Its document is gone in Xero. The record is still claimed, for a new copy.
    CopyClaimed(Box<ClaimedRecord>),
}

/// The records of an attempt, each with a value of the caller.
type Claims<I> = Vec<(I, ClaimedRecord)>;

/// Attempts every claimed record and records the outcomes. A record that needs a new copy of its
/// document is attempted once more. Each record comes with a value of the caller, which is returned
/// with its result.
pub(super) async fn attempt_records<I: Send>(
    round: PushRound<'_>,
    claimed: Claims<I>,
) -> Vec<(I, Result<RecordedOutcome, PersistError>)> {
    let mut recorded = Vec::with_capacity(claimed.len());
    let mut claimed = claimed;
    for may_copy in [true, false] {
        let mut copies = Vec::new();
        for (item, ended) in attempt_once(round, claimed, may_copy).await {
            match ended {
                Ok(EndedAttempt::Recorded(outcome)) => recorded.push((item, Ok(outcome))),
                Ok(EndedAttempt::CopyClaimed(copy)) => copies.push((item, *copy)),
                Err(error) => recorded.push((item, Err(error))),
            }
        }
        claimed = copies;
    }
    recorded
}

/// Attempts every claimed record once and records the outcomes, except of those that need a new copy
/// of their documents, if they may have one.
async fn attempt_once<I: Send>(
    round: PushRound<'_>,
    claimed: Claims<I>,
    may_copy: bool,
) -> Vec<(I, Result<EndedAttempt, PersistError>)> {
    let attempts = claimed.into_iter().map(|(item, claimed)| (item, Attempt::new(claimed)));
    let (items, attempts): (Vec<I>, Vec<Attempt>) = attempts.unzip();
    let epoch = sync_attempts(round, &attempts).await;
    // What is recorded depends on what other processes have done meanwhile.
    let engine: &Engine = &round.engine.without_read_ahead();
    let recorded = items.into_iter().zip(attempts).map(|(item, attempt)| {
        let Attempt { claimed, writes, outcome } = attempt;
        let tried = AttemptFacts {
            write_answer: writes.decisive_answer(),
            may_have_left_document: writes.may_have_left_document(),
            epoch,
            trigger: round.trigger,
        };
        let outcome = outcome.into_outcome();
        let recording = async move {
            let ended = end_attempt(engine, &claimed, outcome, tried, may_copy).boxed();
            (item, isolate_record(ended).await)
        };
        recording.boxed()
    });
    concurrency::map_concurrently(recorded.collect()).await
}

/// Records the outcome of an attempt, or keeps the claim if the record needs a new copy.
async fn end_attempt(
    engine: &Engine,
    claimed: &ClaimedRecord,
    outcome: Outcome,
    tried: AttemptFacts,
    may_copy: bool,
) -> Result<EndedAttempt, PersistError> {
    if let Ok(synced) = &outcome
        && may_copy
        && let Some(copy) = copy::claim_copy(engine, claimed, synced, tried).await?
    {
        return Ok(EndedAttempt::CopyClaimed(Box::new(copy)));
    }
    let recorded = match outcome {
        Ok(synced) => record_outcome::record_success(engine, claimed, synced, tried).await,
        Err(AttemptError::Persist(error)) => Err(error),
        Err(error) => record_outcome::record_failure(engine, claimed, error, tried).await,
    };
    recorded.map(EndedAttempt::Recorded)
}

/// Pushes the claimed snapshots to Xero, and records an outcome at every attempt. Returns the epoch
/// of the connection.
async fn sync_attempts(round: PushRound<'_>, attempts: &[Attempt]) -> Option<u64> {
    let PushRound { engine, ledger, kind, trigger, invocation } = round;
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
    let opening =
        TenantSession::open_on_connection(engine, connection.as_ref(), ledger, trigger, invocation);
    match opening.await {
        Ok(tenant_session) => sync_in_session(&tenant_session, kind, attempts).await,
        Err(error) => fail_attempts(attempts, &error),
    }
    if let Some(row) = &connection {
        other_books::explain_waits(engine, &row.record, ledger, attempts).boxed().await;
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
