//! An in-memory table: deterministic, without IO, and fast enough for thousands of simulated runs.
//! Its indexes do not lag.

mod rows;
mod sparse_index;

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;

use self::rows::MemoryRows;
use crate::table::{
    FoundItems, IndexPage, IndexQuery, ItemKey, ItemPage, ItemTable, ItemWrite, StoredItem,
    TableError, TableQuery, check_limits,
};

/// A table that exists as long as its last clone. Clones share the items.
#[derive(Debug, Clone, Default)]
pub struct MemoryTable {
    rows: Arc<Mutex<MemoryRows>>,
}

impl MemoryTable {
    /// A table without items.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns every item in the order of the keys, for tests of invariants.
    pub fn all_items(&self) -> Vec<StoredItem> {
        self.lock_rows().iter_items().cloned().collect()
    }

    /// Resets the table to these [items](Self::all_items) with their versions, as a restore from a
    /// backup does.
    pub fn restore_items(&self, items: Vec<StoredItem>) {
        *self.lock_rows() = MemoryRows::from_items(items);
    }

    fn lock_rows(&self) -> MutexGuard<'_, MemoryRows> {
        self.rows.lock().expect("nothing panics between a lock and its release")
    }
}

#[async_trait]
impl ItemTable for MemoryTable {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        Ok(self.lock_rows().get(key).cloned())
    }

    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        let rows = self.lock_rows();
        let read = |key: ItemKey| {
            let item = rows.get(&key).cloned();
            (key, item)
        };
        Ok(keys.into_iter().map(read).collect())
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        check_limits(&writes)?;
        let mut rows = self.lock_rows();
        if !writes.iter().all(|write| rows.allows_write(write)) {
            return Err(TableError::Conflict);
        }
        for write in writes {
            rows.apply_write(write);
        }
        Ok(())
    }

    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        Ok(self.lock_rows().query_page(query))
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        Ok(self.lock_rows().query_index_page(query))
    }
}
