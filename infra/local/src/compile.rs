//! Compiles behind one line of progress. All output of cargo goes to a log; its errors are shown if
//! it fails.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use launch::{BAR_VARIABLES, Progress, progress};
use tokio::process::Command;

use crate::children::tail;
use crate::failure::Failure;
use crate::workplace::Workplace;

/// Runs a cargo build. `what` is the message if it fails.
pub async fn compile(
    workplace: &Workplace,
    what: &str,
    command: &mut Command,
) -> Result<(), Failure> {
    let log = workplace.run.log("cargo");
    let shown = workplace.project.shown(&log);
    let cannot = |error: std::io::Error| Failure::new("Cannot run cargo").because(error);
    let mut kept = BufWriter::new(File::create(&log).map_err(cannot)?);
    workplace.console.done(&format!("cargo's output is in {shown}"));
    // Cargo draws the bar for terminals only, unless it is configured otherwise.
    command.envs(BAR_VARIABLES);
    let status = workplace
        .children
        .run_watched(command, |line| match progress(line) {
            Some(Progress::Bar(text)) => workplace.console.progress(&text),
            Some(Progress::Stage(text)) => {
                workplace.console.progress(text);
                writeln!(kept, "{line}").ok();
            }
            None => {
                writeln!(kept, "{line}").ok();
            }
        })
        .await
        .map_err(cannot)?;
    workplace.console.progress_over();
    kept.flush().map_err(cannot)?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("{what} ({status}):\n{}", errors(&log)))
        .remedy(format!("Cargo's full output is in {shown}.")))
}

/// The errors in the log of a failed build, or its last lines if there are none.
fn errors(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let errors = launch::errors(&String::from_utf8_lossy(&text));
    if errors.is_empty() { tail(log) } else { errors }
}
