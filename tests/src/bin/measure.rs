//! Measures the product's sources and prints the values beside their targets.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command")]

use std::process::ExitCode;

use clap::Parser;
use tests::measure::measure_project;
use tests::project::locate_in_project;

/// Measures the product's sources and prints the values beside their targets.
#[derive(Debug, Parser)]
#[command(name = "measure", bin_name = "cargo measure")]
struct Arguments {
    /// Print what each measure counts, with name, file and line, before the measures.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    let Arguments { list } = Arguments::parse();
    match measure_project(&locate_in_project("")) {
        Ok(report) => {
            if list {
                print!("{}", report.render_list());
            }
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("The sources could not be measured: {problem}");
            ExitCode::FAILURE
        }
    }
}
