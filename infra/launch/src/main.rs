//! Compiles the runner behind one line of progress and becomes it.

use launch::{BAR_VARIABLES, Progress, cargo, errors, progress};
use std::io::{IsTerminal as _, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ExitCode, Stdio};

/// Back to the start of the line, and erase it.
const ERASE: &str = "\r\x1b[2K";

/// How much of a line of progress is shown: longer ones could wrap, and then cannot be erased.
const COLUMNS: usize = 78;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let complaint = match compile(&root) {
        Ok(None) => {
            let runner = ["run", "--quiet", "--package", "local", "--"];
            let mut run = cargo(&root, runner);
            // This only returns when the runner cannot be started.
            format!("Cannot start the runner: {}", run.args(std::env::args_os().skip(1)).exec())
        }
        Ok(Some(output)) => format!("The runner does not compile:\n{output}"),
        Err(error) => format!("Cannot run cargo: {error}"),
    };
    // With standard error closed there is nobody to complain to.
    writeln!(std::io::stderr(), "{complaint}").ok();
    ExitCode::FAILURE
}

/// Builds the runner. What cargo said, when it fails: its errors, or else everything.
fn compile(root: &Path) -> std::io::Result<Option<String>> {
    let mut child = cargo(root, ["build", "--package", "local"])
        .envs(BAR_VARIABLES)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    if let Some(stream) = child.stderr.take() {
        hear(stream, &mut said)?;
    }
    if child.wait()?.success() {
        return Ok(None);
    }
    let errors = errors(&said);
    Ok(Some(if errors.is_empty() { said } else { errors }))
}

/// Shows how far cargo has come, and keeps what else it says.
fn hear(stream: impl Read, said: &mut String) -> std::io::Result<()> {
    let mut shown = std::io::stderr();
    let is_terminal = shown.is_terminal();
    let mut line = Vec::new();
    for byte in std::io::BufReader::new(stream).bytes() {
        let byte = byte?;
        if !matches!(byte, b'\n' | b'\r') {
            line.push(byte);
            continue;
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        line.clear();
        let stage = match progress(&text) {
            Some(Progress::Bar(stage)) => Some(stage),
            Some(Progress::Stage(stage)) => Some(stage.to_owned()),
            None => {
                said.push_str(&text);
                said.push('\n');
                None
            }
        };
        if let Some(stage) = stage.filter(|_| is_terminal) {
            let stage: String = stage.chars().take(COLUMNS).collect();
            write!(shown, "{ERASE}{stage}")?;
            shown.flush()?;
        }
    }
    said.push_str(&String::from_utf8_lossy(&line));
    if is_terminal {
        write!(shown, "{ERASE}")?;
        shown.flush()?;
    }
    Ok(())
}
