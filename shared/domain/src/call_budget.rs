//! The call budget of an organisation, shared by all functions.
//!
//! Xero allows an app 5 concurrent calls, 60 calls a minute and 1,000 or 5,000 calls a day on one
//! organisation, and 10,000 calls a minute over all organisations. Its windows are fixed and begin
//! at instants that it does not reveal. So a call counts here from before it is sent until a minute
//! after its answer was read: no window of 60 seconds can then contain more than 60 calls, wherever
//! it begins. The calls left of the day are those that the last answer reported, minus the calls
//! begun since.

mod priority;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::TenantId;
use crate::operation::ClaimId;
use crate::retry::IN_FLIGHT_SECONDS;

pub use priority::CallPriority;

/// Calls that users' requests may make in a minute. Background pushes keep a share of the minute,
/// however often people press a button.
const PER_MINUTE_OF_PEOPLE: usize = 40;
/// Share of the daily limit that people's requests may use, in percent.
const PERCENT_OF_PEOPLE: u32 = 60;
/// Concurrent calls that people's requests may make.
const CONCURRENT_OF_PEOPLE: usize = 4;
const MINUTE: SignedDuration = SignedDuration::from_secs(60);
/// Xero's daily limits on one organisation: that of the smallest plan, and that of all other plans.
const PER_DAY: [u32; 2] = [1_000, 5_000];
/// While a daily limit is used up, one call is allowed after this time to find out whether a new
/// day has begun.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(60);
/// If fewer calls than this are left of the app's minute, all functions wait for the next minute.
/// The number exceeds the calls that all functions together can have in progress.
const APP_RESERVE: u32 = 1_000;
/// How long a call without an answer counts as in flight, in seconds. It may still arrive at Xero,
/// even if its process died.
const COUNTED_IN_FLIGHT_SECONDS: i64 = IN_FLIGHT_SECONDS + 5;
/// How far ahead the clock of another process may be. A later instant comes from a wrong clock, and
/// no call waits for it.
const CLOCK_AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);
/// How many answers may arrive after one that Xero counted later: those of all other concurrent calls.
const LATE_ANSWERS_MAX: u32 = 5;
/// The interval after which a call is decided again if too many others are in flight.
const IN_FLIGHT_RECHECK: SignedDuration = SignedDuration::from_secs(1);

/// The limit that a call would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExhaustedLimit {
    /// Concurrent calls.
    Concurrent,
    /// Calls in a minute.
    Minute,
    /// Calls in a day, minus those reserved for higher priorities.
    Day,
    /// Calls of the app in a minute, over all organisations.
    AppMinute,
}

/// The count of the calls on one organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallBudget {
    /// The organisation.
    pub tenant: TenantId,
    /// Calls in progress.
    #[serde(rename = "lanes")]
    pub in_flight: Vec<InFlight>,
    /// The instants at which calls ended in the last minute.
    pub ended: Vec<Timestamp>,
    /// The instants at which calls for users' requests ended in the last minute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended_of_people: Vec<Timestamp>,
    /// The remaining calls according to the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<RemainingCalls>,
}

/// A call in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// The identity of the call.
    pub by: ClaimId,
    /// The latest instant at which it ends, with or without an answer.
    pub until: Timestamp,
    /// Whether a person's request makes it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_of_person: bool,
}

/// The calls left, as an answer reported them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemainingCalls {
    /// When the answer was read.
    pub at: Timestamp,
    /// Calls left of the day.
    pub day_remaining: u32,
    /// Calls left of the app's minute.
    pub app_remaining: u32,
    /// Calls begun since that answer.
    pub since: u32,
    /// The daily limit, inferred from the calls left of the day.
    pub day_limit: u32,
    /// The known calls of the day that users' requests made.
    #[serde(default)]
    pub of_people: u32,
}

/// The decision on a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallDecision {
    /// The call may begin once this call budget is stored.
    Go(CallBudget),
    /// The call may not begin before this instant.
    Wait {
        /// When to ask again.
        until: Timestamp,
        /// The limit that the call would exceed.
        exhausted: ExhaustedLimit,
    },
}

