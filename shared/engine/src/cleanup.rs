//! The daily cleanup removes sync log entries older than 30 days and expired authorisations that
//! the table has not yet removed by itself.
//!
//! It walks over accounts, page by page, while there is time; the next run resumes where the last
//! one stopped. Running it twice does no harm. It uses the table only, never Xero.

use std::num::NonZeroU16;

use domain::ids::AccountId;
use futures::FutureExt;
use jiff::Timestamp;
use store::keys::SHARDS;
use store::{Store, StoreError, Walk};

use crate::chain::Chain;
use crate::ports::Clock;
use crate::unreadable_rows::catch_panic;
use crate::{Invocation, abreast};

/// Accounts read per page of the index.
const PAGE: NonZeroU16 = NonZeroU16::new(250).expect("not zero");
/// Rows removed per step.
const ROWS: NonZeroU16 = NonZeroU16::new(50).expect("not zero");

/// The result of a cleanup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Accounts that were processed.
    pub accounts: usize,
    /// Sync log entries that were removed.
    pub entries: usize,
    /// Authorisations that were removed.
    pub attempts: usize,
    /// Accounts and shards in which something could not be removed. The next cleanup tries again.
    pub failed: usize,
    /// Whether time ran out. The next cleanup resumes at the same account.
    pub is_cut_short: bool,
}

/// Removes expired rows while there is time.
pub async fn clean(
    store: &Store,
    clock: &dyn Clock,
    invocation: Invocation,
) -> Result<Cleaned, StoreError> {
    let job = Job { store, clock, invocation, now: clock.now() };
    let mut cleaned = Cleaned::default();
    for shard in 0..SHARDS {
        let removed = job.attempts(shard).await;
        tell(removed, None, &mut cleaned.attempts, &mut cleaned.failed);
    }
    let (mut walk, before) = job.begin().await?;
    while let Some((shard, after)) = walk.place() {
        if job.is_late() {
            cleaned.is_cut_short = true;
            break;
        }
        let page = store.with_log(shard, after, PAGE).await?;
        let here = walk.clone();
        let accounts = walk.turn(page);
        let removals = accounts.iter().map(|account| catch_panic(job.log(account)).boxed());
        for (account, removed) in accounts.iter().zip(abreast::all(removals.collect()).await) {
            match removed {
                Some(removed) => {
                    tell(removed, Some(account), &mut cleaned.entries, &mut cleaned.failed);
                }
                None => cleaned.failed += 1,
            }
        }
        cleaned.accounts += accounts.len();
        // The next run starts with this page again. Accounts without expired entries cost little.
        if job.is_late() {
            (walk, cleaned.is_cut_short) = (here, true);
            break;
        }
    }
    let place = walk.place().map(|(shard, after)| (shard, after.cloned()));
    if place != before {
        store.put_cleanup_place(place).await?;
    }
    Ok(cleaned)
}

struct Job<'a> {
    store: &'a Store,
    clock: &'a dyn Clock,
    invocation: Invocation,
    now: Timestamp,
}

/// Where an interrupted cleanup stopped.
type Place = Option<(u32, Option<AccountId>)>;

impl Job<'_> {
    fn is_late(&self) -> bool {
        self.clock.now() > self.invocation.last_call
    }

    async fn begin(&self) -> Result<(Walk<AccountId>, Place), StoreError> {
        let place = self.store.cleanup_place().await?;
        let walk = match place.clone() {
            Some((shard, after)) => Walk::from(shard, after),
            None => Walk::from_shard(0),
        };
        Ok((walk, place))
    }

    async fn attempts(&self, shard: u32) -> Result<usize, StoreError> {
        let mut rows = 0;
        while !self.is_late() {
            let removed = self.store.remove_spent_attempts(shard, self.now, ROWS).await?;
            rows += removed.rows;
            // The index may still list rows that are gone; nothing else can be removed now.
            if !removed.is_more || removed.rows == 0 {
                break;
            }
        }
        Ok(rows)
    }

    async fn log(&self, account: &AccountId) -> Result<usize, StoreError> {
        let mut rows = 0;
        while !self.is_late() {
            let removed = self.store.remove_expired_log(account, self.now, ROWS).await?;
            rows += removed.rows;
            // Nothing else can be removed now: what is left is corrupt, or gone already.
            if !removed.is_more || removed.rows == 0 {
                break;
            }
        }
        Ok(rows)
    }
}

fn tell(
    removed: Result<usize, StoreError>,
    account: Option<&AccountId>,
    count: &mut usize,
    failed: &mut usize,
) {
    match removed {
        Ok(rows) => *count += rows,
        Err(error) => {
            let account = account.map(AccountId::as_str);
            tracing::error!(
                error = %Chain(&error),
                account.id = account,
                "expired rows could not be removed"
            );
            *failed += 1;
        }
    }
}
