//! Runs seeds of the simulation: as many as requested, on every processor, or one of them step by
//! step.

#![allow(clippy::print_stdout, reason = "this is a command")]

use std::process::ExitCode;

use clap::Parser;
use tests::simulation::{Answers, Options, many, run};

/// Runs seeds of the simulation and lists those that fail.
#[derive(Debug, Parser)]
#[command(name = "simulate", bin_name = "cargo simulate")]
struct Arguments {
    /// The number of seeds to run.
    #[arg(long, value_name = "N", default_value = "20_000", value_parser = parse_count)]
    seeds: u64,
    /// The first seed.
    #[arg(long, value_name = "S", default_value = "0", value_parser = parse_number)]
    from: u64,
    /// Run one seed, step by step.
    #[arg(
        long,
        value_name = "S",
        value_parser = parse_number,
        conflicts_with_all = ["seeds", "from"]
    )]
    seed: Option<u64>,
}

/// Parses a number whose digits may be grouped, as in `1_000_000`.
fn parse_number(text: &str) -> Result<u64, String> {
    let most = u64::MAX;
    text.replace('_', "").parse::<u64>().map_err(|_error| {
        format!("give a whole number from 0 to {most}, such as 4711 or 1_000_000")
    })
}

/// Parses the number of seeds. A run of none would succeed without a check.
fn parse_count(text: &str) -> Result<u64, String> {
    match parse_number(text)? {
        0 => Err("at least one seed must run".to_owned()),
        count => Ok(count),
    }
}

fn main() -> ExitCode {
    let Arguments { seeds, from, seed } = Arguments::parse();
    let went_wrong = match seed {
        None => {
            let summary = many::run_seeds(from..from.saturating_add(seeds), None, false);
            println!("{summary}");
            !summary.failed.is_empty()
        }
        Some(seed) => {
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
    };
    if went_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

#[cfg(test)]
mod command_line {
    use clap::Parser as _;

    use super::Arguments;

    fn parse(line: &str) -> Result<Arguments, String> {
        let words = std::iter::once("simulate").chain(line.split_whitespace());
        Arguments::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn many_seeds_run_unless_one_is_named() {
        let Arguments { seeds, from, seed } = parse("").unwrap();
        assert_eq!((seeds, from, seed), (20_000, 0, None));
        let Arguments { seeds, from, seed } = parse("--seeds 1_000_000 --from 7").unwrap();
        assert_eq!((seeds, from, seed), (1_000_000, 7, None));
        assert_eq!(parse("--seed 4711").unwrap().seed, Some(4711));
    }

    #[test]
    fn an_invalid_argument_is_named() {
        for (line, part) in [
            ("--seeds", "a value is required for '--seeds <N>'"),
            ("--seeds many", "invalid value 'many' for '--seeds <N>'"),
            ("--seeds 0", "at least one seed must run"),
            ("--seed x", "give a whole number from 0 to 18446744073709551615, such as 4711"),
            ("--seed 18446744073709551616", "give a whole number"),
            ("--seeds _", "give a whole number"),
            ("--from 1.5", "give a whole number"),
            ("--sedes 3", "a similar argument exists: '--seeds'"),
            ("--seed 3 --from 2", "cannot be used with"),
        ] {
            let answer = parse(line).unwrap_err();
            assert!(answer.contains(part), "{line}: {answer}");
        }
    }
}
