//! Tests the engine with injected faults: tens of thousands of seeds, every failure at every step
//! of a small push, and proof that the checker detects a missing part of the protocol.
//!
//! `cargo simulate --seed N` replays a seed step by step; `cargo simulate --seeds 1000000` runs a
//! million of them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may panic, and prints its results"
)]

use std::collections::BTreeSet;

use engine::connection::token::TokenPlace;
use tests::simulation::{
    Answers, Fault, Mutation, Options, Outcome, Port, Small, many, meet_an_expired_token, run,
    run_once, steps_of,
};

/// The number of seeds in each run of the test.
const SEEDS: u64 = 20_000;
/// The number of seeds in which tokens are moved, each way.
const SEEDS_WITH_MOVED_TOKENS: u64 = 1_000;
/// The checker must detect a missing part within this many seeds.
const SEEDS_TO_MISS: u64 = 4_000;

#[test]
fn twenty_thousand_seeds_with_faults_end_with_every_record_in_the_books_once() {
    let summary = many::run_seeds(0..SEEDS, None, false);
    println!("{summary}");
    assert!(summary.failed.is_empty(), "{summary}");
    assert_eq!(summary.runs, SEEDS);
    for port in Port::ALL {
        for fault in port.faults() {
            let count = summary.injected.get(&(port, *fault)).copied().unwrap_or(0);
            assert!(count > 100, "{fault:?} at {port:?} happened {count} times");
        }
    }
    assert!(summary.lagging_secrets > 1_000, "{} secrets lagged", summary.lagging_secrets);
    assert!(summary.given_up > 0, "no record was given up");
    assert!(summary.expired * 500 < summary.runs, "{} connections expired", summary.expired);
}

#[test]
fn one_step_of_a_push_failing_in_any_way_leaves_every_record_in_the_books_once() {
    for small in [Small::Invoices(1), Small::Invoices(3), Small::Credit, Small::TakenBack] {
        let (mut runs, mut steps, mut faults) = (0, 0, BTreeSet::new());
        for step in 1..=steps_of(small) {
            for fault in 0_usize.. {
                let Some(outcome) = run_once(small, step, fault, false) else { break };
                assert_right(&format!("step {step}, fault {fault} of {small:?}"), &outcome);
                faults.extend(outcome.injected.keys().copied());
                runs += 1;
                steps += u32::from(fault == 0);
            }
        }
        println!("{small:?}: {steps} steps, {runs} runs, {} sorts", faults.len());
        // The steps of a push, from the message to the event; each with the faults that are possible
        // there.
        assert!(steps > 15, "{steps} steps");
        assert!(runs > steps * 5, "{runs} runs of {steps} steps");
        assert!(faults.contains(&(Port::Xero, Fault::FaultyAfter)), "{faults:?}");
        assert!(faults.contains(&(Port::Write, Fault::Conflict)), "{faults:?}");
    }
}

fn assert_right(what: &str, outcome: &Outcome) {
    assert!(outcome.violations.is_empty(), "{what}: {:#?}", outcome.violations);
}

#[test]
fn twenty_functions_that_meet_an_expired_token_make_one_refresh() {
    assert_eq!(meet_an_expired_token(20), (1, 1));
}

#[test]
fn tokens_move_between_both_stores_while_functions_run() {
    for place in [TokenPlace::Table, TokenPlace::Secrets] {
        for seed in 0..SEEDS_WITH_MOVED_TOKENS {
            let options = Options { moves_tokens_to: Some(place), ..Options::seed(seed) };
            assert_right(&format!("seed {seed}, tokens to {place:?}"), &run(options));
        }
    }
}

/// The seeds in which credit stayed on an invoice after it was removed: the read of the
/// allocation's id had failed, and the record assumed that nothing was written.
const CREDIT_LEFT: [u64; 5] = [2_446, 1_322, 2_241, 2_733, 3_468];
/// The seeds in which a write was repeated under a key whose answer was known.
const KEY_REPEATED: [u64; 3] = [136, 958, 1_173];

/// The seed in which the reservation of an allocation conflicted with a write that claimed nothing:
/// the allocation was taken for another record's, and stayed on the invoice.
#[test]
fn a_conflict_without_an_owner_does_not_leave_credit_on_an_invoice() {
    let drawn = run(Options::seed(5_692));
    assert_right("seed 5692", &drawn);
}

/// The seed in which the removal of an allocation was decided from a row read before the claim, and
/// an allocation written meanwhile stayed on the invoice.
#[test]
fn the_rows_that_a_removal_needs_are_read_after_the_claim() {
    let drawn = run(Options::seed(1_704));
    assert_right("seed 1704", &drawn);
}

