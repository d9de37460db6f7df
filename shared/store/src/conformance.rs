//! The contract of a [`Table`] as checks that run against any implementation.
//!
//! A check panics if the table breaks the contract, and returns otherwise. Each check works in
//! partitions named after it, so checks can share one table. The table must be empty at the start.
//! No check waits: an index that lags is read again a limited number of times.

#![expect(clippy::missing_panics_doc, reason = "a check that fails panics; that is what it is for")]

pub mod indexes;
pub mod limits;
pub mod queries;
pub mod races;
pub mod transactions;
pub mod writes;

use crate::table::{Expect, Item, ItemKey, NewItem, Table, TableError, Version, Write};

/// Runs all checks in sequence.
pub async fn check_all(table: &dyn Table) {
    writes::check_all(table).await;
    transactions::check_all(table).await;
    races::check_all(table).await;
    queries::check_all(table).await;
    indexes::check_all(table).await;
    limits::check_all(table).await;
}

fn create(item: NewItem) -> Write {
    Write::Put { item, expect: Expect::Absent }
}

fn replace(item: NewItem, version: Version) -> Write {
    Write::Put { item, expect: Expect::Version(version) }
}

fn delete(key: &ItemKey, version: Version) -> Write {
    Write::Delete { key: key.clone(), expect: version }
}

async fn done(table: &dyn Table, writes: Vec<Write>) {
    let first = first_key(&writes);
    let outcome = table.write(writes).await;
    assert!(matches!(outcome, Ok(())), "{first}: not written: {outcome:?}");
}

async fn refused(table: &dyn Table, writes: Vec<Write>) {
    let first = first_key(&writes);
    let outcome = table.write(writes).await;
    assert!(matches!(outcome, Err(TableError::Conflict)), "{first}: not refused: {outcome:?}");
}

/// The first key names the check, because partitions are named after checks.
fn first_key(writes: &[Write]) -> String {
    writes.first().map(|write| write.key().to_string()).unwrap_or_default()
}

async fn read(table: &dyn Table, key: &ItemKey) -> Option<Item> {
    table.get(key).await.expect("the table answers a read")
}

async fn version_of(table: &dyn Table, key: &ItemKey) -> Option<u64> {
    read(table, key).await.map(|item| item.version.number())
}
