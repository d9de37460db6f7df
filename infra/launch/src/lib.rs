//! Builds programs of the workspace, and parses cargo's output meanwhile: the progress, and the
//! errors when it fails.
//!
//! This crate has no dependencies, so that it is compiled before everything else.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How many lines of errors are shown: the first ones usually cause the others.
const ERROR_LINES_MAX: usize = 60;

/// The text that cargo prints before the number of compiled crates.
const BAR: &str = "Building [";

/// The words with which cargo begins its other lines of progress.
const STAGES: [&str; 6] =
    ["Compiling", "Downloading", "Downloaded", "Updating", "Blocking", "Locking"];

/// Variables that make cargo draw its progress bar into a pipe, without colour.
pub const BAR_VARIABLES: [(&str, &str); 4] = [
    ("CARGO_TERM_COLOR", "never"),
    ("CARGO_TERM_PROGRESS_WHEN", "always"),
    ("CARGO_TERM_PROGRESS_WIDTH", "100"),
    ("CARGO_TERM_PROGRESS_TERM_INTEGRATION", "false"),
];

/// A `cargo` in the folder `root` without the variables that `cargo run` sets for its child. Build
/// scripts watch those variables, and would rebuild each time the runner and a user's shell
/// alternate.
pub fn cargo(root: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root).args(arguments);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text == "CARGO"
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Selects every package, and its examples, of which there are none.
///
/// Cargo compiles a library once for each set of features. The set depends on which packages a
/// command selects, and on whether its targets may use the dependencies of tests: examples may.
/// With these arguments all commands use the features of `cargo test --workspace` and of
/// `cargo clippy --workspace --all-targets`, so nothing is compiled twice.
pub const WHOLE_WORKSPACE: [&str; 2] = ["--workspace", "--examples"];

/// A program of the workspace that is built and started by a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// The name of its binary.
    pub binary: &'static str,
    /// The profile that it is built with: `dev` or `test`. Both put it into the same folder.
    pub profile: &'static str,
}

/// The program that runs the product on one machine, and its checks.
const RUNNER: Program = Program { binary: "local", profile: "dev" };

/// The programs that are named by their first argument. They run what `cargo test` optimises.
const NAMED: [Program; 3] = [
    Program { binary: "simulate", profile: "test" },
    Program { binary: "measure", profile: "test" },
    Program { binary: "bench", profile: "test" },
];

impl Program {
    /// The program that a command line names, and its own arguments.
    pub fn find(arguments: &[OsString]) -> (Self, &[OsString]) {
        let named = arguments.split_first().and_then(|(first, rest)| {
            let program = NAMED.into_iter().find(|program| first == program.binary)?;
            Some((program, rest))
        });
        named.unwrap_or((RUNNER, arguments))
    }

    /// The command that builds it.
    pub fn build(self, root: &Path) -> Command {
        let mut command = build_binaries(root, &[self.binary]);
        command.args(["--profile", self.profile]);
        command
    }
}

/// The command that builds binaries of the workspace, with the features of [`WHOLE_WORKSPACE`].
pub fn build_binaries(root: &Path, binaries: &[&str]) -> Command {
    let mut command = cargo(root, ["build"]);
    command.args(WHOLE_WORKSPACE);
    for binary in binaries {
        command.args(["--bin", binary]);
    }
    command
}

/// The progress that a line of cargo's output reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress<'a> {
    /// How many crates are compiled. Cargo updates this line many times a second: it is not logged.
    Bar(String),
    /// What cargo is doing now.
    Stage(&'a str),
}

/// Parses a line of cargo's output. `None` if it does not report progress.
pub fn progress(line: &str) -> Option<Progress<'_>> {
    if let Some((_, bar)) = line.split_once(BAR) {
        let (_, counts) = bar.split_once("] ")?;
        let (counts, crates) = counts.split_once(':').unwrap_or((counts, ""));
        let (done, all) = counts.trim().split_once('/')?;
        let (done, all): (u32, u32) = (done.parse().ok()?, all.parse().ok()?);
        let text = format!("{done} of {all} crates compiled; now {}", crates.trim());
        let text = text.trim_end_matches("; now ");
        return Some(Progress::Bar(text.to_owned()));
    }
    let text = line.trim();
    STAGES.iter().any(|stage| text.starts_with(stage)).then_some(Progress::Stage(text))
}

/// A line of progress: the elapsed time and the stage, truncated so that it does not wrap. A line
/// that wraps cannot be erased.
pub fn progress_line(elapsed: Duration, stage: &str, columns: usize) -> String {
    let seconds = elapsed.as_secs();
    let line = format!("{}:{:02} {stage}", seconds / 60, seconds % 60);
    line.chars().take(columns.saturating_sub(1)).collect()
}

