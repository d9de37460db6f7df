//! An in-memory table: deterministic, without IO, and fast enough for thousands of simulated runs.
//! Its indexes do not lag.

mod rows;
mod sparse_index;

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;

use self::rows::Rows;
use crate::table::{
    IndexPage, IndexQuery, Item, ItemKey, Page, Query, Table, TableError, Write, admit,
};

/// A table that exists as long as its last clone. Clones share the items.
#[derive(Debug, Clone, Default)]
pub struct MemoryTable {
    rows: Arc<Mutex<Rows>>,
}

impl MemoryTable {
    /// A table without items.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns every item in the order of the keys, for tests of invariants.
    pub fn items(&self) -> Vec<Item> {
        self.rows().all().cloned().collect()
    }

    /// Resets the table to these [items](Self::items) with their versions, as a restore from a
    /// backup does.
    pub fn restore(&self, items: Vec<Item>) {
        *self.rows() = Rows::holding(items);
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().expect("nothing panics between a lock and its release")
    }
}

#[async_trait]
impl Table for MemoryTable {
    async fn get(&self, key: &ItemKey) -> Result<Option<Item>, TableError> {
        Ok(self.rows().get(key).cloned())
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), TableError> {
        admit(&writes)?;
        let mut rows = self.rows();
        if !writes.iter().all(|write| rows.permit(write)) {
            return Err(TableError::Conflict);
        }
        for write in writes {
            rows.apply(write);
        }
        Ok(())
    }

    async fn query(&self, query: Query) -> Result<Page, TableError> {
        Ok(self.rows().page(query))
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        Ok(self.rows().index_page(query))
    }
}
