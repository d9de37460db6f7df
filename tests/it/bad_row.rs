//! A table with one bad row: only operations that read or write that row fail.

use std::sync::Arc;

use async_trait::async_trait;
use store::Store;
use store::table::{
    CorruptItem, FoundItems, IndexPage, IndexQuery, ItemKey, ItemPage, ItemTable, ItemWrite,
    MAX_ITEM_BYTES, StoredItem, TableError, TableQuery,
};
use tests::World;
use tests::ports::MonitoredTable;

const REASON: &str = "the bad row was read";

/// What happens when the bad row is accessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFault {
    /// Every access panics.
    Panics,
    /// Every access finds it corrupt.
    IsCorrupt,
    /// Every access finds the table unreachable.
    IsOutOfReach,
    /// It is too large to be written. Reads succeed.
    IsTooLarge,
    /// Reading it stops the function: it ran out of memory or time, or crashed.
    StopsTheFunction,
}

impl RowFault {
    fn check_access(self, key: &ItemKey) -> Result<(), TableError> {
        match self {
            Self::Panics => panic!("{REASON}"),
            Self::IsCorrupt => Err(TableError::Corrupt { key: key.clone(), reason: REASON }),
            Self::IsOutOfReach => Err(TableError::Unavailable {
                operation: "a step of the test",
                source: REASON.into(),
            }),
            Self::IsTooLarge | Self::StopsTheFunction => Ok(()),
        }
    }
}

/// A table with one bad row.
#[derive(Debug)]
struct BadRow {
    inner: MonitoredTable,
    /// Its sort key.
    row: String,
    fault: RowFault,
}

impl BadRow {
    fn check(&self, key: &ItemKey) -> Result<(), TableError> {
        if key.sk == self.row { self.fault.check_access(key) } else { Ok(()) }
    }

    async fn read(&self, key: &ItemKey) -> Result<(), TableError> {
        if self.fault == RowFault::StopsTheFunction && key.sk == self.row {
            std::future::pending::<()>().await;
        }
        self.check(key)
    }
}

#[async_trait]
impl ItemTable for BadRow {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        self.read(key).await?;
        self.inner.get(key).await
    }

    /// A corrupt row is left out, as in DynamoDB. Any other fault fails the read.
    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        let mut readable = Vec::with_capacity(keys.len());
        for key in keys {
            match self.read(&key).await {
                Ok(()) => readable.push(key),
                Err(TableError::Corrupt { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.inner.get_many(readable).await
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        for write in &writes {
            self.check(write.item_key())?;
            if self.fault == RowFault::IsTooLarge && write.item_key().sk == self.row {
                let (bytes, limit) = (MAX_ITEM_BYTES + 1, MAX_ITEM_BYTES);
                return Err(TableError::TooLarge { bytes, limit });
            }
        }
        self.inner.write_items(writes).await
    }

    /// A corrupt row does not fail its page, as in DynamoDB. Any other fault does.
    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        let mut page = self.inner.query_items(query).await?;
        if let Some(place) = page.items.iter().position(|item| item.key.sk == self.row) {
            match self.fault.check_access(&page.items[place].key) {
                Err(TableError::Corrupt { key, reason }) => {
                    page.items.remove(place);
                    page.corrupt.push(CorruptItem { key, reason });
                }
                result => result?,
            }
        }
        Ok(page)
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.inner.query_index(query).await
    }
}

/// Makes the row with this sort key a bad one, whether or not it exists already.
pub fn make_row_bad(world: &mut World, row: &str, fault: RowFault) {
    let inner = MonitoredTable { table: world.table.clone(), io: world.io.clone() };
    let table = BadRow { inner, row: row.to_owned(), fault };
    world.engine.store = Store::new(Arc::new(table));
}
