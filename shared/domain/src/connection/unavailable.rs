//! When an organisation that Xero refuses is looked at again.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// That Xero refuses every call on an organisation that it still lists as connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    /// Since when.
    pub since: Timestamp,
    /// When to look again whether it still does.
    pub look_at: Timestamp,
    /// How many looks there have been.
    pub looks: u32,
}

/// Minutes between the looks at an organisation that Xero refuses; the last one repeats.
const LOOKS_AFTER_MINUTES: [i64; 3] = [15, 60, 360];

impl Unavailable {
    /// Xero refused the organisation for the first time.
    pub fn found(now: Timestamp) -> Self {
        Self { since: now, look_at: look_at(0, now), looks: 0 }
    }

    /// Xero still refuses it.
    #[must_use]
    pub fn looked(self, now: Timestamp) -> Self {
        let looks = self.looks.saturating_add(1);
        Self { since: self.since, look_at: look_at(looks, now), looks }
    }

    /// It could not be found out whether Xero still refuses it.
    #[must_use]
    pub fn missed(self, now: Timestamp) -> Self {
        Self { look_at: look_at(0, now), ..self }
    }
}

fn look_at(looks: u32, now: Timestamp) -> Timestamp {
    let [.., last] = LOOKS_AFTER_MINUTES;
    let step = usize::try_from(looks).ok().and_then(|looks| LOOKS_AFTER_MINUTES.get(looks));
    let wait = SignedDuration::from_mins(step.copied().unwrap_or(last));
    now.saturating_add(wait).unwrap_or(now)
}
