//! The ladder: when a failed operation is tried again, and when it is given up.

use jiff::{SignedDuration, Timestamp};

use crate::idempotency::Hash;

/// The delays between a counted failure and the next attempt, in minutes, as promised to customers.
/// After the first try there are five retries; when the last fails, the operation is skipped.
pub const LADDER_MINUTES: [i64; 5] = [5, 15, 45, 135, 405];

/// The shortest wait after a throttle, in seconds: Xero's smallest window may name zero.
const THROTTLE_FLOOR_SECONDS: i64 = 2;

/// When to try again after `failures` counted failures (this one included), or `None` to give up.
///
/// `seed` names the operation. Up to a tenth of the delay is added from its hash, so that a thousand
/// operations that failed together do not come back together; never less than promised, and the same
/// on every run.
pub fn next_attempt(failures: u8, seed: &str, now: Timestamp) -> Option<Timestamp> {
    let rung = usize::from(failures.checked_sub(1)?);
    let delay_seconds = LADDER_MINUTES.get(rung)?.checked_mul(60)?;
    let jitter_seconds = spread(seed, failures, delay_seconds / 10);
    now.checked_add(SignedDuration::from_secs(delay_seconds + jitter_seconds)).ok()
}

/// When Xero may be asked again after a throttle: at its own instant, and never at once.
pub fn after_throttle(not_before: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let floor = now.saturating_add(SignedDuration::from_secs(THROTTLE_FLOOR_SECONDS));
    let floor = floor.unwrap_or(Timestamp::MAX);
    not_before.map_or(floor, |instant| instant.max(floor))
}

/// A number from 0 to `below`, the same for the same operation and failure.
fn spread(seed: &str, failures: u8, below: i64) -> i64 {
    let hash = Hash::of(format!("{seed}\n{failures}").as_bytes());
    let number = hash.as_str().get(..8).and_then(|digits| i64::from_str_radix(digits, 16).ok());
    number.unwrap_or(0) % below.max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn the_retries_come_after_5_15_45_135_and_405_minutes_and_then_none() {
        for (failures, minutes) in (1_u8..).zip([5, 15, 45, 135, 405]) {
            let delay = next_attempt(failures, "inv_1", NOW).unwrap().as_second();
            assert!((minutes * 60..=minutes * 66).contains(&delay), "{failures}: {delay}");
        }
        assert_eq!(next_attempt(6, "inv_1", NOW), None);
        assert_eq!(next_attempt(0, "inv_1", NOW), None);
    }

    #[test]
    fn a_throttle_is_never_answered_by_coming_back_at_once() {
        let floor = Timestamp::from_second(2).unwrap();
        assert_eq!(after_throttle(None, NOW), floor);
        assert_eq!(after_throttle(Some(NOW), NOW), floor);
        let later = Timestamp::from_second(60).unwrap();
        assert_eq!(after_throttle(Some(later), NOW), later);
    }

    proptest! {
        #[test]
        fn jitter_only_adds_and_is_the_same_every_time(seed in ".*", failures in 1_u8..=5) {
            let first = next_attempt(failures, &seed, NOW).unwrap();
            prop_assert_eq!(next_attempt(failures, &seed, NOW).unwrap(), first);
            let promised = LADDER_MINUTES[usize::from(failures - 1)] * 60;
            prop_assert!(first.as_second() >= promised);
            prop_assert!(first.as_second() < promised + promised / 10 + 1);
        }
    }
}
