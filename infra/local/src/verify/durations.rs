//! When each check began and how long it took.

use jiff::SignedDuration;

use super::check::Check;
use crate::console::clock_time;

/// How a check ended, and when it ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) check: Check,
    pub(super) has_passed: bool,
    /// From the start of the run to the start of the check.
    pub(super) begun: SignedDuration,
    /// From the start of the check to its end.
    pub(super) took: SignedDuration,
}

/// The lines of a table with the times of each check and, as the last line, that of the run. The
/// times of checks that ran side by side overlap, so their sum exceeds the last line.
pub(super) fn list_durations(outcomes: &[Outcome], total: SignedDuration) -> Vec<String> {
    let head = fill_row("check", "began", "took", "result");
    let rows = outcomes.iter().map(|outcome| {
        let result = if outcome.has_passed { "passed" } else { "failed" };
        let (begun, took) = (clock_time(outcome.begun), clock_time(outcome.took));
        fill_row(&outcome.check.name(), &begun, &took, result)
    });
    let last = fill_row("all", "", &clock_time(total), "");
    std::iter::once(head).chain(rows).chain(std::iter::once(last)).collect()
}

fn fill_row(check: &str, begun: &str, took: &str, result: &str) -> String {
    let row = format!("  {check:<8}  {begun:>7}  {took:>7}  {result}");
    row.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::{Check, Outcome, list_durations};

    fn outcome(check: Check, has_passed: bool, begun: i64, took: i64) -> Outcome {
        let seconds = SignedDuration::from_secs;
        Outcome { check, has_passed, begun: seconds(begun), took: seconds(took) }
    }

    #[test]
    fn each_check_has_a_line_with_its_times_and_the_last_line_is_the_whole_run() {
        let outcomes =
            [outcome(Check::Format, true, 0, 3), outcome(Check::EndToEnd, false, 62, 3_601)];
        assert_eq!(
            list_durations(&outcomes, SignedDuration::from_secs(3_700)),
            [
                "  check       began     took  result",
                "  fmt          0:00     0:03  passed",
                "  e2e          1:02  1:00:01  failed",
                "  all                1:01:40",
            ]
        );
    }
}
