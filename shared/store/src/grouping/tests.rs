//! Tests of transactions that are sent together: what each writer gets, and how many calls it
//! takes.

mod interleavings;

use std::collections::VecDeque;
use std::iter::repeat_with;

use futures::executor::block_on;
use futures::future::join_all;

use super::open_groups::GROUP_BYTES_MAX;
use super::*;
use crate::memory::MemoryTable;
use crate::table::{ItemVersion, MAX_ITEM_BYTES, MAX_WRITES, NewItem, WriteExpectation};

/// What happens to a call instead of reaching the rows.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Refuses,
    Panics,
    IsLost,
    LosesTheAnswer,
    /// The call reaches the rows only when its sender is polled again.
    Waits,
}

/// A table in memory that keeps the number of writes of each call.
#[derive(Debug, Default)]
struct RecordingTable {
    rows: MemoryTable,
    calls: Mutex<Vec<usize>>,
    faults: Mutex<VecDeque<Fault>>,
}

impl RecordingTable {
    /// A table that has these faults, one for each call.
    fn with_faults(faults: impl IntoIterator<Item = Fault>) -> Arc<Self> {
        let table = Self::default();
        table.faults.lock().unwrap().extend(faults);
        Arc::new(table)
    }

    fn sizes(&self) -> Vec<usize> {
        self.calls.lock().unwrap().clone()
    }

    fn keys(&self) -> Vec<String> {
        self.rows.all_items().into_iter().map(|item| item.key.sk).collect()
    }
}

#[async_trait]
impl ItemTable for RecordingTable {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        self.rows.get(key).await
    }

    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        self.rows.get_many(keys).await
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        self.calls.lock().unwrap().push(writes.len());
        let fault = self.faults.lock().unwrap().pop_front();
        let (operation, cause) = ("a write of the test", || BoxError::from("no route"));
        match fault {
            None => self.rows.write_items(writes).await,
            Some(Fault::Refuses) => Err(TableError::Refused { operation, source: cause() }),
            Some(Fault::Panics) => panic!("the table panics"),
            Some(Fault::IsLost) => Err(TableError::Unavailable { operation, source: cause() }),
            Some(Fault::LosesTheAnswer) => {
                self.rows.write_items(writes).await?;
                Err(TableError::Unavailable { operation, source: cause() })
            }
            Some(Fault::Waits) => {
                let_others_join().await;
                self.rows.write_items(writes).await
            }
        }
    }

    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        self.rows.query_items(query).await
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.rows.query_index(query).await
    }
}

fn create(pk: &str, sk: &str) -> ItemWrite {
    let item = NewItem::new(ItemKey::new(pk, sk), "{}");
    ItemWrite::Put { item, expect: WriteExpectation::Absent }
}

/// A transaction that creates two items, named after it.
fn pair(name: &str) -> Vec<ItemWrite> {
    vec![create("P", &format!("{name}1")), create("P", &format!("{name}2"))]
}

/// Writes transactions at the same time, and returns their results in their order.
fn write_all(
    table: &Arc<RecordingTable>,
    transactions: Vec<Vec<ItemWrite>>,
) -> Vec<Result<(), TableError>> {
    let grouping = GroupingTable::new(table.clone());
    let results = block_on(join_all(transactions.into_iter().map(|one| grouping.write_items(one))));
    assert!(lock_groups(&grouping.groups).is_empty(), "no group is left");
    results
}

#[test]
fn transactions_that_are_ready_at_the_same_time_are_one_call() {
    let table = RecordingTable::with_faults([]);
    let results = write_all(&table, vec![pair("A"), pair("B"), pair("C")]);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(table.sizes(), [6]);
    assert_eq!(table.keys(), ["A1", "A2", "B1", "B2", "C1", "C2"]);
}

#[test]
fn transactions_one_after_the_other_are_separate_calls() {
    let table = RecordingTable::with_faults([]);
    let grouping = GroupingTable::new(table.clone());
    for name in ["A", "B"] {
        block_on(grouping.write_items(pair(name))).unwrap();
    }
    assert_eq!(table.sizes(), [2, 2]);
}

#[test]
fn single_writes_that_are_ready_at_the_same_time_are_one_call() {
    let table = RecordingTable::with_faults([]);
    let puts = vec![vec![create("P", "A")], vec![create("P", "B")], pair("C")];
    assert!(write_all(&table, puts).iter().all(Result::is_ok));
    assert_eq!(table.sizes(), [4]);
    let delete = |sk| ItemWrite::Delete { key: ItemKey::new("P", sk), expect: ItemVersion::FIRST };
    assert!(
        write_all(&table, vec![vec![delete("A")], vec![delete("B")]]).iter().all(Result::is_ok)
    );
    assert_eq!(table.sizes(), [4, 2]);
    assert_eq!(table.keys(), ["C1", "C2"]);
}

#[test]
fn a_put_that_is_ready_alone_is_no_transaction() {
    let table = RecordingTable::with_faults([]);
    assert!(write_all(&table, vec![vec![create("P", "A")]]).iter().all(Result::is_ok));
    assert_eq!(table.sizes(), [1]);
}

