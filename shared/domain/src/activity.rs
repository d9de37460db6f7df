//! The last use of an account's connection, and the number of records that wait for a connection.

use jiff::Timestamp;
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

impl AccountActivity {
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
