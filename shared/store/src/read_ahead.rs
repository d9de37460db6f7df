//! Rows that are read together before they are used one by one.
//!
//! A row that was read ahead answers a limited number of reads. To its reader it is a row that was
//! read a moment earlier than usual, so code that writes on the condition of a version needs no
//! change. Code that must see every earlier write, such as a check after a write, uses
//! [`Store::without_read_ahead`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::entity::EntityKind;
use domain::ids::{AccountId, Ledger, TenantId, XeroId};
use domain::mapping::MappingKey;

use crate::keys::{self, SweptList};
use crate::results::StoreError;
use crate::store::Store;
use crate::table::{
    FoundItems, IndexPage, IndexQuery, ItemKey, ItemPage, ItemTable, ItemWrite, StoredItem,
    TableError, TableQuery,
};

/// The rows to read ahead, each with the number of reads that it is to answer.
#[derive(Debug, Clone, Default)]
pub struct ReadAheadKeys(BTreeMap<ItemKey, u32>);

impl ReadAheadKeys {
    /// Adds one read of a mapping.
    pub fn add_mapping(&mut self, key: &MappingKey) {
        self.add_read(keys::mapping_key(key));
        // The mapping of a negative invoice may be stored under an earlier form of its id.
        if let Some(earlier) = key.earlier_form() {
            self.add_read(keys::mapping_key(&earlier));
        }
    }

    /// Adds one read of the record to which a Xero document belongs.
    pub fn add_linked_record(&mut self, ledger: &Ledger, kind: EntityKind, xero_id: XeroId) {
        self.add_read(keys::reverse_link_key(ledger, kind, xero_id));
    }

    /// Adds one read of an account's connection.
    pub fn add_connection(&mut self, account: &AccountId) {
        self.add_read(keys::connection_key(account));
    }

    /// Adds one read of the account codes that an account has chosen.
    pub fn add_account_codes(&mut self, account: &AccountId) {
        self.add_read(keys::settings_key(account));
    }

    /// Adds one read of the stored chart of a ledger.
    pub fn add_chart(&mut self, ledger: &Ledger) {
        self.add_read(keys::chart_key(ledger));
    }

    /// Adds one read of the count of calls on an organisation.
    pub fn add_call_budget(&mut self, tenant: TenantId) {
        self.add_read(keys::call_budget_key(tenant));
    }

    /// Adds one read of when an account's records were last attempted.
    pub fn add_activity(&mut self, account: &AccountId) {
        self.add_read(keys::activity_key(account));
    }

    /// Adds one read of the progress of polling a ledger.
    pub fn add_poll_progress(&mut self, ledger: &Ledger) {
        self.add_read(keys::poll_progress_key(ledger));
    }

    /// Adds one read of where the last sweep stopped in each shard of each list.
    pub fn add_sweep_cursors(&mut self) {
        for list in [SweptList::Parked, SweptList::GivenUp] {
            for shard in 0..keys::SHARDS {
                self.add_read(keys::sweep_key(list, shard));
            }
        }
    }

    fn add_read(&mut self, key: ItemKey) {
        *self.0.entry(key).or_insert(0) += 1;
    }
}

impl Store {
    /// Reads rows together. Returns a store with which they need not be read again. A single read is
    /// left to its reader.
    pub async fn read_ahead(&self, rows: ReadAheadKeys) -> Result<Self, StoreError> {
        const OPERATION: &str = "read rows ahead";
        let ReadAheadKeys(reads) = rows;
        if reads.values().sum::<u32>() < 2 {
            return Ok(self.clone());
        }
        let found = self.table.get_many(reads.keys().cloned().collect()).await;
        let found = found.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
        let known = found.into_iter().filter_map(|(key, item)| {
            let reads = *reads.get(&key)?;
            Some((key, KnownRow { item, reads }))
        });
        let known = Arc::new(KnownRows(Mutex::new(known.collect())));
        let over = |table: &Arc<dyn ItemTable>, is_answering: bool| -> Arc<dyn ItemTable> {
            Arc::new(ReadAheadTable { table: table.clone(), known: known.clone(), is_answering })
        };
        Ok(Self { table: over(&self.table, true), fresh: over(&self.fresh, false) })
    }

    /// Returns a store whose reads show every earlier write.
    #[must_use]
    pub fn without_read_ahead(&self) -> Self {
        Self { table: self.fresh.clone(), fresh: self.fresh.clone() }
    }
}

/// A row that was read ahead.
#[derive(Debug)]
struct KnownRow {
    item: Option<StoredItem>,
    /// The number of reads that it still answers, at least 1.
    reads: u32,
}

/// The rows that were read ahead.
#[derive(Debug)]
struct KnownRows(Mutex<BTreeMap<ItemKey, KnownRow>>);

impl KnownRows {
    /// Returns a row for a read, if it is known.
    fn take_read(&self, key: &ItemKey) -> Option<KnownRow> {
        let mut rows = self.lock_rows();
        let row = rows.remove(key)?;
        if row.reads > 1 {
            rows.insert(key.clone(), KnownRow { item: row.item.clone(), reads: row.reads - 1 });
        }
        Some(row)
    }

    /// Forgets the rows of these writes, because it is unknown until their end what the rows hold.
    /// Returns what they hold if the writes succeed.
    fn forget_rows(&self, writes: &[ItemWrite]) -> Vec<(ItemKey, KnownRow)> {
        let mut rows = self.lock_rows();
        let mut forgotten = Vec::new();
        for write in writes {
            let Some(KnownRow { item, reads }) = rows.remove(write.item_key()) else { continue };
            let item = match write {
                ItemWrite::Put { item, expect } => {
                    Some(item.clone().into_stored(expect.next_version()))
                }
                ItemWrite::Delete { .. } => None,
                ItemWrite::Check { .. } => item,
            };
            forgotten.push((write.item_key().clone(), KnownRow { item, reads }));
        }
        forgotten
    }

    fn remember_rows(&self, forgotten: Vec<(ItemKey, KnownRow)>) {
        self.lock_rows().extend(forgotten);
    }

    fn lock_rows(&self) -> MutexGuard<'_, BTreeMap<ItemKey, KnownRow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A table some of whose rows were read ahead.
#[derive(Debug)]
struct ReadAheadTable {
    table: Arc<dyn ItemTable>,
    known: Arc<KnownRows>,
    /// Whether known rows answer reads. Writes update them in any case.
    is_answering: bool,
}

impl ReadAheadTable {
    fn take_read(&self, key: &ItemKey) -> Option<KnownRow> {
        if self.is_answering { self.known.take_read(key) } else { None }
    }
}

#[async_trait]
impl ItemTable for ReadAheadTable {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        match self.take_read(key) {
            Some(row) => Ok(row.item),
            None => self.table.get(key).await,
        }
    }

    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        let (mut found, mut unknown) = (FoundItems::new(), Vec::new());
        for key in keys {
            match self.take_read(&key) {
                Some(row) => drop(found.insert(key, row.item)),
                None => unknown.push(key),
            }
        }
        if !unknown.is_empty() {
            found.extend(self.table.get_many(unknown).await?);
        }
        Ok(found)
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        let forgotten = self.known.forget_rows(&writes);
        self.table.write_items(writes).await?;
        self.known.remember_rows(forgotten);
        Ok(())
    }

    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        self.table.query_items(query).await
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.table.query_index(query).await
    }
}

#[cfg(test)]
mod tests;
