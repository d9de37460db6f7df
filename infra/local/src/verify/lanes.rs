//! Runs checks side by side, in lanes. The checks of a lane need the same thing, such as a folder of
//! cargo, and run one after the other.
//!
//! On a terminal the checks of one lane write to the console while they run. Those of the others run
//! beside them; their output is kept and printed as a whole, each between two checks. In a pipe,
//! the output of all of them is kept, unless there is one lane only. If a run in a pipe is stopped,
//! the end of what is kept is printed. Of a failed check whose output was kept, the end is repeated
//! after everything else: of a long output, some logs keep only the end.

use std::cell::OnceCell;
use std::future::pending;

use jiff::SignedDuration;

use super::durations::Outcome;
use super::report_board::ReportBoard;
use super::{Check, Verifier};
use crate::exit::wait_for_stop;
use crate::stack::Options;
use crate::workplace::Workplace;

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

/// Whether the output of a lane is shown while its checks run. `is_read_live`: it goes to a terminal.
fn is_shown(lane: Lane, checks: &[Check], is_read_live: bool) -> bool {
    let is_only_one = checks.iter().all(|check| check.lane() == lane);
    (is_read_live || is_only_one) && find_first_used(SHOWN_FIRST, checks) == Some(lane)
}

/// Runs the checks and returns how each ended. A signal that stops the run is left to the caller,
/// after what is kept has been printed.
pub(super) async fn run_in_lanes(
    checks: &[Check],
    options: &Options,
    workplace: &Workplace,
) -> Vec<Outcome> {
    let is_shown = |lane| is_shown(lane, checks, workplace.console.is_terminal());
    let urgent = find_first_used(URGENT_FIRST, checks);
    let board = ReportBoard::new(&workplace.console, checks.len());
    let (installation, background) = (OnceCell::new(), workplace.in_background());
    let [first, second, third, fourth] = SHOWN_FIRST.map(|lane| {
        let workplace = if urgent == Some(lane) { workplace } else { &background };
        LaneRun {
            is_shown: is_shown(lane),
            checks: checks.iter().copied().filter(|check| check.lane() == lane).collect(),
            verifier: Verifier { options, workplace, installation: &installation },
            board: &board,
        }
    });
    let checked = async {
        let (first, second, third, fourth, ()) = tokio::join!(
            Box::pin(first.run()),
            Box::pin(second.run()),
            Box::pin(third.run()),
            Box::pin(fourth.run()),
            board.wait_for_all(),
        );
        [first, second, third, fourth].concat()
    };
    let outcomes = tokio::select! {
        biased;
        outcomes = checked => outcomes,
        outcomes = print_if_stopped(&board, workplace) => outcomes,
    };
    board.repeat_failures();
    outcomes
}

/// Prints what is kept when a signal stops the run. Then it never ends: the caller of the checks
/// receives the signal, too, and drops them. On a terminal, the user has seen the output.
async fn print_if_stopped(board: &ReportBoard<'_>, workplace: &Workplace) -> Vec<Outcome> {
    wait_for_stop().await;
    if !workplace.console.is_terminal() {
        board.print_unfinished();
    }
    pending().await
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

    /// Runs checks that write to the console.
    async fn run_shown(&self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for check in &self.checks {
            self.board.take_console();
            outcomes.push(self.verifier.attempt(*check).await);
            self.board.release_console();
        }
        outcomes
    }

    /// Runs checks whose output is kept.
    async fn run_beside(&self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for check in &self.checks {
            let name = check.name();
            let (outcome, report) = match self.verifier.workplace.beside(&name) {
                Ok(own) => {
                    self.board.begin_check(&name, own.output.as_deref());
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
            self.board.end_check(&name, report, outcome.has_passed);
            outcomes.push(outcome);
        }
        outcomes
    }
}

#[cfg(test)]
mod tests {
    use super::{Check, Lane, SHOWN_FIRST, URGENT_FIRST, find_first_used, is_shown};

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
    fn output_is_shown_live_on_a_terminal_and_where_no_other_lane_runs() {
        let checks = [Check::Tests, Check::Deny];
        assert!(is_shown(Lane::Workspace, &checks, true));
        assert!(!is_shown(Lane::Tools, &checks, true));
        assert!(!is_shown(Lane::Workspace, &checks, false));
        assert!(is_shown(Lane::Tools, &[Check::Deny, Check::Sdk], false));
    }
}
