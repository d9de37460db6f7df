//! The rows of the in-memory table, with their indexes.

use std::{collections::BTreeMap, ops::Bound};

use super::sparse_index::SparseIndex;
use crate::table::{
    IndexPage, IndexQuery, ItemKey, ItemPage, ItemVersion, ItemWrite, PageCursor, SortOrder,
    SortRange, StoredItem, TableIndex, TableQuery, WriteExpectation,
};

/// Maximum bytes of the items of a page (DynamoDB: 1 MB).
const PAGE_BYTES_MAX: usize = 1024 * 1024;

/// The bounds of a walk over sort keys.
pub(super) type SortKeyBounds = (Bound<String>, Bound<String>);

/// The items by partition and sort key, and the indexes derived from them.
#[derive(Debug, Default)]
pub(super) struct MemoryRows {
    partitions: BTreeMap<String, BTreeMap<String, StoredItem>>,
    due: SparseIndex,
    open: SparseIndex,
    attention: SparseIndex,
}

impl MemoryRows {
    pub(super) fn from_items(items: Vec<StoredItem>) -> Self {
        let mut rows = Self::default();
        for item in items {
            rows.put_item(item);
        }
        rows
    }

    pub(super) fn iter_items(&self) -> impl Iterator<Item = &StoredItem> {
        self.partitions.values().flat_map(BTreeMap::values)
    }

    pub(super) fn get(&self, key: &ItemKey) -> Option<&StoredItem> {
        self.partitions.get(&key.pk)?.get(&key.sk)
    }

    /// Returns whether the write's expectation holds.
    pub(super) fn allows_write(&self, write: &ItemWrite) -> bool {
        let found = self.get(write.item_key()).map(|item| item.version);
        found == expected_version(write)
    }

    /// Performs a write whose expectation holds.
    pub(super) fn apply_write(&mut self, write: ItemWrite) {
        match write {
            ItemWrite::Put { item, expect } => {
                self.put_item(item.into_stored(expect.next_version()));
            }
            ItemWrite::Delete { key, expect: _ } => self.remove_item(&key),
            ItemWrite::Check { key: _, expect: _ } => {}
        }
    }

    fn put_item(&mut self, item: StoredItem) {
        self.remove_item(&item.key);
        if let Some(place) = &item.due {
            self.due.insert_key(place, &item.key);
        }
        if let Some(place) = &item.open {
            self.open.insert_key(place, &item.key);
        }
        if let Some(place) = &item.attention {
            self.attention.insert_key(place, &item.key);
        }
        self.partitions.entry(item.key.pk.clone()).or_default().insert(item.key.sk.clone(), item);
    }

    fn remove_item(&mut self, key: &ItemKey) {
        let Some(partition) = self.partitions.get_mut(&key.pk) else {
            return;
        };
        let Some(item) = partition.remove(&key.sk) else {
            return;
        };
        if partition.is_empty() {
            self.partitions.remove(&key.pk);
        }
        if let Some(place) = &item.due {
            self.due.remove_key(place, key);
        }
        if let Some(place) = &item.open {
            self.open.remove_key(place, key);
        }
        if let Some(place) = &item.attention {
            self.attention.remove_key(place, key);
        }
    }

    pub(super) fn query_page(&self, query: TableQuery) -> ItemPage {
        let cursor = query.after.as_ref().map(PageCursor::sort_key);
        let Some(range) = query.range.reachable_range(cursor) else {
            return ItemPage::empty_page();
        };
        let Some(partition) = self.partitions.get(&query.pk) else {
            return ItemPage::empty_page();
        };

        let (mut lower, mut upper) = range_bounds(range);
        if let Some(cursor) = cursor {
            match query.order {
                SortOrder::Ascending => lower = Bound::Excluded(cursor.to_owned()),
                SortOrder::Descending => upper = Bound::Excluded(cursor.to_owned()),
            }
        }
        let walk = partition.range((lower, upper)).map(|(_, item)| item);
        let limit = usize::from(query.limit.get());
        let (items, is_full) = match query.order {
            SortOrder::Ascending => take_page(walk, limit),
            SortOrder::Descending => take_page(walk.rev(), limit),
        };
        let next = items.last().filter(|_| is_full);
        let next = next.map(|item| PageCursor::at_sort_key(&item.key.sk));
        ItemPage { items, corrupt: Vec::new(), next }
    }

    pub(super) fn query_index_page(&self, query: IndexQuery) -> IndexPage {
        match query.index {
            TableIndex::Due => self.due.query_page(query),
            TableIndex::Open => self.open.query_page(query),
            TableIndex::Attention => self.attention.query_page(query),
        }
    }
}

/// Takes the items of a page, and returns whether it is full. As in DynamoDB, a page has at most
/// 1 MB, and a full page does not show whether it is the last.
fn take_page<'a>(
    walk: impl Iterator<Item = &'a StoredItem>,
    limit: usize,
) -> (Vec<StoredItem>, bool) {
    let (mut items, mut bytes) = (Vec::new(), 0);
    for item in walk {
        bytes += stored_bytes(item);
        if items.len() == limit || (bytes > PAGE_BYTES_MAX && !items.is_empty()) {
            return (items, true);
        }
        items.push(item.clone());
    }
    let is_full = items.len() == limit;
    (items, is_full)
}

fn stored_bytes(item: &StoredItem) -> usize {
    let snapshot = item.snapshot.as_ref().map_or(0, Vec::len);
    item.key.pk.len() + item.key.sk.len() + item.record.len() + snapshot
}

fn expected_version(write: &ItemWrite) -> Option<ItemVersion> {
    match write {
        ItemWrite::Put {
            expect: WriteExpectation::Absent | WriteExpectation::AbsentWithFirst(_),
            ..
        }
        | ItemWrite::Check {
            expect: WriteExpectation::Absent | WriteExpectation::AbsentWithFirst(_),
            ..
        } => None,
        ItemWrite::Put { expect: WriteExpectation::Version(version), .. }
        | ItemWrite::Check { expect: WriteExpectation::Version(version), .. }
        | ItemWrite::Delete { expect: version, .. } => Some(*version),
    }
}

/// Returns the bounds of a range. The range must not be empty, or the walk would panic.
pub(super) fn range_bounds(range: SortRange) -> SortKeyBounds {
    match range {
        SortRange::All => (Bound::Unbounded, Bound::Unbounded),
        SortRange::Prefix(prefix) => {
            let above = first_above(&prefix).map_or(Bound::Unbounded, Bound::Excluded);
            (Bound::Included(prefix), above)
        }
        SortRange::AtLeast(from) => (Bound::Included(from), Bound::Unbounded),
        SortRange::AtMost(to) => (Bound::Unbounded, Bound::Included(to)),
        SortRange::Between { from, to } => (Bound::Included(from), Bound::Included(to)),
    }
}

/// Returns the lowest text above every text with this prefix, if there is one: the prefix with its
/// last character incremented. UTF-8 bytes sort as characters do.
fn first_above(prefix: &str) -> Option<String> {
    let mut above = prefix.to_owned();
    while let Some(last) = above.pop() {
        if let Some(raised) = (last..=char::MAX).nth(1) {
            above.push(raised);
            return Some(above);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_text_above_a_prefix_raises_its_last_character() {
        assert_eq!(first_above("MAP#").as_deref(), Some("MAP$"));
        assert_eq!(first_above("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(first_above("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(first_above("\u{10FFFF}"), None);
    }
}
