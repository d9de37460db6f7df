//! A table that counts its operations and their units.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::tests::World;
use ::tests::ports::MonitoredTable;
use async_trait::async_trait;
use store::Store;
use store::table::{
    FoundItems, IndexPage, IndexQuery, ItemKey, ItemPage, ItemTable, ItemWrite, StoredItem,
    TableError, TableQuery,
};

use crate::units::{
    ReadConsistency, count_index_units, count_read_halves, count_write_units, item_bytes,
};

/// The keys that DynamoDB reads in one request.
const BATCH_GET_MAX: usize = 100;

/// What the table was used for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableUse {
    /// Calls of `GetItem`.
    pub gets: usize,
    /// Calls of `BatchGetItem`.
    pub batch_gets: usize,
    /// Calls of `Query`, of the table and of its indexes.
    pub queries: usize,
    /// Calls of `PutItem`.
    pub puts: usize,
    /// Calls of `TransactWriteItems`.
    pub transactions: usize,
    /// Halves of read units.
    pub read_halves: usize,
    /// Write units.
    pub write_units: usize,
}

impl TableUse {
    /// All calls.
    pub fn calls(&self) -> usize {
        self.gets + self.batch_gets + self.queries + self.puts + self.transactions
    }
}

/// The counts of a table that counts. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct TableCounts(Arc<Mutex<TableUse>>);

impl TableCounts {
    /// Takes the counts since the last call.
    pub fn take_counts(&self) -> TableUse {
        std::mem::take(&mut *self.locked())
    }

    fn locked(&self) -> MutexGuard<'_, TableUse> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The table of a world, with counts.
#[derive(Debug, Clone)]
struct CountedTable {
    inner: MonitoredTable,
    counts: TableCounts,
}

/// Makes the engine of a world use a table that counts. Returns the counts.
pub fn count_table(world: &mut World) -> TableCounts {
    let counts = TableCounts::default();
    let inner = MonitoredTable { table: world.table.clone(), io: world.io.clone() };
    let table = CountedTable { inner, counts: counts.clone() };
    world.engine.store = Store::new(Arc::new(table));
    counts
}

impl CountedTable {
    /// The units of one write. Reads the item that it replaces, without counting that.
    async fn units_of_write(
        &self,
        write: &ItemWrite,
        in_transaction: bool,
    ) -> Result<usize, TableError> {
        let before = self.inner.table.get(write.item_key()).await?;
        let after = if let ItemWrite::Put { item, expect } = write {
            Some(item.clone().into_stored(expect.next_version()))
        } else {
            None
        };
        let bytes = |item: Option<&StoredItem>| item.map_or(0, item_bytes);
        let larger = bytes(before.as_ref()).max(bytes(after.as_ref()));
        let of_item = count_write_units(larger) * if in_transaction { 2 } else { 1 };
        Ok(of_item + count_index_units(before.as_ref(), after.as_ref()))
    }
}

#[async_trait]
impl ItemTable for CountedTable {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        let found = self.inner.get(key).await?;
        let bytes = found.as_ref().map_or(0, item_bytes);
        let mut counts = self.counts.locked();
        counts.gets += 1;
        counts.read_halves += count_read_halves(bytes, ReadConsistency::Strong);
        Ok(found)
    }

    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        let requests = keys.len().div_ceil(BATCH_GET_MAX);
        let found = self.inner.get_many(keys).await?;
        let halves = found.values().map(|item| {
            let bytes = item.as_ref().map_or(0, item_bytes);
            count_read_halves(bytes, ReadConsistency::Strong)
        });
        let mut counts = self.counts.locked();
        counts.batch_gets += requests;
        counts.read_halves += halves.sum::<usize>();
        Ok(found)
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        // A single delete is a transaction, too: see `store::dynamo`.
        let is_transaction = !matches!(writes.as_slice(), [ItemWrite::Put { .. }]);
        let mut units = 0;
        for write in &writes {
            units += self.units_of_write(write, is_transaction).await?;
        }
        {
            // A refused write costs as much as one that is performed.
            let mut counts = self.counts.locked();
            if is_transaction {
                counts.transactions += 1;
            } else {
                counts.puts += 1;
            }
            counts.write_units += units;
        }
        self.inner.write_items(writes).await
    }

    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        let page = self.inner.query_items(query).await?;
        let bytes = page.items.iter().map(item_bytes).sum();
        let mut counts = self.counts.locked();
        counts.queries += 1;
        counts.read_halves += count_read_halves(bytes, ReadConsistency::Strong);
        Ok(page)
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        let page = self.inner.query_index(query).await?;
        let entries = page.entries.iter().map(|entry| {
            let (index, key) = (&entry.index, &entry.key);
            index.pk.len() + index.sk.len() + key.pk.len() + key.sk.len()
        });
        let bytes = entries.sum();
        let mut counts = self.counts.locked();
        counts.queries += 1;
        counts.read_halves += count_read_halves(bytes, ReadConsistency::Eventual);
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use ::tests::io_monitor::{IoMonitor, run};
    use store::memory::MemoryTable;
    use store::table::{ItemVersion, NewItem, WriteExpectation};

    use super::*;

    fn counted() -> CountedTable {
        let inner = MonitoredTable { table: MemoryTable::new(), io: IoMonitor::default() };
        CountedTable { inner, counts: TableCounts::default() }
    }

    fn put(sk: &str, record_bytes: usize, expect: WriteExpectation) -> ItemWrite {
        let item = NewItem::new(ItemKey::new("A", sk), "r".repeat(record_bytes));
        ItemWrite::Put { item, expect }
    }

    #[test]
    fn each_operation_is_counted_with_its_units() {
        let table = counted();
        run(table.write_items(vec![put("1", 2_000, WriteExpectation::Absent)])).unwrap().unwrap();
        let used = table.counts.take_counts();
        assert_eq!((used.puts, used.transactions, used.write_units), (1, 0, 3));

        run(table.get(&ItemKey::new("A", "1"))).unwrap().unwrap();
        run(table.get(&ItemKey::new("A", "2"))).unwrap().unwrap();
        let used = table.counts.take_counts();
        assert_eq!((used.gets, used.read_halves, used.calls()), (2, 4, 2));

        let keys = ["1", "2"].map(|sk| ItemKey::new("A", sk));
        run(table.get_many(keys.to_vec())).unwrap().unwrap();
        let used = table.counts.take_counts();
        assert_eq!((used.gets, used.batch_gets, used.read_halves, used.calls()), (0, 1, 4, 1));

        let two = vec![
            put("1", 100, WriteExpectation::Version(ItemVersion::FIRST)),
            put("2", 100, WriteExpectation::Absent),
        ];
        run(table.write_items(two)).unwrap().unwrap();
        let used = table.counts.take_counts();
        // The larger of the old and the new item counts, and twice in a transaction.
        assert_eq!((used.puts, used.transactions, used.write_units), (0, 1, 8));
    }

    #[test]
    fn a_refused_write_is_counted() {
        let table = counted();
        let unknown = WriteExpectation::Version(ItemVersion::FIRST);
        let refused = run(table.write_items(vec![put("1", 100, unknown)])).unwrap();
        assert!(matches!(refused, Err(TableError::Conflict)));
        assert_eq!(table.counts.take_counts().puts, 1);
    }
}
