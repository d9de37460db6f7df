//! Runs seeds of the simulation: as many as requested, on every processor, or one of them step by
//! step.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command")]

use std::process::ExitCode;

use tests::simulation::{Answers, Options, many, run};

const USAGE: &str = "\
simulate                       20,000 seeds
simulate --seeds N [--from S]  N seeds, starting with S
simulate --seed S              one seed, step by step";

/// The requested run.
enum Asked {
    Many { from: u64, seeds: u64 },
    One { seed: u64 },
}

fn asked(arguments: &[String]) -> Result<Asked, String> {
    let (mut from, mut seeds, mut one) = (0, 20_000, None);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let number = words.next().and_then(|text| text.replace('_', "").parse::<u64>().ok());
        match (word.as_str(), number) {
            ("--seeds", Some(number)) => seeds = number,
            ("--from", Some(number)) => from = number,
            ("--seed", Some(number)) => one = Some(number),
            ("--seeds" | "--from" | "--seed", None) => {
                return Err(format!("{word} requires a number"));
            }
            _ => return Err(format!("unknown argument {word}")),
        }
    }
    Ok(one.map_or(Asked::Many { from, seeds }, |seed| Asked::One { seed }))
}

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let went_wrong = match asked(&arguments) {
        Ok(Asked::Many { from, seeds }) => {
            let tally = many::play(from..from.saturating_add(seeds), None, false);
            println!("{tally}");
            !tally.failed.is_empty()
        }
        Ok(Asked::One { seed }) => {
            let outcome = run(Options { traced: true, ..Options::seed(seed) });
            for line in &outcome.trace {
                println!("{line}");
            }
            println!("\n{} steps, {} calls of Xero", outcome.steps, outcome.calls);
            println!("Xero: {}", Answers::Drawn.describe(seed));
            for violation in &outcome.violations {
                println!("WRONG: {violation}");
            }
            !outcome.violations.is_empty()
        }
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            true
        }
    };
    if went_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
