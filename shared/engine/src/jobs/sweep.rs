//! The sweep regularly finds rows whose wake-up was lost. It is not needed while wake-ups arrive;
//! without it, the work of a wake-up that AWS loses would never be done.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;

use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, GrantId, Ledger};
use domain::mapping::MappingKey;
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use store::keys::SHARDS;
use store::{DueEntry, ReadAheadKeys};

use crate::commands::organisation;
use crate::connection::{self, disconnect, token};
use crate::error_chain::ErrorChain;
use crate::errors::{PersistError, isolate_record};
use crate::jobs::availability;
use crate::record_isolation::catch_panic;
use crate::sync::{carry_over, release};
use crate::{Engine, Invocation};

/// How late a wake-up must be before its row counts as overdue.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_mins(3);
/// How long the process that committed an event, or began a refresh, has to finish before the sweep
/// does.
const GRACE_PERIOD: SignedDuration = SignedDuration::from_mins(1);
/// Maximum entries per shard and sweep.
const PER_SHARD: NonZeroU16 = NonZeroU16::new(250).expect("not zero");

/// Maximum given-up records per shard and sweep. Only what the recording of a change has missed is
/// found among them, so a walk over all of them may take several sweeps.
const GIVEN_UP_PER_SHARD: NonZeroU16 = NonZeroU16::new(50).expect("not zero");

/// The interval between two sweeps, in seconds.
const INTERVAL_SECONDS: i64 = 300;

/// The result of a sweep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepSummary {
    /// Rows with a late wake-up that received another.
    pub overdue: usize,
    /// Parked rows that were checked.
    pub parked: usize,
    /// Given-up rows that were checked.
    pub given_up: usize,
    /// Events that were delivered.
    pub events: usize,
    /// Connections that were checked and have no further work for now.
    pub connections: usize,
    /// Grants whose last refresh was checked.
    pub grants: usize,
    /// Shards, accounts and grants with an error, or for which time ran out. The next sweep tries
    /// again.
    pub failed: usize,
}

/// The rows that one walk over the shards looks for.
#[derive(Debug, Clone, Copy)]
enum SweptRows {
    /// Rows whose wake-up or event is late.
    Due,
    /// Parked records.
    Parked,
    /// Given-up records.
    GivenUp,
}

/// Sweeps every shard while there is time, rows with a due time first. An error in one shard does
/// not stop the others.
pub async fn sweep_all_shards(engine: &Engine, invocation: Invocation) -> SweepSummary {
    let mut swept = SweepSummary::default();
    let shards = shards_in_order(engine.clock.now()).collect::<Vec<_>>();
    sweep_shards(engine, SweptRows::Due, &shards, invocation, &mut swept).await;
    // The others are found by where the last sweep stopped in each shard.
    let mut cursors = ReadAheadKeys::default();
    cursors.add_sweep_cursors();
    let engine: &Engine = &*engine.with_rows_read_ahead(cursors).await;
    for rows in [SweptRows::Parked, SweptRows::GivenUp] {
        sweep_shards(engine, rows, &shards, invocation, &mut swept).await;
    }
    swept
}

/// Sweeps rows of one kind in these shards while there is time.
async fn sweep_shards(
    engine: &Engine,
    rows: SweptRows,
    shards: &[u32],
    invocation: Invocation,
    swept: &mut SweepSummary,
) {
    for shard in shards.iter().copied() {
        if invocation.is_past_last_call(engine.clock.now()) {
            swept.failed += 1;
            continue;
        }
        let done = match rows {
            SweptRows::Due => sweep_due_rows(engine, shard, invocation, swept).await,
            SweptRows::Parked => sweep_parked_rows(engine, shard, swept).await,
            SweptRows::GivenUp => sweep_given_up_rows(engine, shard, swept).await,
        };
        if let Err(error) = done {
            tracing::error!(error = %ErrorChain(&error), shard, "a shard was not swept");
            swept.failed += 1;
        }
    }
}

/// Returns all shards, beginning with another one in each sweep, so that sweeps that run out of
/// time do not always leave out the same shards.
fn shards_in_order(now: Timestamp) -> impl Iterator<Item = u32> {
    let sweeps = now.as_second().div_euclid(INTERVAL_SECONDS);
    let first = u32::try_from(sweeps.rem_euclid(i64::from(SHARDS))).unwrap_or(0);
    (0..SHARDS).map(move |shard| (first + shard) % SHARDS)
}

/// Counts an error of one account. It does not stop the other accounts of the shard.
fn count_account_failure(account: &AccountId, error: &PersistError, swept: &mut SweepSummary) {
    tracing::error!(error = %ErrorChain(error), account.id = %account, "an account was not swept");
    swept.failed += 1;
}

