//! Tests of rows that are read ahead: how often they answer, and what writes change.

use domain::activity::AccountActivity;
use jiff::Timestamp;

use super::*;
use crate::memory::MemoryTable;
use crate::results::VersionedRecord;
use crate::tests::{an_account, complete};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// Writes an attempt of the account at this instant, as an attempt in any process does.
fn attempt(store: &Store, seconds: i64) {
    let account = an_account();
    let written = store.update_activity(&account, |known| {
        Some(AccountActivity::after_attempts(known.as_ref(), account.clone(), true, at(seconds)))
    });
    complete(written).unwrap();
}

fn read(store: &Store) -> Option<Timestamp> {
    let row: Option<VersionedRecord<AccountActivity>> =
        complete(store.find_activity(&an_account())).unwrap();
    row.map(|row| row.record.last_attempt_at)
}

/// A store that has read the activity ahead, for this number of reads, and another row.
fn ahead(store: &Store, reads: u32) -> Store {
    let mut rows = ReadAheadKeys::default();
    for _ in 0..reads {
        rows.add_activity(&an_account());
    }
    rows.add_connection(&an_account());
    complete(store.read_ahead(rows)).unwrap()
}

#[test]
fn a_row_that_was_read_ahead_answers_as_many_reads_as_were_asked_for() {
    let store = Store::new(Arc::new(MemoryTable::new()));
    attempt(&store, 10);
    let ahead = ahead(&store, 2);
    attempt(&store, 20);
    let seen = [(); 3].map(|()| read(&ahead));
    assert_eq!(seen, [Some(at(10)), Some(at(10)), Some(at(20))]);
}

#[test]
fn a_single_row_is_read_ahead_if_it_is_read_more_than_once() {
    for (reads, expected) in [(1, at(20)), (2, at(10))] {
        let store = Store::new(Arc::new(MemoryTable::new()));
        attempt(&store, 10);
        let mut rows = ReadAheadKeys::default();
        for _ in 0..reads {
            rows.add_activity(&an_account());
        }
        let ahead = complete(store.read_ahead(rows)).unwrap();
        attempt(&store, 20);
        assert_eq!(read(&ahead), Some(expected), "{reads}");
    }
}

#[test]
fn a_read_without_read_ahead_shows_every_earlier_write() {
    let store = Store::new(Arc::new(MemoryTable::new()));
    let ahead = ahead(&store, 1);
    attempt(&store, 20);
    assert_eq!(read(&ahead.without_read_ahead()), Some(at(20)));
    assert_eq!(read(&ahead), None);
}

#[test]
fn a_change_of_a_row_that_has_changed_since_is_decided_again_from_the_table() {
    let store = Store::new(Arc::new(MemoryTable::new()));
    let ahead = ahead(&store, 9);
    attempt(&store, 20);
    attempt(&ahead, 10);
    assert_eq!(read(&store), Some(at(20)));
    assert_eq!(read(&ahead), Some(at(20)));
}

#[test]
fn own_writes_are_known_whichever_store_they_are_made_with() {
    let store = Store::new(Arc::new(MemoryTable::new()));
    let outer = ahead(&store, 3);
    let inner = ahead(&outer, 1);
    attempt(&inner.without_read_ahead(), 10);
    assert_eq!((read(&inner), read(&outer)), (Some(at(10)), Some(at(10))));
}
