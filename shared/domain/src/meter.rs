//! How many calls an organisation may still be asked: the count that all functions share.
//!
//! Xero allows an app 5 calls at once, 60 a minute and 1,000 or 5,000 a day on one organisation, and
//! 10,000 a minute over all of them. Its windows are fixed and begin at instants it does not tell. So a
//! call counts here from before it is sent until a minute after its answer was read: then no window of
//! 60 seconds can hold more than 60 of them, wherever it begins. What is left of the day is believed
//! as the last answer told it, less what was sent since.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::TenantId;
use crate::operation::ClaimId;
use crate::retry::IN_FLIGHT_SECONDS;

/// Xero's limit on calls in a minute.
const PER_MINUTE: usize = 60;
const MINUTE: SignedDuration = SignedDuration::from_secs(60);
/// The daily limits: of the smallest plan, and of every other one.
const PER_DAY: [u32; 2] = [1_000, 5_000];
/// While a limit of the day is used up, one call is let through after this long, to learn whether the
/// day is over.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(60);
/// Less than this left of the app's minute, and everybody waits for the next: it is more than all
/// functions together can have under way.
const APP_RESERVE: u32 = 1_000;
/// An unanswered call may still be on its way; so may one whose process died.
const LANE_SECONDS: i64 = IN_FLIGHT_SECONDS + 5;
/// When to look for a free lane again.
const LANE_FREE_IN: SignedDuration = SignedDuration::from_secs(1);

/// What a call is for. What comes first here goes first: each leaves room for those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A person waits for a record to be brought to Xero.
    Person,
    /// A record is brought to Xero.
    Push,
    /// A person looks something up in Xero: pushes keep a share of every limit.
    Lookup,
    /// Changes are fetched from Xero.
    Poll,
    /// What is known is checked again.
    Verification,
}

impl Priority {
    /// Calls at once, of Xero's five.
    const fn lanes(self) -> usize {
        match self {
            Self::Person => 5,
            Self::Push => 4,
            Self::Poll => 3,
            Self::Lookup | Self::Verification => 2,
        }
    }

    /// Calls in a minute, of Xero's sixty.
    const fn per_minute(self) -> usize {
        match self {
            Self::Person => PER_MINUTE,
            Self::Push => 55,
            Self::Poll => 45,
            Self::Lookup | Self::Verification => 30,
        }
    }

    /// What is left of the day for others, in percent.
    const fn reserve_percent(self) -> u32 {
        match self {
            Self::Person => 0,
            Self::Push => 5,
            Self::Lookup => 20,
            Self::Poll => 15,
            Self::Verification => 40,
        }
    }
}

/// Which limit a call would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhausted {
    /// Calls at the same time.
    Lanes,
    /// Calls in a minute.
    Minute,
    /// Calls in a day, less what is kept for what goes first.
    Day,
    /// Calls of the app in a minute.
    AppMinute,
}

/// The calls on one organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    /// The organisation.
    pub tenant: TenantId,
    /// Calls under way.
    pub lanes: Vec<Lane>,
    /// When calls ended, in the last minute.
    pub ended: Vec<Timestamp>,
    /// What the last answer said was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// A call under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    /// Whose.
    pub by: ClaimId,
    /// When it is over at the latest, answered or not.
    pub until: Timestamp,
}

/// What an answer said was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// Calls left of the day.
    pub day_remaining: u32,
    /// Calls left of the app's minute.
    pub app_remaining: u32,
    /// Calls begun since.
    pub since: u32,
    /// The limit of the day, as far as it shows in what was left of it.
    pub day_limit: u32,
}

/// Whether a call may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It may, once this meter is written.
    Go(Meter),
    /// Not before this instant.
    Wait {
        /// When to ask again.
        until: Timestamp,
        /// Why.
        exhausted: Exhausted,
    },
}

impl Meter {
    /// The meter of an organisation that was never called.
    pub const fn new(tenant: TenantId) -> Self {
        Self { tenant, lanes: Vec::new(), ended: Vec::new(), seen: None }
    }

