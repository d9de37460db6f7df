//! Bursts: whether records that arrive are pushed at once, or accepted and left for a fuller call.
//!
//! A queue hands over ten messages at a time, and Xero takes fifty documents in a call. When ten come
//! there are likely more behind them: then they are accepted, and a hint is left on the queue of wake-ups.
//! While one hint is worked on the next ones gather behind it, and each stands for ten records or more.

/// What has come together in one delivery of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrived {
    /// Records that a message brought.
    pub fresh: usize,
    /// Records that hints are about, those of messages left out.
    pub hinted: usize,
    /// Whether the queue gave as much as it gives at once.
    pub is_full: bool,
}

/// As many as fit into one call: with these at hand, nothing is won by waiting for more.
const ENOUGH: usize = 50;

impl Arrived {
    /// Whether to accept the records and leave a hint, instead of pushing them now. It cannot go on
    /// for ever: whatever is put off comes back together with what was put off before.
    pub const fn is_put_off(self) -> bool {
        self.is_full && self.fresh > 0 && self.fresh + self.hinted < ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_delivery_of_fresh_records_waits_for_more_until_there_are_fifty() {
        for (fresh, hinted, is_full, put_off) in [
            (10, 0, true, true),
            (9, 10, true, true),
            (9, 40, true, true),
            (9, 41, true, false),
            (10, 40, true, false),
            (0, 40, true, false),
            (9, 0, false, false),
            (1, 0, false, false),
        ] {
            let arrived = Arrived { fresh, hinted, is_full };
            assert_eq!(arrived.is_put_off(), put_off, "{arrived:?}");
        }
    }
}
