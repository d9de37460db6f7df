//! The schedule on which an organisation that Xero refuses is checked again.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The period in which Xero refuses every call on an organisation that it still lists as connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnavailablePeriod {
    /// When Xero first refused the organisation.
    pub since: Timestamp,
    /// When to check the organisation again.
    pub look_at: Timestamp,
    /// The number of checks so far.
    pub looks: u32,
}

/// Minutes between two checks of a refused organisation. The last value repeats.
const CHECK_INTERVALS_MINUTES: [i64; 3] = [15, 60, 360];

impl UnavailablePeriod {
    /// The state after the first refusal.
    pub fn starting_at(now: Timestamp) -> Self {
        Self { since: now, look_at: next_check_at(0, now), looks: 0 }
    }

    /// The state after a check in which Xero refused the organisation again.
    #[must_use]
    pub fn after_refused_check(self, now: Timestamp) -> Self {
        let looks = self.looks.saturating_add(1);
        Self { since: self.since, look_at: next_check_at(looks, now), looks }
    }

    /// The state after a check without a result: it is unknown whether Xero still refuses the
    /// organisation.
    #[must_use]
    pub fn after_unanswered_check(self, now: Timestamp) -> Self {
        Self { look_at: next_check_at(0, now), ..self }
    }
}

fn next_check_at(looks: u32, now: Timestamp) -> Timestamp {
    let [.., last] = CHECK_INTERVALS_MINUTES;
    let step = usize::try_from(looks).ok().and_then(|looks| CHECK_INTERVALS_MINUTES.get(looks));
    let wait = SignedDuration::from_mins(step.copied().unwrap_or(last));
    now.saturating_add(wait).unwrap_or(now)
}
