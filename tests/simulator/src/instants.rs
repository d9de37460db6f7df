//! The instants of a call, and the pace at which one clock runs ahead.

use jiff::Timestamp;

/// The instants of a call. A host may run the books' clock faster than real time, so that a
/// minute's limit ends sooner; tokens are still valid for the duration of `expires_in`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instants {
    /// For dates, times of change, idempotency keys, and the windows of the limits.
    pub books: Timestamp,
    /// For the lifetimes of codes and tokens, and the times of connections.
    pub identity: Timestamp,
}

impl From<Timestamp> for Instants {
    /// Both clocks show the same time.
    fn from(now: Timestamp) -> Self {
        Self { books: now, identity: now }
    }
}

/// How many times as fast as real time the books' clock runs.
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

    /// The time of both clocks when it is `now` in real time. The identity service's clock always
    /// shows real time.
    pub fn at(self, now: Timestamp) -> Instants {
        let passed = now.duration_since(self.started);
        let shown = passed.checked_mul(self.speed).unwrap_or(passed);
        let books = self.started.saturating_add(shown).unwrap_or(Timestamp::MAX);
        Instants { books, identity: now }
    }
}
