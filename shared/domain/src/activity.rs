//! The last use of an account's connection, and the number of records that wait for a connection.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::AccountId;

/// The maximum number of records that are kept for an account that is not connected.
pub const KEPT_MAX: u32 = 20_000;

/// When an account's records were last attempted, and when an attempt last succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountActivity {
    /// The account.
    pub account: AccountId,
    /// When the newest attempt ended, whatever its outcome.
    pub last_attempt_at: Timestamp,
    /// When the newest attempt ended that wrote a record to Xero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success_at: Option<Timestamp>,
}

/// How far the recorded instants may be behind the newest ones. People read them in minutes.
const RECORDED_EVERY: SignedDuration = SignedDuration::from_secs(5);

impl AccountActivity {
    /// Whether attempts that end at `now` need not be recorded, because others ended with the same
    /// success a moment before.
    pub fn is_recent(&self, has_success: bool, now: Timestamp) -> bool {
        let is_recent = |at: Timestamp| now.duration_since(at).abs() < RECORDED_EVERY;
        is_recent(self.last_attempt_at)
            && (!has_success || self.last_success_at.is_some_and(is_recent))
    }

    /// The activity after attempts that ended at `now`. The instants never move backwards, because
    /// the clocks of two processes may differ.
    #[must_use]
    pub fn after_attempts(
        before: Option<&Self>,
        account: AccountId,
        has_success: bool,
        now: Timestamp,
    ) -> Self {
        let last_attempt_at = before.map_or(now, |before| before.last_attempt_at.max(now));
        let earlier = before.and_then(|before| before.last_success_at);
        let last_success_at = earlier.max(has_success.then_some(now));
        Self { account, last_attempt_at, last_success_at }
    }
}

/// How many records arrived for an account while it was not connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRecords {
    /// The account.
    pub account: AccountId,
    /// The number of records, at most [`KEPT_MAX`].
    pub count: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_within_a_few_seconds_are_recorded_once() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let account = AccountId::new("acc_1").unwrap();
        let failed = AccountActivity::after_attempts(None, account.clone(), false, at(100));
        for (has_success, seconds, is_recent) in
            [(false, 100, true), (false, 104, true), (false, 105, false), (true, 100, false)]
        {
            assert_eq!(failed.is_recent(has_success, at(seconds)), is_recent, "{seconds}");
        }
        let synced = AccountActivity::after_attempts(Some(&failed), account, true, at(101));
        assert!(synced.is_recent(true, at(102)) && synced.is_recent(false, at(102)));
        assert!(!synced.is_recent(true, at(200)) && !synced.is_recent(true, at(10)));
    }

    #[test]
    fn a_failure_moves_the_last_attempt_and_not_the_last_success() {
        let account = AccountId::new("acc_1").unwrap();
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let first = AccountActivity::after_attempts(None, account.clone(), true, at(10));
        assert_eq!((first.last_attempt_at, first.last_success_at), (at(10), Some(at(10))));
        let second = AccountActivity::after_attempts(Some(&first), account.clone(), false, at(20));
        assert_eq!((second.last_attempt_at, second.last_success_at), (at(20), Some(at(10))));
        let late = AccountActivity::after_attempts(Some(&second), account, true, at(5));
        assert_eq!((late.last_attempt_at, late.last_success_at), (at(20), Some(at(10))));
    }
}
