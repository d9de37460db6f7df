//! The tick divides the ledgers to poll into chunks, and spreads them over the time until the next
//! tick. The ledgers of a chunk are polled in another order each time, so that a poll that runs out
//! of time does not always leave out the same ones.

use std::num::NonZeroU16;

use domain::ids::Ledger;
use domain::poll::CHUNK;
use jiff::SignedDuration;
use store::{ShardScan, StoreError};

use crate::Engine;

/// Ledgers read per page of the index.
const PAGE: NonZeroU16 = NonZeroU16::new(250).expect("not zero");
/// The period over which messages are spread. A queue delays a message by whole seconds, and by at
/// most 15 minutes.
const WINDOW: SignedDuration = SignedDuration::from_mins(13);
/// The interval between two ticks.
pub(super) const INTERVAL: SignedDuration = SignedDuration::from_mins(15);

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
    let tick = engine.clock.now().as_second().div_euclid(INTERVAL.as_secs());
    Ok(spread_chunks(&ledgers, tick))
}

/// Divides ledgers into chunks whose delays are spread over the whole window. If there are more
/// chunks than seconds, several share a second.
fn spread_chunks(ledgers: &[Ledger], tick: i64) -> Vec<PollChunk> {
    let chunks = ledgers.chunks(CHUNK);
    let count = i64::try_from(chunks.len()).unwrap_or(i64::MAX).max(1);
    let delayed = |(number, ledgers): (i64, &[Ledger])| PollChunk {
        ledgers: rotate_chunk(ledgers, tick),
        delay: SignedDuration::from_secs(WINDOW.as_secs().saturating_mul(number) / count),
    };
    (0_i64..).zip(chunks).map(delayed).collect()
}

/// Returns the ledgers of a chunk in their order, beginning about a third of the chunk further on
/// in each tick.
fn rotate_chunk(ledgers: &[Ledger], tick: i64) -> Vec<Ledger> {
    let count = i64::try_from(ledgers.len()).unwrap_or(1).max(1);
    let step = count / 3 + 1;
    let first = tick.rem_euclid(count).saturating_mul(step).rem_euclid(count);
    let mut rotated = ledgers.to_vec();
    rotated.rotate_left(usize::try_from(first).unwrap_or(0));
    rotated
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

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
        let chunks = spread_chunks(&ledgers, 0);
        assert_eq!(chunks.len(), 100);
        assert!(chunks.iter().all(|chunk| chunk.ledgers.len() == 100 && chunk.delay < WINDOW));
        assert!(chunks.last().unwrap().delay > SignedDuration::from_mins(11));
        assert_eq!(spread_chunks(&ledgers[..3], 0)[0].delay, SignedDuration::ZERO);
        assert!(spread_chunks(&[], 0).is_empty());
    }

    #[test]
    fn chunks_are_spread_evenly_even_if_there_are_more_of_them_than_seconds() {
        for count in [99_u32, 779, 780, 781, 1_000, 1_001, 2_000] {
            let chunks = spread_chunks(&ledgers(count * 100), 0);
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

    #[test]
    fn each_ledger_of_a_chunk_is_among_the_first_third_within_five_ticks() {
        for count in [1_u32, 2, 3, 5, 33, 34, 99, 100] {
            let ledgers = ledgers(count);
            let third = usize::try_from(count.div_ceil(3)).unwrap();
            for tick in [0_i64, 7, 1_980_000] {
                let mut first = BTreeSet::new();
                for later in 0..5 {
                    let chunk = spread_chunks(&ledgers, tick + later).remove(0).ledgers;
                    let all: BTreeSet<Ledger> = chunk.iter().cloned().collect();
                    assert_eq!(all.len(), ledgers.len(), "{count}: each is polled once");
                    first.extend(chunk.into_iter().take(third));
                }
                assert_eq!(first.len(), ledgers.len(), "{count} from tick {tick}");
            }
        }
    }
}
