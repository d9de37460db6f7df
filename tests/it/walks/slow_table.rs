//! A table in which reading some pages takes time.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use store::Store;
use store::table::{
    FoundItems, IndexPage, IndexQuery, ItemKey, ItemPage, ItemTable, ItemWrite, SortRange,
    StoredItem, TableError, TableQuery,
};
use tests::World;
use tests::ports::{GatedTable, VirtualClock};

#[derive(Debug, Clone)]
struct SlowTable {
    table: GatedTable,
    clock: VirtualClock,
    /// Whether reading a page takes time: its partition and the prefix of its sort keys.
    is_slow: fn(&str) -> bool,
    page_takes: SignedDuration,
}

impl SlowTable {
    fn read_page(&self, pk: &str, range: &SortRange) {
        let prefix = match range {
            SortRange::Prefix(prefix) => prefix.as_str(),
            SortRange::All
            | SortRange::AtLeast(_)
            | SortRange::AtMost(_)
            | SortRange::Between { .. } => "",
        };
        if (self.is_slow)(&format!("{pk} {prefix}")) {
            self.clock.advance(self.page_takes);
        }
    }
}

#[async_trait]
impl ItemTable for SlowTable {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        self.table.get(key).await
    }

    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        self.table.get_many(keys).await
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        self.table.write_items(writes).await
    }

    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        self.read_page(&query.pk, &query.range);
        self.table.query_items(query).await
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.read_page(&query.pk, &query.range);
        self.table.query_index(query).await
    }
}

/// The world, in which reading a page takes time if `is_slow` returns true for its partition and the
/// prefix of its sort keys, separated by a space.
pub(super) fn slow(
    mut world: World,
    is_slow: fn(&str) -> bool,
    page_takes: SignedDuration,
) -> World {
    let table = GatedTable { table: world.table.clone(), gate: world.gate.clone() };
    let clock = world.clock.clone();
    world.engine.store = Store::new(Arc::new(SlowTable { table, clock, is_slow, page_takes }));
    world
}
