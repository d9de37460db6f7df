//! Work over many records of an account, or of all accounts.

use std::collections::BTreeMap;

use domain::batching::ArrivalRate;
use domain::entity::EntityKind::{Contact, Invoice};
use domain::envelope::{WakeUp, WakeUpKind};
use domain::reconciliation::ReconciliationProgress;
use engine::commands::contacts::reconcile;
use engine::commands::sync_all;
use engine::inbound::MessageOutcome;
use engine::ports::Clock;
use jiff::SignedDuration;
use store::keys::SHARDS;
use tests::World;
use tests::builders::a_client;
use tests::io_monitor::run;
use tests::world::owner;

use super::counted_table::{Calls, Counts, account_of_size};
use super::{SIZES, invoice_id, messages, receive};

/// Records per page of a Sync All.
const PAGE: usize = 50;

/// Receives the wake-up of a walk. Returns the calls that this takes.
fn walk(world: &World, calls: &Calls, work: &WakeUpKind) -> Counts {
    let is_wanted = |wake: &WakeUp| wake.work == *work;
    let wake = world.wake_ups.take(is_wanted).unwrap();
    let now = world.clock.now();
    // Other wake-ups are left for later.
    while world.wake_ups.take_first().is_some() {}
    run(world.engine.wake_ups.schedule(&wake, now)).unwrap().unwrap();
    calls.count(|| world.advance(SignedDuration::ZERO))
}

#[test]
fn a_reconciliation_takes_as_many_calls_whatever_is_parked_or_synced() {
    let mut expected: BTreeMap<usize, Counts> = BTreeMap::new();
    for (mappings, parked) in SIZES {
        for clients in [1, 10, 50] {
            let (world, calls) = account_of_size(mappings.min(10_000), parked);
            let (tenant, now) = (world.tenant(), world.clock.now());
            for number in 0..clients {
                let name = format!("Ridge {number}");
                world.xero().bookkeeper(now, tenant).unwrap().add_contact(&name).unwrap();
                let id = format!("cli_a{number}");
                world.receive(Contact, &a_client(&id, 1, &name, "record"));
            }
            let account = world.account();
            let started = reconcile::start_reconciliation(&world.engine, &account, owner());
            run(started).unwrap().unwrap().unwrap();
            let counts = walk(&world, &calls, &WakeUpKind::Reconciliation);
            let ended = run(reconcile::find_reconciliation(&world.engine, &account));
            let ended = ended.unwrap().unwrap().unwrap();
            assert!(matches!(ended.place, ReconciliationProgress::Done { .. }), "{ended:?}");
            assert_eq!(usize::try_from(ended.counts.linked).unwrap(), clients);
            let first = *expected.entry(clients).or_insert(counts);
            assert_eq!(counts, first, "{clients} clients, {parked} parked");
            assert_eq!(counts.index_queries, 0, "no list of what is parked is read");
        }
    }
}

#[test]
fn a_sync_all_reads_and_records_each_page_once() {
    for documents in [1, 10, 50] {
        let mut few: Option<Counts> = None;
        for mappings in [100, 10_000] {
            let (world, calls) = account_of_size(mappings, 0);
            // Invoices that were stored and not pushed yet, on the first pages.
            let stored = messages(documents, documents, "cli_1");
            for batch in stored.chunks(10) {
                receive(&world, &calls, batch, ArrivalRate::Burst, &MessageOutcome::Deferred);
            }
            let account = world.account();
            let started = sync_all::start_sync_all(&world.engine, &account, owner());
            run(started).unwrap().unwrap();
            let counts = walk(&world, &calls, &WakeUpKind::SyncAll);
            for number in 0..documents {
                let mapping = world.mapping(Invoice, &invoice_id(documents, number)).unwrap();
                assert!(mapping.link.is_some(), "{number} of {documents}");
            }
            let few = *few.get_or_insert(counts);
            let pages = (mappings - 100) / PAGE;
            let expected = Counts { queries: few.queries + pages, puts: few.puts + pages, ..few };
            assert_eq!(counts, expected, "{documents} documents, {mappings} mappings");
        }
    }
}

#[test]
fn a_sweep_reads_each_shard_once_and_a_limited_number_of_parked_records() {
    let shards = usize::try_from(SHARDS).unwrap();
    for (mappings, parked) in SIZES {
        let (world, calls) = account_of_size(mappings, parked);
        let counts = calls.count(|| {
            let _swept = world.sweep();
        });
        // Rows with a due time, parked and given-up records.
        assert_eq!(counts.index_queries, 3 * shards, "{mappings} mappings");
        assert_eq!((counts.queries, counts.transactions), (0, 0));
        // The connection for each shard and its cursor again, and a record that is checked alone
        // with the client that it waits for.
        let of_parked = if parked == 0 { 0 } else { 4 * shards };
        assert!(counts.gets <= of_parked, "{parked} parked: {counts:?}");
        // Up to fifty parked records of a shard, and those that they wait for.
        let pages = parked.min(250 * shards).div_ceil(50) + shards;
        let of_parked = if parked == 0 { 0 } else { 2 * pages };
        // All cursors come first.
        assert!((1..=1 + of_parked).contains(&counts.batches), "{parked} parked: {counts:?}");
        assert!(counts.puts <= shards, "{parked} parked: {counts:?}");
    }
}
