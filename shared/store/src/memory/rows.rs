//! The rows of the in-memory table, with their indexes.

use std::{collections::BTreeMap, ops::Bound};

use super::sparse_index::SparseIndex;
use crate::table::{
    Cursor, Expect, Index, IndexPage, IndexQuery, Item, ItemKey, Order, Page, Query, SortRange,
    Version, Write,
};

/// The bounds of a walk over sort keys.
pub(super) type Bounds = (Bound<String>, Bound<String>);

/// The items by partition and sort key, and the indexes derived from them.
#[derive(Debug, Default)]
pub(super) struct Rows {
    partitions: BTreeMap<String, BTreeMap<String, Item>>,
    due: SparseIndex,
    open: SparseIndex,
    attention: SparseIndex,
}

impl Rows {
    pub(super) fn holding(items: Vec<Item>) -> Self {
        let mut rows = Self::default();
        for item in items {
            rows.put(item);
        }
        rows
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Item> {
        self.partitions.values().flat_map(BTreeMap::values)
    }

    pub(super) fn get(&self, key: &ItemKey) -> Option<&Item> {
        self.partitions.get(&key.pk)?.get(&key.sk)
    }

    /// Returns whether the write's expectation holds.
    pub(super) fn permit(&self, write: &Write) -> bool {
        let found = self.get(write.key()).map(|item| item.version);
        found == expected(write)
    }

    /// Performs a write whose expectation holds.
    pub(super) fn apply(&mut self, write: Write) {
        match write {
            Write::Put { item, expect } => self.put(item.stored(expect.next_version())),
            Write::Delete { key, expect: _ } => self.remove(&key),
        }
    }

    fn put(&mut self, item: Item) {
        self.remove(&item.key);
        if let Some(place) = &item.due {
            self.due.insert(place, &item.key);
        }
        if let Some(place) = &item.open {
            self.open.insert(place, &item.key);
        }
        if let Some(place) = &item.attention {
            self.attention.insert(place, &item.key);
        }
        self.partitions.entry(item.key.pk.clone()).or_default().insert(item.key.sk.clone(), item);
    }

    fn remove(&mut self, key: &ItemKey) {
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
            self.due.remove(place, key);
        }
        if let Some(place) = &item.open {
            self.open.remove(place, key);
        }
        if let Some(place) = &item.attention {
            self.attention.remove(place, key);
        }
    }

    pub(super) fn page(&self, query: Query) -> Page {
        let cursor = query.after.as_ref().map(Cursor::sort_key);
        let Some(range) = query.range.reachable(cursor) else {
            return Page::empty();
        };
        let Some(partition) = self.partitions.get(&query.pk) else {
            return Page::empty();
        };

        let (mut lower, mut upper) = bounds(range);
        if let Some(cursor) = cursor {
            match query.order {
                Order::Ascending => lower = Bound::Excluded(cursor.to_owned()),
                Order::Descending => upper = Bound::Excluded(cursor.to_owned()),
            }
        }
        let walk = partition.range((lower, upper)).map(|(_, item)| item.clone());
        let limit = usize::from(query.limit.get());
        let items: Vec<Item> = match query.order {
            Order::Ascending => walk.take(limit).collect(),
            Order::Descending => walk.rev().take(limit).collect(),
        };
        // As in DynamoDB, a full page does not show whether it is the last.
        let next =
            items.last().filter(|_| items.len() == limit).map(|item| Cursor::at(&item.key.sk));
        Page { items, corrupt: Vec::new(), next }
    }

    pub(super) fn index_page(&self, query: IndexQuery) -> IndexPage {
        match query.index {
            Index::Due => self.due.page(query),
            Index::Open => self.open.page(query),
            Index::Attention => self.attention.page(query),
        }
    }
}

fn expected(write: &Write) -> Option<Version> {
    match write {
        Write::Put { expect: Expect::Absent, .. } => None,
        Write::Put { expect: Expect::Version(version), .. }
        | Write::Delete { expect: version, .. } => Some(*version),
    }
}

/// Returns the bounds of a range. The range must not be empty, or the walk would panic.
pub(super) fn bounds(range: SortRange) -> Bounds {
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
