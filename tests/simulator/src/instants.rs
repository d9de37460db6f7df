//! The instants a call arrives at, and a pace at which one of them runs ahead.

use jiff::Timestamp;

/// The instants a call arrives at. A host may let the books' clock run faster than real time, so
/// that a minute's limit is over soon; tokens still live for as long as `expires_in` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instants {
    /// For dates, times of change, idempotency keys, and the windows of the limits.
    pub books: Timestamp,
    /// For the lives of codes and tokens, and the times of connections.
    pub identity: Timestamp,
}

impl From<Timestamp> for Instants {
    /// Both clocks show the same.
    fn from(now: Timestamp) -> Self {
        Self { books: now, identity: now }
    }
}

/// How much faster than real time the books' clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    started: Timestamp,
    speed: i32,
}

impl Pace {
    /// A pace of `speed` from `started` on; 1 is real time.
    pub fn new(started: Timestamp, speed: i32) -> Self {
        Self { started, speed }
    }

    /// What both clocks show when it is `now` in real time. The identity service's clock shows
    /// real time at any pace.
    pub fn at(self, now: Timestamp) -> Instants {
        let passed = now.duration_since(self.started);
        let shown = passed.checked_mul(self.speed).unwrap_or(passed);
        let books = self.started.saturating_add(shown).unwrap_or(Timestamp::MAX);
        Instants { books, identity: now }
    }
}
