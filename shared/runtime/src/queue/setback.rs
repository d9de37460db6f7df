//! What follows when the outcome of a record could not be recorded: whether that passes, and when the record
//! comes again.
//!
//! What passes (the table is out of reach, a row kept moving, a wake-up could not be booked) is waited out, for as
//! long as the queue lets a message come. What does not pass is repeated a few times and then moved aside.

use std::error::Error as _;
use std::time::Duration;

use domain::dead_letter::Reason;
use engine::push::Unrecorded;
use store::StoreError;
use store::table::TableError;

/// How long a record stays hidden between tries when its reason does not pass: the last of them is over within
/// a minute of the first, and its FIFO group goes on.
pub(super) const BETWEEN_TRIES: Duration = Duration::from_secs(10);
/// The first delay after a reason that passes, in seconds; it doubles with every receive.
const DELAY_FIRST: u32 = 10;
/// The longest, in seconds.
const DELAY_MAX: u32 = 300;

/// Why it helps nobody that the record comes again; none if the reason may pass.
pub(super) fn lasting(error: &Unrecorded) -> Option<Reason> {
    let Unrecorded::Store(error) = error else { return None };
    let error: &StoreError = error;
    if matches!(error, StoreError::Undecodable { .. }) {
        let text = "a row that the message is about cannot be read: it is damaged, or newer than this release";
        return Some(Reason::new("unreadable_row", text));
    }
    match error.source()?.downcast_ref::<TableError>()? {
        TableError::Corrupt { key: _, reason: _ } => {
            Some(Reason::new("corrupt_row", "a row that the message is about is damaged"))
        }
        TableError::TooLarge { bytes: _, limit: _ } | TableError::TooMany { .. } => {
            let text = "what the message is about does not fit into the table";
            Some(Reason::new("too_large", text))
        }
        TableError::Conflict | TableError::Unavailable { operation: _, source: _ } => None,
    }
}

/// The reason of a record on which the work panicked.
pub(super) fn panicked() -> Reason {
    Reason::new(
        "panicked",
        "working on the message panicked every time; it is a fault of the integration",
    )
}

/// How long a record stays hidden after a reason that passes, when it has come `receives` times: 10 seconds, twice as
/// long after each receive, 5 minutes at most.
pub fn redelivery_delay(receives: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(receives.saturating_sub(1));
    let seconds = DELAY_FIRST.saturating_mul(doubled).min(DELAY_MAX);
    Duration::from_secs(u64::from(seconds))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_passes_is_waited_for_longer_and_longer_but_never_long() {
        let delays =
            (0..8).map(|receives| redelivery_delay(receives).as_secs()).collect::<Vec<_>>();
        assert_eq!(delays, [10, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(redelivery_delay(u32::MAX).as_secs(), 300);
    }

    #[test]
    fn a_write_that_is_never_accepted_lasts_and_an_outage_passes() {
        let unrecorded = |source| {
            let error = StoreError::Table { operation: "write a mapping", source };
            Unrecorded::Store(Arc::new(error))
        };
        let too_large = TableError::TooLarge { bytes: 500_000, limit: 400_000 };
        assert_eq!(lasting(&unrecorded(too_large)).unwrap().code(), "too_large");
        let outage = TableError::Unavailable { operation: "put", source: "no route".into() };
        assert_eq!(lasting(&unrecorded(outage)), None);
        assert_eq!(lasting(&Unrecorded::Store(Arc::new(StoreError::Conflict))), None);
    }
}
