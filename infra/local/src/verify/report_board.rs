//! Which check writes to the console, and the output of the others until it is printed.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::console::Console;
use crate::wait;

/// For how long the running checks are shown: longer than CI lets a run take.
const SHOWN_FOR: Duration = Duration::from_hours(3);

/// How many of the last lines of an output are printed again: a test runner ends with what failed.
const LINES_REPEATED: usize = 80;

/// Who writes to the console, and what waits to be printed.
pub(super) struct ReportBoard<'a> {
    console: &'a Console,
    state: RefCell<BoardState>,
}

#[derive(Default)]
struct BoardState {
    /// Whether a check is writing to the console.
    is_taken: bool,
    /// The checks that run beside it.
    running: Vec<RunningCheck>,
    /// How many checks have not ended, or not even begun.
    outstanding: usize,
    /// The output of those that have ended, until it is printed.
    reports: Vec<String>,
    /// The failed ones whose output was kept, and the end of it.
    failures: Vec<(String, String)>,
}

/// A check that has not ended.
struct RunningCheck {
    name: String,
    /// The file that collects its output.
    output: Option<PathBuf>,
}

impl<'a> ReportBoard<'a> {
    pub(super) fn new(console: &'a Console, outstanding: usize) -> Self {
        Self { console, state: RefCell::new(BoardState { outstanding, ..BoardState::default() }) }
    }

    pub(super) fn take_console(&self) {
        self.state.borrow_mut().is_taken = true;
    }

    /// Takes the end of the check that was writing to the console.
    pub(super) fn release_console(&self) {
        {
            let mut state = self.state.borrow_mut();
            state.is_taken = false;
            state.outstanding = state.outstanding.saturating_sub(1);
        }
        self.print_reports();
    }

    /// Takes the start of a check whose output a file collects.
    pub(super) fn begin_check(&self, check: &str, output: Option<&Path>) {
        let running = RunningCheck { name: check.to_owned(), output: output.map(Path::to_owned) };
        self.state.borrow_mut().running.push(running);
    }

    pub(super) fn end_check(&self, check: &str, report: String, has_passed: bool) {
        {
            let mut state = self.state.borrow_mut();
            state.running.retain(|running| running.name != check);
            state.outstanding = state.outstanding.saturating_sub(1);
            if !has_passed {
                state.failures.push((check.to_owned(), cut_end(&report)));
            }
            state.reports.push(report);
        }
        self.print_reports();
    }

    /// Prints what waits, unless a check is writing.
    fn print_reports(&self) {
        let reports = {
            let mut state = self.state.borrow_mut();
            if state.is_taken { Vec::new() } else { std::mem::take(&mut state.reports) }
        };
        for report in reports {
            self.console.line(report.trim_end());
        }
    }

    /// Waits until every check has ended, and shows which ones run while none is writing.
    pub(super) async fn wait_for_all(&self) {
        let all_ended = wait::until(SHOWN_FOR, async || {
            let state = self.state.borrow();
            if state.outstanding == 0 {
                return Some(());
            }
            if !state.is_taken {
                let running = state.running.iter().map(|running| running.name.as_str());
                let running = running.collect::<Vec<_>>().join(", ");
                self.console.progress(&format!("still running: {running}"));
            }
            None
        });
        all_ended.await;
        self.console.progress_over();
    }

    /// Prints what a run that is stopped has kept: the output of checks that have ended, the end of
    /// what the others have printed so far, and the failures.
    pub(super) fn print_unfinished(&self) {
        self.state.borrow_mut().is_taken = false;
        self.print_reports();
        for RunningCheck { name, output } in &self.state.borrow().running {
            let content = output.as_ref().and_then(|output| std::fs::read(output).ok());
            self.console.title(&format!("{name} has not ended; the end of its output so far:"));
            self.console.line(&cut_end(&String::from_utf8_lossy(&content.unwrap_or_default())));
        }
        self.repeat_failures();
    }

    /// Prints the end of what the failed checks printed once more.
    pub(super) fn repeat_failures(&self) {
        for (check, end) in &self.state.borrow().failures {
            self.console.title(&format!("{check} failed; the end of its output once more:"));
            self.console.line(end);
        }
    }
}

/// Returns the last lines of an output.
fn cut_end(output: &str) -> String {
    let lines = output.trim_end().lines().collect::<Vec<_>>();
    let (_, end) = lines.split_at(lines.len().saturating_sub(LINES_REPEATED));
    end.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Console, LINES_REPEATED, ReportBoard};
    use crate::console::page::Page;

    #[test]
    fn a_report_is_printed_as_a_whole_and_not_into_the_output_of_a_check() {
        let page = Page::default();
        let console = Console::plain(page.clone());
        let board = ReportBoard::new(&console, 3);
        board.begin_check("deny", None);
        board.begin_check("lambda", None);
        board.take_console();
        console.line("tests begin");
        board.end_check("deny", "deny\nlicences\n".to_owned(), true);
        console.line("tests end");
        board.release_console();
        board.end_check("lambda", "lambda\n".to_owned(), true);
        board.repeat_failures();
        assert_eq!(page.lines(), ["tests begin", "tests end", "deny", "licences", "lambda"]);
    }

    #[test]
    fn the_end_of_what_a_failed_check_printed_is_repeated_after_everything_else() {
        let page = Page::default();
        let console = Console::plain(page.clone());
        let board = ReportBoard::new(&console, 2);
        let lines = (0..=LINES_REPEATED).map(|line| format!("line {line}")).collect::<Vec<_>>();
        board.end_check("pages", lines.join("\n"), false);
        board.end_check("lambda", "lambda: passed\n".to_owned(), true);
        let printed = page.lines().len();
        board.repeat_failures();
        let repeated = page.lines().split_off(printed);
        assert_eq!(repeated[..3], ["", "pages failed; the end of its output once more:", "line 1"]);
        assert_eq!(repeated.len(), LINES_REPEATED + 2);
        assert_eq!(repeated.last(), Some(&format!("line {LINES_REPEATED}")));
    }

    #[test]
    fn a_run_that_is_stopped_prints_what_it_has_kept_and_the_failures_last() {
        let page = Page::default();
        let console = Console::plain(page.clone());
        let board = ReportBoard::new(&console, 3);
        let output = std::env::temp_dir().join(format!("stopped-{}.log", std::process::id()));
        std::fs::write(&output, "tests\nthe first test\n").unwrap();
        board.take_console();
        board.begin_check("tests", Some(&output));
        board.begin_check("deny", None);
        board.end_check("deny", "a licence is missing\n".to_owned(), false);
        assert!(page.lines().is_empty());
        board.print_unfinished();
        std::fs::remove_file(&output).unwrap();
        let expected = [
            "a licence is missing",
            "",
            "tests has not ended; the end of its output so far:",
            "tests",
            "the first test",
            "",
            "deny failed; the end of its output once more:",
            "a licence is missing",
        ];
        assert_eq!(page.lines(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_names_what_is_still_running_and_ends_with_it() {
        let page = Page::default();
        let console = Console::plain(page.clone());
        let board = ReportBoard::new(&console, 1);
        board.begin_check("lambda", None);
        let ended = async {
            tokio::task::yield_now().await;
            board.end_check("lambda", "lambda: passed".to_owned(), true);
        };
        tokio::join!(board.wait_for_all(), ended);
        let lines = page.lines();
        assert!(lines[0].ends_with("still running: lambda"), "{lines:?}");
        assert_eq!(lines[1..], ["lambda: passed"]);
    }
}
