//! The limit of one account's requests.
//!
//! API Gateway limits the requests of all users together; it has no limit for each caller of an HTTP
//! API. Within that limit, a process of the API serves one account a limited number of requests a
//! minute, so that one account cannot use the table and Xero at the expense of the others. Each
//! process counts on its own: the count costs no write, and an account's limit grows with the number
//! of processes that its simultaneous requests need.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use domain::ids::AccountId;
use jiff::{SignedDuration, Timestamp};

/// The time in which an account may send the whole limit at once.
const PERIOD: SignedDuration = SignedDuration::from_mins(1);

/// Limits the requests of each account in one process. Clones share their counts.
///
/// It is a token bucket in the form of the generic cell rate algorithm: a full bucket holds the
/// requests of a minute, and it refills evenly.
#[derive(Debug, Clone)]
pub(super) struct AccountLimiter {
    /// The time in which one request is refilled.
    interval: SignedDuration,
    /// When the bucket of an account is full again. Full buckets are left out.
    full_at: Arc<Mutex<HashMap<AccountId, Timestamp>>>,
}

impl AccountLimiter {
    /// A limiter that admits this many requests of an account a minute.
    pub(super) fn new(per_minute: NonZeroU32) -> Self {
        let interval = PERIOD.unsigned_abs() / per_minute.get();
        let interval = SignedDuration::try_from(interval).unwrap_or(PERIOD);
        Self { interval, full_at: Arc::default() }
    }

    /// Counts a request of an account. `false` if the limit is exceeded; such a request does not
    /// count.
    pub(super) fn admit_request(&self, account: &AccountId, now: Timestamp) -> bool {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        full_at.retain(|_, at| *at > now);
        // No bucket takes longer to refill. A later instant is that of a clock that was wrong.
        let is_possible = |at: &Timestamp| at.duration_since(now) <= PERIOD;
        let start = full_at.get(account).copied().filter(is_possible).unwrap_or(now);
        let next = start.saturating_add(self.interval).unwrap_or(Timestamp::MAX);
        if next.duration_since(now) > PERIOD {
            return false;
        }
        full_at.insert(account.clone(), next);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn an_account(id: &str) -> AccountId {
        AccountId::new(id).unwrap()
    }

    fn limiter_of(per_minute: u32) -> AccountLimiter {
        AccountLimiter::new(NonZeroU32::new(per_minute).unwrap())
    }

    #[test]
    fn an_account_sends_the_requests_of_a_minute_at_once_and_later_one_at_a_time() {
        let limiter = limiter_of(60);
        let (account, now) = (an_account("acc_1"), Timestamp::UNIX_EPOCH);
        let admitted = (0..100).filter(|_| limiter.admit_request(&account, now)).count();
        assert_eq!(admitted, 60);
        let later = now + SignedDuration::from_secs(2);
        let admitted = (0..100).filter(|_| limiter.admit_request(&account, later)).count();
        assert_eq!(admitted, 2);
        let later = now + SignedDuration::from_mins(5);
        let admitted = (0..100).filter(|_| limiter.admit_request(&account, later)).count();
        assert_eq!(admitted, 60);
    }

    #[test]
    fn the_requests_of_one_account_do_not_count_for_another() {
        let limiter = limiter_of(1);
        let now = Timestamp::UNIX_EPOCH;
        assert!(limiter.admit_request(&an_account("acc_1"), now));
        assert!(!limiter.clone().admit_request(&an_account("acc_1"), now));
        assert!(limiter.admit_request(&an_account("acc_2"), now));
    }

    #[test]
    fn a_clock_that_was_ahead_does_not_refuse_requests_until_its_time() {
        let limiter = limiter_of(60);
        let (account, now) = (an_account("acc_1"), Timestamp::UNIX_EPOCH);
        for _ in 0..60 {
            limiter.admit_request(&account, now + SignedDuration::from_hours(1));
        }
        let admitted = (0..100).filter(|_| limiter.admit_request(&account, now)).count();
        assert_eq!(admitted, 60);
    }

    #[test]
    fn an_account_whose_bucket_is_full_is_forgotten() {
        let limiter = limiter_of(60);
        for number in 0..1_000 {
            limiter.admit_request(&an_account(&format!("acc_{number}")), Timestamp::UNIX_EPOCH);
        }
        let later = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(2);
        limiter.admit_request(&an_account("acc_1"), later);
        assert_eq!(limiter.full_at.lock().unwrap().len(), 1);
    }
}