    /// Decides whether a call may begin now.
    pub fn admit(&self, by: ClaimId, priority: Priority, now: Timestamp) -> Admission {
        let mut current = self.at(now);
        if let Some((until, exhausted)) = current.wait(priority, now) {
            return Admission::Wait { until, exhausted };
        }
        let lane = SignedDuration::from_secs(LANE_SECONDS);
        let until = now.saturating_add(lane).unwrap_or(Timestamp::MAX);
        current.lanes.push(Lane { by, until });
        if let Some(seen) = &mut current.seen {
            seen.since = seen.since.saturating_add(1);
            if seen.is_spent_for(priority) {
                // This is the one call that looks again; the next may after as long.
                seen.at = now;
            }
        }
        Admission::Go(current)
    }

    /// The meter after a call was answered. `left` is what the answer said of the day and of the app's
    /// minute. A call that was not answered keeps its lane until it cannot arrive any more.
    #[must_use]
    pub fn answered(&self, by: ClaimId, left: Option<(u32, u32)>, now: Timestamp) -> Self {
        let mut current = self.at(now);
        if current.lanes.iter().any(|lane| lane.by == by) {
            current.lanes.retain(|lane| lane.by != by);
            current.ended.push(now);
        }
        if let Some((day_remaining, app_remaining)) = left {
            // Calls that are still under way may not be in what this answer counted.
            let since = u32::try_from(current.lanes.len()).unwrap_or(u32::MAX);
            let day_limit = day_limit(current.seen, day_remaining);
            current.seen = Some(Seen { at: now, day_remaining, app_remaining, since, day_limit });
        }
        current
    }

    /// The meter after a call that was admitted and then not made.
    #[must_use]
    pub fn withdrawn(&self, by: ClaimId, now: Timestamp) -> Self {
        let mut current = self.at(now);
        current.lanes.retain(|lane| lane.by != by);
        current
    }

    /// Whether a call of anybody may still be under way.
    pub fn is_busy(&self, now: Timestamp) -> bool {
        self.lanes.iter().any(|lane| lane.until > now)
    }

    /// Lanes that lapsed have ended; what ended more than a minute ago is forgotten.
    fn at(&self, now: Timestamp) -> Self {
        let mut current = self.clone();
        let (lapsed, lanes) = current.lanes.into_iter().partition(|lane| lane.until <= now);
        let lapsed: Vec<Lane> = lapsed;
        current.lanes = lanes;
        current.ended.extend(lapsed.iter().map(|lane| lane.until));
        current.ended.retain(|at| now.duration_since(*at) <= MINUTE);
        current.ended.sort();
        current
    }

    fn wait(&self, priority: Priority, now: Timestamp) -> Option<(Timestamp, Exhausted)> {
        let after = |from: Timestamp, wait| from.saturating_add(wait).unwrap_or(Timestamp::MAX);
        if self.lanes.len() >= priority.lanes() {
            return Some((after(now, LANE_FREE_IN), Exhausted::Lanes));
        }
        let used = self.lanes.len() + self.ended.len();
        if let Some(surplus) = used.checked_sub(priority.per_minute()) {
            // Once this one is more than a minute old, there is room.
            let oldest = self.ended.get(surplus).copied().unwrap_or(now);
            let moment = SignedDuration::from_millis(1);
            return Some((after(after(oldest, MINUTE), moment), Exhausted::Minute));
        }
        let seen = self.seen?;
        if seen.is_spent_for(priority) && now.duration_since(seen.at) < LOOK_AGAIN {
            return Some((after(seen.at, LOOK_AGAIN), Exhausted::Day));
        }
        if seen.app_remaining < APP_RESERVE && now.duration_since(seen.at) < MINUTE {
            return Some((after(seen.at, MINUTE), Exhausted::AppMinute));
        }
        None
    }
}

impl Seen {
    /// Whether what is left of the day is kept for what goes first.
    fn is_spent_for(self, priority: Priority) -> bool {
        let reserve = self.day_limit.saturating_mul(priority.reserve_percent()) / 100;
        self.day_remaining.saturating_sub(self.since) <= reserve
    }
}

/// Which plan the organisation is on shows when a day begins, in what is left of it then.
fn day_limit(before: Option<Seen>, day_remaining: u32) -> u32 {
    let [small, large] = PER_DAY;
    match before {
        Some(before) if day_remaining <= before.day_remaining => before.day_limit,
        Some(_) | None if day_remaining <= small => small,
        Some(_) | None => large,
    }
}

#[cfg(test)]
#[path = "meter_tests.rs"]
mod tests;