/// The seeds in which a release that was interrupted released a record that had failed again: in the
/// same epoch of the connection, in a later one, and after the connection had stopped again.
#[test]
fn an_interrupted_release_releases_nothing_that_has_failed_since() {
    for seed in [9_933, 5_663, 2_241] {
        assert_right(&format!("seed {seed}"), &run(Options::seed(seed)));
    }
}

fn assert_right_whether_or_not_allocations_are_named(seed: u64) {
    for allocation_has_id in [false, true] {
        let answers = Answers::Default { allocation_has_id };
        let outcome = run(Options { answers, ..Options::seed(seed) });
        assert_right(&format!("seed {seed}, {}", answers.describe(seed)), &outcome);
    }
    let drawn = run(Options::seed(seed));
    assert_right(&format!("seed {seed}, {}", Answers::Drawn.describe(seed)), &drawn);
}

#[test]
fn credit_is_removed_even_if_its_id_was_never_read() {
    CREDIT_LEFT.into_iter().for_each(assert_right_whether_or_not_allocations_are_named);
}

#[test]
fn a_key_is_not_reused_once_its_answer_is_known() {
    KEY_REPEATED.into_iter().for_each(assert_right_whether_or_not_allocations_are_named);
}

#[test]
fn every_open_question_gets_each_answer_without_affecting_other_choices() {
    let answers = (0..200).map(|seed| Answers::Drawn.describe(seed)).collect::<BTreeSet<_>>();
    assert_eq!(answers.len(), 200);
    let first = answers.first().unwrap();
    let asked = first.split(", ").map(|question| question.split_once(": ").unwrap().0);
    let asked = asked.collect::<BTreeSet<_>>();
    let known = xero_sim::Unconfirmed::names().filter(|name| *name != "unhelpful");
    assert_eq!(asked, known.collect::<BTreeSet<_>>());
    for question in first.split(", ") {
        let (name, _) = question.split_once(": ").unwrap();
        let given = answers.iter().flat_map(|answers| answers.split(", "));
        let given = given.filter(|one| one.split_once(": ").unwrap().0 == name);
        assert_eq!(given.collect::<BTreeSet<_>>().len(), 2, "{name}");
    }
    // Until the two answers differ, both runs are the same.
    let traced = |options: Options| run(Options { traced: true, ..options }).trace;
    let (drawn, documented) = (traced(Options::seed(5)), traced(Options::documented(5)));
    assert_eq!(drawn[..20], documented[..20]);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [3, 77, 4_711] {
        let traced = Options { traced: true, ..Options::seed(seed) };
        let (one, other) = (run(traced), run(traced));
        assert!(!one.trace.is_empty());
        assert_eq!(one.trace, other.trace, "seed {seed}");
        assert_eq!(one.steps, other.steps, "seed {seed}");
    }
}

/// The violations of the first seed in which a missing part is detected.
fn missed(mutation: Mutation) -> Vec<String> {
    let summary = many::run_seeds(0..SEEDS_TO_MISS, Some(mutation), true);
    let (seed, violations) = summary
        .failed
        .into_iter()
        .next()
        .unwrap_or_else(|| panic!("{mutation:?} is not detected in {} runs", summary.runs));
    println!(
        "{mutation:?} is detected after {} runs, by seed {seed}: {violations:?}",
        summary.runs
    );
    violations
}

#[test]
fn the_checker_detects_a_rewrite_without_a_lookup() {
    assert!(!missed(Mutation::NoResolve).is_empty());
}

#[test]
fn the_checker_detects_claims_that_do_not_exclude_others() {
    assert!(!missed(Mutation::NoLease).is_empty());
}

#[test]
fn the_checker_detects_a_key_serial_that_does_not_rise() {
    assert!(!missed(Mutation::NoKeySerial).is_empty());
}

#[test]
fn the_checker_detects_two_records_with_one_document() {
    assert!(!missed(Mutation::SharedReverseLink).is_empty());
}

#[test]
fn the_checker_detects_documents_without_an_owning_record() {
    assert!(!missed(Mutation::NoReverseLink).is_empty());
}

#[test]
fn the_checker_detects_parked_work_released_without_a_change() {
    let violations = missed(Mutation::NoEpoch);
    let is_it = |one: &String| one.contains("nothing has changed since it was parked");
    assert!(violations.iter().any(is_it), "{violations:?}");
}
