//! Tests of rows without which work is done again.

use std::sync::Arc;

use domain::ids::{Ledger, TenantId};
use domain::line_values::TrackingCatalogue;
use futures::future::join;
use uuid::Uuid;

use super::*;
use crate::keys::SweptList;
use crate::memory::MemoryTable;
use crate::table::{ItemTable as _, NewItem};
use crate::tests::{an_account, complete};

/// A store whose row with this key cannot be read.
fn with_unreadable_row(key: ItemKey) -> Store {
    let table = MemoryTable::new();
    let item = NewItem::new(key, "7");
    let write = ItemWrite::Put { item, expect: WriteExpectation::Absent };
    complete(table.write_items(vec![write])).unwrap();
    Store::new(Arc::new(table))
}

#[test]
fn upgrades_that_are_recorded_at_the_same_time_are_both_kept() {
    let store = Store::new(Arc::new(MemoryTable::new()));
    let both = join(store.put_upgraded("first"), store.put_upgraded("second"));
    let (first, second) = complete(both);
    first.unwrap();
    second.unwrap();
    for step in ["first", "second"] {
        assert!(complete(store.is_upgraded(step)).unwrap(), "{step}");
    }
}

#[test]
fn upgrades_that_cannot_be_read_are_not_done_and_recorded_again() {
    let store = with_unreadable_row(keys::upgrades_key());
    assert!(!complete(store.is_upgraded("first")).unwrap());
    complete(store.put_upgraded("first")).unwrap();
    assert!(complete(store.is_upgraded("first")).unwrap());
}

#[test]
fn a_cleanup_whose_progress_cannot_be_read_begins_anew_and_records_it_again() {
    let store = with_unreadable_row(keys::cleanup_key());
    assert_eq!(complete(store.find_cleanup_cursor()).unwrap(), None);
    let stopped = Some((3, Some(an_account())));
    complete(store.put_cleanup_cursor(stopped.clone())).unwrap();
    assert_eq!(complete(store.find_cleanup_cursor()).unwrap(), stopped);
}

#[test]
fn a_sweep_whose_progress_cannot_be_read_begins_anew() {
    let limit = NonZeroU16::new(10).unwrap();
    let store = with_unreadable_row(keys::sweep_key(SweptList::Parked, 0));
    assert!(complete(store.list_next_parked(0, limit)).unwrap().is_empty());
    let store = with_unreadable_row(keys::sweep_key(SweptList::GivenUp, 0));
    assert!(complete(store.list_next_given_up(0, limit)).unwrap().is_empty());
}

#[test]
fn tracking_categories_that_cannot_be_read_are_absent_and_stored_again() {
    let ledger = Ledger { account: an_account(), tenant: TenantId(Uuid::from_u128(1)) };
    let store = with_unreadable_row(keys::line_values_key(&ledger, "TRACKING"));
    assert_eq!(complete(store.find_tracking(&ledger)).unwrap(), None);
    let read_at = Timestamp::UNIX_EPOCH;
    let known = TrackingCatalogue { read_at, categories: Vec::new(), is_partial: false };
    complete(store.put_tracking(&ledger, &known)).unwrap();
    assert_eq!(complete(store.find_tracking(&ledger)).unwrap(), Some(known));
}
