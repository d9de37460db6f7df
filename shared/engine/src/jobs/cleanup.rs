//! The daily cleanup removes sync log entries older than 30 days and expired authorisations that
//! the table has not yet removed by itself.
//!
//! It processes accounts page by page while there is time; the next run resumes where the last one
//! stopped. Running it twice does no harm. It uses the table only, never Xero.

use std::num::NonZeroU16;

use domain::ids::AccountId;
use futures::FutureExt;
use jiff::Timestamp;
use store::keys::SHARDS;
use store::{ShardScan, Store, StoreError};

use crate::error_chain::ErrorChain;
use crate::ports::Clock;
use crate::record_isolation::catch_panic;
use crate::{Invocation, concurrency};

/// Accounts read per page of the index.
const PAGE: NonZeroU16 = NonZeroU16::new(250).expect("not zero");
/// Rows removed per step.
const ROWS_PER_STEP: NonZeroU16 = NonZeroU16::new(50).expect("not zero");

/// The result of a cleanup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CleanupSummary {
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
pub async fn remove_expired_rows(
    store: &Store,
    clock: &dyn Clock,
    invocation: Invocation,
) -> Result<CleanupSummary, StoreError> {
    let job = CleanupRun { store, clock, invocation, now: clock.now() };
    let mut cleaned = CleanupSummary::default();
    for shard in 0..SHARDS {
        let removed = job.remove_shard_attempts(shard).await;
        count_removed(removed, None, &mut cleaned.attempts, &mut cleaned.failed);
    }
    let (mut scan, before) = job.resume_scan().await?;
    while let Some((shard, after)) = scan.next_page() {
        if job.has_time_run_out() {
            cleaned.is_cut_short = true;
            break;
        }
        let page = store.list_logged(shard, after, PAGE).await?;
        let here = scan.clone();
        let accounts = scan.take_page(page);
        job.remove_page_entries(&accounts, &mut cleaned).await;
        // The next run starts with this page again. Accounts without expired entries cost little.
        if job.has_time_run_out() {
            (scan, cleaned.is_cut_short) = (here, true);
            break;
        }
    }
    let resume_point = scan.next_page().map(|(shard, after)| (shard, after.cloned()));
    if resume_point != before {
        store.put_cleanup_cursor(resume_point).await?;
    }
    Ok(cleaned)
}

struct CleanupRun<'a> {
    store: &'a Store,
    clock: &'a dyn Clock,
    invocation: Invocation,
    now: Timestamp,
}

/// Where an interrupted cleanup stopped.
type CleanupResumePoint = Option<(u32, Option<AccountId>)>;

impl CleanupRun<'_> {
    fn has_time_run_out(&self) -> bool {
        self.invocation.is_past_last_call(self.clock.now())
    }

    async fn resume_scan(&self) -> Result<(ShardScan<AccountId>, CleanupResumePoint), StoreError> {
        let resume_point = self.store.find_cleanup_cursor().await?;
        let scan = match resume_point.clone() {
            Some((shard, after)) => ShardScan::resume_at(shard, after),
            None => ShardScan::from_shard(0),
        };
        Ok((scan, resume_point))
    }

    async fn remove_shard_attempts(&self, shard: u32) -> Result<usize, StoreError> {
        let mut rows = 0;
        while !self.has_time_run_out() {
            let removed =
                self.store.remove_expired_attempts(shard, self.now, ROWS_PER_STEP).await?;
            rows += removed.rows;
            // The index may still list rows that were removed; nothing else can be removed now.
            if !removed.is_more || removed.rows == 0 {
                break;
            }
        }
        Ok(rows)
    }

    /// Removes the entries of a page of accounts, and counts them.
    async fn remove_page_entries(&self, accounts: &[AccountId], cleaned: &mut CleanupSummary) {
        let removals = accounts
            .iter()
            .map(|account| catch_panic(self.remove_account_entries(account)).boxed());
        let removals = concurrency::map_concurrently(removals.collect()).await;
        for (account, removed) in accounts.iter().zip(removals) {
            let Some(removed) = removed else {
                cleaned.failed += 1;
                continue;
            };
            count_removed(removed, Some(account), &mut cleaned.entries, &mut cleaned.failed);
        }
        cleaned.accounts += accounts.len();
    }

    async fn remove_account_entries(&self, account: &AccountId) -> Result<usize, StoreError> {
        let mut rows = 0;
        while !self.has_time_run_out() {
            let removed = self.store.remove_expired_log(account, self.now, ROWS_PER_STEP).await?;
            rows += removed.rows;
            // Nothing else can be removed now: the remaining rows are corrupt or already removed.
            if !removed.is_more || removed.rows == 0 {
                break;
            }
        }
        Ok(rows)
    }
}

fn count_removed(
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
                error = %ErrorChain(&error),
                account.id = account,
                "expired rows could not be removed"
            );
            *failed += 1;
        }
    }
}
