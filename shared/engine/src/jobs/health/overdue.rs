//! Counts work that is still late after several sweeps: records whose wake-up did not arrive, and
//! events that were not delivered to the CRM.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use jiff::SignedDuration;
use store::keys::SHARDS;
use store::{DueEntry, StoreError};

use super::HealthCheckSummary;
use crate::Engine;

/// How late a row must be to be counted: three sweeps have missed it.
const LATE_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// Maximum entries counted per shard. More would not change the conclusion.
const PER_SHARD: NonZeroU16 = NonZeroU16::new(1_000).expect("not zero");

pub(super) async fn check_overdue(
    engine: &Engine,
    checked: &mut HealthCheckSummary,
) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let before = now.saturating_sub(LATE_AFTER).unwrap_or(now);
    for shard in 0..SHARDS {
        let mut undelivered = BTreeSet::new();
        for due in engine.store.list_due(shard, before, PER_SHARD).await? {
            match due {
                DueEntry::Mapping { key: _, at: _ } => checked.counted.overdue += 1,
                // All events of an account are in one shard.
                DueEntry::Outbox(account) => drop(undelivered.insert(account)),
                DueEntry::Connection(_) | DueEntry::Grant(_) => {}
            }
        }
        checked.counted.undelivered += undelivered.len();
    }
    Ok(())
}
