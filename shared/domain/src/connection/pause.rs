//! The pause of a connection after Xero throttled a call.

use jiff::{SignedDuration, Timestamp};

use super::Connection;

/// The longest pause. None of Xero's windows is longer than a day; the rest is for clocks that
/// differ.
const PAUSE_MAX: SignedDuration = SignedDuration::from_hours(25);

impl Connection {
    /// Until when no call is made. `None` if there is no pause, or if it is longer than any that Xero
    /// asks for: then a wrong clock stated it.
    pub fn pause_end(&self, now: Timestamp) -> Option<Timestamp> {
        let is_plausible = |until: &Timestamp| until.duration_since(now) <= PAUSE_MAX;
        self.paused_until.filter(|until| *until > now).filter(is_plausible)
    }
}