async fn sweep_due_rows(
    engine: &Engine,
    shard: u32,
    invocation: Invocation,
    swept: &mut SweepSummary,
) -> Result<(), PersistError> {
    let now = engine.clock.now();
    let before = |late| now.saturating_sub(late).unwrap_or(now);
    let (mut overdue, mut outboxes) = (Vec::new(), BTreeSet::new());
    for due in engine.store.list_due(shard, before(GRACE_PERIOD), PER_SHARD).await? {
        match due {
            DueEntry::Mapping { key, at } if at <= before(OVERDUE_AFTER) => overdue.push(key),
            // The wake-up may still arrive.
            DueEntry::Mapping { key: _, at: _ } => {}
            DueEntry::Outbox(account) => {
                outboxes.insert(account);
            }
            // A check may make calls to Xero.
            DueEntry::Connection(_) | DueEntry::Grant(_)
                if invocation.is_past_last_call(engine.clock.now()) =>
            {
                swept.failed += 1;
            }
            DueEntry::Connection(account) => {
                let check = sweep_connection(engine, &account, invocation).boxed();
                match isolate_record(check).await {
                    Ok(is_done) => swept.connections += usize::from(is_done),
                    Err(error) => count_account_failure(&account, &error, swept),
                }
            }
            DueEntry::Grant(id) => {
                swept.grants += 1;
                let result = catch_panic(sweep_grant(engine, id).boxed()).await;
                swept.failed += usize::from(result.is_none());
            }
        }
    }
    for account in outboxes {
        if invocation.is_past_last_call(engine.clock.now()) {
            swept.failed += 1;
            continue;
        }
        swept.events += engine.deliver_outbox(&account).await;
    }
    enqueue_overdue_records(engine, overdue, swept).await;
    Ok(())
}

async fn enqueue_overdue_records(
    engine: &Engine,
    overdue: Vec<MappingKey>,
    swept: &mut SweepSummary,
) {
    swept.overdue += overdue.len();
    for ((ledger, kind), records) in group_by_queue(overdue) {
        if let Err(error) = engine.enqueue_wake_ups(&ledger, kind, &records).await {
            count_account_failure(&ledger.account, &error.into(), swept);
        }
    }
}

async fn sweep_parked_rows(
    engine: &Engine,
    shard: u32,
    swept: &mut SweepSummary,
) -> Result<(), PersistError> {
    let parked = engine.store.list_next_parked(shard, PER_SHARD).await?;
    swept.parked += parked.len();
    for (ledger, keys) in release::group_by_ledger(parked) {
        let released = release::release_overlooked(engine, &ledger, keys);
        if let Err(error) = isolate_record(released).await {
            count_account_failure(&ledger.account, &error, swept);
        }
    }
    Ok(())
}

/// Releases given-up records whose document or contact has changed in Xero, or whose unclear
/// payment was decided, if the process that recorded this did not.
async fn sweep_given_up_rows(
    engine: &Engine,
    shard: u32,
    swept: &mut SweepSummary,
) -> Result<(), PersistError> {
    let given_up = engine.store.list_next_given_up(shard, GIVEN_UP_PER_SHARD).await?;
    swept.given_up += given_up.len();
    for (ledger, keys) in release::group_by_ledger(given_up) {
        let released = release::release_after_overlooked_changes(engine, &ledger, &keys);
        if let Err(error) = isolate_record(released).await {
            count_account_failure(&ledger.account, &error, swept);
        }
    }
    Ok(())
}

/// Performs the due work of a connection. Returns whether no work remains for now.
async fn sweep_connection(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<bool, PersistError> {
    availability::check_availability(engine, account, invocation).await?;
    organisation::end_expired_offer(engine, account).await?;
    connection::release_unneeded_claims(engine, account).await?;
    if let Some(row) = engine.store.find_connection(account).await?
        && !row.record.carried_from.is_empty()
        && let Some(ledger) = row.record.current_ledger()
    {
        carry_over::repeat_connected_wake_up(engine, &ledger).await;
    }
    Ok(disconnect::remove_leftovers_in_time(engine, account, invocation).await?)
}

/// Finishes a grant's last refresh, and ends the grant if no account uses it. An error does not
/// stop the others.
async fn sweep_grant(engine: &Engine, id: GrantId) {
    if let Err(error) = token::finish_refresh(engine, id).await {
        tracing::warn!(error = %ErrorChain(&error), "the outcome of a refresh is still unknown");
    }
    if let Err(error) = token::end_abandoned_grant(engine, id).await {
        tracing::warn!(error = %ErrorChain(&error), "an unused grant could not be ended yet");
    }
}

/// Groups records whose wake-ups go to one queue in one message group.
fn group_by_queue(keys: Vec<MappingKey>) -> BTreeMap<(Ledger, EntityKind), Vec<CrmId>> {
    let mut groups: BTreeMap<(Ledger, EntityKind), Vec<CrmId>> = BTreeMap::new();
    for MappingKey { ledger, kind, crm_id } in keys {
        groups.entry((ledger, kind)).or_default().push(crm_id);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_begin_with_another_shard_each_time_and_process_all() {
        let all: Vec<u32> = (0..SHARDS).collect();
        let start: Timestamp = "2026-11-02T09:00:00Z".parse().unwrap();
        // This also holds if every second sweep is missed.
        for minutes in [5, 10] {
            let mut first = BTreeSet::new();
            for number in 0..i64::from(SHARDS) {
                let now = start + SignedDuration::from_mins(minutes * number);
                let mut swept: Vec<u32> = shards_in_order(now).collect();
                first.extend(swept.first().copied());
                swept.sort_unstable();
                assert_eq!(swept, all);
            }
            assert!(first.len() >= all.len() / 2, "{minutes}: {first:?}");
        }
    }
}
