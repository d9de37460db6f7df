//! Sync All: processes an account's records in steps of 50, as many per invocation as time allows.
//! Each kind is processed on its own queue, because no other push function has the code for it.

use std::num::NonZeroU16;

use domain::entity::EntityKind;
use domain::envelope::{WakeUp, WakeUpKind};
use domain::ids::{AccountId, Ledger, UserId};
use domain::mapping::Mapping;
use domain::operation::{OperationState, Trigger};
use domain::sync_all::{SyncAll, SyncAllCounts, SyncAllProgress};
use jiff::SignedDuration;
use store::table::{PageCursor, WriteExpectation};
use store::{StoreError, VersionedRecord};

use crate::connection::ledgers::find_records_ledger;
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;
use crate::sync::push::PushOutcome;
use crate::sync::stored_records::push_stored_records;
use crate::{Engine, Invocation};

/// Records per step: as many as one call takes.
const PAGE: NonZeroU16 = NonZeroU16::new(50).expect("not zero");
/// Minimum time before the last call for a further step, which takes a few calls to Xero.
const STEP_ROOM: SignedDuration = SignedDuration::from_secs(15);

/// Starts a Sync All, or returns the one in progress. Records that arrived before the account was
/// connected are included.
pub async fn start_sync_all(
    engine: &Engine,
    account: &AccountId,
    by: UserId,
) -> Result<SyncAll, PersistError> {
    let ledger = find_records_ledger(engine, account).await?;
    let known = engine.store.find_sync_all(&ledger).await?;
    let sync_all = match known {
        Some(VersionedRecord { record, version: _ }) if record.is_in_progress() => record,
        known => {
            let expected = known.as_ref().and_then(|known| known.record.expected_next());
            let expect = WriteExpectation::from(known.map(|known| known.version));
            let sync_all = SyncAll { expected, ..SyncAll::new(ledger, by, engine.clock.now()) };
            match engine.store.put_sync_all(&sync_all, expect).await {
                // Another process has just started one.
                Ok(_) | Err(StoreError::Conflict) => sync_all,
                Err(error) => return Err(error.into()),
            }
        }
    };
    // The wake-up of a Sync All in progress may have been lost, so it is enqueued again.
    enqueue_next_step(engine, &sync_all).await?;
    Ok(sync_all)
}

/// Returns an account's newest Sync All.
pub async fn find_sync_all(
    engine: &Engine,
    account: &AccountId,
) -> Result<Option<SyncAll>, StoreError> {
    let ledger = find_records_ledger(engine, account).await?;
    Ok(engine.store.find_sync_all(&ledger).await?.map(|row| row.record))
}

/// Performs the steps of a queue while there is time, at least one, and enqueues a wake-up for the
/// next. If the next step belongs on another queue, because this is the last one here or because an
/// earlier release sent the wake-up, that queue gets the wake-up. A repeated step processes the same
/// records again, which does no harm.
pub(crate) async fn continue_sync_all(
    engine: &Engine,
    ledger: &Ledger,
    queue: EntityKind,
    invocation: Invocation,
) -> Result<(), PersistError> {
    let Some(mut row) = engine.store.find_sync_all(ledger).await? else { return Ok(()) };
    while let Some(next_queue) = row.record.next_queue() {
        if next_queue != queue.queue_kind() {
            return enqueue_next_step(engine, &row.record).await;
        }
        // `None` means that another process took this step and continues.
        let Some(stepped) = perform_sync_all_step(engine, ledger, row, invocation).await? else {
            return Ok(());
        };
        row = stepped;
        let has_room = engine
            .clock
            .now()
            .checked_add(STEP_ROOM)
            .is_ok_and(|until| until <= invocation.last_call);
        if row.record.is_in_progress() && !has_room {
            return enqueue_next_step(engine, &row.record).await;
        }
    }
    Ok(())
}

