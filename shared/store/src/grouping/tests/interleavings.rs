//! Writers that are dropped at every stage of their group, and writers in several threads.

use std::thread;

use futures::{FutureExt, poll};

use super::*;

/// A write that has not ended.
type OpenWrite<'a> = BoxFuture<'a, Result<(), TableError>>;

/// Two writers that have joined one group, which is not sent yet.
async fn join_one_group(grouping: &GroupingTable) -> (OpenWrite<'_>, OpenWrite<'_>) {
    let mut first = grouping.write_items(pair("A")).boxed();
    let mut second = grouping.write_items(pair("B")).boxed();
    assert!(poll!(&mut first).is_pending());
    assert!(poll!(&mut second).is_pending());
    (first, second)
}

#[test]
fn a_writer_dropped_before_its_group_is_sent_is_left_out() {
    let table = RecordingTable::with_faults([]);
    let grouping = GroupingTable::new(table.clone());
    block_on(async {
        let (first, second) = join_one_group(&grouping).await;
        drop(first);
        second.await.unwrap();
        let only = grouping.write_items(pair("C")).boxed();
        drop(only);
    });
    assert_eq!(table.keys(), ["B1", "B2"]);
    assert!(lock_groups(&grouping.groups).is_empty());
}

#[test]
fn a_group_is_written_although_the_writer_that_sends_it_is_dropped() {
    let table = RecordingTable::with_faults([Fault::Waits]);
    let grouping = GroupingTable::new(table.clone());
    block_on(async {
        let (mut first, second) = join_one_group(&grouping).await;
        assert!(poll!(&mut first).is_pending());
        assert_eq!(table.sizes(), [4], "the group is sent");
        drop(first);
        second.await.unwrap();
    });
    assert_eq!(table.sizes(), [4]);
    assert_eq!(table.keys(), ["A1", "A2", "B1", "B2"]);
}

#[test]
fn a_group_whose_writers_are_all_dropped_leaves_nothing_behind() {
    let table = RecordingTable::with_faults([Fault::Waits]);
    let grouping = GroupingTable::new(table.clone());
    block_on(async {
        let (first, mut second) = join_one_group(&grouping).await;
        assert!(poll!(&mut second).is_pending());
        drop((first, second));
        grouping.write_items(pair("C")).await.unwrap();
    });
    assert_eq!(table.keys(), ["C1", "C2"]);
    assert!(lock_groups(&grouping.groups).is_empty());
    let GroupingTable { table: _, groups } = grouping;
    assert_eq!(Arc::strong_count(&groups), 1, "nothing holds the groups");
}

#[test]
fn writers_in_several_threads_all_get_their_results() {
    const ROUNDS: usize = 200;
    let table = RecordingTable::with_faults([]);
    let grouping = GroupingTable::new(table.clone());
    let write_many = |name: &str| {
        for round in 0..ROUNDS {
            block_on(grouping.write_items(pair(&format!("{name}{round}-")))).unwrap();
        }
    };
    thread::scope(|scope| {
        for name in ["A", "B", "C"] {
            scope.spawn(move || write_many(name));
        }
    });
    assert_eq!(table.keys().len(), 3 * ROUNDS * 2);
    assert!(lock_groups(&grouping.groups).is_empty());
}