impl CallBudget {
    /// The call budget of an organisation on which no call was ever made.
    pub const fn new(tenant: TenantId) -> Self {
        Self {
            tenant,
            in_flight: Vec::new(),
            ended: Vec::new(),
            ended_of_people: Vec::new(),
            seen: None,
        }
    }

    /// Decides whether a call may begin now.
    pub fn decide_call(&self, by: ClaimId, priority: CallPriority, now: Timestamp) -> CallDecision {
        let mut current = self.advanced_to(now);
        if let Some((until, exhausted)) = current.required_wait(priority, now) {
            return CallDecision::Wait { until, exhausted };
        }
        let counted = SignedDuration::from_secs(COUNTED_IN_FLIGHT_SECONDS);
        let until = now.saturating_add(counted).unwrap_or(Timestamp::MAX);
        let is_of_person = priority == CallPriority::Person;
        current.in_flight.push(InFlight { by, until, is_of_person });
        if let Some(seen) = &mut current.seen {
            seen.since = seen.since.saturating_add(1);
            seen.of_people = seen.of_people.saturating_add(u32::from(is_of_person));
            if seen.is_spent_for(priority) {
                // This call checks the daily limit again; the next check may follow after the same
                // time.
                seen.at = now;
            }
        }
        CallDecision::Go(current)
    }

    /// The call budget after a call was answered. `left` is the number of calls left of the day and
    /// of the app's minute, as the answer reported them. A call without an answer stays in flight
    /// until it can no longer arrive.
    #[must_use]
    pub fn after_answer(&self, by: ClaimId, left: Option<(u32, u32)>, now: Timestamp) -> Self {
        let mut current = self.advanced_to(now);
        if let Some(call) = current.in_flight.iter().find(|call| call.by == by).copied() {
            current.in_flight.retain(|call| call.by != by);
            current.end_call(call, now);
        }
        if let Some((day_remaining, app_remaining)) = left {
            // The answer may not count calls that are still in progress.
            let since = u32::try_from(current.in_flight.len()).unwrap_or(u32::MAX);
            let same_day = current.seen.filter(|seen| seen.is_same_day(day_remaining));
            let day_limit =
                same_day.map_or_else(|| infer_day_limit(day_remaining), |seen| seen.day_limit);
            let of_people = same_day.map_or(0, |seen| seen.of_people);
            let of_people = of_people.min(day_limit.saturating_sub(day_remaining));
            current.seen = Some(RemainingCalls {
                at: now,
                day_remaining,
                app_remaining,
                since,
                day_limit,
                of_people,
            });
        }
        current
    }

    /// The call budget after an allowed call that was not made.
    #[must_use]
    pub fn after_withdrawal(&self, by: ClaimId, now: Timestamp) -> Self {
        let mut current = self.advanced_to(now);
        current.in_flight.retain(|call| call.by != by);
        current
    }

    /// Whether any call may still be in progress.
    pub fn is_busy(&self, now: Timestamp) -> bool {
        self.in_flight.iter().any(|call| call.until > now)
    }

    /// Ends the calls in flight that have lapsed, and drops calls that ended more than a minute
    /// ago, or that a wrong clock dates in the future.
    fn advanced_to(&self, now: Timestamp) -> Self {
        let mut current = self.clone();
        let latest =
            SignedDuration::from_secs(COUNTED_IN_FLIGHT_SECONDS).saturating_add(CLOCK_AHEAD_MAX);
        let is_lapsed =
            |call: &InFlight| call.until <= now || call.until.duration_since(now) > latest;
        let (lapsed, in_flight) = current.in_flight.into_iter().partition(is_lapsed);
        let lapsed: Vec<InFlight> = lapsed;
        current.in_flight = in_flight;
        for call in lapsed {
            current.end_call(call, call.until);
        }
        for ended in [&mut current.ended, &mut current.ended_of_people] {
            ended.retain(|at| now.duration_since(*at) <= MINUTE && !is_beyond_clocks(*at, now));
            ended.sort();
        }
        current
    }

