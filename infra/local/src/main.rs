//! `cargo story`, `cargo verify`, and `cargo local` with `up`, `connect`, `send` and `events`: see the
//! library for what they do.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use local::arguments::Command;
use local::console::Console;
use local::exit::{report_outcome, wait_for_stop};
use local::failure::Failure;
use local::stack::{self, Stack};
use local::stack_file::{StackFile, prepare_named_file};
use local::workplace::Workplace;
use local::{crm_commands, story, verify, wait};

/// How long one wait for the exit of the stack lasts; another one follows.
const WATCHED_FOR: Duration = Duration::from_hours(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // An invalid command line ends the process here, with the exit code 2.
    let command = Command::parse();
    let console = Console::standard();
    if let Command::Crm(command) = &command {
        // It starts nothing and has no logs. Other programs read its output, so a failure is
        // printed to standard error.
        let outcome = unless_stopped(Box::pin(crm_commands::run_command(command, &console))).await;
        return report_outcome(outcome, "Stopped.", &Console::errors());
    }
    let workplace = match Workplace::open(console.clone()) {
        Ok(workplace) => workplace,
        Err(failure) => {
            console.failure(&failure);
            return ExitCode::FAILURE;
        }
    };
    let outcome = unless_stopped(Box::pin(run(command, &workplace))).await;
    // End every child process, whatever the result.
    workplace.close().await;
    report_outcome(outcome, "Stopped; no process is left running.", &console)
}

/// The outcome of the work, or `None` if a signal has ended it. The work begins before signals are
/// received: a signal ends the process while the work reads standard input, which it does first.
async fn unless_stopped(
    work: impl Future<Output = Result<(), Failure>>,
) -> Option<Result<(), Failure>> {
    tokio::select! {
        biased;
        outcome = work => Some(outcome),
        () = wait_for_stop() => None,
    }
}

async fn run(command: Command, workplace: &Workplace) -> Result<(), Failure> {
    let console = &workplace.console;
    match command {
        Command::Story { options, stay, addresses } => {
            addresses.as_deref().map_or(Ok(()), prepare_named_file)?;
            console.expect_steps(stack::STEPS.saturating_add(story::STEPS));
            let stack = Stack::start(&options.for_story(), workplace).await?;
            let played = story::play(&stack, workplace).await;
            if stay {
                if let Err(failure) = &played {
                    console.line("");
                    console.failure(failure);
                }
                stay_up(&stack, addresses.as_deref(), workplace).await?;
            }
            story::places::tell_how_to_look(&stack, workplace);
            played
        }
        Command::Verify { options, only } => verify::run(&only, &options, workplace).await,
        Command::Up { options, addresses } => {
            addresses.as_deref().map_or(Ok(()), prepare_named_file)?;
            console.expect_steps(stack::STEPS);
            let stack = Stack::start(&options, workplace).await?;
            stay_up(&stack, addresses.as_deref(), workplace).await
        }
        Command::Crm(command) => crm_commands::run_command(&command, console).await,
    }
}

/// Prints where to look, and returns only when the runner or the stack ends. Meanwhile the file with
/// the addresses exists.
async fn stay_up(
    stack: &Stack,
    addresses: Option<&Path>,
    workplace: &Workplace,
) -> Result<(), Failure> {
    let file = StackFile::write(stack, workplace, addresses)?;
    story::places::show(stack, &file, workplace)?;
    workplace.console.title("Everything keeps running until Ctrl-C.");
    loop {
        if let Some(failure) = wait::until(WATCHED_FOR, async || stack.ended()).await {
            return Err(failure);
        }
    }
}
