//! `cargo bench-report`: see the library for what it does.

use std::process::ExitCode;

use bench::arguments::Arguments;
use bench::run::run;
use clap::Parser as _;
use local::console::Console;
use local::exit::report_outcome;
use local::workplace::Workplace;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // An invalid command line ends the process here, with the exit code 2.
    let arguments = Arguments::parse();
    let console = Console::standard();
    let workplace = match Workplace::open(console.clone()) {
        Ok(workplace) => workplace,
        Err(failure) => {
            console.failure(&failure);
            return ExitCode::FAILURE;
        }
    };
    let outcome = tokio::select! {
        outcome = Box::pin(run(&arguments, &workplace)) => Some(outcome),
        () = wait_for_interrupt() => None,
    };
    workplace.close().await;
    report_outcome(outcome, "Stopped; no process is left running.", &console)
}

/// Waits for Ctrl-C. What is counted in process is not interrupted.
async fn wait_for_interrupt() {
    let Ok(mut interrupt) = signal(SignalKind::interrupt()) else {
        // If signals cannot be received, only the end of the work itself ends the run.
        return std::future::pending().await;
    };
    interrupt.recv().await;
}
