//! Removing what is over. The table does so by itself, at a time of its own choosing (DynamoDB: typically within
//! a few days of the expiry); this is for what it has not removed yet.

use std::num::NonZeroU16;

use domain::connection::OAuthAttempt;
use domain::ids::AccountId;
use domain::sync_log::LogEntry;
use futures::future::try_join_all;
use jiff::Timestamp;

use crate::answers::{StoreError, Versioned};
use crate::keys;
use crate::records::{CleanupPlace, Logged};
use crate::store::{Store, decode};
use crate::table::{Expect, ItemKey, Order, Query, SortRange, Version, Write};

/// What one step of a cleanup came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// Rows that are gone.
    pub rows: usize,
    /// Whether there may be more.
    pub is_more: bool,
}

impl Store {
    /// Notes that an account has a sync log, so that a cleanup finds it. Noting it twice does no harm.
    pub async fn note_log(&self, account: &AccountId) -> Result<(), StoreError> {
        let logged = Logged { account: account.clone() };
        match self.put("note the sync log", &logged, Expect::Absent).await {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Where the last cleanup stopped, if it had no time for all: a shard, and the account that was last in it.
    pub async fn cleanup_place(&self) -> Result<Option<(u32, Option<AccountId>)>, StoreError> {
        let row: Option<Versioned<CleanupPlace>> =
            self.read("read the cleanup's place", &keys::cleanup()).await?;
        Ok(row.and_then(|row| row.record.stopped))
    }

    /// Keeps where a cleanup stopped. Of two that stop, the last one wins.
    pub async fn put_cleanup_place(
        &self,
        stopped: Option<(u32, Option<AccountId>)>,
    ) -> Result<(), StoreError> {
        self.replace("write the cleanup's place", &CleanupPlace { stopped }).await
    }

    /// Removes the oldest `limit` entries of an account's sync log, as far as their 30 days are over at `now`.
    pub async fn remove_expired_log(
        &self,
        account: &AccountId,
        now: Timestamp,
        limit: NonZeroU16,
    ) -> Result<Removed, StoreError> {
        const OPERATION: &str = "read the end of the sync log";
        let query = Query {
            pk: keys::log(account),
            range: SortRange::AtMost(keys::instant(LogEntry::oldest_kept(now))),
            order: Order::Ascending,
            limit,
            after: None,
        };
        let page = self.table.query(query).await;
        let page = page.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
        let rows = page.items.into_iter().map(|item| (item.key, item.version)).collect();
        self.remove("remove a sync log entry", rows, page.next.is_some()).await
    }

    /// Removes `limit` authorisations of a shard that were begun and are over at `now`.
    pub async fn remove_spent_attempts(
        &self,
        shard: u32,
        now: Timestamp,
        limit: NonZeroU16,
    ) -> Result<Removed, StoreError> {
        const OPERATION: &str = "find OAuth attempts that are over";
        let range = SortRange::AtMost(keys::instant(now));
        let page = self.due_page(OPERATION, keys::begun(shard), range, limit, None).await?;
        let items = page.entries.iter().map(|entry| self.table.get(&entry.key));
        let items = try_join_all(items).await;
        let items = items.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
        let mut rows = Vec::new();
        for item in items.into_iter().flatten() {
            let key = item.key.clone();
            let Versioned { record, version }: Versioned<OAuthAttempt> = decode(item)?;
            if record.expires_at <= now {
                rows.push((key, version));
            }
        }
        self.remove("remove an OAuth attempt", rows, page.next.is_some()).await
    }

    /// One by one: a transaction would cost twice as much, and nothing depends on their going together.
    async fn remove(
        &self,
        operation: &'static str,
        rows: Vec<(ItemKey, Version)>,
        is_more: bool,
    ) -> Result<Removed, StoreError> {
        let removals = rows.into_iter().map(|(key, expect)| async move {
            match self.write(operation, vec![Write::Delete { key, expect }]).await {
                Ok(()) => Ok(1),
                // The table, or another cleanup, was there before.
                Err(StoreError::Conflict) => Ok(0),
                Err(error) => Err(error),
            }
        });
        let removed: Vec<usize> = try_join_all(removals).await?;
        Ok(Removed { rows: removed.iter().sum(), is_more })
    }
}
