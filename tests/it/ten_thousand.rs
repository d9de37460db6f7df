//! The jobs over 10,000 accounts.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use engine::Invocation;
use engine::jobs::cleanup;
use engine::jobs::health::check_health;
use engine::jobs::keep_alive::{KeepAliveSummary, renew_unused_tokens};
use engine::ports::GivenUp;
use jiff::SignedDuration;
use store::Store;
use tests::simulation::executor::after;

use super::large_world::{LargeWorld, TIMEOUT, account, append_log_entry, store_given_up_record};

const ACCOUNTS: usize = 10_000;

/// Peak memory of this process so far, in KiB; `None` if the system does not report it.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Prints what a job took, and asserts that a third of the template's limits is left.
fn report_duration(job: &str, took: SignedDuration, before: Option<u64>) {
    let grew = peak_kib().zip(before).map(|(now, before)| now.saturating_sub(before) / 1_024);
    // The template gives 256 MB, of which a new process takes some 20.
    assert!(grew.is_none_or(|grew| grew < 128), "{job} took {grew:?} MiB");
    println!("{job} over {ACCOUNTS} accounts: {took:#}, memory grew by {grew:?} MiB");
    assert!(took * 3 < TIMEOUT * 2, "{job} took {took:#}");
}

#[test]
fn ten_thousand_idle_connections_are_renewed_in_one_run() {
    let world = LargeWorld::new(ACCOUNTS);
    world.pass_time(SignedDuration::from_hours(24 * 21));
    let (engine, invocation, before) = (world.engine.clone(), world.invocation(), peak_kib());
    let took = world.run_to_end(async move {
        let kept = renew_unused_tokens(&engine, invocation).await.unwrap();
        assert_eq!((kept.renewed, kept.failed, kept.is_cut_short), (ACCOUNTS, 0, false));
    });
    assert_eq!(world.xero.refreshes.load(Ordering::SeqCst), ACCOUNTS);
    assert!(world.xero.most_at_once.load(Ordering::SeqCst) <= 16);
    report_duration("keep-alive", took, before);
    // The next day there is nothing to do.
    world.pass_time(SignedDuration::from_hours(24));
    let (engine, invocation) = (world.engine.clone(), world.invocation());
    world.run_to_end(async move {
        let kept = renew_unused_tokens(&engine, invocation).await.unwrap();
        assert_eq!((kept.renewed, kept.in_use), (0, ACCOUNTS));
    });
}

#[test]
fn a_keep_alive_that_runs_out_of_time_is_continued_by_the_next_run() {
    const RUN_TAKES_MAX: SignedDuration = SignedDuration::from_secs(180);
    let world = LargeWorld::new(ACCOUNTS);
    world.pass_time(SignedDuration::from_hours(24 * 21));
    let (mut runs, mut renewed, mut is_cut_short) = (0, 0, true);
    while is_cut_short {
        let invocation = Invocation::with_deadline(after(world.line.now(), RUN_TAKES_MAX));
        let ended = Arc::new(Mutex::new(KeepAliveSummary::default()));
        let (engine, result) = (world.engine.clone(), ended.clone());
        let took = world.run_to_end(async move {
            let kept = renew_unused_tokens(&engine, invocation).await.unwrap();
            *result.lock().unwrap() = kept;
        });
        assert!(took < RUN_TAKES_MAX, "{took:#}");
        let kept = *ended.lock().unwrap();
        assert!(kept.renewed > 0 && kept.failed == 0, "{kept:?}");
        (runs, renewed, is_cut_short) = (runs + 1, renewed + kept.renewed, kept.is_cut_short);
    }
    assert!((2..=5).contains(&runs), "{runs} runs");
    assert_eq!(renewed, ACCOUNTS);
    assert_eq!(world.xero.refreshes.load(Ordering::SeqCst), ACCOUNTS, "each renewed once");
}

/// Few enough for one page in each shard, which takes longer than the rest of a run if Xero is
/// slow.
const SLOW_ACCOUNTS: usize = 2_000;
const XERO_TAKES: SignedDuration = SignedDuration::from_secs(20);

