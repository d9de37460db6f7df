//! Writes of several items: all or nothing.

use super::{check_item, create, delete, done, read, refused, replace, version_of};
use crate::table::{
    ItemKey, ItemTable, ItemVersion, ItemWrite, MAX_WRITES, NewItem, TableError, WriteExpectation,
};

/// Runs all checks of this module.
pub async fn check_all(table: &dyn ItemTable) {
    a_transaction_makes_every_change(table).await;
    a_failing_expectation_in_any_position_changes_nothing(table).await;
    a_check_decides_the_transaction_and_changes_nothing(table).await;
    a_transaction_may_hold_a_hundred_writes(table).await;
    more_than_a_hundred_writes_are_refused_and_change_nothing(table).await;
    a_transaction_may_span_partitions(table).await;
    equal_transactions_are_separate_events(table).await;
}

/// A create, a replace and a delete in one transaction.
pub async fn a_transaction_makes_every_change(table: &dyn ItemTable) {
    let [fresh, old, doomed] = ["FRESH", "OLD", "DOOMED"].map(|sk| ItemKey::new("TOGETHER", sk));
    done(table, vec![create(NewItem::new(old.clone(), "1"))]).await;
    done(table, vec![create(NewItem::new(doomed.clone(), "1"))]).await;
    done(
        table,
        vec![
            create(NewItem::new(fresh.clone(), "1")),
            replace(NewItem::new(old.clone(), "2"), ItemVersion::FIRST),
            delete(&doomed, ItemVersion::FIRST),
        ],
    )
    .await;
    assert_eq!(version_of(table, &fresh).await, Some(1));
    let replaced = NewItem::new(old.clone(), "2").into_stored(ItemVersion::FIRST.next());
    assert_eq!(read(table, &old).await, Some(replaced));
    assert_eq!(read(table, &doomed).await, None);
}

/// A check that fails cancels the transaction; a checked item keeps its version.
pub async fn a_check_decides_the_transaction_and_changes_nothing(table: &dyn ItemTable) {
    let [there, missing, written] =
        ["THERE", "MISSING", "WRITTEN"].map(|sk| ItemKey::new("CHECK", sk));
    let (first, second) = (ItemVersion::FIRST, ItemVersion::FIRST.next());
    done(table, vec![create(NewItem::new(there.clone(), "1"))]).await;
    let failing = [
        check_item(&there, WriteExpectation::Absent),
        check_item(&there, WriteExpectation::Version(second)),
        check_item(&missing, WriteExpectation::Version(first)),
    ];
    for failing in failing {
        refused(table, vec![create(NewItem::new(written.clone(), "1")), failing]).await;
    }
    assert_eq!(read(table, &written).await, None);
    let checks = [
        check_item(&there, WriteExpectation::Version(first)),
        check_item(&missing, WriteExpectation::Absent),
    ];
    let writes = [create(NewItem::new(written.clone(), "1"))].into_iter().chain(checks);
    done(table, writes.collect()).await;
    assert_eq!(version_of(table, &written).await, Some(1));
    assert_eq!(version_of(table, &there).await, Some(1));
    assert_eq!(read(table, &missing).await, None);
}

/// For every position and every kind of write, one failed expectation cancels the transaction.
pub async fn a_failing_expectation_in_any_position_changes_nothing(table: &dyn ItemTable) {
    let [absent, first, second] = ["ABSENT", "FIRST", "SECOND"].map(|sk| ItemKey::new("FAIL", sk));
    done(table, vec![create(NewItem::new(first.clone(), "1"))]).await;
    done(table, vec![create(NewItem::new(second.clone(), "1"))]).await;

    let taken = ItemKey::new("FAIL", "TAKEN");
    done(table, vec![create(NewItem::new(taken.clone(), "1"))]).await;
    let wrong = ItemVersion::FIRST.next();
    let failing: [ItemWrite; 5] = [
        create(NewItem::new(taken.clone(), "2")),
        replace(NewItem::new(taken.clone(), "2"), wrong),
        delete(&taken, wrong),
        replace(NewItem::new(ItemKey::new("FAIL", "NOWHERE"), "2"), ItemVersion::FIRST),
        delete(&ItemKey::new("FAIL", "NOWHERE"), ItemVersion::FIRST),
    ];
    for write in failing {
        for position in 0..=3 {
            let mut writes = vec![
                create(NewItem::new(absent.clone(), "1")),
                replace(NewItem::new(first.clone(), "2"), ItemVersion::FIRST),
                delete(&second, ItemVersion::FIRST),
            ];
            writes.insert(position, write.clone());
            refused(table, writes).await;
            assert_eq!(read(table, &absent).await, None);
            assert_eq!(version_of(table, &first).await, Some(1));
            assert_eq!(version_of(table, &second).await, Some(1));
            assert_eq!(version_of(table, &taken).await, Some(1));
        }
    }
}

