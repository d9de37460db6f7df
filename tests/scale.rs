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

#[path = "it/crowd.rs"]
#[allow(dead_code, reason = "the tests of 10,000 accounts use more of it")]
mod crowd;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use domain::entity::EntityKind;
use domain::ids::CrmId;
use domain::mapping::{KeptSnapshot, Mapping, MappingKey, SnapshotAcceptance};
use domain::operation::OperationState;
use engine::jobs::health::{HealthCheckSummary, check_health};
use engine::jobs::keep_alive::{KeepAliveSummary, renew_unused_tokens};
use engine::jobs::sweep::{SweepSummary, sweep_all_shards};
use engine::poll::{CHUNK, plan_tick};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use store::Store;
use store::keys::SHARDS;
use store::table::WriteExpectation;

use self::crowd::{Crowd, TIMEOUT, ledger};

const ACCOUNTS: usize = 100_000;
/// The most rows of a shard that a sweep processes.
const SWEPT_PER_SHARD: usize = 250;

/// A count of `infra/scale-counts.json`.
fn count(name: &str) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/scale-counts.json");
    let counts: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    usize::try_from(counts["asserted"][name].as_u64().unwrap()).unwrap()
}

#[test]
fn a_hundred_thousand_accounts_are_polled_swept_checked_and_kept_alive_in_time() {
    let crowd = Crowd::new(ACCOUNTS);
    plan_a_tick(&crowd);
    sweep_after_an_outage(&crowd);
    check_the_health_of_all(&crowd);
    renew_all_tokens(&crowd);
}

/// Every ledger is in one chunk, and the chunks are spread over the whole window.
fn plan_a_tick(crowd: &Crowd) {
    let planned = Arc::new(Mutex::new(Vec::new()));
    let (engine, result) = (crowd.engine.clone(), planned.clone());
    let took = crowd.does(async move {
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
fn sweep_after_an_outage(crowd: &Crowd) {
    let (rows, now) = (Store::new(Arc::new(crowd.table.clone())), crowd.line.now());
    crowd.does(async move {
        for number in 0..ACCOUNTS {
            put_waiting(&rows, number, now).await;
        }
    });
    crowd.pass(SignedDuration::from_mins(10));
    let swept = Arc::new(Mutex::new(SweepSummary::default()));
    let (engine, invocation, result) = (crowd.engine.clone(), crowd.invocation(), swept.clone());
    let took = crowd.does(async move {
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
    let key =
        MappingKey::new(ledger(number), EntityKind::Invoice, CrmId::new("inv_waiting").unwrap());
    let snapshot = KeptSnapshot::new(1, "#1".to_owned(), "{}".to_owned());
    let SnapshotAcceptance::Newer(mapping) = Mapping::accept_snapshot(None, &key, snapshot, now)
    else {
        panic!("the record is new")
    };
    let mut mapping = *mapping;
    mapping.operation.state = OperationState::Waiting { until: now };
    rows.put_mapping(&mapping, WriteExpectation::Absent, None).await.unwrap();
}

/// An hourly check asks Xero about the accounts of its hour, one in 24.
fn check_the_health_of_all(crowd: &Crowd) {
    let checked = Arc::new(Mutex::new(HealthCheckSummary::default()));
    let (engine, invocation, result) = (crowd.engine.clone(), crowd.invocation(), checked.clone());
    let took = crowd.does(async move {
        let summary = check_health(&engine, invocation).await.unwrap();
        *result.lock().unwrap() = summary;
    });
    let checked = *checked.lock().unwrap();
    println!("health-check: {checked:?} in {took:#}");
    assert_eq!((checked.counted.connections, checked.failed), (ACCOUNTS, 0));
    assert!(!checked.is_cut_short);
    let lists = crowd.xero.lists.load(Ordering::SeqCst);
    assert!((3_500..5_000).contains(&lists), "{lists}");
    assert!(took < TIMEOUT, "{took:#}");
}

/// Several runs of keep-alive renew every token once. Each takes the whole time of a run.
fn renew_all_tokens(crowd: &Crowd) {
    crowd.pass(SignedDuration::from_hours(24 * 21));
    let counted = [&crowd.secrets.reads, &crowd.secrets.writes, &crowd.xero.refreshes];
    let before = counted.map(|counter| counter.load(Ordering::SeqCst));
    let (mut runs, mut renewed, mut is_cut_short) = (0, 0, true);
    while is_cut_short {
        let ended = Arc::new(Mutex::new(KeepAliveSummary::default()));
        let (engine, invocation, result) =
            (crowd.engine.clone(), crowd.invocation(), ended.clone());
        let took = crowd.does(async move {
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
