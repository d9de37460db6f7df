//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum, value_parser};
use local::binaries::FUNCTIONS;
use local::failure::Failure;

use crate::cases::find_case;
use crate::functions::FunctionChoice;

/// Measures the product and writes the figures to BENCHMARKS.md.
#[derive(Debug, Clone, Parser)]
#[command(name = "bench", bin_name = "cargo bench-report")]
pub struct Arguments {
    /// Measure only these sections, and print the figures unless --out is given. Can be repeated.
    #[arg(long, value_name = "SECTION", value_delimiter = ',')]
    pub only: Vec<Section>,
    /// Measure build times, too. Takes as long as building all functions from nothing.
    #[arg(long)]
    pub builds: bool,
    /// Write the report to this file, relative to the project's folder.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Measure only these functions, next to the bare one. Can be repeated.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub functions: Vec<String>,
    /// How often each function is started.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u8).range(1..))]
    pub rounds: u8,
    /// Count instructions with callgrind, too. Needs valgrind and takes some minutes.
    #[arg(long)]
    pub callgrind: bool,
}

/// A section of the report, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Section {
    /// Calls of Xero, next to the usual approaches.
    Xero,
    /// Calls of AWS and units of the table.
    Aws,
    /// Start, processor time, memory and size of each function.
    Functions,
    /// Counts in accounts with more and more records.
    Growth,
    /// Two thousand invoices at once.
    Burst,
    /// Build times.
    Builds,
}

impl Arguments {
    /// The sections to measure, in the order of the report.
    pub fn list_sections(&self) -> Vec<Section> {
        let is_chosen = |section: &Section| {
            let by_default = self.only.is_empty() && *section != Section::Builds;
            let asked_for = self.builds && *section == Section::Builds;
            by_default || asked_for || self.only.contains(section)
        };
        Section::value_variants().iter().copied().filter(is_chosen).collect()
    }

    /// Where the report goes, below the project's folder; `None` for the console.
    pub fn output_file(&self) -> Option<PathBuf> {
        let whole = self.only.is_empty().then(|| PathBuf::from("BENCHMARKS.md"));
        self.out.clone().or(whole)
    }

    /// What is measured of the functions.
    ///
    /// # Errors
    ///
    /// If there is no function of a given name.
    pub fn choose_functions(&self) -> Result<FunctionChoice, Failure> {
        if let Some(name) = self.functions.iter().find(|name| find_case(name).is_none()) {
            let known = format!("The functions are {}.", FUNCTIONS.join(", "));
            return Err(Failure::new(format!("There is no function {name}")).remedy(known));
        }
        Ok(FunctionChoice {
            functions: self.functions.clone(),
            rounds: usize::from(self.rounds),
            callgrind: self.callgrind,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Arguments {
        let words = std::iter::once("bench").chain(line.split_whitespace());
        Arguments::try_parse_from(words).unwrap()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_whole_run_measures_everything_but_builds_and_writes_the_report() {
        let whole = parse("");
        assert_eq!(whole.list_sections().len(), 5);
        assert!(!whole.list_sections().contains(&Section::Builds));
        assert_eq!(whole.output_file(), Some(PathBuf::from("BENCHMARKS.md")));
        assert_eq!(parse("--builds").list_sections().len(), 6);
    }

    #[test]
    fn chosen_sections_are_printed_in_the_order_of_the_report() {
        let some = parse("--only burst,xero --only builds");
        assert_eq!(some.list_sections(), [Section::Xero, Section::Burst, Section::Builds]);
        assert_eq!(some.output_file(), None);
        let written = parse("--only aws --out figures.md");
        assert_eq!(written.output_file(), Some(PathBuf::from("figures.md")));
    }

    #[test]
    fn a_function_that_does_not_exist_is_named_and_those_that_exist_are_listed() {
        let lines = parse("--functions sweep,broom").choose_functions().unwrap_err().lines();
        assert_eq!(lines.first().unwrap(), "There is no function broom");
        assert!(
            lines[1].starts_with("The functions are ") && lines[1].contains("sweep"),
            "{lines:?}"
        );
        assert!(FUNCTIONS.iter().all(|name| find_case(name).is_some()));
        let choice = parse("--functions sweep --rounds 2").choose_functions().unwrap();
        assert_eq!((choice.functions.len(), choice.rounds), (1, 2));
    }
}
