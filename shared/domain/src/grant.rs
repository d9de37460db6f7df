//! A grant: one Xero user's tokens for this app. The tokens are in a secret; the row here holds the
//! lock that lets one process at a time refresh them.
//!
//! Xero rotates the refresh token with every use. Two processes that refresh at once would each hold
//! half of the truth, so a refresh is planned here and done by the holder of the lock alone.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::GrantId;
use crate::operation::ClaimId;

/// An access token is not used in its last two minutes: a batch under way must outlive it.
const MARGIN_SECONDS: i64 = 120;

/// A connection that was not used for this long is used for its own sake. Xero drops a refresh token after 60
/// days: so there are forty days on which that can be tried again.
const IDLE: SignedDuration = SignedDuration::from_hours(20 * 24);

/// A secret store may show an older value, or none, for this long after a write: Secrets Manager promises no
/// read after write.
const VISIBLE_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// For this long after a consent its tokens may be about to be used: nobody ends the grant before.
const CONSENT_SETTLES_WITHIN: SignedDuration = SignedDuration::from_mins(10);

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
    /// The value of the secret that this row is about, or a newer one is in it. `None` in rows that an
    /// earlier release wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretVersion>,
    /// The newest consent that gave these tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// Until when somebody may be revoking the grant: a consent that arrives meanwhile waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending_until: Option<Timestamp>,
}

/// A value of a grant's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretVersion {
    /// The secret store's id of it.
    pub id: Uuid,
    /// Its place among all values: a later one has a higher serial, which is also in the value itself.
    pub serial: u64,
}

/// A consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The serial of the secret's value that holds its tokens.
    pub serial: u64,
    /// When it was given.
    pub at: Timestamp,
}

/// What a read of the secret is worth, compared with the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// It is the value that the row is about, or a newer one.
    Current,
    /// The value that the row is about is not visible yet.
    NotYet,
    /// There is no secret, and there will be none.
    Gone,
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
        Self {
            id,
            refresher: None,
            refreshed_at: now,
            refused_at: None,
            unsettled_since: None,
            secret: None,
            consent: None,
            ending_until: None,
        }
    }

    /// What a read of the secret is worth. `serial` is that of the value that was read, if one was.
    pub fn visibility(&self, serial: Option<u64>, now: Timestamp) -> Visibility {
        let wanted = self.secret.map_or(0, |secret| secret.serial);
        if serial.is_some_and(|serial| serial >= wanted) {
            return Visibility::Current;
        }
        if now.duration_since(self.refreshed_at) < VISIBLE_WITHIN {
            return Visibility::NotYet;
        }
        // An older value is better than none: Xero decides what its tokens are worth.
        if serial.is_some() { Visibility::Current } else { Visibility::Gone }
    }

    /// Whether a consent may be under way that is newer than the one of this serial.
    pub fn may_be_consented(&self, serial: u64, now: Timestamp) -> bool {
        self.consent.is_some_and(|consent| {
            consent.serial != serial && now.duration_since(consent.at) < CONSENT_SETTLES_WITHIN
        })
    }

    /// Whether somebody may be revoking it.
    pub fn is_ending(&self, now: Timestamp) -> bool {
        self.ending_until.is_some_and(|until| until > now)
    }

    /// Whether somebody may be renewing its tokens.
    pub fn is_refreshing(&self, now: Timestamp) -> bool {
        self.refresher.is_some_and(|refresher| refresher.until > now)
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
    pub const fn renewed(self, secret: SecretVersion, now: Timestamp) -> Self {
        Self { secret: Some(secret), consent: self.consent, ..Self::new(self.id, now) }
    }

    /// The row after a consent gave new tokens.
    #[must_use]
    pub const fn consented(self, secret: SecretVersion, now: Timestamp) -> Self {
        let consent = Consent { serial: secret.serial, at: now };
        Self { consent: Some(consent), ..self.renewed(secret, now) }
    }

    /// The row while somebody revokes the grant, until `until` at the latest.
    #[must_use]
    pub const fn ending(self, until: Timestamp) -> Self {
        Self { ending_until: Some(until), ..self }
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
        Self {
            refresher: None,
            refused_at: Some(now),
            unsettled_since: None,
            ending_until: None,
            ..self
        }
    }
}

#[cfg(test)]
#[path = "grant_tests.rs"]
mod tests;
