//! A table in which reading some pages takes time.

use async_trait::async_trait;
use jiff::SignedDuration;
use store::table::{SortRange, TableError};
use tests::World;
use tests::ports::{
    InterceptedTable, MonitoredTable, TableInterception, TableRequest, VirtualClock,
};

#[derive(Debug)]
struct SlowTable {
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
impl TableInterception for SlowTable {
    async fn intercept_request(&self, request: TableRequest<'_>) -> Result<(), TableError> {
        match request {
            TableRequest::Query(query) => self.read_page(&query.pk, &query.range),
            TableRequest::QueryIndex(query) => self.read_page(&query.pk, &query.range),
            TableRequest::Get(_) | TableRequest::GetMany(_) | TableRequest::Write(_) => {}
        }
        Ok(())
    }
}

/// The world, in which reading a page takes time if `is_slow` returns true for its partition and the
/// prefix of its sort keys, separated by a space.
pub(super) fn slow(
    mut world: World,
    is_slow: fn(&str) -> bool,
    page_takes: SignedDuration,
) -> World {
    let table = MonitoredTable { table: world.table.clone(), io: world.io.clone() };
    let slow_table = SlowTable { clock: world.clock.clone(), is_slow, page_takes };
    world.engine.store = InterceptedTable::store_on(table, slow_table);
    world
}
