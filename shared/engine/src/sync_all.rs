//! Sync All: a walk over an account's records, 50 at a time, each step a message of its own.

use std::num::NonZeroU16;

use domain::entity::EntityKind;
use domain::envelope::{Errand, Wake};
use domain::ids::{AccountId, CrmId, Ledger, UserId};
use domain::mapping::Mapping;
use domain::operation::{State, Urgency};
use domain::sync_all::{Counts, Place, SyncAll};
use store::table::{Cursor, Expect};
use store::{StoreError, Versioned};

use crate::inbound::{ledger, push_known};
use crate::push::{Pushed, Unrecorded};
use crate::{Engine, Invocation};

/// Records looked at in one step: as many as go into one call.
const PAGE: NonZeroU16 = NonZeroU16::new(50).expect("not zero");

/// Begins a Sync All; one that is under way is left to go on. `None` when the account has never been
/// connected.
pub async fn start(
    engine: &Engine,
    account: &AccountId,
    by: UserId,
) -> Result<Option<SyncAll>, Unrecorded> {
    let Some(ledger) = ledger(engine, account).await? else { return Ok(None) };
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
    Ok(Some(walk))
}

/// An account's newest Sync All.
pub async fn progress(engine: &Engine, account: &AccountId) -> Result<Option<SyncAll>, StoreError> {
    let Some(ledger) = ledger(engine, account).await? else { return Ok(None) };
    Ok(engine.store.sync_all(&ledger).await?.map(|row| row.record))
}

/// Takes the next step, and leaves a hint for the one after it. A step that is taken twice looks at the
/// same records again, which does no harm.
pub(crate) async fn walk(
    engine: &Engine,
    ledger: &Ledger,
    invocation: Invocation,
) -> Result<(), Unrecorded> {
    let Some(Versioned { record: walk, version }) = engine.store.sync_all(ledger).await? else {
        return Ok(());
    };
    let Place::Walking { kind, after } = walk.place.clone() else { return Ok(()) };
    let page = engine.store.mappings(ledger, kind, after.map(Cursor::at), PAGE).await?;
    let wanted = page.rows.iter().map(|row| &row.record).filter(|row| is_wanted(row));
    let wanted = wanted.map(|row| row.key.crm_id.clone()).collect::<Vec<_>>();
    let pushed = push(engine, ledger, kind, &wanted, invocation).await?;
    let now = engine.clock.now();
    let next_place = page.next.map(|cursor| cursor.sort_key().to_owned());
    let walk = SyncAll {
        place: Place::after(kind, next_place, now),
        counts: counted(walk.counts, page.rows.iter().map(|row| &row.record), &pushed),
        updated_at: now,
        ..walk
    };
    match engine.store.put_sync_all(&walk, Expect::Version(version)).await {
        Ok(_) if walk.is_walking() => next(engine, &walk).await,
        // Somebody else took this step, and leaves the hint for the next.
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn push(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    records: &[CrmId],
    invocation: Invocation,
) -> Result<Vec<Pushed>, Unrecorded> {
    let pushed = push_known(engine, ledger, kind, records, Urgency::All, invocation).await;
    pushed.into_iter().collect()
}

/// What Xero has is left alone, and so is what a person keeps back.
const fn is_wanted(mapping: &Mapping) -> bool {
    !matches!(mapping.operation.state, State::Synced | State::Withheld)
}

fn counted<'a>(
    before: Counts,
    rows: impl Iterator<Item = &'a Mapping>,
    pushed: &[Pushed],
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
            Pushed::Synced => counts.synced += 1,
            Pushed::Unchanged | Pushed::Stale { known: _ } | Pushed::Unknown => {
                counts.unchanged += 1;
            }
            Pushed::Skipped | Pushed::Withheld => counts.skipped += 1,
            Pushed::Waiting { until: _ }
            | Pushed::Parked
            | Pushed::Held { until: _ }
            | Pushed::Superseded => counts.waiting += 1,
        }
    }
    counts
}

/// Leaves the hint for the next step, behind what is in the queue already: other work is not held up.
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
