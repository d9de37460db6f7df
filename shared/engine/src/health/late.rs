//! What is still late after several sweeps: records whose wake-up did not come, events that the CRM was not told.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use jiff::SignedDuration;
use store::keys::SHARDS;
use store::{Due, StoreError};

use super::Checked;
use crate::Engine;

/// Three sweeps had their chance.
const LATE: SignedDuration = SignedDuration::from_mins(15);
/// Of each shard: more than this is as bad as this.
const PER_SHARD: NonZeroU16 = NonZeroU16::new(1_000).expect("not zero");

pub(super) async fn check(engine: &Engine, checked: &mut Checked) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let before = now.saturating_sub(LATE).unwrap_or(now);
    for shard in 0..SHARDS {
        let mut undelivered = BTreeSet::new();
        for due in engine.store.due(shard, before, PER_SHARD).await? {
            match due {
                Due::Mapping { key: _, at: _ } => checked.counted.overdue += 1,
                // All of an account's events are in one shard.
                Due::Outbox(account) => drop(undelivered.insert(account)),
                Due::Connection(_) | Due::Grant(_) => {}
            }
        }
        checked.counted.undelivered += undelivered.len();
    }
    Ok(())
}
