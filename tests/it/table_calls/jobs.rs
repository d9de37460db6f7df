//! The scheduled jobs. The sweep is among the walks.

use engine::jobs::cleanup::remove_expired_rows;
use engine::jobs::health::check_health;
use engine::jobs::keep_alive::renew_unused_tokens;
use store::keys::SHARDS;
use tests::io_monitor::run;

use super::SIZES;
use super::counted_table::account_of_size;

#[test]
fn the_jobs_read_each_shard_of_their_lists_once_whatever_an_account_has() {
    let shards = usize::try_from(SHARDS).unwrap();
    for (mappings, parked) in [SIZES[0], SIZES[1]] {
        let (world, calls) = account_of_size(mappings, parked);
        let check = || {
            let _checked = run(check_health(&world.engine, world.invocation())).unwrap().unwrap();
        };
        // The first check also upgrades the rows of earlier releases.
        check();
        let counts = calls.count(check);
        // Rows with a due time, given-up records, accounts that had some, polled ledgers.
        assert_eq!(counts.index_queries, 4 * shards, "{parked} parked: {counts:?}");

        let counts = calls.count(|| {
            let renewed = renew_unused_tokens(&world.engine, world.invocation());
            let _kept = run(renewed).unwrap().unwrap();
        });
        assert_eq!(counts.index_queries, shards, "{parked} parked: {counts:?}");

        let counts = calls.count(|| {
            let (store, clock) = (&world.engine.store, &world.clock);
            let removed = remove_expired_rows(store, clock, world.invocation());
            let _cleaned = run(removed).unwrap().unwrap();
        });
        // Authorisations, and accounts with a log; the oldest entries of the one account.
        let queries = (counts.index_queries, counts.queries);
        assert_eq!(queries, (2 * shards, 1), "{parked} parked: {counts:?}");
    }
}
