//! Runs checks side by side. Checks that need the same folder of cargo run one after the other.
//!
//! The checks of the workspace write to the console while they run. The others run beside them at a
//! lower priority. Their output is kept and printed as a whole, each between two checks.

use std::cell::RefCell;
use std::time::Duration;

use super::{Check, Verifier};
use crate::console::Console;
use crate::stack::Options;
use crate::wait;
use crate::workplace::Workplace;

/// How long the last checks may take.
const ENDED_WITHIN: Duration = Duration::from_hours(3);

/// What a check needs for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Cargo's folder of debug builds, most of the time.
    Workspace,
    /// Nothing of the workspace, or only for a moment.
    Tools,
    /// Cargo's folder of release builds.
    Release,
}

/// Runs the checks and returns those that failed. If all of them are in one lane, they run one
/// after the other and write to the console.
pub(super) async fn run_in_lanes(
    checks: &[Check],
    options: &Options,
    workplace: &Workplace,
) -> Vec<Check> {
    let of_lane = |lane: Lane| {
        checks.iter().copied().filter(|check| check.lane() == lane).collect::<Vec<_>>()
    };
    let lanes = [Lane::Workspace, Lane::Tools, Lane::Release].map(of_lane);
    let is_single = lanes.iter().filter(|lane| !lane.is_empty()).count() < 2;
    let [shown, tools, release] =
        if is_single { [checks.to_vec(), Vec::new(), Vec::new()] } else { lanes };

    let verifier = Verifier { options, workplace };
    let board = ReportBoard::new(&workplace.console, tools.len().saturating_add(release.len()));
    let (mut failed, of_tools, of_release) = tokio::join!(
        Box::pin(run_shown(&shown, &verifier, &board)),
        Box::pin(run_beside(&tools, options, workplace, &board)),
        Box::pin(run_beside(&release, options, workplace, &board)),
    );
    failed.extend(of_tools);
    failed.extend(of_release);
    failed
}

/// Runs checks that write to the console, then waits for those that run beside them.
async fn run_shown(
    checks: &[Check],
    verifier: &Verifier<'_>,
    board: &ReportBoard<'_>,
) -> Vec<Check> {
    let mut failed = Vec::new();
    for check in checks {
        board.take_console();
        if !verifier.attempt(*check).await {
            failed.push(*check);
        }
        board.release_console();
    }
    board.wait_for_others().await;
    failed
}

/// Runs checks whose output is kept.
async fn run_beside(
    checks: &[Check],
    options: &Options,
    workplace: &Workplace,
    board: &ReportBoard<'_>,
) -> Vec<Check> {
    let mut failed = Vec::new();
    for check in checks {
        let name = check.name();
        board.begin_check(&name);
        let (passed, report) = match workplace.beside(&name) {
            Ok(own) => {
                let passed = Verifier { options, workplace: &own }.attempt(*check).await;
                (passed, own.collected())
            }
            Err(failure) => (false, failure.lines().join("\n")),
        };
        if !passed {
            failed.push(*check);
        }
        board.end_check(&name, report);
    }
    failed
}

/// Who writes to the console, and what waits to be printed.
struct ReportBoard<'a> {
    console: &'a Console,
    state: RefCell<BoardState>,
}

#[derive(Default)]
struct BoardState {
    /// Whether a check is writing to the console.
    is_taken: bool,
    /// The checks that run beside it.
    running: Vec<String>,
    /// How many of those that run beside have not ended, or not even begun.
    outstanding: usize,
    /// The output of those that have ended, until it is printed.
    reports: Vec<String>,
}

impl<'a> ReportBoard<'a> {
    fn new(console: &'a Console, outstanding: usize) -> Self {
        Self { console, state: RefCell::new(BoardState { outstanding, ..BoardState::default() }) }
    }

    fn take_console(&self) {
        self.state.borrow_mut().is_taken = true;
    }

    fn release_console(&self) {
        self.state.borrow_mut().is_taken = false;
        self.print_reports();
    }

    fn begin_check(&self, check: &str) {
        self.state.borrow_mut().running.push(check.to_owned());
    }

    fn end_check(&self, check: &str, report: String) {
        {
            let mut state = self.state.borrow_mut();
            state.running.retain(|running| running != check);
            state.outstanding = state.outstanding.saturating_sub(1);
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

    /// Waits until every check has ended, and shows which ones run.
    async fn wait_for_others(&self) {
        let others_ended = wait::until(ENDED_WITHIN, async || {
            let state = self.state.borrow();
            if state.outstanding == 0 {
                return Some(());
            }
            self.console.progress(&format!("still running: {}", state.running.join(", ")));
            None
        });
        others_ended.await;
        self.console.progress_over();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::{Console, ReportBoard};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Page {
        fn lines(&self) -> Vec<String> {
            let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            text.lines().map(str::to_owned).collect()
        }
    }

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_report_is_printed_as_a_whole_and_not_into_the_output_of_a_check() {
        let page = Page::default();
        let console = Console::plain(page.clone());
        let board = ReportBoard::new(&console, 2);
        board.begin_check("deny");
        board.begin_check("lambda");
        board.take_console();
        console.line("tests begin");
        board.end_check("deny", "deny\nlicences\n".to_owned());
        console.line("tests end");
        board.release_console();
        board.end_check("lambda", "lambda\n".to_owned());
        assert_eq!(page.lines(), ["tests begin", "tests end", "deny", "licences", "lambda"]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_names_what_is_still_running_and_ends_with_it() {
        let page = Page::default();
        let console = Console::plain(page.clone());
        let board = ReportBoard::new(&console, 1);
        board.begin_check("lambda");
        let ended = async {
            tokio::task::yield_now().await;
            board.end_check("lambda", "lambda: passed".to_owned());
        };
        tokio::join!(board.wait_for_others(), ended);
        let lines = page.lines();
        assert!(lines[0].ends_with("still running: lambda"), "{lines:?}");
        assert_eq!(lines[1..], ["lambda: passed"]);
    }
}
