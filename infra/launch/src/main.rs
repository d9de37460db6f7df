//! Compiles a program of the workspace behind one line of progress, then replaces itself with it.

use std::ffi::OsString;
use std::io::{IsTerminal as _, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use launch::{BAR_VARIABLES, Program, Progress, errors, progress, progress_line, read_columns};

/// Moves to the start of the line and erases it.
const ERASE: &str = "\r\x1b[2K";

/// The columns of a terminal that does not report its width.
const COLUMNS_DEFAULT: usize = 80;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (program, arguments) = Program::find(&words);
    let complaint = match compile(program, &root) {
        // `exec` only returns if the program cannot be started.
        Ok(None) => match std::env::current_exe() {
            Ok(this) => {
                let mut start = Command::new(this.with_file_name(program.binary));
                format!("Cannot start {}: {}", program.binary, start.args(arguments).exec())
            }
            Err(error) => format!("Cannot find the folder of {}: {error}", program.binary),
        },
        Ok(Some(output)) => format!("The program {} does not compile:\n{output}", program.binary),
        Err(error) => format!("Cannot run cargo: {error}"),
    };
    // If standard error is closed, the message is dropped.
    writeln!(std::io::stderr(), "{complaint}").ok();
    ExitCode::FAILURE
}

/// Builds the program into the folder of this one. If that fails, returns cargo's errors, or all of
/// its output if there are none.
fn compile(program: Program, root: &Path) -> std::io::Result<Option<String>> {
    let mut child = program
        .build(root)
        .envs(BAR_VARIABLES)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    if let Some(stream) = child.stderr.take() {
        show_progress(stream, &mut said)?;
    }
    if child.wait()?.success() {
        return Ok(None);
    }
    let errors = errors(&said);
    Ok(Some(if errors.is_empty() { said } else { errors }))
}

/// Shows cargo's progress, and collects its other lines.
fn show_progress(stream: impl Read, said: &mut String) -> std::io::Result<()> {
    let mut shown = std::io::stderr();
    let is_dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
    let is_terminal = shown.is_terminal() && !is_dumb;
    let columns = if is_terminal { columns() } else { COLUMNS_DEFAULT };
    let started = now();
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
            let line = progress_line(started.elapsed(), &stage, columns);
            write!(shown, "{ERASE}{line}")?;
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

/// The width of the terminal according to `stty`.
fn columns() -> usize {
    let mut stty = Command::new("stty");
    let asked = stty.arg("size").stdin(Stdio::inherit()).stderr(Stdio::null()).output();
    let columns = asked.ok().and_then(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        read_columns(&text)
    });
    columns.unwrap_or(COLUMNS_DEFAULT)
}

#[expect(clippy::disallowed_methods, reason = "the progress line shows the elapsed time")]
fn now() -> Instant {
    Instant::now()
}
