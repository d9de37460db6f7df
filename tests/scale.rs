//! The tick of the poll and the jobs over 100,000 accounts, in virtual time: how long they take, how
//! many runs they need, and the counts from which `infra/scale.py` computes costs and limits.
//!
//! It is a binary of its own, because tests of `it` measure the memory of their process.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test may panic, and prints its results"
)]

#[path = "it/large_world.rs"]
#[allow(dead_code, reason = "the tests of 10,000 accounts use more of it")]
mod large_world;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::ids::CrmId;
use domain::mapping::{KeptSnapshot, Mapping, MappingKey, SnapshotAcceptance};
use domain::operation::{OperationState, ParkingReason};
use domain::poll::CHUNK;
use engine::Engine;
use engine::jobs::health::{HealthCheckSummary, check_health};
use engine::jobs::keep_alive::{KeepAliveSummary, renew_unused_tokens};
use engine::jobs::sweep::{SweepSummary, sweep_all_shards};
use engine::poll::plan_tick;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use store::Store;
use store::keys::SHARDS;
use store::memory::MemoryTable;
use store::table::{
    FoundItems, IndexPage, IndexQuery, ItemKey, ItemPage, ItemTable, ItemWrite, StoredItem,
    TableError, TableQuery, WriteExpectation,
};
use tests::project::locate_in_project;

use self::large_world::{LargeWorld, TIMEOUT, ledger};

const ACCOUNTS: usize = 100_000;
/// The most rows of a shard that a sweep processes.
const SWEPT_PER_SHARD: usize = 250;
/// Accounts with a parked and a given-up record each: enough for more of both in every shard than a
/// sweep checks.
const ACCOUNTS_WITH_STOPPED_RECORDS: usize = 6_000;

/// A count of `infra/scale-counts.json`.
fn count(name: &str) -> usize {
    let path = locate_in_project("infra/scale-counts.json");
    let counts: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    usize::try_from(counts["asserted"][name].as_u64().unwrap()).unwrap()
}

#[test]
fn a_hundred_thousand_accounts_are_polled_swept_checked_and_kept_alive_in_time() {
    let world = LargeWorld::new(ACCOUNTS);
    plan_a_tick(&world);
    sweep_after_an_outage(&world);
    check_the_health_of_all(&world);
    renew_all_tokens(&world);
}

/// Every ledger is in one chunk, and the chunks are spread over the whole window.
fn plan_a_tick(world: &LargeWorld) {
    let planned = Arc::new(Mutex::new(Vec::new()));
    let (engine, result) = (world.engine.clone(), planned.clone());
    let took = world.run_to_end(async move {
        let chunks = plan_tick(&engine).await.unwrap();
        *result.lock().unwrap() = chunks;
    });
    let chunks = planned.lock().unwrap().clone();
    println!("tick: {} chunks, planned in {took:#}", chunks.len());
    assert_eq!(CHUNK, count("ledgers_in_a_chunk"));
    assert_eq!(chunks.len(), ACCOUNTS.div_ceil(CHUNK));
    let ledgers = chunks.iter().flat_map(|chunk| &chunk.ledgers).collect::<BTreeSet<_>>();
    assert_eq!(ledgers.len(), ACCOUNTS);
    let window = i64::try_from(count("seconds_over_which_chunks_are_spread")).unwrap();
    let last = chunks.last().unwrap().delay.as_secs();
    assert_eq!(last, window - 1, "more chunks than seconds use every second");
    // The function has two minutes, in which it also sends the chunks.
    assert!(took < SignedDuration::from_secs(30), "{took:#}");
}

