//! The engine among failures: tens of thousands of seeds, every step of a small push failing in every
//! way, and a checker that is shown to see when a part of the protocol is missing.
//!
//! `cargo simulate --seed N` replays a seed step by step; `cargo simulate --seeds 1000000` plays a
//! million of them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where it is wrong, and says what it has seen"
)]

use std::collections::BTreeSet;

use tests::simulation::{
    Answers, Fault, Mutation, Options, Outcome, Port, Small, many, meet_an_expired_token, run,
    run_once, steps_of,
};

/// How many seeds are played every time.
const SEEDS: u64 = 20_000;
/// A part that is missing must be missed within this many seeds.
const SEEDS_TO_MISS: u64 = 4_000;

#[test]
fn twenty_thousand_seeds_of_trouble_end_with_every_record_in_the_books_once() {
    let tally = many::play(0..SEEDS, None, false);
    println!("{tally}");
    assert!(tally.failed.is_empty(), "{tally}");
    assert_eq!(tally.runs, SEEDS);
    for port in Port::ALL {
        for fault in port.faults() {
            let count = tally.injected.get(&(port, *fault)).copied().unwrap_or(0);
            assert!(count > 100, "{fault:?} at {port:?} happened {count} times");
        }
    }
    assert!(tally.given_up > 0, "nothing was ever given up");
    assert!(tally.expired * 500 < tally.runs, "{} connections expired", tally.expired);
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
        // The steps of connecting, pushing and one sweep; each with what can happen there.
        assert!(steps > 60, "{steps} steps");
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

/// The seeds in which credit stayed on an invoice after it was taken back: the read that would have told the id of
/// the allocation had failed, and the record believed that nothing was written.
const CREDIT_LEFT: [u64; 5] = [2_446, 1_322, 2_241, 2_733, 3_468];
/// The seeds in which a write was made again under a key whose answer was known.
const KEY_REPEATED: [u64; 3] = [136, 958, 1_173];

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
fn credit_whose_id_was_never_read_is_taken_back_all_the_same() {
    CREDIT_LEFT.into_iter().for_each(assert_right_whether_or_not_allocations_are_named);
}

#[test]
fn a_key_is_not_used_again_once_its_answer_is_known() {
    KEY_REPEATED.into_iter().for_each(assert_right_whether_or_not_allocations_are_named);
}

#[test]
fn every_open_question_is_answered_both_ways_and_disturbs_no_other_choice() {
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
    // Until the two Xeros differ, both runs are the same.
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

/// The violations of the first seed that misses a part.
fn missed(mutation: Mutation) -> Vec<String> {
    let tally = many::play(0..SEEDS_TO_MISS, Some(mutation), true);
    let (seed, violations) = tally
        .failed
        .into_iter()
        .next()
        .unwrap_or_else(|| panic!("{mutation:?} is not missed in {} runs", tally.runs));
    println!("{mutation:?} is missed after {} runs, by seed {seed}: {violations:?}", tally.runs);
    violations
}

#[test]
fn the_checker_sees_when_nothing_is_looked_up_before_it_is_written_again() {
    assert!(!missed(Mutation::NoResolve).is_empty());
}

#[test]
fn the_checker_sees_when_a_claim_keeps_nobody_out() {
    assert!(!missed(Mutation::NoLease).is_empty());
}

#[test]
fn the_checker_sees_when_the_key_serial_does_not_rise() {
    assert!(!missed(Mutation::NoKeySerial).is_empty());
}

#[test]
fn the_checker_sees_when_two_records_may_have_one_document() {
    assert!(!missed(Mutation::SharedReverseLink).is_empty());
}

#[test]
fn the_checker_sees_when_nothing_says_to_which_record_a_document_belongs() {
    assert!(!missed(Mutation::NoReverseLink).is_empty());
}
