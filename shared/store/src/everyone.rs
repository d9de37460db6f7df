//! Walks over all accounts, shard by shard and page by page. They are for jobs on a schedule; nothing that a
//! person or a message asks for comes here. All of it comes from the `due` index, which follows the table
//! with a delay: hints, to be read before anything is decided.

use std::num::NonZeroU16;

use domain::ids::{AccountId, Ledger};
use domain::mapping::MappingKey;

use crate::answers::StoreError;
use crate::keys;
use crate::store::Store;
use crate::table::{IndexEntry, ItemKey, SortRange};

/// A page of what was asked for, and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// What was found.
    pub found: Vec<T>,
    /// The place of the last one, if there may be more.
    pub next: Option<T>,
}

/// How far a walk over all shards has come.
///
/// ```text
/// while let Some((shard, after)) = walk.place() {
///     for one in walk.turn(store.polled(shard, after, limit).await?) { … }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Walk<T> {
    first: u32,
    shards_done: u32,
    after: Option<T>,
}

impl<T> Walk<T> {
    /// A walk that begins with this shard, so that one that is always cut short is not always cut short of
    /// the same shards.
    pub const fn from_shard(first: u32) -> Self {
        Self { first, shards_done: 0, after: None }
    }

    /// A walk that goes on where one was cut short, and then round.
    pub const fn from(first: u32, after: Option<T>) -> Self {
        Self { first, shards_done: 0, after }
    }

    /// The next page to ask for: its shard, and the place that it comes after. `None` at the end.
    pub fn place(&self) -> Option<(u32, Option<&T>)> {
        let shard = self.first.wrapping_add(self.shards_done) % keys::SHARDS;
        (self.shards_done < keys::SHARDS).then_some((shard, self.after.as_ref()))
    }

    /// Turns the page: what was found on it.
    pub fn turn(&mut self, page: Listed<T>) -> Vec<T> {
        if page.next.is_none() {
            self.shards_done += 1;
        }
        self.after = page.next;
        page.found
    }
}

impl Store {
    /// Ledgers of a shard, of all accounts, that are polled because they are connected: those after `after`.
    pub async fn polled(
        &self,
        shard: u32,
        after: Option<&Ledger>,
        limit: NonZeroU16,
    ) -> Result<Listed<Ledger>, StoreError> {
        let after = after.map(keys::polled_entry);
        self.listed("find what is polled", keys::polled(shard), after, limit, keys::read_ledger)
            .await
    }

    /// Mappings of a shard, of all accounts, that were given up: those after `after`, by account.
    pub async fn given_up(
        &self,
        shard: u32,
        after: Option<&MappingKey>,
        limit: NonZeroU16,
    ) -> Result<Listed<MappingKey>, StoreError> {
        let after = after.map(|key| keys::mapping_entry(keys::skipped, key));
        let pk = keys::skipped(shard);
        self.listed("find what was given up", pk, after, limit, keys::read_mapping).await
    }

    /// Accounts of a shard of which the last health check found something given up: those after `after`.
    pub async fn unwell(
        &self,
        shard: u32,
        after: Option<&AccountId>,
        limit: NonZeroU16,
    ) -> Result<Listed<AccountId>, StoreError> {
        let after = after.map(|one| keys::account_entry(keys::unwell, keys::health(one)));
        let pk = keys::unwell(shard);
        self.listed("find who was unwell", pk, after, limit, keys::read_account).await
    }

    /// Accounts of a shard that have a sync log, be it an empty one: those after `after`.
    pub async fn with_log(
        &self,
        shard: u32,
        after: Option<&AccountId>,
        limit: NonZeroU16,
    ) -> Result<Listed<AccountId>, StoreError> {
        let after = after.map(|one| keys::account_entry(keys::with_log, keys::logged(one)));
        let pk = keys::with_log(shard);
        self.listed("find who has a log", pk, after, limit, keys::read_account).await
    }

    async fn listed<T>(
        &self,
        operation: &'static str,
        pk: String,
        after: Option<IndexEntry>,
        limit: NonZeroU16,
        read: fn(&ItemKey) -> Option<T>,
    ) -> Result<Listed<T>, StoreError> {
        let (mut found, mut after) = (Vec::new(), after);
        loop {
            let page = self.due_page(operation, pk.clone(), SortRange::All, limit, after).await?;
            found.extend(page.entries.iter().filter_map(|entry| read(&entry.key)));
            let Some(last) = page.next else { return Ok(Listed { found, next: None }) };
            if let Some(next) = read(&last.key) {
                return Ok(Listed { found, next: Some(next) });
            }
            // A page that ends with what a newer release wrote is gone on with here.
            after = Some(last);
        }
    }
}
