//! How a run ends: what it prints last, and its exit code.

use std::process::ExitCode;

use crate::console::{Console, Tone};
use crate::failure::Failure;

/// The conventional exit code of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Prints how the run ended; `stopped` if there is no outcome because a signal has ended it.
/// Returns the exit code of the program.
pub fn report_outcome(
    outcome: Option<Result<(), Failure>>,
    stopped: &str,
    console: &Console,
) -> ExitCode {
    match outcome {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(failure)) => {
            console.line("");
            console.failure(&failure);
            ExitCode::FAILURE
        }
        None => {
            console.progress_over();
            console.line(&console.paint(Tone::Quiet, stopped));
            ExitCode::from(INTERRUPTED)
        }
    }
}
