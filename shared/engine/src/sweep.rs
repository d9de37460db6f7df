//! The sweep: a periodic look for what every hint about was lost. Nothing depends on it while hints
//! arrive; without it, one that AWS loses would be lost work.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;

use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, GrantId, Ledger};
use domain::mapping::MappingKey;
use jiff::SignedDuration;
use store::Due;
use store::keys::SHARDS;

use crate::chain::Chain;
use crate::push::Unrecorded;
use crate::{Engine, Invocation, availability, carry_over, disconnect, release, token};

/// A row is overdue when its hint is this late.
const LATE: SignedDuration = SignedDuration::from_mins(3);
/// Whoever committed an event, or began a refresh, has this long to do the rest.
const SOON: SignedDuration = SignedDuration::from_mins(1);
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
    /// Connections that were looked at and need nothing more now.
    pub connections: usize,
    /// Grants of which it was found out how their last refresh ended.
    pub grants: usize,
    /// Shards in which something could not be done; the next sweep tries again.
    pub failed: usize,
}

/// Looks through every shard, first for what has a time of its own. What fails in one does not keep the
/// others from being swept.
pub async fn sweep(engine: &Engine, invocation: Invocation) -> Swept {
    let mut swept = Swept::default();
    for shard in 0..SHARDS {
        let done = due(engine, shard, invocation, &mut swept).await;
        tell(shard, done, &mut swept);
    }
    for shard in 0..SHARDS {
        let done = parked(engine, shard, invocation, &mut swept).await;
        tell(shard, done, &mut swept);
    }
    swept
}

fn tell(shard: u32, done: Result<(), Unrecorded>, swept: &mut Swept) {
    if let Err(error) = done {
        tracing::error!(error = %Chain(&error), shard, "a shard was not swept");
        swept.failed += 1;
    }
}

async fn due(
    engine: &Engine,
    shard: u32,
    invocation: Invocation,
    swept: &mut Swept,
) -> Result<(), Unrecorded> {
    let now = engine.clock.now();
    if now > invocation.last_call {
        swept.failed += 1;
        return Ok(());
    }
    let before = |late| now.saturating_sub(late).unwrap_or(now);
    let (mut overdue, mut outboxes) = (Vec::new(), BTreeSet::new());
    for due in engine.store.due(shard, before(SOON), PER_SHARD).await? {
        match due {
            Due::Mapping { key, at } if at <= before(LATE) => overdue.push(key),
            // Its hint may still come.
            Due::Mapping { key: _, at: _ } => {}
            Due::Outbox(account) => {
                outboxes.insert(account);
            }
            Due::Connection(account) => {
                swept.connections += usize::from(look(engine, &account, invocation).await?);
            }
            Due::Grant(id) => {
                swept.grants += 1;
                settled(engine, id).await;
            }
        }
    }
    for account in outboxes {
        swept.events += engine.empty_outbox(&account).await;
    }
    swept.overdue += overdue.len();
    for ((ledger, kind), records) in by_ledger(overdue) {
        engine.leave(&ledger, kind, &records).await?;
    }
    Ok(())
}

async fn parked(
    engine: &Engine,
    shard: u32,
    invocation: Invocation,
    swept: &mut Swept,
) -> Result<(), Unrecorded> {
    if engine.clock.now() > invocation.last_call {
        swept.failed += 1;
        return Ok(());
    }
    let parked = engine.store.next_parked(shard, PER_SHARD).await?;
    swept.parked += parked.len();
    for ((ledger, kind), records) in by_ledger(parked) {
        let key = |crm_id| MappingKey { ledger: ledger.clone(), kind, crm_id };
        release::overlooked(engine, &ledger, records.into_iter().map(key).collect()).await?;
    }
    Ok(())
}

/// Does what a connection is due for. Whether it needs nothing more now.
async fn look(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<bool, Unrecorded> {
    availability::look(engine, account, invocation).await?;
    if let Some(row) = engine.store.connection(account).await?
        && !row.record.carried_from.is_empty()
        && let Some(ledger) = row.record.ledger()
    {
        carry_over::sweep(engine, &ledger).await;
    }
    Ok(disconnect::sweep(engine, account, invocation).await?)
}

/// One grant's trouble is its own.
async fn settled(engine: &Engine, id: GrantId) {
    if let Err(error) = token::settle(engine, id).await {
        tracing::warn!(error = %Chain(&error), "the end of a refresh is still not known");
    }
}

fn by_ledger(keys: Vec<MappingKey>) -> BTreeMap<(Ledger, EntityKind), Vec<CrmId>> {
    let mut groups: BTreeMap<(Ledger, EntityKind), Vec<CrmId>> = BTreeMap::new();
    for MappingKey { ledger, kind, crm_id } in keys {
        groups.entry((ledger, kind)).or_default().push(crm_id);
    }
    groups
}