/// Performs one step: a page of records. `None` if the row has changed.
async fn perform_sync_all_step(
    engine: &Engine,
    ledger: &Ledger,
    row: VersionedRecord<SyncAll>,
    invocation: Invocation,
) -> Result<Option<VersionedRecord<SyncAll>>, PersistError> {
    let VersionedRecord { record: sync_all, version } = row;
    let SyncAllProgress::Walking { kind, after } = sync_all.place.clone() else { return Ok(None) };
    let page =
        engine.store.list_mappings(ledger, kind, after.map(PageCursor::at_sort_key), PAGE).await?;
    let wanted = page.rows.iter().map(|row| &row.record).filter(|row| should_push(row));
    let wanted = wanted.map(|row| row.key.crm_id.clone()).collect::<Vec<_>>();
    let pushed = push_stored_records(engine, ledger, kind, &wanted, Trigger::All, invocation).await;
    let now = engine.clock.now();
    let next_place = page.next.map(|cursor| cursor.sort_key().to_owned());
    engine.report_unreadable(&ledger.account, &page.unreadable);
    let unreadable = u64::try_from(page.unreadable.len()).unwrap_or(u64::MAX);
    let counts = add_step_counts(sync_all.counts, page.rows.iter().map(|row| &row.record), &pushed);
    let sync_all = SyncAll {
        place: SyncAllProgress::after_page(kind, next_place, now),
        counts: counts.with_unreadable(unreadable),
        updated_at: now,
        ..sync_all
    };
    match engine.store.put_sync_all(&sync_all, WriteExpectation::Version(version)).await {
        Ok(version) => Ok(Some(VersionedRecord { record: sync_all, version })),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns whether a record is to be pushed: not if Xero has it, and not if it is marked Never
/// send.
const fn should_push(mapping: &Mapping) -> bool {
    !matches!(mapping.operation.state, OperationState::Synced | OperationState::Withheld)
}

fn add_step_counts<'a>(
    before: SyncAllCounts,
    rows: impl Iterator<Item = &'a Mapping>,
    pushed: &[Result<PushOutcome, PersistError>],
) -> SyncAllCounts {
    let mut counts = before;
    for row in rows {
        counts.looked_at += 1;
        match row.operation.state {
            OperationState::Synced => counts.unchanged += 1,
            OperationState::Withheld => counts.skipped += 1,
            OperationState::Due
            | OperationState::Claimed { by: _, until: _ }
            | OperationState::Waiting { until: _ }
            | OperationState::Parked { on: _ }
            | OperationState::Skipped => {}
        }
    }
    for one in pushed {
        match one {
            Ok(PushOutcome::Synced) => counts.synced += 1,
            Ok(PushOutcome::Unchanged | PushOutcome::Stale { known: _ } | PushOutcome::Unknown) => {
                counts.unchanged += 1;
            }
            Ok(PushOutcome::Skipped | PushOutcome::Withheld) => counts.skipped += 1,
            Ok(
                PushOutcome::Waiting { until: _ }
                | PushOutcome::Parked
                | PushOutcome::Held { until: _ }
                | PushOutcome::Superseded,
            ) => counts.waiting += 1,
            // This does not stop the other records: the lease ends, and the sweep finds the record
            // again.
            Err(error) => {
                tracing::error!(
                    error = %ErrorChain(error),
                    "the outcome of a record of a Sync All could not be recorded"
                );
                counts.waiting += 1;
            }
        }
    }
    counts
}

/// Enqueues the wake-up for the next step on its queue, behind the account's other wake-ups.
async fn enqueue_next_step(engine: &Engine, sync_all: &SyncAll) -> Result<(), PersistError> {
    let Some(kind) = sync_all.next_queue() else { return Ok(()) };
    let started = sync_all.started_at.as_millisecond();
    let wake_up = WakeUp {
        account: sync_all.ledger.account.clone(),
        tenant: sync_all.ledger.tenant,
        kind,
        work: WakeUpKind::SyncAll,
        ticket: format!(
            "{started}-{}-{}",
            sync_all.counts.looked_at,
            sync_all.updated_at.as_millisecond()
        ),
    };
    Ok(engine.wake_ups.enqueue(&wake_up).await?)
}
