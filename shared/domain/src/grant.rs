//! A grant: one Xero user's tokens for this app. The tokens are in a secret; the row here holds the
//! lock that lets one process at a time refresh them.
//!
//! Xero rotates the refresh token with every use. Two processes that refresh at once would each hold
//! half of the truth, so a refresh is planned here and done by the holder of the lock alone.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::GrantId;
use crate::operation::ClaimId;

/// An access token is not used in its last two minutes: a batch under way must outlive it.
const MARGIN_SECONDS: i64 = 120;

/// A connection that was not used for this long is used for its own sake. Xero drops a refresh token after 60
/// days: so there are forty days on which that can be tried again.
const IDLE: SignedDuration = SignedDuration::from_hours(20 * 24);

/// The row of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The Xero user.
    pub id: GrantId,
    /// Who refreshes now, if anybody.
    pub refresher: Option<Refresher>,
    /// When the tokens were last renewed. Xero drops a refresh token after 60 days without use.
    pub refreshed_at: Timestamp,
    /// When Xero refused the refresh token, if it did.
    pub refused_at: Option<Timestamp>,
    /// Since when a refresh was begun whose end nobody knows. Xero may have rotated the token, and takes
    /// the one we have for 30 minutes more: by then it must have been tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsettled_since: Option<Timestamp>,
}

/// The holder of a grant's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresher {
    /// Who.
    pub by: ClaimId,
    /// The end of the lease.
    pub until: Timestamp,
}

/// How to get a usable access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenPlan {
    /// The stored one is good.
    Use,
    /// Take the lock and refresh.
    Refresh,
    /// Somebody else is refreshing, at the latest until then.
    WaitUntil(Timestamp),
    /// Xero refused the refresh token: a person has to reconnect.
    Reconnect,
}

/// Whether a stored access token is good for another batch.
pub fn is_usable(access_expires_at: Timestamp, now: Timestamp) -> bool {
    let margin = SignedDuration::from_secs(MARGIN_SECONDS);
    access_expires_at.saturating_sub(margin).is_ok_and(|until| now < until)
}

impl Grant {
    /// A grant whose tokens have just been given.
    pub const fn new(id: GrantId, now: Timestamp) -> Self {
        Self { id, refresher: None, refreshed_at: now, refused_at: None, unsettled_since: None }
    }

    /// Decides how to get an access token, given when the stored one expires.
    pub fn plan(&self, access_expires_at: Timestamp, now: Timestamp) -> TokenPlan {
        if is_usable(access_expires_at, now) {
            return TokenPlan::Use;
        }
        if self.refused_at.is_some() {
            return TokenPlan::Reconnect;
        }
        match self.refresher {
            Some(refresher) if refresher.until > now => TokenPlan::WaitUntil(refresher.until),
            Some(_) | None => TokenPlan::Refresh,
        }
    }

    /// Whether its tokens are to be renewed for their own sake: they were not for 20 days, or not in this month
    /// yet. One that Xero refused is a person's to renew.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        let renewed = self.refreshed_at;
        let month = |at: Timestamp| at.to_zoned(TimeZone::UTC).date().first_of_month();
        let is_old = now.duration_since(renewed) >= IDLE || month(renewed) < month(now);
        is_old && self.refused_at.is_none()
    }

    /// The row with the lock taken: from now on nobody knows what becomes of the tokens, until it is
    /// written down.
    #[must_use]
    pub fn locked(self, by: ClaimId, until: Timestamp, now: Timestamp) -> Self {
        let unsettled_since = Some(self.unsettled_since.unwrap_or(now));
        Self { refresher: Some(Refresher { by, until }), unsettled_since, ..self }
    }

    /// The row after a successful refresh.
    #[must_use]
    pub const fn renewed(self, now: Timestamp) -> Self {
        Self::new(self.id, now)
    }

    /// The row after a refresh that came to nothing, the tokens untouched.
    #[must_use]
    pub const fn unlocked(self) -> Self {
        Self { refresher: None, unsettled_since: None, ..self }
    }

    /// The row after a refresh that may have come to something: the lock is free, and it is still to be
    /// found out.
    #[must_use]
    pub const fn unsettled(self) -> Self {
        Self { refresher: None, ..self }
    }

    /// The row after Xero refused the refresh token.
    #[must_use]
    pub const fn refused(self, now: Timestamp) -> Self {
        Self { refresher: None, refused_at: Some(now), unsettled_since: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const HOLDER: ClaimId = ClaimId(Uuid::from_u128(1));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn a_grant() -> Grant {
        Grant::new(GrantId(Uuid::from_u128(9)), at(0))
    }

    #[test]
    fn a_grant_is_idle_after_twenty_days_and_with_every_new_month() {
        let granted = |day: &str| Grant::new(GrantId(Uuid::from_u128(9)), day.parse().unwrap());
        let idle = |granted: &Grant, day: &str| granted.is_idle(day.parse().unwrap());
        let first = granted("2026-11-02T09:00:00Z");
        assert!(!idle(&first, "2026-11-22T08:59:59Z"));
        assert!(idle(&first, "2026-11-22T09:00:00Z"));
        let last = granted("2026-11-30T23:00:00Z");
        assert!(!idle(&last, "2026-11-30T23:59:59Z"));
        assert!(idle(&last, "2026-12-01T00:00:00Z"));
        assert!(idle(&granted("2026-12-31T23:00:00Z"), "2027-01-01T03:17:00Z"));
        assert!(!idle(
            &last.refused("2026-12-01T00:00:00Z".parse().unwrap()),
            "2027-02-01T00:00:00Z"
        ));
    }

    #[test]
    fn a_refresh_is_unsettled_from_its_beginning_until_its_end_is_known() {
        let locked = a_grant().locked(HOLDER, at(30), at(5));
        assert_eq!(locked.unsettled_since, Some(at(5)));
        let again = locked.clone().unsettled().locked(HOLDER, at(90), at(60));
        assert_eq!(again.unsettled_since, Some(at(5)), "the first one counts");
        assert_eq!(again.clone().renewed(at(61)).unsettled_since, None);
        assert_eq!(again.clone().refused(at(61)).unsettled_since, None);
        assert_eq!(again.unlocked().unsettled_since, None);
    }

    #[test]
    fn a_token_is_used_until_two_minutes_before_it_expires() {
        assert_eq!(a_grant().plan(at(1800), at(1679)), TokenPlan::Use);
        assert_eq!(a_grant().plan(at(1800), at(1680)), TokenPlan::Refresh);
    }

    #[test]
    fn everyone_else_waits_while_one_refreshes_and_a_lapsed_lock_is_free() {
        let locked = a_grant().locked(HOLDER, at(30), at(0));
        assert_eq!(locked.plan(at(0), at(29)), TokenPlan::WaitUntil(at(30)));
        assert_eq!(locked.plan(at(0), at(30)), TokenPlan::Refresh);
    }

    #[test]
    fn a_refused_grant_needs_a_reconnect_and_a_renewal_clears_it() {
        let refused = a_grant().locked(HOLDER, at(30), at(0)).refused(at(5));
        assert_eq!(refused.plan(at(0), at(6)), TokenPlan::Reconnect);
        assert_eq!(refused.renewed(at(7)).plan(at(1800), at(8)), TokenPlan::Use);
    }
}