/// The largest transaction, and its cancellation by a failed expectation in the last position.
pub async fn a_transaction_may_hold_a_hundred_writes(table: &dyn ItemTable) {
    let keys: Vec<ItemKey> =
        (0..MAX_WRITES).map(|number| ItemKey::new("HUNDRED", format!("{number:03}"))).collect();
    let creates = |keys: &[ItemKey]| -> Vec<ItemWrite> {
        keys.iter().map(|key| create(NewItem::new(key.clone(), "{}"))).collect()
    };
    let (last, others) = keys.split_last().expect("there are a hundred");

    done(table, creates(std::slice::from_ref(last))).await;
    refused(table, creates(&keys)).await;
    for key in others {
        assert_eq!(read(table, key).await, None);
    }
    done(table, vec![delete(last, ItemVersion::FIRST)]).await;
    done(table, creates(&keys)).await;
    for key in &keys {
        assert_eq!(version_of(table, key).await, Some(1));
    }
}

/// Transactions just above the limit and a hundred times above it are refused without a panic.
pub async fn more_than_a_hundred_writes_are_refused_and_change_nothing(table: &dyn ItemTable) {
    for count in [MAX_WRITES + 1, MAX_WRITES * 100] {
        let key = |number: usize| ItemKey::new("TOO-MANY", number.to_string());
        let writes = (0..count).map(|number| create(NewItem::new(key(number), "{}"))).collect();
        let outcome = table.write_items(writes).await;
        let is_refused = matches!(outcome, Err(TableError::TooMany { writes }) if writes == count);
        assert!(is_refused, "not refused: {outcome:?}");
        assert_eq!(read(table, &key(0)).await, None);
    }
}

/// Items of one transaction may be in different partitions.
pub async fn a_transaction_may_span_partitions(table: &dyn ItemTable) {
    let [left, right] = ["SPAN-LEFT", "SPAN-RIGHT"].map(|pk| ItemKey::new(pk, "A"));
    let both =
        || vec![create(NewItem::new(left.clone(), "1")), create(NewItem::new(right.clone(), "1"))];
    done(table, both()).await;
    refused(table, both()).await;
    done(table, vec![delete(&right, ItemVersion::FIRST)]).await;
    refused(table, both()).await;
    assert_eq!(version_of(table, &left).await, Some(1));
    assert_eq!(read(table, &right).await, None);
}

/// Versions start again after a delete, so identical writes can be valid a second time. They are
/// performed a second time.
pub async fn equal_transactions_are_separate_events(table: &dyn ItemTable) {
    let [left, right] = ["LEFT", "RIGHT"].map(|sk| ItemKey::new("AGAIN", sk));
    for _ in 0..3 {
        let creates = [&left, &right].map(|key| create(NewItem::new(key.clone(), "same")));
        done(table, creates.to_vec()).await;
        assert_eq!(version_of(table, &left).await, Some(1));
        assert_eq!(version_of(table, &right).await, Some(1));
        let deletes = [&left, &right].map(|key| delete(key, ItemVersion::FIRST));
        done(table, deletes.to_vec()).await;
        assert_eq!(read(table, &left).await, None);
        assert_eq!(read(table, &right).await, None);
    }
}
