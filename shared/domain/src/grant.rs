//! A grant: one Xero user's tokens for this app. The tokens are in a secret. The row holds the lock
//! that lets one process at a time refresh them.
//!
//! Xero rotates the refresh token with every use. Two processes that refresh at the same time would
//! each hold an incomplete state, so only the holder of the lock refreshes. This module decides
//! when.

mod lifecycle;
mod sealed;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::GrantId;
use crate::operation::ClaimId;

pub use self::sealed::{SealedTokens, SealedValue};

/// An access token is not used in its last two minutes: it must outlive a batch in progress.
const MARGIN_SECONDS: i64 = 120;

/// The age at which unused tokens are renewed. Xero drops a refresh token after 60 days without
/// use, so 40 days remain for retries.
const IDLE: SignedDuration = SignedDuration::from_hours(20 * 24);

/// How long after a write a read may return an older value or none: Secrets Manager does not
/// guarantee read-after-write consistency.
const VISIBLE_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// The row of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The grant's id, which is the Xero user's.
    pub id: GrantId,
    /// The process that is refreshing now, if any.
    pub refresher: Option<RefreshLock>,
    /// When the tokens were last renewed.
    pub refreshed_at: Timestamp,
    /// When Xero refused the refresh token, if it did.
    pub refused_at: Option<Timestamp>,
    /// The start of a refresh with an unknown outcome. Xero may have rotated the token; it accepts
    /// the stored one for another 30 minutes, so the refresh must be retried within that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsettled_since: Option<Timestamp>,
    /// The value of the secret that this row describes; the secret may already hold a newer one.
    /// `None` in rows written by an earlier release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretVersion>,
    /// Which of the user's secrets holds the tokens. The secret of an ended grant is deleted, and
    /// the next consent writes one with another number, so a late deletion cannot delete the new
    /// secret.
    #[serde(default, skip_serializing_if = "is_first")]
    pub secret_number: u32,
    /// The first of the user's secrets that may still exist: interrupted endings leave secrets
    /// behind.
    #[serde(default, skip_serializing_if = "is_first")]
    pub kept_from: u32,
    /// The newest consent that gave these tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<UserConsent>,
    /// The end of the period in which a process may be revoking the grant. A consent that arrives
    /// during it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending_until: Option<Timestamp>,
    /// When reads first found no secret at all. `None` while the secret exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_since: Option<Timestamp>,
    /// When a scheduled job must check whether any account uses the grant. An interrupted consent
    /// leaves tokens that no account uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at: Option<Timestamp>,
    /// Since when a process has been storing the tokens of a consent. `None` once they are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_since: Option<Timestamp>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_first(number: &u32) -> bool {
    *number == 0
}

/// The identity of one value of a grant's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretVersion {
    /// The version id that the secret store assigned.
    pub id: Uuid,
    /// The position among all values: a later value has a higher serial. It is also in the value.
    pub serial: u64,
}

/// A consent of the Xero user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserConsent {
    /// The serial of the secret's value that holds its tokens.
    pub serial: u64,
    /// When it was given.
    pub at: Timestamp,
}

/// The result of comparing a read of the secret with the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretVisibility {
    /// The value that the row describes, or a newer one, was read.
    Current,
    /// The value that the row describes is not visible yet.
    NotYet,
    /// The secret no longer exists and will not reappear.
    Gone,
}

/// A grant's lock, with its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshLock {
    /// The identity of the holder.
    pub by: ClaimId,
    /// The end of the lease.
    pub until: Timestamp,
}

/// How to obtain a usable access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenPlan {
    /// Use the stored token.
    Use,
    /// Take the lock and refresh.
    Refresh,
    /// Another process is refreshing, until this instant at the latest.
    WaitUntil(Timestamp),
    /// Xero refused the refresh token: a user must reconnect.
    Reconnect,
}

/// Whether a stored access token is valid for long enough to be used for another batch.
pub fn is_usable(access_expires_at: Timestamp, now: Timestamp) -> bool {
    let margin = SignedDuration::from_secs(MARGIN_SECONDS);
    access_expires_at.saturating_sub(margin).is_ok_and(|until| now < until)
}

