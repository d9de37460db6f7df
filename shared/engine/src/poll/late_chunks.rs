//! Chunks that no function received for a while. Chunks of later ticks name the same ledgers, and
//! one poll does the work of all of them.

use domain::ids::Ledger;
use futures::FutureExt;
use jiff::Timestamp;
use store::ReadAheadKeys;

use super::tick;
use crate::Engine;
use crate::record_isolation::catch_panic;

/// Returns the ledgers of a chunk that are still to be polled: all of them, unless the chunk is so
/// old that a later tick has sent another one. Then those are left out that were polled since that
/// tick, so that a queue from which nothing was received for hours takes one poll of each ledger
/// and not one for each tick.
pub async fn list_unread_ledgers(
    engine: &Engine,
    ledgers: Vec<Ledger>,
    sent_at: Option<Timestamp>,
) -> Vec<Ledger> {
    let now = engine.clock.now();
    let later_tick = sent_at.and_then(|at| at.checked_add(tick::INTERVAL).ok());
    let Some(later_tick) = later_tick.filter(|at| *at <= now) else { return ledgers };
    let mut rows = ReadAheadKeys::default();
    for ledger in &ledgers {
        rows.add_poll_progress(ledger);
    }
    let engine = engine.with_rows_read_ahead(rows).await;
    let mut unread = Vec::with_capacity(ledgers.len());
    for ledger in ledgers {
        let row = catch_panic(engine.store.find_poll_progress(&ledger).boxed()).await;
        // The poll reports a row that cannot be read.
        let row = row.and_then(Result::ok).flatten();
        if !row.is_some_and(|row| row.record.is_checked_since(later_tick, now)) {
            unread.push(ledger);
        }
    }
    unread
}
