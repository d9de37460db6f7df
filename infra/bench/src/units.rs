//! DynamoDB's units, computed from the bytes of items.
//!
//! A read unit is one strongly consistent read of up to 4 KB, or two eventually consistent ones; a
//! write unit is one write of up to 1 KB. A transaction costs twice as much, and so does moving an
//! entry of an index, which is a delete and a put:
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>.

use store::table::{IndexKey, StoredItem};

const READ_BLOCK_BYTES: usize = 4 * 1024;
const WRITE_BLOCK_BYTES: usize = 1024;
/// The names of the attributes, the version, the expiry and the id of the write.
const ATTRIBUTE_BYTES: usize = 140;

/// How current a read is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadConsistency {
    /// As the latest write left it: one unit for each 4 KB.
    Strong,
    /// Possibly outdated, as reads of an index are: half a unit for each 4 KB.
    Eventual,
}

/// Counts the halves of read units of an operation that reads this many bytes. Reading nothing
/// costs as much as reading one block.
pub fn count_read_halves(bytes: usize, consistency: ReadConsistency) -> usize {
    let blocks = bytes.div_ceil(READ_BLOCK_BYTES).max(1);
    match consistency {
        ReadConsistency::Strong => blocks * 2,
        ReadConsistency::Eventual => blocks,
    }
}

/// Counts the write units of an item of this many bytes.
pub fn count_write_units(bytes: usize) -> usize {
    bytes.div_ceil(WRITE_BLOCK_BYTES).max(1)
}

/// The size of an item, with the names of its attributes.
pub fn item_bytes(item: &StoredItem) -> usize {
    let snapshot = item.snapshot.as_ref().map_or(0, Vec::len);
    let indexes = [&item.due, &item.open, &item.attention];
    let key_bytes = indexes.into_iter().flatten().map(|key| key.pk.len() + key.sk.len());
    ATTRIBUTE_BYTES
        + item.key.pk.len()
        + item.key.sk.len()
        + key_bytes.sum::<usize>()
        + item.record.len()
        + snapshot
}

/// Counts the write units of the three indexes when an item is replaced. Their entries hold keys
/// only and fit into one unit; an entry whose key does not change is not written.
pub fn count_index_units(before: Option<&StoredItem>, after: Option<&StoredItem>) -> usize {
    let keys = |item: Option<&StoredItem>| -> [Option<IndexKey>; 3] {
        item.map(|item| [item.due.clone(), item.open.clone(), item.attention.clone()])
            .unwrap_or_default()
    };
    let pairs = keys(before).into_iter().zip(keys(after));
    let units = pairs.map(|(before, after)| match (before, after) {
        (None, None) => 0,
        (Some(_), None) | (None, Some(_)) => 1,
        (Some(before), Some(after)) => {
            if before == after {
                0
            } else {
                2
            }
        }
    });
    units.sum()
}

#[cfg(test)]
mod tests {
    use store::table::{IndexKey, ItemKey, ItemVersion, NewItem};

    use super::*;

    fn stored(record_bytes: usize, due: Option<&str>) -> StoredItem {
        let item = NewItem::new(ItemKey::new("A", "B"), "r".repeat(record_bytes));
        let item = NewItem { due: due.map(|sk| IndexKey::new("DUE", sk)), ..item };
        item.into_stored(ItemVersion::FIRST)
    }

    #[test]
    fn a_read_costs_a_unit_for_each_four_kilobytes_and_half_of_it_from_an_index() {
        let costs = [0, 1, 4_096, 4_097].map(|bytes| {
            let strong = count_read_halves(bytes, ReadConsistency::Strong);
            (strong, count_read_halves(bytes, ReadConsistency::Eventual))
        });
        assert_eq!(costs, [(2, 1), (2, 1), (2, 1), (4, 2)]);
    }

    #[test]
    fn a_write_costs_a_unit_for_each_kilobyte() {
        assert_eq!([0, 1, 1_024, 1_025].map(count_write_units), [1, 1, 1, 2]);
    }

    #[test]
    fn keys_record_snapshot_and_attribute_names_make_up_an_item() {
        let item = stored(100, None);
        assert_eq!(item_bytes(&item), ATTRIBUTE_BYTES + 2 + 100);
        let packed = StoredItem { snapshot: Some(vec![0; 50]), ..item };
        assert_eq!(item_bytes(&packed), ATTRIBUTE_BYTES + 2 + 150);
        assert_eq!(item_bytes(&stored(0, Some("0123456"))), ATTRIBUTE_BYTES + 2 + 10);
    }

    #[test]
    fn an_index_entry_costs_nothing_while_its_key_does_not_change() {
        let (none, early, late) = (stored(9, None), stored(9, Some("1")), stored(9, Some("2")));
        assert_eq!(count_index_units(None, Some(&none)), 0);
        assert_eq!(count_index_units(None, Some(&early)), 1);
        assert_eq!(count_index_units(Some(&early), Some(&early)), 0);
        assert_eq!(count_index_units(Some(&early), Some(&late)), 2);
        assert_eq!(count_index_units(Some(&late), Some(&none)), 1);
        assert_eq!(count_index_units(Some(&late), None), 1);
    }
}
