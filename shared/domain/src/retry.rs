//! The ladder: when a failed operation is retried, and when it is given up.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::idempotency::ContentHash;

/// The delays between a counted failure and the next attempt, in minutes, as promised to customers.
/// The first attempt is followed by at most five retries; if the last one fails, the operation is
/// skipped.
pub const LADDER_MINUTES: [i64; 5] = [5, 15, 45, 135, 405];

/// The shortest wait after Xero throttled a call, in seconds. Xero may name a wait of zero.
const THROTTLE_FLOOR_SECONDS: i64 = 2;

/// How long a request without an answer may still be in transit, in seconds. The transport gives up
/// after 25 seconds; a gateway between this integration and Xero may hold a request until its own
/// timeout.
pub const IN_FLIGHT_SECONDS: i64 = 60;

/// The pause before a record is tried again that has stopped twice for the same reason, although
/// that reason no longer seems to apply. Without it, an error in deciding whether it applies would
/// repeat the attempt without end.
pub const REPETITION_PAUSE: SignedDuration = SignedDuration::from_secs(60);

/// How long after the first read that did not show a document another one may confirm that Xero no
/// longer has it. Xero may not show a document for a moment.
pub const ABSENCE_CONFIRMED_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// How many documents share a call, by the number of their failures. Documents that fail together
/// are divided among smaller calls, so that a document that makes Xero fail costs the others at
/// most two retries.
const BATCH_SIZES: [usize; 4] = [50, 10, 3, 1];

/// How many documents may share a call with one that has failed this often.
pub fn batch_size(failures: u8) -> usize {
    BATCH_SIZES.get(usize::from(failures)).copied().unwrap_or(1)
}

/// Until when an unanswered write may still take effect.
pub fn quiet_until(now: Timestamp) -> Timestamp {
    now.saturating_add(SignedDuration::from_secs(IN_FLIGHT_SECONDS)).unwrap_or(Timestamp::MAX)
}

/// When to retry after `failures` counted failures (this one included), or `None` to give up.
///
/// `seed` identifies the operation. Up to a tenth of the delay is added, derived from a hash of the
/// seed, so that many operations that failed together are not retried at the same instant. The
/// delay is never shorter than promised, and is the same on every run.
pub fn next_attempt(failures: u8, seed: &str, now: Timestamp) -> Option<Timestamp> {
    let rung = usize::from(failures.checked_sub(1)?);
    let delay_seconds = LADDER_MINUTES.get(rung)?.checked_mul(60)?;
    let jitter_seconds = derive_jitter(seed, failures, delay_seconds / 10);
    now.checked_add(SignedDuration::from_secs(delay_seconds + jitter_seconds)).ok()
}

/// The pause after `tries` tries of a call that another service refused for a moment: at least
/// `shortest`, and less than twice as long. `seed` identifies the caller, so that callers that were
/// refused together do not call again together.
pub fn pause_between_tries(shortest: Duration, tries: u8, seed: &str) -> Duration {
    let below = i64::try_from(shortest.as_millis()).unwrap_or(i64::MAX);
    let jitter = u64::try_from(derive_jitter(seed, tries, below)).unwrap_or(0);
    shortest.saturating_add(Duration::from_millis(jitter))
}

/// When Xero may be called again after it throttled a call: at the instant that it named, but never
/// immediately.
pub fn after_throttle(not_before: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let floor = now.saturating_add(SignedDuration::from_secs(THROTTLE_FLOOR_SECONDS));
    let floor = floor.unwrap_or(Timestamp::MAX);
    not_before.map_or(floor, |instant| instant.max(floor))
}

/// Groups items that must be checked again. Items that are due within a tenth of the wait after the
/// first one join it, at the instant of the last one, so that operations that failed together are
/// resolved together. No item is checked before it is due, and a group has at most `most` items.
pub fn group_checks<T>(
    looks: Vec<(T, Timestamp)>,
    most: usize,
    now: Timestamp,
) -> Vec<(Vec<T>, Timestamp)> {
    let mut looks = looks;
    looks.sort_by_key(|(_, at)| *at);
    let mut bundles: Vec<(Vec<T>, Timestamp)> = Vec::new();
    let mut latest = Timestamp::MIN;
    for (what, at) in looks {
        match bundles.last_mut() {
            Some((bundle, last)) if at <= latest && bundle.len() < most => {
                bundle.push(what);
                *last = at;
            }
            Some(_) | None => {
                let wait_seconds = at.duration_since(now).as_secs().max(0);
                let tenth = SignedDuration::from_secs(wait_seconds / 10);
                latest = at.saturating_add(tenth).unwrap_or(at);
                bundles.push((vec![what], at));
            }
        }
    }
    bundles
}

/// A pseudo-random number from 0 to less than `below`, the same for the same seed and failure.
fn derive_jitter(seed: &str, failures: u8, below: i64) -> i64 {
    let hash = ContentHash::of_bytes(format!("{seed}\n{failures}").as_bytes());
    let number = hash.as_str().get(..8).and_then(|digits| i64::from_str_radix(digits, 16).ok());
    number.unwrap_or(0) % below.max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
    fn callers_that_were_refused_together_pause_for_different_times_and_never_too_briefly() {
        let shortest = Duration::from_millis(200);
        let pause = |caller: u32| pause_between_tries(shortest, 1, &caller.to_string());
        let pauses = (0..100).map(pause).collect::<BTreeSet<_>>();
        assert!(pauses.iter().all(|pause| (shortest..shortest * 2).contains(pause)), "{pauses:?}");
        assert!(pauses.len() > 50, "{pauses:?}");
        assert_eq!(pause(7), pause(7));
        assert_ne!(pause(7), pause_between_tries(shortest, 2, "7"));
        assert_eq!(pause_between_tries(Duration::ZERO, 1, "7"), Duration::ZERO);
    }

    #[test]
    fn a_throttle_is_never_answered_by_coming_back_at_once() {
        let floor = Timestamp::from_second(2).unwrap();
        assert_eq!(after_throttle(None, NOW), floor);
        assert_eq!(after_throttle(Some(NOW), NOW), floor);
        let later = Timestamp::from_second(60).unwrap();
        assert_eq!(after_throttle(Some(later), NOW), later);
    }

    #[test]
    fn what_failed_together_is_looked_at_together_and_never_early() {
        let fails = |id: &str| (id.to_owned(), next_attempt(1, id, NOW).unwrap());
        let looks = (0..70).map(|id| fails(&format!("inv_{id}"))).collect::<Vec<_>>();
        let late = ("late".to_owned(), next_attempt(2, "late", NOW).unwrap());
        let bundles = group_checks([looks.clone(), vec![late.clone()]].concat(), 50, NOW);
        let sizes = bundles.iter().map(|(bundle, _)| bundle.len()).collect::<Vec<_>>();
        assert_eq!(sizes, [50, 20, 1]);
        for (bundle, at) in bundles {
            for (id, due) in looks.iter().chain([&late]).filter(|(id, _)| bundle.contains(id)) {
                assert!(at >= *due, "{id}");
                assert!(at.as_second() <= due.as_second() * 11 / 10 + 1, "{id}");
            }
        }
    }

    #[test]
    fn what_fails_again_and_again_ends_up_in_a_call_of_its_own() {
        let sizes = (0..=6).map(batch_size).collect::<Vec<_>>();
        assert_eq!(sizes, [50, 10, 3, 1, 1, 1, 1]);
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
