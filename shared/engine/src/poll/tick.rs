//! The tick divides the ledgers to poll into chunks, and spreads them over the time until the next
//! tick.

use std::num::NonZeroU16;

use domain::ids::Ledger;
use jiff::SignedDuration;
use store::{ShardScan, StoreError};

use crate::Engine;

/// Maximum ledgers per message, and so per invocation.
pub const CHUNK: usize = 100;
/// Ledgers read per page of the index.
const PAGE: NonZeroU16 = NonZeroU16::new(250).expect("not zero");
/// The period over which messages are spread. A queue delays a message by at most 15 minutes.
const WINDOW: SignedDuration = SignedDuration::from_mins(13);

/// Ledgers to be polled together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollChunk {
    /// The ledgers.
    pub ledgers: Vec<Ledger>,
    /// The delay after which they are polled.
    pub delay: SignedDuration,
}

/// Returns all polled ledgers in chunks.
pub async fn plan_tick(engine: &Engine) -> Result<Vec<PollChunk>, StoreError> {
    let mut ledgers = Vec::new();
    let mut scan = ShardScan::from_shard(0);
    while let Some((shard, after)) = scan.next_page() {
        ledgers.extend(scan.take_page(engine.store.list_polled(shard, after, PAGE).await?));
    }
    Ok(spread_chunks(&ledgers))
}

fn spread_chunks(ledgers: &[Ledger]) -> Vec<PollChunk> {
    let chunks = ledgers.chunks(CHUNK);
    let count = i64::try_from(chunks.len()).unwrap_or(i64::MAX).max(1);
    let step = WINDOW.as_secs() / count;
    let delayed = |(number, ledgers): (i64, &[Ledger])| PollChunk {
        ledgers: ledgers.to_vec(),
        delay: SignedDuration::from_secs(step.saturating_mul(number)),
    };
    (0_i64..).zip(chunks).map(delayed).collect()
}

#[cfg(test)]
mod tests {
    use domain::ids::{AccountId, TenantId};

    use super::*;

    #[test]
    fn ten_thousand_ledgers_are_a_hundred_messages_over_the_window() {
        let ledger = |number: u32| Ledger {
            account: AccountId::new(format!("acc_{number}")).unwrap(),
            tenant: TenantId(uuid::Uuid::from_u128(number.into())),
        };
        let ledgers = (0..10_000).map(ledger).collect::<Vec<_>>();
        let chunks = spread_chunks(&ledgers);
        assert_eq!(chunks.len(), 100);
        assert!(chunks.iter().all(|chunk| chunk.ledgers.len() == 100 && chunk.delay < WINDOW));
        assert!(chunks.last().unwrap().delay > SignedDuration::from_mins(11));
        assert_eq!(spread_chunks(&ledgers[..3])[0].delay, SignedDuration::ZERO);
        assert!(spread_chunks(&[]).is_empty());
    }
}
