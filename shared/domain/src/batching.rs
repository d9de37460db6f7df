//! Batching: whether arriving records are pushed at once, or accepted and left for a larger batch.
//!
//! A queue delivers ten messages at a time, and Xero accepts fifty documents in a call. Full
//! deliveries of ten that follow one another suggest that more messages are waiting. From the second
//! one on, the records are accepted, and a wake-up is enqueued. While one wake-up is processed, the
//! next ones accumulate behind it, and each stands for ten records or more. The first full delivery
//! is pushed at once: often it is the only one, and otherwise the first wake-up would find no more
//! than its records.

use jiff::{SignedDuration, Timestamp};

/// A full delivery that arrives within this time after another one was processed is in a burst. A
/// queue delivers the next messages of an account as soon as the last ones are processed.
pub const BURST_PAUSE_MAX: SignedDuration = SignedDuration::from_secs(10);

/// How fast an account's messages arrive in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrivalRate {
    /// Full deliveries follow one another, so more messages are probably waiting.
    Burst,
    /// Slower. The first full delivery is no burst yet.
    Ordinary,
}

impl ArrivalRate {
    /// Infers the rate at `now` from whether the delivery holds as many messages as the queue
    /// delivers at once, and from when the last such delivery was processed.
    pub fn infer(is_full: bool, last_full: Option<Timestamp>, now: Timestamp) -> Self {
        let is_recent = |at: Timestamp| now.duration_since(at) < BURST_PAUSE_MAX;
        if is_full && last_full.is_some_and(is_recent) { Self::Burst } else { Self::Ordinary }
    }
}

/// The records of one account in one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrivedRecords {
    /// The number of records that came in messages.
    pub fresh: usize,
    /// The number of records named by wake-ups, not counting those of messages.
    pub hinted: usize,
    /// How fast the messages arrive.
    pub rate: ArrivalRate,
}

/// The number of documents that fit into one call. With this many records, waiting for more gains
/// nothing.
const FULL_CALL_RECORDS: usize = 50;

impl ArrivedRecords {
    /// Whether to accept the records and enqueue a wake-up instead of pushing them now. Deferral
    /// ends: a deferred record comes back together with all records deferred before it, until a
    /// call is full.
    pub fn should_defer(self) -> bool {
        self.rate == ArrivalRate::Burst
            && self.fresh > 0
            && self.fresh + self.hinted < FULL_CALL_RECORDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_records_of_a_burst_wait_for_more_until_there_are_fifty() {
        let (burst, ordinary) = (ArrivalRate::Burst, ArrivalRate::Ordinary);
        for (fresh, hinted, rate, is_deferred) in [
            (10, 0, burst, true),
            (9, 10, burst, true),
            (9, 40, burst, true),
            (9, 41, burst, false),
            (10, 40, burst, false),
            (0, 40, burst, false),
            (10, 0, ordinary, false),
            (9, 0, ordinary, false),
            (1, 0, ordinary, false),
        ] {
            let arrived = ArrivedRecords { fresh, hinted, rate };
            assert_eq!(arrived.should_defer(), is_deferred, "{arrived:?}");
        }
    }

    #[test]
    fn a_full_delivery_is_in_a_burst_less_than_ten_seconds_after_another_one() {
        let last = "2026-07-10T08:00:00Z".parse::<Timestamp>().unwrap();
        let after = |milliseconds| last + SignedDuration::from_millis(milliseconds);
        for (is_full, last_full, now, expected) in [
            (true, None, last, ArrivalRate::Ordinary),
            (true, Some(last), last, ArrivalRate::Burst),
            (true, Some(last), after(9_999), ArrivalRate::Burst),
            (true, Some(last), after(10_000), ArrivalRate::Ordinary),
            (false, Some(last), after(1), ArrivalRate::Ordinary),
        ] {
            let rate = ArrivalRate::infer(is_full, last_full, now);
            assert_eq!(rate, expected, "{is_full} {last_full:?} {now}");
        }
    }
}