/// The columns in the output of `stty size`: the rows, then the columns. A terminal without a size
/// reports 0.
pub fn read_columns(said: &str) -> Option<usize> {
    let (_, columns) = said.trim().split_once(' ')?;
    columns.parse::<usize>().ok().filter(|columns| *columns > 0)
}

/// The paragraphs of cargo's output that begin with an error, indented; empty if there is none.
pub fn errors(output: &str) -> String {
    let mut within = false;
    let mut lines = Vec::new();
    for line in output.lines() {
        if line.starts_with("error") {
            within = true;
        } else if line.is_empty() {
            within = false;
        }
        if within {
            lines.push(format!("    {line}"));
        }
    }
    let more = lines.len().saturating_sub(ERROR_LINES_MAX);
    lines.truncate(ERROR_LINES_MAX);
    if more > 0 {
        lines.push(format!("    … and {more} more lines"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::ffi::{OsStr, OsString};
    use std::path::Path;
    use std::time::Duration;

    use super::{
        ERROR_LINES_MAX, Program, Progress, errors, progress, progress_line, read_columns,
    };

    /// The words of a command line as one text.
    fn join<T: AsRef<OsStr>>(words: impl IntoIterator<Item = T>) -> String {
        let words = words.into_iter().map(|word| word.as_ref().to_string_lossy().into_owned());
        words.collect::<Vec<_>>().join(" ")
    }

    /// The binary, its arguments, and cargo's arguments for a command line.
    fn planned(line: &str) -> (&'static str, String, String) {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let (program, arguments) = Program::find(&words);
        (program.binary, join(arguments), join(program.build(Path::new(".")).get_args()))
    }

    #[test]
    fn a_command_runs_the_program_that_it_names_or_else_the_runner() {
        let (binary, arguments, _) = planned("story --stay");
        assert_eq!((binary, arguments.as_str()), ("local", "story --stay"));
        let (binary, arguments, _) = planned("simulate --seed 7");
        assert_eq!((binary, arguments.as_str()), ("simulate", "--seed 7"));
        assert_eq!(planned("").0, "local");
    }

    #[test]
    fn every_program_is_built_with_the_features_of_the_tests() {
        let (_, _, cargo) = planned("verify");
        assert_eq!(cargo, "build --workspace --examples --bin local --profile dev");
        let (_, _, cargo) = planned("measure");
        assert_eq!(cargo, "build --workspace --examples --bin measure --profile test");
    }

    #[test]
    fn a_progress_line_shows_the_time_and_fits_the_terminal() {
        let stage = "120 of 553 crates compiled; now serde, tokio(build.rs), aws-sdk-dynamodb";
        let elapsed = Duration::from_secs(62);
        for columns in [40, 80, 200] {
            let line = progress_line(elapsed, stage, columns);
            assert!(line.starts_with("1:02 120 of 553"), "{line}");
            assert!(line.chars().count() < columns, "{line}");
        }
    }

    #[test]
    fn the_terminal_width_is_parsed_if_it_is_known() {
        assert_eq!(read_columns("24 132\n"), Some(132));
        assert_eq!(read_columns("0 0\n"), None);
        assert_eq!(read_columns(""), None);
    }

    #[test]
    fn the_progress_bar_is_shown_as_a_count_and_the_current_crates() {
        let bar = "    Building [=====>             ] 120/553: serde, tokio(build.rs)";
        let counted = "120 of 553 crates compiled; now serde, tokio(build.rs)".to_owned();
        assert_eq!(progress(bar), Some(Progress::Bar(counted)));
        let bare = "    Building [=====>    ] 1/553";
        assert_eq!(progress(bare), Some(Progress::Bar("1 of 553 crates compiled".to_owned())));
        assert_eq!(progress("    Building [====="), None);
    }

    #[test]
    fn a_stage_is_shown_unchanged_and_other_lines_are_not_progress() {
        let waiting = "    Blocking waiting for file lock on build directory";
        assert_eq!(progress(waiting), Some(Progress::Stage(waiting.trim())));
        assert_eq!(
            progress("   Compiling serde v1.0.228"),
            Some(Progress::Stage("Compiling serde v1.0.228"))
        );
        assert_eq!(progress("warning: unused variable: `x`"), None);
    }

    #[test]
    fn errors_are_found_between_lines_of_progress() {
        let output = "   Compiling engine v0.1.0\nerror[E0425]: cannot find value `x`\n --> a.rs:1\n\
                      \nwarning: unused\n\nerror: could not compile `engine`\n";
        assert_eq!(
            errors(output),
            "    error[E0425]: cannot find value `x`\n     --> a.rs:1\n    error: could not compile \
             `engine`"
        );
        assert_eq!(errors("   Compiling engine v0.1.0\n"), "");
        let many = "error: no\n".repeat(ERROR_LINES_MAX + 3);
        assert!(errors(&many).ends_with("… and 3 more lines"));
    }
}
