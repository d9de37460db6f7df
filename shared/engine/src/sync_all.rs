//! Sync All: a walk over an account's records, 50 at a time, as many pages in an invocation as there is time for.

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
use crate::inbound::{push_known, records_ledger};
use crate::push::{Pushed, Unrecorded};
use crate::{Engine, Invocation};

/// Records looked at in one step: as many as go into one call.
const PAGE: NonZeroU16 = NonZeroU16::new(50).expect("not zero");
/// No further step is begun with less time than this before the last call: one takes a few calls of Xero's.
const STEP_ROOM: SignedDuration = SignedDuration::from_secs(15);

/// Begins a Sync All; one that is under way is left to go on. Records that arrived before the account was
/// connected are part of it.
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
                // Somebody else has just begun one.
                Ok(_) | Err(StoreError::Conflict) => walk,
                Err(error) => return Err(error.into()),
            }
        }
    };
    // Also for one that is under way: its last hint may have been lost.
    next(engine, &walk).await?;
    Ok(walk)
}

/// An account's newest Sync All.
pub async fn progress(engine: &Engine, account: &AccountId) -> Result<Option<SyncAll>, StoreError> {
    let ledger = records_ledger(engine, account).await?;
    Ok(engine.store.sync_all(&ledger).await?.map(|row| row.record))
}

/// Takes steps while there is time, at least one, and leaves a hint for the next. A step that is taken
/// twice looks at the same records again, which does no harm.
pub(crate) async fn walk(
    engine: &Engine,
    ledger: &Ledger,
    invocation: Invocation,
) -> Result<(), Unrecorded> {
    let Some(mut row) = engine.store.sync_all(ledger).await? else { return Ok(()) };
    while row.record.is_walking() {
        // Without another row somebody else took this step, and goes on.
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

/// One step: a page of records. `None` when the row has moved.
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
    let walk = SyncAll {
        place: Place::after(kind, next_place, now),
        counts: counted(walk.counts, page.rows.iter().map(|row| &row.record), &pushed),
        updated_at: now,
        ..walk
    };
    match engine.store.put_sync_all(&walk, Expect::Version(version)).await {
        Ok(version) => Ok(Some(Versioned { record: walk, version })),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What Xero has is left alone, and so is what a person keeps back.
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
            // It stops no other record: its lease ends, and the sweep looks at it again.
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

/// Leaves the hint for the next step, behind the account's other wake-ups.
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
