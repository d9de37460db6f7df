//! The fuzz targets on a stable compiler: every input of the corpus, and some thousands that are made of them.
//!
//! `fuzz/` runs the same targets guided by coverage. What it finds goes into the corpus, and so into this test.
//!
//! The inputs are the same in every run. With `FUZZ_SECONDS` in its environment each target runs for that long
//! instead, on inputs that are new each time; its output names the seed, and `FUZZ_SEED` repeats them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops where it is wrong, and says what it tried"
)]

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant};

use fastrand::Rng;

#[path = "../fuzz/targets/answers.rs"]
mod answers;
#[path = "../fuzz/targets/bodies.rs"]
mod bodies;
#[path = "../fuzz/targets/dates.rs"]
mod dates;
#[path = "../fuzz/targets/message.rs"]
mod message;

/// What changes the meaning of a text, or is at the edge of what a type holds.
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
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut files =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    files.sort();
    assert!(!files.is_empty(), "{target} has no corpus");
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

/// One change at random.
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

/// When a target has run for long enough.
#[derive(Clone, Copy)]
enum Until {
    /// After so many inputs.
    Inputs(usize),
    /// At this instant.
    Instant(Instant),
}

impl Until {
    #[expect(clippy::disallowed_methods, reason = "how long a test may run is about real time")]
    fn is_reached(self, tried: usize) -> bool {
        match self {
            Self::Inputs(most) => tried >= most,
            Self::Instant(end) => Instant::now() >= end,
        }
    }
}

/// How many inputs a target gets and which they are: `inputs` from a fixed seed, unless the environment asks
/// for something else.
fn effort(inputs: usize) -> (Until, u64) {
    let seed = number("FUZZ_SEED");
    match number("FUZZ_SECONDS") {
        None => (Until::Inputs(inputs), seed.unwrap_or(0)),
        Some(seconds) => {
            (Until::Instant(after(seconds)), seed.unwrap_or_else(|| fastrand::u64(..)))
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a test may run is about real time")]
fn after(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

/// A number from the environment of the test.
#[expect(clippy::disallowed_methods, reason = "nobody else can say how long a test should run")]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// Runs a target over its corpus, and over inputs that are made of it: so many, or as long as the environment says.
fn try_all(target: &str, run: fn(&[u8]), inputs: usize) {
    let corpus = corpus(target);
    for input in &corpus {
        run(input);
    }
    let (until, seed) = effort(inputs);
    eprintln!("{target}: FUZZ_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let mut tried = 0;
    while !until.is_reached(tried) {
        let mut input = random.choice(&corpus).unwrap().clone();
        for _ in 0..random.u8(1..=6) {
            change(&mut input, &corpus, &mut random);
        }
        let outcome = catch_unwind(|| run(&input));
        assert!(outcome.is_ok(), "{target}, seed {seed}, input {tried}: {}", input.escape_ascii());
        tried += 1;
    }
    eprintln!("{target}: {tried} inputs");
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
fn any_answer_of_xero_is_understood_or_refused() {
    try_all("answers", answers::run, 1_500);
}

#[test]
fn any_text_is_a_date_or_none() {
    try_all("dates", dates::run, 20_000);
}
