//! Rows that are overdue, parked or given up, or that must be checked again. They come from the
//! `due` index, which lags behind the table. Entries may be outdated: read the row before deciding
//! anything.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use domain::ids::{AccountId, GrantId, Ledger};
use domain::mapping::MappingKey;
use futures::future::try_join_all;
use jiff::Timestamp;

use crate::keys::{self, SweptList};
use crate::records::SweepCursor;
use crate::results::{StoreError, VersionedRecord};
use crate::store::Store;
use crate::table::{IndexEntry, IndexPage, IndexQuery, SortOrder, SortRange, TableIndex};

/// The progress of a scan over the entries of one ledger, in all shards at once.
#[derive(Debug, Clone)]
pub struct LedgerScan {
    /// The shards that have further entries, each with the last entry that was read.
    unread: BTreeMap<u32, Option<MappingKey>>,
}

impl LedgerScan {
    /// A scan that has read nothing yet.
    pub fn new() -> Self {
        Self { unread: (0..keys::SHARDS).map(|shard| (shard, None)).collect() }
    }

    /// Whether every entry was read.
    pub fn is_done(&self) -> bool {
        self.unread.is_empty()
    }
}

impl Default for LedgerScan {
    fn default() -> Self {
        Self::new()
    }
}

/// A page of a partition of the `due` index.
#[derive(Debug, Clone)]
pub(crate) struct DueQuery {
    /// What the page is read for, as errors name it.
    pub(crate) operation: &'static str,
    pub(crate) pk: String,
    pub(crate) range: SortRange,
    pub(crate) limit: NonZeroU16,
    /// The entry after which the page begins.
    pub(crate) after: Option<IndexEntry>,
}

/// An entry whose due time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DueEntry {
    /// A mapping that waits, or whose lease has ended.
    Mapping {
        /// Its key.
        key: MappingKey,
        /// Since when it is due.
        at: Timestamp,
    },
    /// An account with an undelivered event.
    Outbox(AccountId),
    /// An account whose connection must be checked again.
    Connection(AccountId),
    /// A grant whose last refresh has an unknown outcome.
    Grant(GrantId),
}

impl Store {
    /// Returns the parked mappings of a ledger, at most `limit` per shard.
    pub async fn list_parked(
        &self,
        ledger: &Ledger,
        limit: NonZeroU16,
    ) -> Result<Vec<MappingKey>, StoreError> {
        self.list_in_ledger("find parked mappings", keys::parked_partition, ledger, limit).await
    }

    /// Returns the next parked mappings of a ledger, at most `limit` per shard, and advances the
    /// scan.
    pub async fn list_parked_page(
        &self,
        ledger: &Ledger,
        scan: &mut LedgerScan,
        limit: NonZeroU16,
    ) -> Result<Vec<MappingKey>, StoreError> {
        let partition = keys::parked_partition;
        self.list_next_in_ledger("find parked mappings", partition, ledger, scan, limit).await
    }

    /// Returns the next mappings of a ledger that were given up, at most `limit` per shard, and
    /// advances the scan.
    pub async fn list_next_skipped(
        &self,
        ledger: &Ledger,
        scan: &mut LedgerScan,
        limit: NonZeroU16,
    ) -> Result<Vec<MappingKey>, StoreError> {
        let partition = keys::skipped_partition;
        self.list_next_in_ledger("find skipped mappings", partition, ledger, scan, limit).await
    }

    async fn list_next_in_ledger(
        &self,
        operation: &'static str,
        partition: fn(u32) -> String,
        ledger: &Ledger,
        scan: &mut LedgerScan,
        limit: NonZeroU16,
    ) -> Result<Vec<MappingKey>, StoreError> {
        let unread = std::mem::take(&mut scan.unread);
        let pages = unread.iter().map(|(shard, after)| {
            let after = after.as_ref().map(|key| keys::mapping_entry(partition, key));
            let (pk, range) = (partition(*shard), SortRange::Prefix(keys::ledger_prefix(ledger)));
            let query = DueQuery { operation, pk, range, limit, after };
            self.list_entries(query, keys::read_mapping)
        });
        let mut found = Vec::new();
        for (shard, page) in unread.keys().zip(try_join_all(pages).await?) {
            found.extend(page.found);
            if let Some(last) = page.next {
                scan.unread.insert(*shard, Some(last));
            }
        }
        Ok(found)
    }

