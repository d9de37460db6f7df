//! Reading what cargo says while it compiles: how far it has come, and the errors when it fails.
//!
//! This crate depends on nothing, so that it is there before anything else is compiled.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// How many lines of errors are shown: the first ones are the cause of the others.
const ERROR_LINES_MAX: usize = 60;

/// What cargo prints before it says how many crates are done.
const BAR: &str = "Building [";

/// What cargo writes for people to see where it is, apart from the bar.
const STAGES: [&str; 6] =
    ["Compiling", "Downloading", "Downloaded", "Updating", "Blocking", "Locking"];

/// Variables that make cargo draw its bar into a pipe, and nothing in colour.
pub const BAR_VARIABLES: [(&str, &str); 4] = [
    ("CARGO_TERM_COLOR", "never"),
    ("CARGO_TERM_PROGRESS_WHEN", "always"),
    ("CARGO_TERM_PROGRESS_WIDTH", "100"),
    ("CARGO_TERM_PROGRESS_TERM_INTEGRATION", "false"),
];

/// A `cargo` in the folder `root` that does not see what `cargo run` has set for its child: build
/// scripts watch those variables, and would rebuild each time the runner and a person's shell take
/// turns.
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

/// What a line says about how far cargo has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress<'a> {
    /// How many crates are done. Cargo changes such a line many times a second: it is not worth keeping.
    Bar(String),
    /// What cargo does now.
    Stage(&'a str),
}

/// Reads a line of cargo's output; nothing when it is not about progress.
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

/// The paragraphs of cargo's output that begin with an error, indented; empty when there is none.
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
    use super::{ERROR_LINES_MAX, Progress, errors, progress};

    #[test]
    fn the_bar_becomes_a_count_and_what_is_compiled_now() {
        let bar = "    Building [=====>             ] 120/553: serde, tokio(build.rs)";
        let counted = "120 of 553 crates compiled; now serde, tokio(build.rs)".to_owned();
        assert_eq!(progress(bar), Some(Progress::Bar(counted)));
        let bare = "    Building [=====>    ] 1/553";
        assert_eq!(progress(bare), Some(Progress::Bar("1 of 553 crates compiled".to_owned())));
        assert_eq!(progress("    Building [====="), None);
    }

    #[test]
    fn a_stage_is_shown_as_cargo_says_it_and_other_lines_are_not_progress() {
        let waiting = "    Blocking waiting for file lock on build directory";
        assert_eq!(progress(waiting), Some(Progress::Stage(waiting.trim())));
        assert_eq!(
            progress("   Compiling serde v1.0.228"),
            Some(Progress::Stage("Compiling serde v1.0.228"))
        );
        assert_eq!(progress("warning: unused variable: `x`"), None);
    }

    #[test]
    fn errors_are_found_between_the_lines_that_compile() {
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
