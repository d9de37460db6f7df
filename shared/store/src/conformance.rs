//! The contract of an [`ItemTable`] as checks that run against any implementation.
//!
//! A check panics if the table breaks the contract, and returns otherwise. Each check works in
//! partitions named after it, so checks can share one table. The table must be empty at the start.
//! No check waits: an index that lags is read again a limited number of times.

#![expect(clippy::missing_panics_doc, reason = "a check that fails panics; that is what it is for")]

pub mod batches;
pub mod indexes;
pub mod limits;
pub mod queries;
pub mod races;
pub mod transactions;
pub mod writes;

use crate::table::{
    ItemKey, ItemTable, ItemVersion, ItemWrite, NewItem, StoredItem, TableError, WriteExpectation,
};

/// Runs all checks in sequence.
pub async fn check_all(table: &dyn ItemTable) {
    writes::check_all(table).await;
    transactions::check_all(table).await;
    batches::check_all(table).await;
    races::check_all(table).await;
    queries::check_all(table).await;
    indexes::check_all(table).await;
    limits::check_all(table).await;
}

fn create(item: NewItem) -> ItemWrite {
    ItemWrite::Put { item, expect: WriteExpectation::Absent }
}

fn replace(item: NewItem, version: ItemVersion) -> ItemWrite {
    ItemWrite::Put { item, expect: WriteExpectation::Version(version) }
}

fn delete(key: &ItemKey, version: ItemVersion) -> ItemWrite {
    ItemWrite::Delete { key: key.clone(), expect: version }
}

fn check_item(key: &ItemKey, expect: WriteExpectation) -> ItemWrite {
    ItemWrite::Check { key: key.clone(), expect }
}

async fn done(table: &dyn ItemTable, writes: Vec<ItemWrite>) {
    let first = first_key(&writes);
    let outcome = table.write_items(writes).await;
    assert!(matches!(outcome, Ok(())), "{first}: not written: {outcome:?}");
}

async fn refused(table: &dyn ItemTable, writes: Vec<ItemWrite>) {
    let first = first_key(&writes);
    let outcome = table.write_items(writes).await;
    assert!(matches!(outcome, Err(TableError::Conflict)), "{first}: not refused: {outcome:?}");
}

/// The first key names the check, because partitions are named after checks.
fn first_key(writes: &[ItemWrite]) -> String {
    writes.first().map(|write| write.item_key().to_string()).unwrap_or_default()
}

async fn read(table: &dyn ItemTable, key: &ItemKey) -> Option<StoredItem> {
    table.get(key).await.expect("the table answers a read")
}

async fn version_of(table: &dyn ItemTable, key: &ItemKey) -> Option<u64> {
    read(table, key).await.map(|item| item.version.as_number())
}