#[test]
fn a_conflict_of_one_transaction_leaves_the_others_written() {
    let table = RecordingTable::with_faults([]);
    assert!(write_all(&table, vec![pair("B")]).iter().all(Result::is_ok));
    let results = write_all(&table, vec![pair("A"), pair("B"), pair("C")]);
    assert!(
        matches!(results.as_slice(), [Ok(()), Err(TableError::Conflict), Ok(())]),
        "{results:?}"
    );
    assert_eq!(table.sizes(), [2, 6, 2, 2, 2]);
    assert_eq!(table.keys(), ["A1", "A2", "B1", "B2", "C1", "C2"]);
}

#[test]
fn of_transactions_that_write_the_same_item_one_is_performed() {
    let table = RecordingTable::with_faults([]);
    let results = write_all(&table, repeat_with(|| pair("A")).take(3).collect());
    let performed = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(performed, 1, "{results:?}");
    assert!(results.iter().all(|one| matches!(one, Ok(()) | Err(TableError::Conflict))));
    assert_eq!(table.sizes(), [2, 2, 2]);
}

#[test]
fn a_refused_group_and_one_that_panics_are_sent_one_by_one() {
    for fault in [Fault::Refuses, Fault::Panics] {
        let table = RecordingTable::with_faults([fault]);
        let results = write_all(&table, vec![pair("A"), pair("B")]);
        assert!(results.iter().all(Result::is_ok), "{fault:?}: {results:?}");
        assert_eq!(table.sizes(), [4, 2, 2]);
    }
}

#[test]
fn a_fault_of_one_member_is_reported_to_it_alone() {
    let table = RecordingTable::with_faults([Fault::Refuses, Fault::Refuses]);
    let results = write_all(&table, vec![pair("A"), pair("B")]);
    assert!(matches!(results.as_slice(), [Err(TableError::Refused { .. }), Ok(())]), "{results:?}");
    assert_eq!(table.keys(), ["B1", "B2"]);
}

#[test]
fn a_group_of_unknown_result_is_unknown_to_each_member_and_is_not_sent_again() {
    for fault in [Fault::IsLost, Fault::LosesTheAnswer] {
        let table = RecordingTable::with_faults([fault]);
        let results = write_all(&table, vec![pair("A"), pair("B")]);
        for result in results {
            let Err(error @ TableError::Unavailable { .. }) = result else {
                panic!("{fault:?}: {result:?}");
            };
            assert_eq!(error.source().unwrap().to_string(), "no route");
        }
        assert_eq!(table.sizes(), [4]);
    }
}

#[test]
fn a_group_has_at_most_as_many_writes_as_a_transaction() {
    let table = RecordingTable::with_faults([]);
    let transactions = (0..=MAX_WRITES / 2).map(|number| pair(&format!("{number:02}-"))).collect();
    assert!(write_all(&table, transactions).iter().all(Result::is_ok));
    let mut sizes = table.sizes();
    sizes.sort_unstable();
    assert_eq!(sizes, [2, MAX_WRITES]);
}

#[test]
fn large_transactions_are_sent_with_small_ones_at_most() {
    let table = RecordingTable::with_faults([]);
    let large = |name: &str, bytes: usize| {
        let item = NewItem {
            snapshot: Some(vec![0; bytes]),
            ..NewItem::new(ItemKey::new("P", name), "{}")
        };
        let put = ItemWrite::Put { item, expect: WriteExpectation::Absent };
        vec![put, create("P", &format!("{name}-"))]
    };
    let (half, whole) = (GROUP_BYTES_MAX / 2, MAX_ITEM_BYTES - 1024);
    let transactions = vec![large("A", half), large("B", half), large("C", whole), pair("D")];
    assert!(write_all(&table, transactions).iter().all(Result::is_ok));
    let mut sizes = table.sizes();
    sizes.sort_unstable();
    assert_eq!(sizes, [2, 2, 4]);
}

#[test]
fn transactions_of_different_partitions_are_separate_calls() {
    let table = RecordingTable::with_faults([]);
    let of_account = |pk: &str| vec![create(pk, "A"), create("SHARED", pk)];
    let results = write_all(&table, vec![of_account("1"), of_account("2"), of_account("3")]);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(table.sizes(), [2, 2, 2]);
}

#[test]
fn a_transaction_too_large_for_the_table_fails_alone() {
    let table = RecordingTable::with_faults([]);
    let too_many = (0..=MAX_WRITES).map(|number| create("P", &number.to_string())).collect();
    let results = write_all(&table, vec![pair("A"), too_many, pair("B")]);
    assert!(
        matches!(results.as_slice(), [Ok(()), Err(TableError::TooMany { .. }), Ok(())]),
        "{results:?}"
    );
    assert_eq!(table.sizes(), [4]);
}

#[test]
fn a_table_that_groups_transactions_keeps_the_contract_of_tables() {
    block_on(crate::conformance::check_all(&GroupingTable::new(Arc::new(MemoryTable::new()))));
}