/// One sweep wakes up a limited number of late records, and ends within its interval.
fn sweep_after_an_outage(world: &LargeWorld) {
    let (rows, now) = (Store::new(Arc::new(world.table.clone())), world.line.now());
    world.run_to_end(async move {
        for number in 0..ACCOUNTS {
            put_waiting(&rows, number, now).await;
        }
    });
    world.pass_time(SignedDuration::from_mins(10));
    let swept = Arc::new(Mutex::new(SweepSummary::default()));
    let (engine, invocation, result) = (world.engine.clone(), world.invocation(), swept.clone());
    let took = world.run_to_end(async move {
        let summary = sweep_all_shards(&engine, invocation).await;
        *result.lock().unwrap() = summary;
    });
    let swept = *swept.lock().unwrap();
    println!("sweep: {swept:?} in {took:#}");
    assert_eq!(swept.overdue, SWEPT_PER_SHARD * usize::try_from(SHARDS).unwrap());
    assert_eq!(swept.failed, 0);
    assert!(took < SignedDuration::from_mins(5), "{took:#}");
}

/// An invoice whose wake-up is due now.
async fn put_waiting(rows: &Store, number: usize, now: Timestamp) {
    let mut mapping = a_mapping(number, EntityKind::Invoice, "{}", now);
    mapping.operation.state = OperationState::Waiting { until: now };
    rows.put_mapping(&mapping, WriteExpectation::Absent, None).await.unwrap();
}

/// A payment whose invoice has not arrived.
async fn put_parked(rows: &Store, number: usize, now: Timestamp) {
    let mut mapping = a_mapping(number, EntityKind::Payment, "{}", now);
    let crm_id = CrmId::new("inv_unknown").unwrap();
    let on = ParkingReason::Prerequisite { kind: EntityKind::Invoice, crm_id };
    mapping.operation.state = OperationState::Parked { on };
    rows.put_mapping(&mapping, WriteExpectation::Absent, None).await.unwrap();
}

/// Credit that was given up because of its documents. It names the most rows.
async fn put_given_up(rows: &Store, number: usize, now: Timestamp) {
    let credit = r##"{"id":"al_1","revision":1,"credit_note_id":"cn_1","credit_note_number":"CN-1",
        "invoice_id":"inv_1","invoice_number":"#1","amount":"10.00","currency":"GBP",
        "date":"2026-11-02"}"##;
    let mut mapping = a_mapping(number, EntityKind::Allocation, credit, now);
    let (class, cause) = (FailureClass::Untranslatable, FailureCause::CreditOverLeft);
    mapping.operation.state = OperationState::Skipped;
    mapping.operation.failure = Some(Failure::new(class, cause, "Too much.", "Lower it."));
    rows.put_mapping(&mapping, WriteExpectation::Absent, None).await.unwrap();
}

fn a_mapping(number: usize, kind: EntityKind, json: &str, now: Timestamp) -> Mapping {
    let key = MappingKey::new(ledger(number), kind, CrmId::new("record_1").unwrap());
    let snapshot = KeptSnapshot::new(1, "#1".to_owned(), json.to_owned());
    let SnapshotAcceptance::Newer(mapping) = Mapping::accept_snapshot(None, &key, snapshot, now)
    else {
        panic!("the record is new")
    };
    *mapping
}

/// A table that counts the rows that are read by their keys.
#[derive(Debug)]
struct CountedReads {
    table: MemoryTable,
    reads: Arc<AtomicUsize>,
}

#[async_trait]
impl ItemTable for CountedReads {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.table.get(key).await
    }

    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        self.reads.fetch_add(keys.len(), Ordering::SeqCst);
        self.table.get_many(keys).await
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        self.table.write_items(writes).await
    }

    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        self.table.query_items(query).await
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.table.query_index(query).await
    }
}

