//! Measures the product's sources and prints the values beside their targets.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command")]

use std::path::Path;
use std::process::ExitCode;

use tests::measure::measure_project;

const USAGE: &str = "\
measure         the measures, their values and targets
measure --list  what each measure counts, with name, file and line, and then the measures";

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let is_listed = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--list"] => true,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    match measure_project(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")) {
        Ok(report) => {
            if is_listed {
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
