//! Sync All: a walk over an account's records in steps of 50, as many per invocation as time
//! allows.

use std::num::NonZeroU16;

use domain::entity::EntityKind;
use domain::envelope::{Errand, Wake};
use domain::ids::{AccountId, Ledger, UserId};
use domain::mapping::Mapping;
use domain::operation::{State, Urgency};
use domain::sync_all::{Counts, Place, SyncAll};
use jiff::SignedDuration;
use store::table::{Cursor, Expect};
use store::{StoreError, Versioned};

use crate::chain::Chain;
use crate::errors::Unrecorded;
use crate::known_records::push_known;
use crate::ledgers::records_ledger;
use crate::push::Pushed;
use crate::{Engine, Invocation};

/// Records per step: as many as one call takes.
const PAGE: NonZeroU16 = NonZeroU16::new(50).expect("not zero");
/// Minimum time before the last call for a further step, which takes a few calls to Xero.
const STEP_ROOM: SignedDuration = SignedDuration::from_secs(15);

/// Starts a Sync All, or returns the one in progress. Records that arrived before the account was
/// connected are included.
pub async fn start(
    engine: &Engine,
    account: &AccountId,
    by: UserId,
) -> Result<SyncAll, Unrecorded> {
    let ledger = records_ledger(engine, account).await?;
    let known = engine.store.sync_all(&ledger).await?;
    let walk = match known {
        Some(Versioned { record, version: _ }) if record.is_walking() => record,
        known => {
            let expect = known.map_or(Expect::Absent, |known| Expect::Version(known.version));
            let walk = SyncAll::new(ledger, by, engine.clock.now());
            match engine.store.put_sync_all(&walk, expect).await {
                // Another process has just started one.
                Ok(_) | Err(StoreError::Conflict) => walk,
                Err(error) => return Err(error.into()),
            }
        }
    };
    // The hint of a Sync All in progress may have been lost, so it is enqueued again.
    next(engine, &walk).await?;
    Ok(walk)
}

/// Returns an account's newest Sync All.
pub async fn progress(engine: &Engine, account: &AccountId) -> Result<Option<SyncAll>, StoreError> {
    let ledger = records_ledger(engine, account).await?;
    Ok(engine.store.sync_all(&ledger).await?.map(|row| row.record))
}

/// Performs steps while there is time, at least one, and enqueues a hint for the next. A repeated
/// step processes the same records again, which does no harm.
pub(crate) async fn walk(
    engine: &Engine,
    ledger: &Ledger,
    invocation: Invocation,
) -> Result<(), Unrecorded> {
    let Some(mut row) = engine.store.sync_all(ledger).await? else { return Ok(()) };
    while row.record.is_walking() {
        // `None` means that another process took this step and continues.
        let Some(stepped) = step(engine, ledger, row, invocation).await? else { return Ok(()) };
        row = stepped;
        let has_room = engine
            .clock
            .now()
            .checked_add(STEP_ROOM)
            .is_ok_and(|until| until <= invocation.last_call);
        if row.record.is_walking() && !has_room {
            return next(engine, &row.record).await;
        }
    }
    Ok(())
}

/// Performs one step: a page of records. `None` if the row has changed.
async fn step(
    engine: &Engine,
    ledger: &Ledger,
    row: Versioned<SyncAll>,
    invocation: Invocation,
) -> Result<Option<Versioned<SyncAll>>, Unrecorded> {
    let Versioned { record: walk, version } = row;
    let Place::Walking { kind, after } = walk.place.clone() else { return Ok(None) };
    let page = engine.store.mappings(ledger, kind, after.map(Cursor::at), PAGE).await?;
    let wanted = page.rows.iter().map(|row| &row.record).filter(|row| is_wanted(row));
    let wanted = wanted.map(|row| row.key.crm_id.clone()).collect::<Vec<_>>();
    let pushed = push_known(engine, ledger, kind, &wanted, Urgency::All, invocation).await;
    let now = engine.clock.now();
    let next_place = page.next.map(|cursor| cursor.sort_key().to_owned());
    engine.report_unreadable(&ledger.account, &page.unreadable);
    let unreadable = u64::try_from(page.unreadable.len()).unwrap_or(u64::MAX);
    let counts = counted(walk.counts, page.rows.iter().map(|row| &row.record), &pushed);
    let walk = SyncAll {
        place: Place::after(kind, next_place, now),
        counts: counts.with_unreadable(unreadable),
        updated_at: now,
        ..walk
    };
    match engine.store.put_sync_all(&walk, Expect::Version(version)).await {
        Ok(version) => Ok(Some(Versioned { record: walk, version })),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns whether a record is to be pushed: not if Xero has it, and not if it is marked Never
/// send.
const fn is_wanted(mapping: &Mapping) -> bool {
    !matches!(mapping.operation.state, State::Synced | State::Withheld)
}

fn counted<'a>(
    before: Counts,
    rows: impl Iterator<Item = &'a Mapping>,
    pushed: &[Result<Pushed, Unrecorded>],
) -> Counts {
    let mut counts = before;
    for row in rows {
        counts.looked_at += 1;
        match row.operation.state {
            State::Synced => counts.unchanged += 1,
            State::Withheld => counts.skipped += 1,
            State::Due
            | State::Claimed { by: _, until: _ }
            | State::Waiting { until: _ }
            | State::Parked { on: _ }
            | State::Skipped => {}
        }
    }
    for one in pushed {
        match one {
            Ok(Pushed::Synced) => counts.synced += 1,
            Ok(Pushed::Unchanged | Pushed::Stale { known: _ } | Pushed::Unknown) => {
                counts.unchanged += 1;
            }
            Ok(Pushed::Skipped | Pushed::Withheld) => counts.skipped += 1,
            Ok(
                Pushed::Waiting { until: _ }
                | Pushed::Parked
                | Pushed::Held { until: _ }
                | Pushed::Superseded,
            ) => counts.waiting += 1,
            // This does not stop the other records: the lease ends, and the sweep finds the record
            // again.
            Err(error) => {
                tracing::error!(
                    error = %Chain(error),
                    "the outcome of a record of a Sync All could not be recorded"
                );
                counts.waiting += 1;
            }
        }
    }
    counts
}

/// Enqueues the hint for the next step, behind the account's other wake-ups.
async fn next(engine: &Engine, walk: &SyncAll) -> Result<(), Unrecorded> {
    let started = walk.started_at.as_millisecond();
    let wake = Wake {
        account: walk.ledger.account.clone(),
        tenant: walk.ledger.tenant,
        kind: EntityKind::Invoice,
        errand: Errand::SyncAll,
        ticket: format!("{started}-{}-{}", walk.counts.looked_at, walk.updated_at.as_millisecond()),
    };
    Ok(engine.wake_ups.leave(&wake).await?)
}
