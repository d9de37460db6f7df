//! The sweep: a periodic look for what every hint about was lost. Nothing depends on it while hints
//! arrive; without it, one that AWS loses would be lost work.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger};
use domain::mapping::MappingKey;
use jiff::SignedDuration;
use store::keys::SHARDS;

use crate::chain::Chain;
use crate::push::Unrecorded;
use crate::{Engine, Invocation, disconnect, release};

/// A row is overdue when its hint is this late.
const LATE: SignedDuration = SignedDuration::from_mins(3);
/// An event is overdue when whoever committed it has had this long to deliver it.
const UNDELIVERED: SignedDuration = SignedDuration::from_mins(1);
/// Of each shard, in one sweep.
const PER_SHARD: NonZeroU16 = NonZeroU16::new(250).expect("not zero");

/// What a sweep found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Rows whose hint was late, and that were given another.
    pub overdue: usize,
    /// Parked rows that were looked at.
    pub parked: usize,
    /// Events that were delivered.
    pub events: usize,
    /// Accounts whose links at Xero were removed.
    pub removed: usize,
    /// Shards in which something could not be done; the next sweep tries again.
    pub failed: usize,
}

/// Looks through every shard. What fails in one does not keep the others from being swept.
pub async fn sweep(engine: &Engine, invocation: Invocation) -> Swept {
    let mut swept = Swept::default();
    for shard in 0..SHARDS {
        if engine.clock.now() > invocation.last_call {
            swept.failed += 1;
            continue;
        }
        if let Err(error) = shard_of(engine, shard, invocation, &mut swept).await {
            tracing::error!(error = %Chain(&error), shard, "a shard was not swept");
            swept.failed += 1;
        }
    }
    swept
}

async fn shard_of(
    engine: &Engine,
    shard: u32,
    invocation: Invocation,
    swept: &mut Swept,
) -> Result<(), Unrecorded> {
    let now = engine.clock.now();
    let before = |late| now.saturating_sub(late).unwrap_or(now);
    let overdue = engine.store.overdue(shard, before(LATE), PER_SHARD).await?;
    swept.overdue += overdue.len();
    for ((ledger, kind), records) in by_ledger(overdue) {
        engine.leave(&ledger, kind, &records).await?;
    }
    let events = engine.store.undelivered(shard, before(UNDELIVERED), PER_SHARD).await?;
    swept.events += events.len();
    for event in &events {
        engine.deliver(event).await;
    }
    let parked = engine.store.next_parked(shard, PER_SHARD).await?;
    swept.parked += parked.len();
    for ((ledger, kind), records) in by_ledger(parked) {
        let key = |crm_id| MappingKey { ledger: ledger.clone(), kind, crm_id };
        release::overlooked(engine, &ledger, records.into_iter().map(key).collect()).await?;
    }
    let accounts = engine.store.leftovers(shard, PER_SHARD).await?;
    swept.removed += disconnect::sweep(engine, &accounts, invocation).await?;
    Ok(())
}

fn by_ledger(keys: Vec<MappingKey>) -> BTreeMap<(Ledger, EntityKind), Vec<CrmId>> {
    let mut groups: BTreeMap<(Ledger, EntityKind), Vec<CrmId>> = BTreeMap::new();
    for MappingKey { ledger, kind, crm_id } in keys {
        groups.entry((ledger, kind)).or_default().push(crm_id);
    }
    groups
}
