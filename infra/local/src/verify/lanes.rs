//! Runs checks side by side, in lanes. The checks of a lane need the same thing, such as a folder of
//! cargo, and run one after the other.
//!
//! The checks of one lane write to the console while they run. Those of the others run beside them;
//! their output is kept and printed as a whole, each between two checks.

use std::cell::{OnceCell, RefCell};
use std::time::Duration;

use jiff::SignedDuration;

use super::durations::Outcome;
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
    /// A stack. It waits most of the time, and with `--port` all stacks use the same ports.
    Stacks,
    /// Nothing of the workspace, or only for a moment.
    Tools,
    /// Cargo's folder of release builds.
    Release,
}

/// The first of these that has a check writes to the console.
const SHOWN_FIRST: [Lane; 4] = [Lane::Workspace, Lane::Stacks, Lane::Tools, Lane::Release];

/// The first of these that has a check runs at the usual priority, the others at a lower one. The
/// stacks wait most of the time, so they leave the others most of the processors, and the functions
/// on them have limits of time, which the others must not use up.
const URGENT_FIRST: [Lane; 4] = [Lane::Stacks, Lane::Workspace, Lane::Tools, Lane::Release];

/// The first of the lanes that has a check.
fn find_first_used(order: [Lane; 4], checks: &[Check]) -> Option<Lane> {
    order.into_iter().find(|lane| checks.iter().any(|check| check.lane() == *lane))
}

/// Runs the checks and returns how each ended.
pub(super) async fn run_in_lanes(
    checks: &[Check],
    options: &Options,
    workplace: &Workplace,
) -> Vec<Outcome> {
    let shown = find_first_used(SHOWN_FIRST, checks);
    let urgent = find_first_used(URGENT_FIRST, checks);
    let beside = checks.iter().filter(|check| shown != Some(check.lane())).count();
    let board = ReportBoard::new(&workplace.console, beside);
    let (installation, background) = (OnceCell::new(), workplace.in_background());
    let [first, second, third, fourth] = SHOWN_FIRST.map(|lane| {
        let workplace = if urgent == Some(lane) { workplace } else { &background };
        LaneRun {
            is_shown: shown == Some(lane),
            checks: checks.iter().copied().filter(|check| check.lane() == lane).collect(),
            verifier: Verifier { options, workplace, installation: &installation },
            board: &board,
        }
    });
    let (first, second, third, fourth) = tokio::join!(
        Box::pin(first.run()),
        Box::pin(second.run()),
        Box::pin(third.run()),
        Box::pin(fourth.run()),
    );
    [first, second, third, fourth].concat()
}

/// The checks of a lane.
struct LaneRun<'a> {
    is_shown: bool,
    checks: Vec<Check>,
    verifier: Verifier<'a>,
    board: &'a ReportBoard<'a>,
}

impl LaneRun<'_> {
    /// Runs the checks one after the other.
    async fn run(&self) -> Vec<Outcome> {
        if self.is_shown { self.run_shown().await } else { self.run_beside().await }
    }

    /// Runs checks that write to the console, then waits for those that run beside them.
    async fn run_shown(&self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for check in &self.checks {
            self.board.take_console();
            outcomes.push(self.verifier.attempt(*check).await);
            self.board.release_console();
        }
        self.board.wait_for_others().await;
        outcomes
    }

    /// Runs checks whose output is kept.
    async fn run_beside(&self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for check in &self.checks {
            let name = check.name();
            self.board.begin_check(&name);
            let (outcome, report) = match self.verifier.workplace.beside(&name) {
                Ok(own) => {
                    let verifier = Verifier { workplace: &own, ..self.verifier };
                    (verifier.attempt(*check).await, own.collected())
                }
                Err(failure) => {
                    let begun = self.verifier.workplace.console.elapsed();
                    let took = SignedDuration::ZERO;
                    let outcome = Outcome { check: *check, has_passed: false, begun, took };
                    (outcome, failure.lines().join("\n"))
                }
            };
            outcomes.push(outcome);
            self.board.end_check(&name, report);
        }
        outcomes
    }
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

    use super::{Check, Console, Lane, ReportBoard, SHOWN_FIRST, URGENT_FIRST, find_first_used};

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
    fn the_checks_of_the_workspace_are_shown_and_those_on_a_stack_have_priority() {
        let checks = [Check::Format, Check::Tests, Check::Api, Check::Fuzz, Check::Lambda];
        assert_eq!(find_first_used(SHOWN_FIRST, &checks), Some(Lane::Workspace));
        assert_eq!(find_first_used(URGENT_FIRST, &checks), Some(Lane::Stacks));
        let without_a_stack = [Check::Tests, Check::Fuzz];
        assert_eq!(find_first_used(URGENT_FIRST, &without_a_stack), Some(Lane::Workspace));
    }

    #[test]
    fn a_lane_alone_is_shown_and_has_priority() {
        for check in [Check::Tests, Check::Story, Check::Pages, Check::Release] {
            assert_eq!(find_first_used(SHOWN_FIRST, &[check]), Some(check.lane()));
            assert_eq!(find_first_used(URGENT_FIRST, &[check]), Some(check.lane()));
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
