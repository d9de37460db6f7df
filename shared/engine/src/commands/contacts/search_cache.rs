//! Caches contact searches of the last minute in this process, so that repeating a search costs no
//! call to Xero.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use domain::document::contact::RemoteContact;
use domain::ids::Ledger;
use jiff::{SignedDuration, Timestamp};

/// How long a result is reused.
const CACHE_DURATION: SignedDuration = SignedDuration::from_secs(60);
/// Maximum number of cached searches. A process serves many accounts.
const SEARCHES_MAX: usize = 64;

type CachedSearches = HashMap<(Ledger, String), (Timestamp, Vec<RemoteContact>)>;

/// Search results of the last minute.
#[derive(Default)]
pub struct SearchCache(Mutex<CachedSearches>);

impl SearchCache {
    pub(super) fn get(
        &self,
        ledger: &Ledger,
        text: &str,
        now: Timestamp,
    ) -> Option<Vec<RemoteContact>> {
        let searches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, found) = searches.get(&search_key(ledger, text))?;
        is_fresh(*at, now).then(|| found.clone())
    }

    pub(super) fn insert_results(
        &self,
        ledger: &Ledger,
        text: &str,
        found: Vec<RemoteContact>,
        now: Timestamp,
    ) {
        let mut searches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        searches.retain(|_, (at, _)| is_fresh(*at, now));
        if searches.len() >= SEARCHES_MAX {
            searches.clear();
        }
        searches.insert(search_key(ledger, text), (now, found));
    }
}

/// Whether a result is of the last minute. One from the future is that of a clock that was wrong.
fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    (SignedDuration::ZERO..CACHE_DURATION).contains(&now.duration_since(at))
}

/// Xero's search is case-insensitive.
fn search_key(ledger: &Ledger, text: &str) -> (Ledger, String) {
    (ledger.clone(), text.to_lowercase())
}

/// Hides the contents, because contacts are personal data.
impl fmt::Debug for SearchCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SearchCache(..)")
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::{AccountId, TenantId};
    use uuid::Uuid;

    use super::*;

    fn a_ledger(account: &str, tenant: u128) -> Ledger {
        let account = AccountId::new(account).unwrap();
        Ledger { account, tenant: TenantId(Uuid::from_u128(tenant)) }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_search_is_answered_again_for_a_minute_in_any_case() {
        let (cache, own) = (SearchCache::default(), a_ledger("acc_1", 1));
        cache.insert_results(&own, "Ridge", Vec::new(), at(100));
        for (now, is_known) in [(99, false), (100, true), (159, true), (160, false)] {
            assert_eq!(cache.get(&own, "RIDGE", at(now)).is_some(), is_known, "{now}");
        }
        assert!(cache.get(&own, "Ridge Ltd", at(100)).is_none());
    }

    #[test]
    fn a_search_is_answered_again_in_no_other_account_or_organisation() {
        let cache = SearchCache::default();
        cache.insert_results(&a_ledger("acc_1", 1), "Ridge", Vec::new(), at(0));
        for other in [a_ledger("acc_2", 1), a_ledger("acc_1", 2)] {
            assert!(cache.get(&other, "Ridge", at(0)).is_none(), "{other:?}");
        }
    }

    #[test]
    fn a_limited_number_of_searches_is_remembered() {
        let (cache, own) = (SearchCache::default(), a_ledger("acc_1", 1));
        for number in 0..3 * SEARCHES_MAX {
            cache.insert_results(&own, &number.to_string(), Vec::new(), at(0));
            assert!(cache.0.lock().unwrap().len() <= SEARCHES_MAX, "{number}");
        }
    }
}
