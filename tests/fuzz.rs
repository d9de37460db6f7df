//! Runs the fuzz targets without libFuzzer: every input of the corpus, and thousands of inputs
//! derived from it. The inputs are the same in every run.
//!
//! `cargo verify --only fuzz` runs the same targets with coverage guidance. Add an input that fails
//! there to the corpus, and so to this test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic, and prints its input"
)]

use std::fs;
use std::panic::catch_unwind;

use fastrand::Rng;
use tests::project::locate_in_project;

#[path = "../fuzz/targets/answers.rs"]
mod answers;
#[path = "../fuzz/targets/bodies.rs"]
mod bodies;
#[path = "../fuzz/targets/dates.rs"]
mod dates;
#[path = "../fuzz/targets/message.rs"]
mod message;

/// Texts that change the meaning of a message, or are at the limits of a type.
const PIECES: [&str; 24] = [
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "-",
    "0",
    "-0.00",
    "1e400",
    "0.00001",
    "9999999999999",
    "18446744073709551616",
    "\\u0000",
    "\\ud800",
    "\u{7f}",
    "é",
    "\u{FFFF}",
    "~credit",
    "2026-02-29",
    "/Date(",
];

/// The inputs in the corpus of a target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = locate_in_project("fuzz/corpus").join(target);
    let mut files =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    files.sort();
    assert!(!files.is_empty(), "{target} has no corpus");
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Applies one random change.
fn change(input: &mut Vec<u8>, others: &[Vec<u8>], random: &mut Rng) {
    let at = random.usize(..=input.len());
    let until = (at + random.usize(..=16)).min(input.len());
    match random.u8(..6) {
        0 if at < input.len() => input[at] = random.u8(..),
        1 => drop(input.drain(at..until)),
        2 => {
            let again = input[at..until].to_vec();
            drop(input.splice(at..at, again));
        }
        3 => input.truncate(at),
        4 => {
            let other = random.choice(others).unwrap();
            let from = random.usize(..=other.len());
            let to = (from + random.usize(..=64)).min(other.len());
            drop(input.splice(at..until, other[from..to].to_vec()));
        }
        _ => {
            let piece = random.choice(PIECES).unwrap();
            drop(input.splice(at..until, piece.bytes()));
        }
    }
}

/// Runs a target over its corpus, and over `inputs` inputs derived from it.
fn try_all(target: &str, run: fn(&[u8]), inputs: usize) {
    let corpus = corpus(target);
    for input in &corpus {
        run(input);
    }
    let mut random = Rng::with_seed(0);
    for number in 0..inputs {
        let mut input = random.choice(&corpus).unwrap().clone();
        for _ in 0..random.u8(1..=6) {
            change(&mut input, &corpus, &mut random);
        }
        let outcome = catch_unwind(|| run(&input));
        assert!(outcome.is_ok(), "{target}, input {number}: {}", input.escape_ascii());
    }
}

#[test]
fn any_message_is_read_or_refused() {
    try_all("message", message::run, 6_000);
}

#[test]
fn any_body_of_a_request_is_read_or_refused() {
    try_all("bodies", bodies::run, 6_000);
}

#[test]
fn any_answer_of_xero_is_parsed_or_refused() {
    try_all("answers", answers::run, 1_500);
}

#[test]
fn any_text_is_parsed_as_a_date_or_refused() {
    try_all("dates", dates::run, 20_000);
}