impl Grant {
    /// A grant whose tokens have just been issued.
    pub const fn new(id: GrantId, now: Timestamp) -> Self {
        Self {
            id,
            refresher: None,
            refreshed_at: now,
            refused_at: None,
            unsettled_since: None,
            secret: None,
            secret_number: 0,
            kept_from: 0,
            consent: None,
            ending_until: None,
            missing_since: None,
            look_at: None,
            tokens_since: None,
        }
    }

    /// When a scheduled job must process the grant: for a refresh with an unknown outcome, or for a
    /// consent that may have been interrupted.
    pub fn due_at(&self) -> Option<Timestamp> {
        self.unsettled_since.into_iter().chain(self.look_at).min()
    }

    /// Compares a read of the secret with the row. `serial` is that of the value that was read, if
    /// any. The secret counts as gone only after it has been missing for five minutes, however long
    /// ago it was written.
    pub fn secret_visibility(&self, serial: Option<u64>, now: Timestamp) -> SecretVisibility {
        let wanted = self.secret.map_or(0, |secret| secret.serial);
        if serial.is_some_and(|serial| serial >= wanted) {
            return SecretVisibility::Current;
        }
        if self.is_fresh(now) {
            return SecretVisibility::NotYet;
        }
        // An older value is better than none: Xero decides whether its tokens are valid.
        if serial.is_some() {
            return SecretVisibility::Current;
        }
        let is_gone =
            self.missing_since.is_some_and(|since| now.duration_since(since) >= VISIBLE_WITHIN);
        if is_gone { SecretVisibility::Gone } else { SecretVisibility::NotYet }
    }

    /// Whether the tokens were renewed so recently that a read may not return them.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now.duration_since(self.refreshed_at) < VISIBLE_WITHIN
    }

    /// Whether a process may be renewing the tokens.
    pub fn is_refreshing(&self, now: Timestamp) -> bool {
        self.refresher.is_some_and(|refresher| refresher.until > now)
    }

    /// Decides how to obtain an access token, given when the stored one expires.
    pub fn plan_token_access(&self, access_expires_at: Timestamp, now: Timestamp) -> TokenPlan {
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

    /// Whether unused tokens must be renewed: they were not renewed for 20 days, or not yet in this
    /// calendar month (UTC). Only a user can renew tokens that Xero refused.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        let renewed = self.refreshed_at;
        let month = |at: Timestamp| at.to_zoned(TimeZone::UTC).date().first_of_month();
        let is_old = now.duration_since(renewed) >= IDLE || month(renewed) < month(now);
        is_old && self.refused_at.is_none()
    }

    /// The row with the lock taken. From now on the state of the tokens is unknown until the
    /// outcome of the refresh is recorded.
    #[must_use]
    pub fn after_lock(self, by: ClaimId, until: Timestamp, now: Timestamp) -> Self {
        let unsettled_since = Some(self.unsettled_since.unwrap_or(now));
        Self { refresher: Some(RefreshLock { by, until }), unsettled_since, ..self }
    }

    /// The row after a successful refresh.
    #[must_use]
    pub const fn after_renewal(self, secret: SecretVersion, now: Timestamp) -> Self {
        let Self { id, secret_number, kept_from, consent, look_at, .. } = self;
        let secret = Some(secret);
        Self { secret, secret_number, kept_from, consent, look_at, ..Self::new(id, now) }
    }

    /// The row after a consent issued new tokens.
    #[must_use]
    pub const fn after_consent(self, secret: SecretVersion, now: Timestamp) -> Self {
        let consent = UserConsent { serial: secret.serial, at: now };
        Self { consent: Some(consent), ..self.after_renewal(secret, now) }
    }

    /// The row after a refresh that had no effect: the tokens are unchanged.
    #[must_use]
    pub const fn after_unlock(self) -> Self {
        Self { refresher: None, unsettled_since: None, ..self }
    }

    /// The row after a refresh with an unknown outcome, which must still be determined: the lock is
    /// free.
    #[must_use]
    pub const fn after_unknown_outcome(self) -> Self {
        Self { refresher: None, ..self }
    }

    /// The row after Xero refused the refresh token.
    #[must_use]
    pub const fn after_refusal(self, now: Timestamp) -> Self {
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
