//! Tests of recording deliveries.

use std::cell::Cell;
use std::sync::Arc;

use domain::connection::ConnectionStatus;
use domain::outbound::{EventContent, OutboundEvent};
use futures::executor::block_on;
use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::memory::MemoryTable;
use crate::tests::{an_account, complete};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A store with as many undelivered events.
fn a_store(events: u128) -> (Store, Vec<EventMessage>) {
    let store = Store::new(Arc::new(MemoryTable::new()));
    let event = |number: u128| {
        let (status, message) = (ConnectionStatus::Active, String::new());
        let content = EventContent::Connection { status, organisation: None, message };
        EventMessage::from(&OutboundEvent::new(Uuid::from_u128(number), an_account(), content, NOW))
    };
    let events = (1..=events).map(event).collect::<Vec<_>>();
    for event in &events {
        block_on(store.put_event(event)).unwrap();
    }
    (store, events)
}

/// Records that these events were delivered after a success. `meanwhile` is what another process
/// does after the activity was read.
fn record(store: &Store, events: &[EventMessage], meanwhile: impl Fn()) {
    let events = events.iter().collect::<Vec<_>>();
    let account = an_account();
    let recorded = store.record_deliveries_and_activity(&account, &events, |known| {
        meanwhile();
        Some(AccountActivity::after_attempts(known.as_ref(), an_account(), true, NOW))
    });
    block_on(recorded).unwrap();
}

fn undelivered(store: &Store) -> usize {
    let limit = NonZeroU16::new(1_000).unwrap();
    let page = block_on(store.list_undelivered(&an_account(), None, limit));
    page.unwrap().events.len()
}

fn has_success(store: &Store) -> bool {
    let row = block_on(store.find_activity(&an_account())).unwrap();
    row.is_some_and(|row| row.record.last_success_at.is_some())
}

#[test]
fn any_number_of_deliveries_is_recorded_with_the_activity_or_without_it() {
    for count in [0, 1, 98, 99, 100, 101, 250] {
        let (store, events) = a_store(count);
        record(&store, &events, || {});
        assert_eq!((undelivered(&store), has_success(&store)), (0, true), "{count}");

        let (store, events) = a_store(count);
        let events = events.iter().collect::<Vec<_>>();
        let account = an_account();
        let recorded = store.record_deliveries_and_activity(&account, &events, |_| None);
        block_on(recorded).unwrap();
        assert_eq!((undelivered(&store), has_success(&store)), (0, false), "{count}");
    }
}

#[test]
fn deliveries_and_activity_are_recorded_although_another_process_records_some_of_them() {
    let (store, events) = a_store(3);
    block_on(store.remove_event(keys::event_key(&events[1]))).unwrap();
    record(&store, &events, || {});
    assert_eq!((undelivered(&store), has_success(&store)), (0, true));

    let (store, events) = a_store(3);
    let is_first = Cell::new(true);
    record(&store, &events, || {
        if is_first.take() {
            let failed = |known: Option<AccountActivity>| {
                Some(AccountActivity::after_attempts(known.as_ref(), an_account(), false, NOW))
            };
            complete(store.update_activity(&an_account(), failed)).unwrap();
        }
    });
    assert_eq!((undelivered(&store), has_success(&store)), (0, true));
}