#[test]
fn a_keep_alive_ends_in_time_even_if_xero_is_slow() {
    const RUN_TAKES_MAX: SignedDuration = SignedDuration::from_secs(120);
    let world = LargeWorld::new(SLOW_ACCOUNTS);
    world.slow_xero_down(XERO_TAKES);
    world.pass_time(SignedDuration::from_hours(24 * 21));
    let ended = Arc::new(Mutex::new(0));
    for _ in 0..2 {
        let invocation = Invocation::with_deadline(after(world.line.now(), RUN_TAKES_MAX));
        let (engine, result) = (world.engine.clone(), ended.clone());
        let took = world.run_to_end(async move {
            let kept = renew_unused_tokens(&engine, invocation).await.unwrap();
            assert!(kept.renewed > 0 && kept.failed == 0 && kept.is_cut_short, "{kept:?}");
            *result.lock().unwrap() += kept.renewed;
        });
        assert!(took < RUN_TAKES_MAX, "{took:#}");
    }
    let renewed = *ended.lock().unwrap();
    assert_eq!(world.xero.refreshes.load(Ordering::SeqCst), renewed, "each renewed once");
}

#[test]
fn a_health_check_ends_in_time_even_if_xero_is_slow() {
    const RUN_TAKES_MAX: SignedDuration = SignedDuration::from_secs(75);
    let world = LargeWorld::new(SLOW_ACCOUNTS);
    world.slow_xero_down(XERO_TAKES);
    let invocation = Invocation::with_deadline(after(world.line.now(), RUN_TAKES_MAX));
    let engine = world.engine.clone();
    let took = world.run_to_end(async move {
        let checked = check_health(&engine, invocation).await.unwrap();
        assert!(checked.is_cut_short && checked.failed == 0, "{checked:?}");
        assert_eq!(checked.counted.connections, SLOW_ACCOUNTS);
    });
    assert!(took < RUN_TAKES_MAX, "{took:#}");
}

#[test]
fn a_health_check_covers_ten_thousand_accounts_with_six_given_up_records_each() {
    let world = LargeWorld::new(ACCOUNTS);
    let rows = Store::new(Arc::new(world.table.clone()));
    let now = world.line.now();
    world.run_to_end(async move {
        for number in 0..ACCOUNTS {
            for record in 0..6 {
                store_given_up_record(&rows, number, record, now).await;
            }
        }
    });
    for visit in 0..2 {
        let (engine, invocation, before) = (world.engine.clone(), world.invocation(), peak_kib());
        let took = world.run_to_end(async move {
            let checked = check_health(&engine, invocation).await.unwrap();
            let counted = checked.counted;
            let given_up = GivenUp { records: ACCOUNTS * 6, accounts: ACCOUNTS, warned: ACCOUNTS };
            assert_eq!((counted.connections, counted.given_up), (ACCOUNTS, Some(given_up)));
            assert_eq!(checked.failed, 0);
            assert_eq!(checked.raised, if visit == 0 { ACCOUNTS } else { 0 });
            assert!(!checked.is_cut_short);
        });
        report_duration("health-check", took, before);
    }
    // The first one also upgraded every row of the earlier release.
    let items = world.table.all_items();
    let claims = items.iter().filter(|item| item.key.sk == "CLAIM").count();
    let uses = items.iter().filter(|item| item.key.sk.starts_with("USE#")).count();
    let indexed = items.iter().filter(|item| item.attention.is_some()).count();
    assert_eq!((claims, uses, indexed), (ACCOUNTS, ACCOUNTS, ACCOUNTS * 6));
    // One account in 24 was checked at Xero in this hour, twice over.
    let lists = world.xero.lists.load(Ordering::SeqCst);
    assert!((700..1_000).contains(&lists), "{lists}");
}

#[test]
fn a_cleanup_completes_for_the_logs_of_ten_thousand_accounts() {
    let world = LargeWorld::new(ACCOUNTS);
    let rows = Store::new(Arc::new(world.table.clone()));
    let now = world.line.now();
    world.run_to_end(async move {
        for number in 0..ACCOUNTS {
            rows.mark_account_logged(&account(number)).await.unwrap();
            for entry in 0..5 {
                append_log_entry(&rows, number, entry, now).await;
            }
        }
    });
    world.pass_time(SignedDuration::from_hours(24 * 31));
    let (engine, invocation, before) = (world.engine.clone(), world.invocation(), peak_kib());
    let took = world.run_to_end(async move {
        let cleaned =
            cleanup::remove_expired_rows(&engine.store, &*engine.clock, invocation).await.unwrap();
        assert_eq!((cleaned.accounts, cleaned.entries), (ACCOUNTS, ACCOUNTS * 5));
        assert!(!cleaned.is_cut_short && cleaned.failed == 0);
    });
    report_duration("log-cleanup", took, before);
    assert!(!world.table.all_items().iter().any(|item| item.key.pk.starts_with("LOG#")));
}