    /// Returns entries of a shard, of all accounts, that are due before `before`, oldest first.
    pub async fn list_due(
        &self,
        shard: u32,
        before: Timestamp,
        limit: NonZeroU16,
    ) -> Result<Vec<DueEntry>, StoreError> {
        let query = DueQuery {
            operation: "find due rows",
            pk: keys::timed_partition(shard),
            range: SortRange::AtMost(keys::format_instant(before)),
            limit,
            after: None,
        };
        Ok(self.read_due_page(query).await?.entries.iter().filter_map(parse_due_entry).collect())
    }

    /// Returns the next parked mappings of a shard, of all accounts. Every call continues where the
    /// last one ended, and starts again at the end.
    pub async fn list_next_parked(
        &self,
        shard: u32,
        limit: NonZeroU16,
    ) -> Result<Vec<MappingKey>, StoreError> {
        self.list_next_of("find the next parked mappings", SweptList::Parked, shard, limit).await
    }

    /// Returns the next mappings of a shard that were given up, of all accounts. Every call continues
    /// where the last one ended, and starts again at the end.
    pub async fn list_next_given_up(
        &self,
        shard: u32,
        limit: NonZeroU16,
    ) -> Result<Vec<MappingKey>, StoreError> {
        self.list_next_of("find the next given-up mappings", SweptList::GivenUp, shard, limit).await
    }

    async fn list_next_of(
        &self,
        operation: &'static str,
        list: SweptList,
        shard: u32,
        limit: NonZeroU16,
    ) -> Result<Vec<MappingKey>, StoreError> {
        let partition: fn(u32) -> String = match list {
            SweptList::Parked => keys::parked_partition,
            SweptList::GivenUp => keys::skipped_partition,
        };
        let place: Option<VersionedRecord<SweepCursor>> =
            self.read_replaceable(operation, &keys::sweep_key(list, shard)).await?;
        let before = place.and_then(|place| place.record.after);
        let after = before.as_ref().map(|key| keys::mapping_entry(partition, key));
        let (pk, range) = (partition(shard), SortRange::All);
        let query = DueQuery { operation, pk, range, limit, after };
        let page = self.read_due_page(query).await?;
        let after = page.next.as_ref().and_then(|entry| keys::read_mapping(&entry.key));
        if after != before {
            self.replace_record(operation, &SweepCursor { list, shard, after }).await?;
        }
        Ok(mapping_keys(&page))
    }

    async fn list_in_ledger(
        &self,
        operation: &'static str,
        partition: fn(u32) -> String,
        ledger: &Ledger,
        limit: NonZeroU16,
    ) -> Result<Vec<MappingKey>, StoreError> {
        let shards = (0..keys::SHARDS).map(|shard| {
            let (pk, range) = (partition(shard), SortRange::Prefix(keys::ledger_prefix(ledger)));
            self.read_due_page(DueQuery { operation, pk, range, limit, after: None })
        });
        Ok(try_join_all(shards).await?.iter().flat_map(mapping_keys).collect())
    }

    pub(crate) async fn read_due_page(&self, query: DueQuery) -> Result<IndexPage, StoreError> {
        let DueQuery { operation, pk, range, limit, after } = query;
        let query = IndexQuery {
            index: TableIndex::Due,
            pk,
            range,
            order: SortOrder::Ascending,
            limit,
            after,
        };
        let page = self.table.query_index(query).await;
        page.map_err(|source| StoreError::Table { operation, source })
    }
}

fn parse_due_entry(entry: &IndexEntry) -> Option<DueEntry> {
    let mapping = keys::read_mapping(&entry.key).zip(keys::read_instant(entry));
    mapping
        .map(|(key, at)| DueEntry::Mapping { key, at })
        .or_else(|| keys::read_outbox(&entry.key).map(DueEntry::Outbox))
        .or_else(|| keys::read_connection(&entry.key).map(DueEntry::Connection))
        .or_else(|| keys::read_grant(&entry.key).map(DueEntry::Grant))
}

fn mapping_keys(page: &IndexPage) -> Vec<MappingKey> {
    page.entries.iter().filter_map(|entry| keys::read_mapping(&entry.key)).collect()
}
