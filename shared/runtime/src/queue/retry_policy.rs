//! Decides what happens to a record whose outcome could not be recorded: whether the problem is
//! temporary, and when the record is redelivered.
//!
//! A temporary problem (the table is unreachable, a row kept changing, a wake-up could not be
//! scheduled) is waited out for as long as the queue redelivers the message. A permanent problem is
//! retried a few times, and then the message is moved aside. A problem that an operator can correct
//! while the message waits, such as a missing permission, is temporary.

use std::error::Error as _;
use std::time::Duration;

use domain::dead_letter::DeadLetterReason;
use domain::delivery::{STOPPED, latest_return};
use engine::errors::PersistError;
use jiff::{SignedDuration, Timestamp};
use store::StoreError;
use store::table::TableError;

/// Delay between tries after a permanent problem. The last try is over within a minute of the
/// first, and then the FIFO group continues.
pub(super) const BETWEEN_TRIES: Duration = Duration::from_secs(10);
/// First delay after a temporary problem, in seconds. It doubles with every receive.
const DELAY_FIRST: u32 = 10;
/// Maximum delay, in seconds.
const DELAY_MAX: u32 = 300;
/// Delay after the latest instant at which a message returns because the function stopped.
const PAST_MARK: SignedDuration = SignedDuration::from_secs(30);
/// Maximum delay of a message whose mark could not be removed: more than the longest timeout of a
/// Lambda function, 15 minutes.
const PAST_MARK_MAX: Duration = Duration::from_mins(20);

/// Returns the reason if the problem is permanent, so that redelivery does not help.
pub(super) fn permanent_reason(error: &PersistError) -> Option<DeadLetterReason> {
    let error: &StoreError = match error {
        PersistError::Store(error) => error,
        PersistError::WakeUp(error) => {
            let refusal = error.content_refusal()?;
            let text = format!("AWS refuses a wake-up for a record of this message: {refusal}");
            // Only the wake-up is missing.
            return Some(DeadLetterReason::new("wake_up_refused", &text).with_record_written());
        }
        PersistError::Panicked => return Some(panicked_reason()),
        PersistError::OtherFunction { work } => {
            let text =
                format!("the function that serves this queue does not process such work: {work}");
            return Some(DeadLetterReason::new("wrong_function", &text));
        }
    };
    if matches!(error, StoreError::Undecodable { .. }) {
        let text = "a stored row for this message cannot be read: it is damaged, or was written by a newer release";
        return Some(DeadLetterReason::new("unreadable_row", text));
    }
    match error.source()?.downcast_ref::<TableError>()? {
        TableError::Corrupt { key: _, reason: _ } => {
            Some(DeadLetterReason::new("corrupt_row", "a stored row for this message is damaged"))
        }
        TableError::TooLarge { bytes: _, limit: _ } | TableError::TooMany { .. } => {
            let text = "the record does not fit into the table";
            Some(DeadLetterReason::new("too_large", text))
        }
        TableError::Conflict
        | TableError::Unavailable { operation: _, source: _ }
        | TableError::Refused { operation: _, source: _ } => None,
    }
}

/// The reason of a record whose processing panicked.
pub(super) fn panicked_reason() -> DeadLetterReason {
    DeadLetterReason::new(
        "panicked",
        "processing the message panicked every time; this is a fault of the integration",
    )
}

/// The reason of a record during whose processing the function stopped.
pub(super) fn stopped_reason() -> DeadLetterReason {
    DeadLetterReason::new(
        STOPPED,
        "the function stopped every time while it processed this message: it ran out of memory or time, or crashed",
    )
}

/// Returns a delay after which the mark of a message, processed in an invocation that ends at
/// `deadline`, is no longer taken for a stop of the function.
pub(super) fn delay_past_mark(deadline: Timestamp, now: Timestamp) -> Duration {
    let past = latest_return(deadline).saturating_add(PAST_MARK).unwrap_or(Timestamp::MAX);
    Duration::try_from(past.duration_since(now)).unwrap_or_default().min(PAST_MARK_MAX)
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

    use domain::delivery::DeliveryFailures;
    use engine::ports::{BoxError, ContentRefusal, PortError};

    use super::*;

    #[test]
    fn temporary_failures_are_retried_after_growing_but_limited_delays() {
        let delays =
            (0..8).map(|receives| redelivery_delay(receives).as_secs()).collect::<Vec<_>>();
        assert_eq!(delays, [10, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(redelivery_delay(u32::MAX).as_secs(), 300);
    }

    #[test]
    fn a_write_that_is_never_accepted_lasts_and_an_outage_passes() {
        let unrecorded = |source| {
            let error = StoreError::Table { operation: "write a mapping", source };
            PersistError::Store(Arc::new(error))
        };
        let too_large = TableError::TooLarge { bytes: 500_000, limit: 400_000 };
        assert_eq!(permanent_reason(&unrecorded(too_large)).unwrap().stable_code(), "too_large");
        let outage = TableError::Unavailable { operation: "put", source: "no route".into() };
        let refusal = TableError::Refused { operation: "put", source: "throttled".into() };
        for temporary in [outage, refusal] {
            assert_eq!(permanent_reason(&unrecorded(temporary)), None);
        }
        assert_eq!(permanent_reason(&PersistError::Store(Arc::new(StoreError::Conflict))), None);
        assert_eq!(permanent_reason(&PersistError::Panicked).unwrap().stable_code(), "panicked");
    }

    #[test]
    fn work_of_another_function_lasts_and_is_named() {
        let reason = permanent_reason(&PersistError::OtherFunction { work: "payment" }).unwrap();
        assert_eq!(reason.stable_code(), "wrong_function");
        assert!(reason.sentence_text().ends_with(": payment"), "{reason}");
    }

    #[test]
    fn a_wake_up_that_is_refused_for_its_content_lasts_and_any_other_failure_passes() {
        let unscheduled = |source: BoxError| {
            PersistError::WakeUp(Arc::new(PortError { operation: "schedule a wake-up", source }))
        };
        let code = "ValidationException".to_owned();
        let refusal = ContentRefusal { code, source: "too long".into() };
        let reason = permanent_reason(&unscheduled(refusal.into())).unwrap();
        assert_eq!(reason.stable_code(), "wake_up_refused");
        assert!(reason.sentence_text().ends_with("ValidationException"), "{reason}");
        assert!(reason.is_record_written() && !panicked_reason().is_record_written());
        assert_eq!(permanent_reason(&unscheduled("access denied".into())), None);
    }

    #[test]
    fn a_message_whose_mark_stays_returns_when_the_mark_no_longer_counts() {
        let second = |second| Timestamp::from_second(second).unwrap();
        let delay = delay_past_mark(second(120), second(20));
        let mut failures = DeliveryFailures::new("m1", second(20));
        failures.begin_processing(second(120));
        failures.recognise_stop(second(20 + i64::try_from(delay.as_secs()).unwrap()));
        assert_eq!(failures.count_stops(), 0, "{delay:?}");
        assert_eq!(delay_past_mark(Timestamp::MAX, second(20)), PAST_MARK_MAX);
        assert_eq!(delay_past_mark(second(0), second(1_000)), Duration::ZERO);
    }
}
