//! Decides what happens to a record whose outcome could not be recorded: whether the problem is
//! temporary, and when the record is redelivered.
//!
//! A temporary problem (the table is unreachable, a row kept changing, a wake-up could not be
//! scheduled) is waited out for as long as the queue redelivers the message. A permanent problem is
//! retried a few times, and then the message is moved aside.

use std::error::Error as _;
use std::time::Duration;

use domain::dead_letter::Reason;
use engine::push::Unrecorded;
use store::StoreError;
use store::table::TableError;

/// Delay between tries after a permanent problem. The last try is over within a minute of the
/// first, and then the FIFO group continues.
pub(super) const BETWEEN_TRIES: Duration = Duration::from_secs(10);
/// First delay after a temporary problem, in seconds. It doubles with every receive.
const DELAY_FIRST: u32 = 10;
/// Maximum delay, in seconds.
const DELAY_MAX: u32 = 300;

/// Returns the reason if the problem is permanent, so that redelivery does not help.
pub(super) fn lasting(error: &Unrecorded) -> Option<Reason> {
    let error: &StoreError = match error {
        Unrecorded::Store(error) => error,
        Unrecorded::WakeUp(_) => return None,
        Unrecorded::Panicked => return Some(panicked()),
    };
    if matches!(error, StoreError::Undecodable { .. }) {
        let text = "a stored row for this message cannot be read: it is damaged, or was written by a newer release";
        return Some(Reason::new("unreadable_row", text));
    }
    match error.source()?.downcast_ref::<TableError>()? {
        TableError::Corrupt { key: _, reason: _ } => {
            Some(Reason::new("corrupt_row", "a stored row for this message is damaged"))
        }
        TableError::TooLarge { bytes: _, limit: _ } | TableError::TooMany { .. } => {
            let text = "the record does not fit into the table";
            Some(Reason::new("too_large", text))
        }
        TableError::Conflict | TableError::Unavailable { operation: _, source: _ } => None,
    }
}

/// The reason of a record whose processing panicked.
pub(super) fn panicked() -> Reason {
    Reason::new(
        "panicked",
        "processing the message panicked every time; this is a fault of the integration",
    )
}

/// Returns the delay after a temporary problem when the record was received `receives` times: 10
/// seconds, doubled with every further receive, at most 5 minutes.
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
        assert_eq!(lasting(&Unrecorded::Panicked).unwrap().code(), "panicked");
    }
}
