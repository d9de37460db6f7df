//! Xero's limits: 60 calls a minute, 1,000 or 5,000 a day and 5 at once for an app and a tenant,
//! 10,000 a minute for an app. Windows are fixed, not rolling.

use crate::calls::Violations;
use jiff::Timestamp;
use std::collections::BTreeMap;
use uuid::Uuid;

const PER_MINUTE: u32 = 60;
const AT_ONCE: u32 = 5;
const PER_APP_MINUTE: u32 = 10_000;
const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// Xero's name for the limit of calls in flight.
pub(crate) const CONCURRENT: &str = "concurrent";
/// Xero's name for the limit of an app's minute.
pub(crate) const APP_MINUTE: &str = "appminute";

/// The scope of a limit: an app and a tenant.
pub(crate) type LimitKey = (String, Uuid);

/// The usage of the limits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    tenants: BTreeMap<LimitKey, Usage>,
    apps: BTreeMap<String, Window>,
    pub(crate) violations: Violations,
}

#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    minute: Window,
    day: Window,
    in_flight: u32,
}

/// Calls in the current window of one length.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    index: i64,
    used: u32,
}

impl Window {
    fn used_at(self, index: i64) -> u32 {
        if self.index == index { self.used } else { 0 }
    }

    fn count(&mut self, index: i64) {
        *self = Self { index, used: self.used_at(index).saturating_add(1) };
    }
}

/// The remaining calls, as reported in every response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Remaining {
    pub(crate) day: u32,
    pub(crate) minute: u32,
    pub(crate) app_minute: u32,
}

impl Remaining {
    /// The reported values if no limit can be looked up.
    pub(crate) fn untouched(daily: u32) -> Self {
        Self { day: daily, minute: PER_MINUTE, app_minute: PER_APP_MINUTE }
    }
}

/// A limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exceeded {
    /// The value of `X-Rate-Limit-Problem`.
    pub(crate) problem: &'static str,
    /// Seconds until the window ends; Xero reports none for concurrency.
    pub(crate) retry_after: Option<i64>,
}

impl Limits {
    /// Counts a call and puts it in flight, or returns the limit that it would exceed. The call is
    /// in flight afterwards only if the result is `Ok`.
    pub(crate) fn admit(
        &mut self,
        limit_key: &LimitKey,
        daily: u32,
        now: Timestamp,
    ) -> Result<(), Exceeded> {
        let minute = Slot::of(now, MINUTE, offset(limit_key.1, MINUTE));
        let day = Slot::of(now, DAY, offset(limit_key.1, DAY));
        let app_minute = Slot::of(now, MINUTE, 0);
        let usage = self.tenants.entry(limit_key.clone()).or_default();
        let app = self.apps.entry(limit_key.0.clone()).or_default();
        let violations = &mut self.violations;
        let at_once = usage.in_flight.saturating_add(1);
        violations.max_concurrent = violations.max_concurrent.max(at_once);
        let (refused, exceeded) = if at_once > AT_ONCE {
            (&mut violations.concurrent, Exceeded { problem: CONCURRENT, retry_after: None })
        } else if usage.day.used_at(day.index) >= daily {
            (&mut violations.day, day.exceeded("day"))
        } else if usage.minute.used_at(minute.index) >= PER_MINUTE {
            (&mut violations.minute, minute.exceeded("minute"))
        } else if app.used_at(app_minute.index) >= PER_APP_MINUTE {
            (&mut violations.app_minute, app_minute.exceeded(APP_MINUTE))
        } else {
            usage.minute.count(minute.index);
            usage.day.count(day.index);
            app.count(app_minute.index);
            usage.in_flight = at_once;
            return Ok(());
        };
        *refused = refused.saturating_add(1);
        Err(exceeded)
    }

    /// Takes a call out of flight.
    pub(crate) fn leave(&mut self, limit_key: &LimitKey) {
        if let Some(usage) = self.tenants.get_mut(limit_key) {
            usage.in_flight = usage.in_flight.saturating_sub(1);
        }
    }

    pub(crate) fn remaining(&self, limit_key: &LimitKey, daily: u32, now: Timestamp) -> Remaining {
        let usage = self.tenants.get(limit_key).copied().unwrap_or_default();
        let app = self.apps.get(&limit_key.0).copied().unwrap_or_default();
        let minute = Slot::of(now, MINUTE, offset(limit_key.1, MINUTE));
        let day = Slot::of(now, DAY, offset(limit_key.1, DAY));
        let app_minute = Slot::of(now, MINUTE, 0);
        Remaining {
            day: daily.saturating_sub(usage.day.used_at(day.index)),
            minute: PER_MINUTE.saturating_sub(usage.minute.used_at(minute.index)),
            app_minute: PER_APP_MINUTE.saturating_sub(app.used_at(app_minute.index)),
        }
    }
}

/// The index of the fixed window that contains an instant.
#[derive(Clone, Copy, Debug)]
struct Slot {
    index: i64,
    /// Whole seconds until the window ends, at least one.
    left: i64,
}

impl Slot {
    fn of(now: Timestamp, length: i64, offset: i64) -> Self {
        let second = now.as_second() - offset;
        Self { index: second.div_euclid(length), left: length - second.rem_euclid(length) }
    }

    fn exceeded(self, problem: &'static str) -> Exceeded {
        Exceeded { problem, retry_after: Some(self.left) }
    }
}

/// Windows of different tenants start at different times.
fn offset(tenant: Uuid, length: i64) -> i64 {
    let (high, _) = tenant.as_u64_pair();
    i64::try_from(high >> 32).unwrap_or_default().rem_euclid(length)
}
