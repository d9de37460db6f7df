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
