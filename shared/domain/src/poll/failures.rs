//! Polls of a ledger that fail one after another.

use jiff::{SignedDuration, Timestamp};

use super::PollProgress;

/// How long all polls of a ledger must have failed before users are notified.
/// Ledgers are polled every 15 minutes, so the fifth failed poll in a row is the first to be
/// reported.
pub const STALLED_AFTER: SignedDuration = SignedDuration::from_mins(60);
/// The maximum time between two failed polls in a row. After a longer one the ledger was not polled
/// in between, because it had no open invoice or was not connected.
const FAILURES_APART: SignedDuration = SignedDuration::from_mins(45);

impl PollProgress {
    /// The progress after a poll that failed now.
    #[must_use]
    pub fn with_failed_poll(self, now: Timestamp) -> Self {
        let is_in_a_row = self.failed_at.is_some_and(|at| now.duration_since(at) <= FAILURES_APART);
        let failing_since = self.failing_since.filter(|_| is_in_a_row).or(Some(now));
        Self { failing_since, failed_at: Some(now), ..self }
    }

    /// The progress after a poll that was completed.
    #[must_use]
    pub fn with_completed_poll(self) -> Self {
        Self { failing_since: None, failed_at: None, ..self }
    }

    /// Since when the ledger's polls have failed, if every one has for an hour
    /// ([`STALLED_AFTER`]) and the last one was at most 45 minutes ago.
    pub fn stalled_since(&self, now: Timestamp) -> Option<Timestamp> {
        let is_recent = |at: Timestamp| now.duration_since(at) <= FAILURES_APART;
        let since = self.failing_since.filter(|_| self.failed_at.is_some_and(is_recent))?;
        (now.duration_since(since) >= STALLED_AFTER).then_some(since)
    }
}