/// A row that is read by its key takes one unit if it has up to 4 kB, as nearly all have.
#[test]
fn a_sweep_reads_a_limited_number_of_rows_to_check_stopped_records() {
    let world = LargeWorld::new(ACCOUNTS_WITH_STOPPED_RECORDS);
    let (rows, now) = (Store::new(Arc::new(world.table.clone())), world.line.now());
    world.run_to_end(async move {
        for number in 0..ACCOUNTS_WITH_STOPPED_RECORDS {
            put_parked(&rows, number, now).await;
            put_given_up(&rows, number, now).await;
        }
    });
    let reads = Arc::new(AtomicUsize::new(0));
    let swept = Arc::new(Mutex::new(SweepSummary::default()));
    let table = CountedReads { table: world.table.clone(), reads: reads.clone() };
    let engine = Engine { store: Store::new(Arc::new(table)), ..world.engine.clone() };
    let (invocation, result) = (world.invocation(), swept.clone());
    world.run_to_end(async move {
        let summary = sweep_all_shards(&engine, invocation).await;
        *result.lock().unwrap() = summary;
    });
    let swept = *swept.lock().unwrap();
    let (reads, shards) = (reads.load(Ordering::SeqCst), usize::try_from(SHARDS).unwrap());
    println!("sweep: {swept:?}, {reads} reads");
    let (parked, given_up) =
        (count("parked_records_of_a_sweep"), count("given_up_records_of_a_sweep"));
    assert_eq!((swept.parked, swept.given_up, swept.failed), (parked, given_up, 0));
    // Each shard has the place where the last sweep stopped, once for either list. It is read before
    // the records are, and before it is written.
    let of_places = 4 * shards;
    let of_parked = parked * count("read_units_of_a_parked_record");
    let of_given_up = given_up * count("read_units_of_a_given_up_record");
    assert!(reads <= of_places + of_parked + of_given_up, "{reads}");
    assert!(reads > 4 * parked + given_up, "{reads}");
}

/// An hourly check asks Xero about the accounts of its hour, one in 24.
fn check_the_health_of_all(world: &LargeWorld) {
    let checked = Arc::new(Mutex::new(HealthCheckSummary::default()));
    let (engine, invocation, result) = (world.engine.clone(), world.invocation(), checked.clone());
    let took = world.run_to_end(async move {
        let summary = check_health(&engine, invocation).await.unwrap();
        *result.lock().unwrap() = summary;
    });
    let checked = *checked.lock().unwrap();
    println!("health-check: {checked:?} in {took:#}");
    assert_eq!((checked.counted.connections, checked.failed), (ACCOUNTS, 0));
    assert!(!checked.is_cut_short);
    let lists = world.xero.lists.load(Ordering::SeqCst);
    assert!((3_500..5_000).contains(&lists), "{lists}");
    assert!(took < TIMEOUT, "{took:#}");
}

/// Several runs of keep-alive renew every token once. Each takes the whole time of a run.
fn renew_all_tokens(world: &LargeWorld) {
    world.pass_time(SignedDuration::from_hours(24 * 21));
    let counted = [&world.secrets.reads, &world.secrets.writes, &world.xero.refreshes];
    let before = counted.map(|counter| counter.load(Ordering::SeqCst));
    let (mut runs, mut renewed, mut is_cut_short) = (0, 0, true);
    while is_cut_short {
        let ended = Arc::new(Mutex::new(KeepAliveSummary::default()));
        let (engine, invocation, result) =
            (world.engine.clone(), world.invocation(), ended.clone());
        let took = world.run_to_end(async move {
            let kept = renew_unused_tokens(&engine, invocation).await.unwrap();
            *result.lock().unwrap() = kept;
        });
        let kept = *ended.lock().unwrap();
        println!("keep-alive: {kept:?} in {took:#}");
        assert!(kept.renewed > 0 && kept.failed == 0 && took < TIMEOUT, "{kept:?} {took:#}");
        (runs, renewed, is_cut_short) = (runs + 1, renewed + kept.renewed, kept.is_cut_short);
    }
    // Tokens live for 60 days and are renewed after 20, and there is a run every day.
    assert!((2..=10).contains(&runs), "{runs} runs");
    assert_eq!(renewed, ACCOUNTS);
    let after = counted.map(|counter| counter.load(Ordering::SeqCst));
    let [reads, writes, refreshes] = [0, 1, 2].map(|index: usize| after[index] - before[index]);
    assert_eq!(refreshes, ACCOUNTS, "each is renewed once");
    assert_eq!(writes, ACCOUNTS * count("secret_writes_of_a_renewal"));
    assert!(reads <= ACCOUNTS * count("secret_reads_of_a_renewal"), "{reads}");
}
