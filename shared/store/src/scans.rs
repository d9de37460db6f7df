//! Walks over all accounts, shard by shard and page by page, for scheduled jobs and operators'
//! commands only; no user request or message uses them. They read the `due` index, which lags
//! behind the table. Entries may be outdated: read the row before deciding anything.

use std::num::NonZeroU16;

use domain::ids::{AccountId, Ledger};
use domain::mapping::MappingKey;

use crate::due::DueQuery;
use crate::keys;
use crate::results::StoreError;
use crate::store::Store;
use crate::table::{ItemKey, SortRange};

/// A page of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPage<T> {
    /// The entries.
    pub found: Vec<T>,
    /// The last entry, after which the next page begins, if there may be one.
    pub next: Option<T>,
}

/// The progress of a scan over all shards.
///
/// ```text
/// while let Some((shard, after)) = walk.next_page() {
///     for one in walk.take_page(store.list_polled(shard, after, limit).await?) { … }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct ShardScan<T> {
    first: u32,
    shards_done: u32,
    after: Option<T>,
}

impl<T> ShardScan<T> {
    /// Starts at a shard. Varying it ensures that interrupted walks do not always miss the same
    /// shards.
    pub const fn from_shard(first: u32) -> Self {
        Self { first, shards_done: 0, after: None }
    }

    /// Resumes where a walk was interrupted, and wraps around.
    pub const fn resume_at(first: u32, after: Option<T>) -> Self {
        Self { first, shards_done: 0, after }
    }

    /// Returns the next page to read: its shard, and the entry after which it begins. `None` at the
    /// end.
    pub fn next_page(&self) -> Option<(u32, Option<&T>)> {
        let shard = self.first.wrapping_add(self.shards_done) % keys::SHARDS;
        (self.shards_done < keys::SHARDS).then_some((shard, self.after.as_ref()))
    }

    /// Takes a page, advances the walk, and returns the page's entries.
    pub fn take_page(&mut self, page: ScanPage<T>) -> Vec<T> {
        if page.next.is_none() {
            self.shards_done += 1;
        }
        self.after = page.next;
        page.found
    }
}

impl Store {
    /// Returns ledgers of a shard, of all accounts, that are polled because they are connected,
    /// after `after`.
    pub async fn list_polled(
        &self,
        shard: u32,
        after: Option<&Ledger>,
        limit: NonZeroU16,
    ) -> Result<ScanPage<Ledger>, StoreError> {
        let (operation, pk) = ("find polled ledgers", keys::polled_partition(shard));
        let after = after.map(keys::polled_entry);
        let query = DueQuery { operation, pk, range: SortRange::All, limit, after };
        self.list_entries(query, keys::read_ledger).await
    }

    /// Returns mappings of a shard, of all accounts, that were given up, after `after`, ordered by
    /// account.
    pub async fn list_given_up(
        &self,
        shard: u32,
        after: Option<&MappingKey>,
        limit: NonZeroU16,
    ) -> Result<ScanPage<MappingKey>, StoreError> {
        let after = after.map(|key| keys::mapping_entry(keys::skipped_partition, key));
        let (operation, pk) = ("find mappings that were given up", keys::skipped_partition(shard));
        let query = DueQuery { operation, pk, range: SortRange::All, limit, after };
        self.list_entries(query, keys::read_mapping).await
    }

    /// Returns parked mappings of a shard, of all accounts, after `after`, ordered by account.
    pub async fn list_all_parked(
        &self,
        shard: u32,
        after: Option<&MappingKey>,
        limit: NonZeroU16,
    ) -> Result<ScanPage<MappingKey>, StoreError> {
        let after = after.map(|key| keys::mapping_entry(keys::parked_partition, key));
        let (operation, pk) = ("find parked mappings", keys::parked_partition(shard));
        let query = DueQuery { operation, pk, range: SortRange::All, limit, after };
        self.list_entries(query, keys::read_mapping).await
    }

    /// Returns accounts of a shard for which the last health check found records that were given
    /// up, after `after`.
    pub async fn list_unhealthy(
        &self,
        shard: u32,
        after: Option<&AccountId>,
        limit: NonZeroU16,
    ) -> Result<ScanPage<AccountId>, StoreError> {
        let after =
            after.map(|one| keys::account_entry(keys::unhealthy_partition, keys::health_key(one)));
        let operation = "find accounts with records that were given up";
        let pk = keys::unhealthy_partition(shard);
        let query = DueQuery { operation, pk, range: SortRange::All, limit, after };
        self.list_entries(query, keys::read_account).await
    }

    /// Returns accounts of a shard that have a sync log, including an empty one, after `after`.
    pub async fn list_logged(
        &self,
        shard: u32,
        after: Option<&AccountId>,
        limit: NonZeroU16,
    ) -> Result<ScanPage<AccountId>, StoreError> {
        let after = after
            .map(|one| keys::account_entry(keys::logged_partition, keys::logged_account_key(one)));
        let (operation, pk) = ("find accounts with a sync log", keys::logged_partition(shard));
        let query = DueQuery { operation, pk, range: SortRange::All, limit, after };
        self.list_entries(query, keys::read_account).await
    }

    /// Returns a page of the entries that a query finds. `read` returns what an entry names, or
    /// `None` if only a newer release can read it.
    pub(crate) async fn list_entries<T>(
        &self,
        mut query: DueQuery,
        read: fn(&ItemKey) -> Option<T>,
    ) -> Result<ScanPage<T>, StoreError> {
        let mut found = Vec::new();
        loop {
            let page = self.read_due_page(query.clone()).await?;
            found.extend(page.entries.iter().filter_map(|entry| read(&entry.key)));
            let Some(last) = page.next else { return Ok(ScanPage { found, next: None }) };
            if let Some(next) = read(&last.key) {
                return Ok(ScanPage { found, next: Some(next) });
            }
            // If the page ends with an entry that only a newer release can read, the walk continues
            // after it.
            query.after = Some(last);
        }
    }
}
