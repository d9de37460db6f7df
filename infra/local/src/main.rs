//! `cargo story`, `cargo verify`, `cargo local up`: see the library for what they do.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use local::arguments::Command;
use local::console::{Console, Tone};
use local::failure::Failure;
use local::stack::{self, Stack};
use local::workplace::Workplace;
use local::{story, verify, wait};
use tokio::signal::unix::{SignalKind, signal};

/// How long one wait for the exit of the stack lasts; another one follows.
const WATCHED_FOR: Duration = Duration::from_hours(1);

/// The conventional exit code of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // An invalid command line ends the process here, with the exit code 2.
    let command = Command::parse();
    let console = Console::standard();
    let workplace = match Workplace::open(console.clone()) {
        Ok(workplace) => workplace,
        Err(failure) => {
            console.failure(&failure);
            return ExitCode::FAILURE;
        }
    };
    let outcome = tokio::select! {
        outcome = Box::pin(run(command, &workplace)) => Some(outcome),
        () = stopped() => None,
    };
    // End every child process, whatever the result.
    workplace.close().await;
    match outcome {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(failure)) => {
            console.line("");
            console.failure(&failure);
            ExitCode::FAILURE
        }
        None => {
            console.progress_over();
            console.line(&console.paint(Tone::Quiet, "Stopped; no process is left running."));
            ExitCode::from(INTERRUPTED)
        }
    }
}

async fn run(command: Command, workplace: &Workplace) -> Result<(), Failure> {
    let console = &workplace.console;
    match command {
        Command::Story { options, stay } => {
            console.expect_steps(stack::STEPS.saturating_add(story::STEPS));
            let stack = Stack::start(&options.for_story(), workplace).await?;
            let played = story::play(&stack, workplace).await;
            if stay {
                if let Err(failure) = &played {
                    console.line("");
                    console.failure(failure);
                }
                stay_up(&stack, workplace).await?;
            }
            story::places::tell_how_to_look(&stack, workplace);
            played
        }
        Command::Verify { options, only } => verify::run(&only, &options, workplace).await,
        Command::Up { options } => {
            console.expect_steps(stack::STEPS);
            let stack = Stack::start(&options, workplace).await?;
            stay_up(&stack, workplace).await
        }
    }
}

/// Prints where to look, and returns only when the runner or the stack ends.
async fn stay_up(stack: &Stack, workplace: &Workplace) -> Result<(), Failure> {
    story::places::show(stack, workplace)?;
    workplace.console.title("Everything keeps running until Ctrl-C.");
    loop {
        if let Some(failure) = wait::until(WATCHED_FOR, async || stack.ended()).await {
            return Err(failure);
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn stopped() {
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
