//! Batching: whether arriving records are pushed at once, or accepted and left for a larger batch.
//!
//! A queue delivers ten messages at a time, and Xero accepts fifty documents in a call. A full
//! delivery of ten suggests that more messages follow. Such records are accepted, and a wake-up is
//! enqueued. While one wake-up is processed, the next ones accumulate behind it, and each stands
//! for ten records or more.

/// The records of one account in one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrivedRecords {
    /// The number of records that came in messages.
    pub fresh: usize,
    /// The number of records named by wake-ups, not counting those of messages.
    pub hinted: usize,
    /// Whether the delivery holds as many messages as the queue delivers at once.
    pub is_full: bool,
}

/// The number of documents that fit into one call. With this many records, waiting for more gains
/// nothing.
const FULL_CALL_RECORDS: usize = 50;

impl ArrivedRecords {
    /// Whether to accept the records and enqueue a wake-up instead of pushing them now. Deferral
    /// ends: a deferred record comes back together with all records deferred before it, until a
    /// call is full.
    pub const fn should_defer(self) -> bool {
        self.is_full && self.fresh > 0 && self.fresh + self.hinted < FULL_CALL_RECORDS
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
            let arrived = ArrivedRecords { fresh, hinted, is_full };
            assert_eq!(arrived.should_defer(), put_off, "{arrived:?}");
        }
    }
}
