//! Instructions of the functions, counted by callgrind where valgrind is installed. They hardly
//! depend on the machine and on how busy it is.

use std::path::{Path, PathBuf};

use local::failure::Failure;
use local::workplace::Workplace;
use tokio::process::Command;

use crate::cases::FunctionCase;
use crate::function_process::FunctionProcess;
use crate::functions::{command_of, invoke_once};
use crate::numbers::{quotient, thousands};
use crate::report::{ReportSection, Table};
use crate::surroundings::Surroundings;

/// Warm invocations, over which the instructions of one are averaged.
const WARM_INVOCATIONS: usize = 4;

/// Counts the instructions of each function, and adds the table. Adds a sentence instead if
/// valgrind is not installed.
pub async fn add_instructions(
    section: &mut ReportSection,
    workplace: &Workplace,
    cases: &[FunctionCase],
    binaries: &Path,
) -> Result<(), Failure> {
    let Some(version) = find_version(workplace).await else {
        section.add_text("Instructions are not counted: valgrind is not installed.");
        return Ok(());
    };
    workplace.console.step("Counting instructions");
    let mut table =
        Table::new(&["function", "start", "first invocation", "warm invocation", "times hello"]);
    let mut hello = None;
    for case in cases {
        workplace.console.progress(case.function);
        let start = Box::pin(count_invocations(workplace, case, binaries, 0)).await?;
        let first = Box::pin(count_invocations(workplace, case, binaries, 1)).await?;
        let all = 1 + WARM_INVOCATIONS;
        let all = Box::pin(count_invocations(workplace, case, binaries, all)).await?;
        let warm = all.saturating_sub(first) / WARM_INVOCATIONS;
        let hello = *hello.get_or_insert(warm);
        table.add_row(vec![
            format!("`{}`", case.function),
            thousands(start),
            thousands(first.saturating_sub(start)),
            thousands(warm),
            quotient(warm, hello),
        ]);
    }
    workplace.console.progress_over();
    section.add_text(format!(
        "Instructions, counted by callgrind ({}). The start includes the end of the process.",
        version.trim()
    ));
    section.add_table(&table);
    Ok(())
}

/// The version of valgrind, if it is installed.
pub async fn find_version(workplace: &Workplace) -> Option<String> {
    let mut version = Command::new("valgrind");
    version.arg("--version");
    workplace.children.ask(&mut version).await.ok().flatten()
}

/// The instructions of a process that is started, invoked this many times, and ended.
async fn count_invocations(
    workplace: &Workplace,
    case: &FunctionCase,
    binaries: &Path,
    invocations: usize,
) -> Result<usize, Failure> {
    let work = async |function: &mut FunctionProcess, surroundings: &Surroundings| {
        for number in 0..invocations {
            invoke_once(function, case, surroundings, number).await?;
        }
        Ok(())
    };
    count_instructions(workplace, case, binaries, work).await
}

/// The instructions of a process that is started, does this work, and ends.
///
/// # Errors
///
/// If the process does not start or the work fails, and if callgrind writes no counts.
pub async fn count_instructions(
    workplace: &Workplace,
    case: &FunctionCase,
    binaries: &Path,
    work: impl AsyncFnOnce(&mut FunctionProcess, &Surroundings) -> Result<(), Failure>,
) -> Result<usize, Failure> {
    let surroundings = Surroundings::start(case.prepare).await?;
    let counts = workplace.scratch.folder().join(format!("{}.callgrind", case.function));
    let mut command = command_of(workplace, case, binaries, &surroundings);
    let mut words = vec![
        PathBuf::from("valgrind"),
        PathBuf::from("--tool=callgrind"),
        PathBuf::from(format!("--callgrind-out-file={}", counts.display())),
    ];
    words.append(&mut command.words);
    command.words = words;
    if let Some(path) = std::env::var_os("PATH") {
        command.environment.push(("PATH".to_owned(), path.to_string_lossy().into_owned()));
    }
    let (mut function, _) = FunctionProcess::start(&command).await?;
    work(&mut function, &surroundings).await?;
    function.stop().await?;
    let text = std::fs::read_to_string(&counts)
        .map_err(|error| Failure::new("Callgrind wrote no counts").because(error))?;
    std::fs::remove_file(&counts).ok();
    find_total(&text).ok_or_else(|| Failure::new("Callgrind's counts have no total"))
}

/// The total in the file that callgrind writes: the line `totals:` or, in a dump, `summary:`.
fn find_total(counts: &str) -> Option<usize> {
    let of = |title: &str| {
        let line = counts.lines().rev().find(|line| line.starts_with(title))?;
        line.split_whitespace().nth(1)?.parse::<usize>().ok()
    };
    of("totals:").or_else(|| of("summary:"))
}

#[cfg(test)]
mod tests {
    use super::find_total;

    #[test]
    fn the_total_is_found_at_the_end_or_in_the_summary() {
        assert_eq!(find_total("events: Ir\nsummary: 12\n\nfn=(1)\ntotals: 34\n"), Some(34));
        assert_eq!(find_total("events: Ir\nsummary: 12\n"), Some(12));
        assert_eq!(find_total("events: Ir\n"), None);
    }
}
