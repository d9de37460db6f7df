//! How many attempts were made in each hour of the last days, counted from the sync log.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use domain::ids::AccountId;
use domain::sync_log::LogStatus;
use jiff::{SignedDuration, Timestamp};
use store::{LogSpan, StoreError};

use crate::Engine;

/// Entries read per page.
const PAGE: NonZeroU16 = NonZeroU16::new(1_000).expect("not zero");
/// Maximum number of pages that one request reads. A page holds at most 1 MB.
const READS_MAX: u32 = 40;
const HOUR_SECONDS: i64 = 60 * 60;

/// The attempts of each hour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// The counts by the beginning of the hour, in UTC. Hours without attempts are left out.
    pub hours: BTreeMap<Timestamp, AttemptCounts>,
    /// The instant from which the counts are complete, if there were too many entries to count.
    pub complete_since: Option<Timestamp>,
}

/// Attempts by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AttemptCounts {
    /// Xero had the record afterwards.
    pub synced: u32,
    /// There was nothing to change.
    pub unchanged: u32,
    /// The attempt will be repeated, or the record waits.
    pub waiting: u32,
    /// The record was given up.
    pub given_up: u32,
}

impl AttemptCounts {
    fn add_outcome(&mut self, status: LogStatus) {
        let count = match status {
            LogStatus::Synced => &mut self.synced,
            LogStatus::Unchanged => &mut self.unchanged,
            LogStatus::Retrying | LogStatus::Waiting => &mut self.waiting,
            LogStatus::Skipped => &mut self.given_up,
        };
        *count = count.saturating_add(1);
    }
}

/// Counts the attempts of an account in the last days.
pub async fn read_activity(
    engine: &Engine,
    account: &AccountId,
    days: i64,
) -> Result<Activity, StoreError> {
    let now = engine.clock.now();
    let span = SignedDuration::from_hours(days.saturating_mul(24));
    let from = now.saturating_sub(span).unwrap_or(Timestamp::MIN);
    let span = LogSpan { from: Some(from), before: None };
    let mut activity = Activity::default();
    let (mut after, mut oldest) = (None, now);
    for _ in 0..READS_MAX {
        let page = engine.store.list_log_span(account, span, after, PAGE, now).await?;
        for entry in page.entries {
            oldest = entry.at;
            // A record that a user keeps out of Xero was not given up.
            if entry.operation.is_decision() {
                continue;
            }
            let hour = beginning_of_hour(entry.at);
            activity.hours.entry(hour).or_default().add_outcome(entry.status);
        }
        after = page.next;
        if after.is_none() {
            return Ok(activity);
        }
    }
    activity.complete_since = Some(oldest);
    Ok(activity)
}

fn beginning_of_hour(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(HOUR_SECONDS)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_begins_at_its_first_second() {
        for (at, hour) in [
            ("2026-11-02T09:00:00Z", "2026-11-02T09:00:00Z"),
            ("2026-11-02T09:59:59.999Z", "2026-11-02T09:00:00Z"),
            ("1969-12-31T23:30:00Z", "1969-12-31T23:00:00Z"),
        ] {
            let parse = |text: &str| text.parse::<Timestamp>().unwrap();
            assert_eq!(beginning_of_hour(parse(at)), parse(hour), "{at}");
        }
    }
}