    fn end_call(&mut self, call: InFlight, at: Timestamp) {
        self.ended.push(at);
        if call.is_of_person {
            self.ended_of_people.push(at);
        }
    }

    fn required_wait(
        &self,
        priority: CallPriority,
        now: Timestamp,
    ) -> Option<(Timestamp, ExhaustedLimit)> {
        let after = |from: Timestamp, wait| from.saturating_add(wait).unwrap_or(Timestamp::MAX);
        let of_people = self.in_flight.iter().filter(|call| call.is_of_person).count();
        let is_person = priority == CallPriority::Person;
        if self.in_flight.len() >= priority.concurrent_calls()
            || (is_person && of_people >= CONCURRENT_OF_PEOPLE)
        {
            return Some((after(now, IN_FLIGHT_RECHECK), ExhaustedLimit::Concurrent));
        }
        let all = minute_ends(self.in_flight.len(), &self.ended, priority.per_minute(), now);
        let people = minute_ends(of_people, &self.ended_of_people, PER_MINUTE_OF_PEOPLE, now);
        let people = people.filter(|_| is_person);
        if let Some(until) = all.max(people) {
            return Some((until, ExhaustedLimit::Minute));
        }
        let seen = self.seen?;
        let is_recent = |span: SignedDuration| {
            now.duration_since(seen.at) < span && !is_beyond_clocks(seen.at, now)
        };
        if seen.is_spent_for(priority) && is_recent(LOOK_AGAIN) {
            return Some((after(seen.at, LOOK_AGAIN), ExhaustedLimit::Day));
        }
        if seen.app_remaining < APP_RESERVE && is_recent(MINUTE) {
            return Some((after(seen.at, MINUTE), ExhaustedLimit::AppMinute));
        }
        None
    }
}

/// When the next call fits into the minute, if none fits now: a minute after the oldest surplus
/// call ended.
fn minute_ends(
    under_way: usize,
    ended: &[Timestamp],
    most: usize,
    now: Timestamp,
) -> Option<Timestamp> {
    let surplus = under_way.saturating_add(ended.len()).checked_sub(most)?;
    let oldest = ended.get(surplus).copied().unwrap_or(now);
    let wait = MINUTE.saturating_add(SignedDuration::from_millis(1));
    Some(oldest.saturating_add(wait).unwrap_or(Timestamp::MAX))
}

/// Whether an instant is so far in the future that a wrong clock stated it.
fn is_beyond_clocks(at: Timestamp, now: Timestamp) -> bool {
    at.duration_since(now) > CLOCK_AHEAD_MAX
}

impl RemainingCalls {
    /// Whether an answer that reports this number of remaining calls belongs to the same day. The
    /// number rises when a new day begins, and a little when answers arrive in another order than
    /// Xero counted their calls.
    const fn is_same_day(self, day_remaining: u32) -> bool {
        day_remaining <= self.day_remaining.saturating_add(LATE_ANSWERS_MAX)
    }

    /// Whether the remaining calls of the day are reserved for higher priorities.
    fn is_spent_for(self, priority: CallPriority) -> bool {
        let reserve = self.day_limit.saturating_mul(priority.reserve_percent()) / 100;
        let share = self.day_limit.saturating_mul(PERCENT_OF_PEOPLE) / 100;
        let is_share_spent = priority == CallPriority::Person && self.of_people >= share;
        is_share_spent || self.day_remaining.saturating_sub(self.since) <= reserve
    }
}

/// The daily limit. The calls left at the start of a day show which plan the organisation is on.
const fn infer_day_limit(day_remaining: u32) -> u32 {
    let [small, large] = PER_DAY;
    if day_remaining <= small { small } else { large }
}

#[cfg(test)]
#[path = "call_budget_tests.rs"]
mod tests;
