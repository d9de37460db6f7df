//! How a run ends: the signals that stop it, what it prints last, and its exit code.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use crate::console::{Console, Tone};
use crate::failure::Failure;

/// The conventional exit code of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Waits for Ctrl-C or SIGTERM. A signal ends every such wait.
pub async fn wait_for_stop() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // If signals cannot be received, only the end of the work itself ends the run.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

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
