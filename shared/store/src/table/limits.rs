//! DynamoDB's limits, checked before anything is sent.

use std::collections::BTreeSet;

use super::{ItemWrite, TableError, item::IndexKey, item::ItemKey, item::NewItem};

/// Maximum writes per transaction (DynamoDB: 100 items per transaction).
pub const MAX_WRITES: usize = 100;

/// Maximum bytes of one item (DynamoDB: 400 KB, including the names of attributes).
pub const MAX_ITEM_BYTES: usize = 400 * 1024;

/// Maximum bytes of one transaction (DynamoDB: 4 MB over all its items).
pub const MAX_TRANSACTION_BYTES: usize = 4 * 1024 * 1024;

/// Bytes within [`MAX_ITEM_BYTES`] reserved for everything except keys and record: the names of the
/// attributes, the version, the expiry and the write id. They take about 140 bytes; the rest is a
/// margin, so that DynamoDB accepts every item that we admit, however it counts numbers.
const OVERHEAD_BYTES: usize = 256;

/// DynamoDB: a partition key has 1 to 2,048 bytes, a sort key 1 to 1,024.
const MAX_PARTITION_KEY_BYTES: usize = 2048;
const MAX_SORT_KEY_BYTES: usize = 1024;

/// Checks writes before anything is sent. Sizes and counts depend on customers' data and are
/// refused as [`TableError::TooLarge`] and [`TableError::TooMany`]; duplicate items and key lengths
/// depend on the caller and are asserted. Both tables use this check, so they refuse the same
/// writes.
pub(crate) fn check_limits(writes: &[ItemWrite]) -> Result<(), TableError> {
    assert!(!writes.is_empty(), "a write needs at least one item");
    if writes.len() > MAX_WRITES {
        return Err(TableError::TooMany { writes: writes.len() });
    }
    let keys: BTreeSet<&ItemKey> = writes.iter().map(ItemWrite::item_key).collect();
    assert!(keys.len() == writes.len(), "a transaction writes each item once");

    for write in writes {
        refuse_above(MAX_ITEM_BYTES, write_bytes(write))?;
    }
    refuse_above(MAX_TRANSACTION_BYTES, transaction_bytes(writes))
}

/// Returns the size of a transaction in bytes, at least as large as DynamoDB counts it.
pub(crate) fn transaction_bytes(writes: &[ItemWrite]) -> usize {
    writes.iter().map(write_bytes).sum()
}

fn write_bytes(write: &ItemWrite) -> usize {
    match write {
        ItemWrite::Put { item, .. } => item_bytes(item),
        ItemWrite::Delete { key, .. } | ItemWrite::Check { key, .. } => key_bytes(&key.pk, &key.sk),
    }
}

fn refuse_above(limit: usize, bytes: usize) -> Result<(), TableError> {
    if bytes > limit { Err(TableError::TooLarge { bytes, limit }) } else { Ok(()) }
}

/// Returns the size of an item in bytes, at least as large as DynamoDB counts it.
fn item_bytes(item: &NewItem) -> usize {
    let index_bytes = |index: &Option<IndexKey>| {
        index.as_ref().map_or(0, |place| key_bytes(&place.pk, &place.sk))
    };
    OVERHEAD_BYTES
        + key_bytes(&item.key.pk, &item.key.sk)
        + index_bytes(&item.due)
        + index_bytes(&item.open)
        + index_bytes(&item.attention)
        + item.record.len()
        + item.snapshot.as_ref().map_or(0, Vec::len)
}

fn key_bytes(pk: &str, sk: &str) -> usize {
    assert!((1..=MAX_PARTITION_KEY_BYTES).contains(&pk.len()), "partition key of {}", pk.len());
    assert!((1..=MAX_SORT_KEY_BYTES).contains(&sk.len()), "sort key of {} bytes", sk.len());
    pk.len() + sk.len()
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;
    use crate::table::{ItemVersion, WriteExpectation};

    fn create(pk: &str, sk: &str) -> ItemWrite {
        ItemWrite::Put {
            item: NewItem::new(ItemKey::new(pk, sk), "{}"),
            expect: WriteExpectation::Absent,
        }
    }

    #[test]
    fn writes_no_caller_may_ask_for_are_asserted() {
        let delete = ItemWrite::Delete { key: ItemKey::new("A", "B"), expect: ItemVersion::FIRST };
        let wrong = [
            vec![],
            vec![create("A", "B"), delete],
            vec![create("", "B")],
            vec![create("A", "")],
            vec![create(&"A".repeat(2049), "B")],
            vec![create("A", &"B".repeat(1025))],
        ];
        for writes in wrong {
            assert!(catch_unwind(|| check_limits(&writes)).is_err(), "{writes:?}");
        }
    }

    #[test]
    fn more_writes_than_a_transaction_holds_are_refused_and_not_asserted() {
        let writes = |count: usize| -> Vec<ItemWrite> {
            (0..count).map(|number| create("A", &number.to_string())).collect()
        };
        assert!(check_limits(&writes(MAX_WRITES)).is_ok());
        for count in [MAX_WRITES + 1, MAX_WRITES * 100] {
            let refused = check_limits(&writes(count));
            assert!(matches!(refused, Err(TableError::TooMany { writes }) if writes == count));
        }
    }

    #[test]
    fn a_snapshot_counts_towards_the_size_of_its_item() {
        let item = NewItem::new(ItemKey::new("A", "B"), "{}");
        let of_size = |bytes: usize| ItemWrite::Put {
            item: NewItem { snapshot: Some(vec![0; bytes]), ..item.clone() },
            expect: WriteExpectation::Absent,
        };
        assert!(check_limits(&[of_size(MAX_ITEM_BYTES - 1024)]).is_ok());
        let refused = check_limits(&[of_size(MAX_ITEM_BYTES)]);
        assert!(matches!(refused, Err(TableError::TooLarge { .. })), "{refused:?}");
    }

    #[test]
    fn the_longest_keys_are_admitted() {
        let longest = create(&"A".repeat(2048), &"B".repeat(1024));
        assert!(check_limits(&[longest]).is_ok());
    }
}
