//! The beginning and the end of a grant: consents store tokens, and the grant ends when no account
//! uses it.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Grant, UserConsent};

/// How long after a consent the grant is not ended, because its tokens may be about to be used.
const CONSENT_SETTLES_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// How long after a consent an account may start to use the grant. Then its ticket has expired.
const USED_WITHIN: SignedDuration = SignedDuration::from_mins(15);

/// How long after a renewal or a consent every process that began before it has ended: Lambda ends a
/// function after 15 minutes (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(20);

impl Grant {
    /// The version of the tokens, if no process can be writing tokens: none holds the lock, stores
    /// a consent or ends the grant, and those that began before the last renewal have ended.
    pub fn settled_version(&self, now: Timestamp) -> Option<Uuid> {
        let is_idle = self.refresher.is_none()
            && self.unsettled_since.is_none()
            && self.ending_until.is_none()
            && self.tokens_since.is_none();
        let is_settled = is_idle && now.duration_since(self.refreshed_at) >= SETTLED_AFTER;
        self.secret.filter(|_| is_settled).map(|secret| secret.id)
    }

    /// The serial of the value that follows the one with the serial `previous`, written under this
    /// version of the row. The version alone is higher, unless the table was restored from a
    /// backup: then the secret holds values that are newer than the row.
    pub fn next_serial(version: u64, previous: u64) -> u64 {
        version.max(previous.saturating_add(1))
    }

    /// The highest serial that the row names.
    pub fn newest_serial(&self) -> u64 {
        let written = self.secret.map_or(0, |secret| secret.serial);
        written.max(self.consent.map_or(0, |consent| consent.serial))
    }

    /// The row before the tokens of a consent are stored. A scheduled job later checks whether an
    /// account uses them. If an ending was begun and not finished, it may still delete the previous
    /// secret, so the tokens go into a new one.
    #[must_use]
    pub fn awaiting_use(self, now: Timestamp) -> Self {
        let (look_at, tokens_since) = (Some(next_check_at(now)), Some(now));
        if self.ending_until.is_none() {
            return Self { look_at, tokens_since, ..self };
        }
        let secret_number = self.secret_number.saturating_add(1);
        let ending_until = None;
        Self { look_at, tokens_since, secret_number, secret: None, ending_until, ..self }
    }

    /// The row if a process may have written a secret of this number, although the number is no
    /// longer in use. The next check deletes the secret.
    #[must_use]
    pub fn keeping_from(self, number: Option<u32>) -> Self {
        let kept_from = number.map_or(self.kept_from, |number| number.min(self.kept_from));
        Self { kept_from, ..self }
    }

    /// The row after the grant was revoked and its secret deleted.
    #[must_use]
    pub const fn after_ending(self, now: Timestamp) -> Self {
        let secret_number = self.secret_number.saturating_add(1);
        let kept_from = secret_number;
        let grant = self.after_refusal(now);
        Self { look_at: None, tokens_since: None, secret_number, kept_from, secret: None, ..grant }
    }

    /// The row after an account was found to use it, and the secrets of earlier consents were
    /// deleted.
    #[must_use]
    pub const fn found_in_use(self) -> Self {
        Self { look_at: None, kept_from: self.secret_number, ..self }
    }

    /// The row while a process revokes the grant, until `until` at the latest.
    #[must_use]
    pub const fn while_ending(self, until: Timestamp) -> Self {
        Self { ending_until: Some(until), ..self }
    }

    /// Whether a consent newer than the one with this serial may be in progress: its tokens are
    /// about to be stored, or about to be used. A process that stores tokens may be delayed, and a
    /// secret that it writes after the grant has ended would stay.
    pub fn may_be_consented(&self, serial: u64, now: Timestamp) -> bool {
        let is_within = |at: Timestamp, period| now.duration_since(at) < period;
        let is_newer = |consent: UserConsent| {
            consent.serial != serial && is_within(consent.at, CONSENT_SETTLES_WITHIN)
        };
        self.tokens_since.is_some_and(|at| is_within(at, SETTLED_AFTER))
            || self.consent.is_some_and(is_newer)
    }

    /// Whether a process may be revoking the grant.
    pub fn is_ending(&self, now: Timestamp) -> bool {
        self.ending_until.is_some_and(|until| until > now)
    }
}

fn next_check_at(now: Timestamp) -> Timestamp {
    now.saturating_add(USED_WITHIN).unwrap_or(now)
}
