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
/// The period over which messages are spread. A queue delays a message by whole seconds, and by at
/// most 15 minutes.
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

/// Divides ledgers into chunks whose delays are spread over the whole window. If there are more
/// chunks than seconds, several share a second.
fn spread_chunks(ledgers: &[Ledger]) -> Vec<PollChunk> {
    let chunks = ledgers.chunks(CHUNK);
    let count = i64::try_from(chunks.len()).unwrap_or(i64::MAX).max(1);
    let delayed = |(number, ledgers): (i64, &[Ledger])| PollChunk {
        ledgers: ledgers.to_vec(),
        delay: SignedDuration::from_secs(WINDOW.as_secs().saturating_mul(number) / count),
    };
    (0_i64..).zip(chunks).map(delayed).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::ids::{AccountId, TenantId};

    use super::*;

    fn ledgers(count: u32) -> Vec<Ledger> {
        let ledger = |number: u32| Ledger {
            account: AccountId::new(format!("acc_{number}")).unwrap(),
            tenant: TenantId(uuid::Uuid::from_u128(number.into())),
        };
        (0..count).map(ledger).collect()
    }

    #[test]
    fn ten_thousand_ledgers_are_a_hundred_messages_over_the_window() {
        let ledgers = ledgers(10_000);
        let chunks = spread_chunks(&ledgers);
        assert_eq!(chunks.len(), 100);
        assert!(chunks.iter().all(|chunk| chunk.ledgers.len() == 100 && chunk.delay < WINDOW));
        assert!(chunks.last().unwrap().delay > SignedDuration::from_mins(11));
        assert_eq!(spread_chunks(&ledgers[..3])[0].delay, SignedDuration::ZERO);
        assert!(spread_chunks(&[]).is_empty());
    }

    #[test]
    fn chunks_are_spread_evenly_even_if_there_are_more_of_them_than_seconds() {
        for count in [99_u32, 779, 780, 781, 1_000, 1_001, 2_000] {
            let chunks = spread_chunks(&ledgers(count * 100));
            assert_eq!(chunks.len(), usize::try_from(count).unwrap());
            let delays = chunks.iter().map(|chunk| chunk.delay.as_secs()).collect::<Vec<_>>();
            assert!(delays.is_sorted(), "{count}");
            // The last one is as far from the end of the window as two chunks are from each other.
            let step = WINDOW.as_secs() / i64::from(count);
            let last = delays.last().unwrap();
            assert!((0..=step + 1).contains(&(WINDOW.as_secs() - last - 1)), "{count}: {last}");
            let mut each_second = BTreeMap::<i64, u32>::new();
            for delay in delays {
                *each_second.entry(delay).or_default() += 1;
            }
            let most = each_second.into_values().max().unwrap();
            assert!(most <= count.div_ceil(780), "{count}: {most} chunks in one second");
        }
    }
}
