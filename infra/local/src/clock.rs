//! The real time, for the simulator and for the tokens: the one place of this crate that reads it.

use jiff::{SignedDuration, Timestamp};

/// How many times as fast as ours the simulated Xero's clock runs. Xero allows 60 calls a minute;
/// its minute is over in three seconds here, so that nobody has to sit and wait for the limit.
pub const XERO_PACE: i32 = 20;

/// A clock that started when it was made and runs [`XERO_PACE`] times as fast as ours.
#[derive(Debug, Clone, Copy)]
pub struct FastClock {
    started: Timestamp,
}

impl FastClock {
    /// A clock that shows the real time now, and soon no longer.
    pub fn start() -> Self {
        Self { started: now() }
    }

    /// What it shows.
    pub fn now(self) -> Timestamp {
        self.after(now().duration_since(self.started))
    }

    fn after(self, passed: SignedDuration) -> Timestamp {
        let shown = passed.checked_mul(XERO_PACE).unwrap_or(passed);
        self.started.saturating_add(shown).unwrap_or(Timestamp::MAX)
    }
}

/// The instant it is now.
#[expect(
    clippy::disallowed_methods,
    reason = "the runner is the world around the product; here time is real"
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::{FastClock, XERO_PACE};
    use jiff::{SignedDuration, Timestamp};

    #[test]
    fn three_seconds_here_are_a_minute_at_xero() {
        let clock = FastClock { started: Timestamp::UNIX_EPOCH };
        assert_eq!(clock.after(SignedDuration::from_secs(3)).as_second(), 60);
        assert_eq!(i64::from(XERO_PACE) * 3, 60);
    }
}
