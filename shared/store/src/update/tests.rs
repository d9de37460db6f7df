//! Tests of changes that conflict with other processes.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use domain::matching::{MatchEvidence, MatchingSettings};

use super::*;
use crate::memory::MemoryTable;
use crate::table::TableError;
use crate::tests::{an_account, complete};

fn a_store() -> Store {
    Store::new(Arc::new(MemoryTable::new()))
}

fn kept(count: u32) -> KeptRecords {
    KeptRecords { account: an_account(), count }
}

fn read(store: &Store) -> Option<VersionedRecord<KeptRecords>> {
    complete(store.find_kept_records(&an_account())).unwrap()
}

/// Adds records as another process would.
fn add_concurrently(store: &Store, count: u32) {
    let known = read(store);
    let expect = WriteExpectation::from(known.as_ref().map(|row| row.version));
    let sum = kept(known.map_or(0, |row| row.record.count) + count);
    complete(store.put_kept_records(&sum, expect)).unwrap();
}

#[test]
fn a_change_is_decided_again_from_what_another_process_wrote() {
    let (store, account) = (a_store(), an_account());
    let updated = store.update_kept_records(&account, |known| {
        if known.is_none() {
            add_concurrently(&store, 5);
        }
        Ok::<_, ()>(kept(known.map_or(0, |row| row.count) + 2))
    });
    assert_eq!(complete(updated).unwrap(), Ok(kept(7)));
    assert_eq!(read(&store).unwrap().record, kept(7));
}

#[test]
fn a_declined_change_writes_nothing_and_returns_the_reason() {
    let (store, account) = (a_store(), an_account());
    let updated = store.update_kept_records(&account, |_| Err("no room"));
    assert_eq!(complete(updated).unwrap(), Err("no room"));
    assert_eq!(read(&store), None);
}

#[test]
fn a_change_fails_with_a_conflict_if_the_row_keeps_changing() {
    let (store, account, decisions) = (a_store(), an_account(), Cell::new(0));
    let updated = store.update_kept_records(&account, |_| {
        decisions.set(decisions.get() + 1);
        add_concurrently(&store, 1);
        Ok::<_, ()>(kept(100))
    });
    let updated = complete(updated);
    assert!(matches!(updated, Err(StoreError::Conflict)), "{updated:?}");
    assert_eq!(decisions.get(), CONFLICTS_MAX + 1);
    assert_eq!(read(&store).unwrap().record, kept(CONFLICTS_MAX + 1));
}

#[test]
fn settings_are_replaced_at_the_expected_version_and_at_no_other() {
    let (store, account) = (a_store(), an_account());
    let settings = MatchingSettings { automatic: BTreeSet::from([MatchEvidence::Email]) };
    for (expected, is_written) in [
        (Some(1), false),
        (Some(0), true),
        (Some(0), false),
        (Some(1), true),
        (None, true),
        (Some(2), false),
        (Some(3), true),
    ] {
        let replaced = store.replace_matching_settings(&account, settings.clone(), expected);
        assert_eq!(complete(replaced).unwrap(), is_written, "{expected:?}");
    }
    let found = complete(store.find_matching_settings(&account)).unwrap();
    assert_eq!((found.value, found.version), (settings, 4));
}

#[test]
fn only_a_conflict_is_tried_again() {
    let mut conflicts = ConflictLimit::default();
    let source = TableError::TooMany { writes: 101 };
    let error = StoreError::TooLarge { operation: "write the mapping", source };
    let result = conflicts.allow_retry(error);
    assert!(matches!(result, Err(StoreError::TooLarge { .. })), "{result:?}");
    assert!(conflicts.allow_retry(StoreError::Conflict).is_ok());
}
