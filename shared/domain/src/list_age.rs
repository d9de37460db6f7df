//! The age of the lists that are read from Xero and stored: the chart, the items and the tracking
//! categories.

use jiff::Timestamp;

use crate::operation::Trigger;

const A_MINUTE_SECONDS: i64 = 60;
const A_DAY_SECONDS: i64 = 24 * 60 * 60;

/// Whether a list must be read again: after a day, or if it is dated in the future.
pub fn is_stale(read_at: Timestamp, now: Timestamp) -> bool {
    !is_younger_than(A_DAY_SECONDS, read_at, now)
}

/// Whether a list that does not allow a document may be read again before the document is given up:
/// after five minutes or, if a person asked for this record, after one. However many documents an
/// account sends, its lists are not read more often than that.
pub fn may_reread(read_at: Timestamp, now: Timestamp, trigger: Trigger) -> bool {
    let age_min = match trigger {
        Trigger::Routine | Trigger::All => 5 * A_MINUTE_SECONDS,
        Trigger::Person => A_MINUTE_SECONDS,
    };
    !is_younger_than(age_min, read_at, now)
}

/// Whether a list is younger than this, and not dated in the future.
fn is_younger_than(seconds: i64, read_at: Timestamp, now: Timestamp) -> bool {
    (0..seconds).contains(&(now.as_second() - read_at.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_list_is_stale_after_a_day_and_if_it_is_dated_in_the_future() {
        let day = 24 * 60 * 60;
        for (second, expected) in [(0, false), (day - 1, false), (day, true), (-1, true)] {
            assert_eq!(is_stale(Timestamp::UNIX_EPOCH, after(second)), expected, "{second}");
        }
    }

    #[test]
    fn a_refusal_reads_a_list_again_after_five_minutes_and_a_person_after_one() {
        for (trigger, age_min) in
            [(Trigger::Routine, 300), (Trigger::All, 300), (Trigger::Person, 60)]
        {
            for (second, expected) in
                [(0, false), (age_min - 1, false), (age_min, true), (-1, true)]
            {
                let may = may_reread(Timestamp::UNIX_EPOCH, after(second), trigger);
                assert_eq!(may, expected, "{trigger:?} {second}");
            }
        }
    }
}
