//! The contract of a [`Table`], as checks that run over any implementation.
//!
//! A check panics when the table breaks the contract and returns when it keeps it. Each works in
//! partitions of its own, named after it, so they can share one table; the table must be empty at
//! the start. Nothing here waits: an index that follows late is asked again a bounded number of
//! times.

#![expect(clippy::missing_panics_doc, reason = "a check that fails panics; that is what it is for")]

pub mod indexes;
pub mod limits;
pub mod queries;
pub mod races;
pub mod transactions;
pub mod writes;

use crate::table::{Expect, Item, ItemKey, NewItem, Table, TableError, Version, Write};

/// Every check, one after the other.
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

/// Partitions are named after the checks, so a key in a message leads to the check.
fn first_key(writes: &[Write]) -> String {
    writes.first().map(|write| write.key().to_string()).unwrap_or_default()
}

async fn read(table: &dyn Table, key: &ItemKey) -> Option<Item> {
    table.get(key).await.expect("the table answers a read")
}

async fn version_of(table: &dyn Table, key: &ItemKey) -> Option<u64> {
    read(table, key).await.map(|item| item.version.number())
}
