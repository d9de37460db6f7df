//! Pages of a partition and of an index.

use std::num::NonZeroU16;

use super::TableError;
use super::item::{IndexKey, ItemKey, StoredItem};

/// A range of a partition's sort keys. Bounds are inclusive and compare by UTF-8 bytes. An empty
/// text is below every sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortRange {
    /// The whole partition.
    All,
    /// The sort keys that begin with this text.
    Prefix(String),
    /// The sort keys from this one upwards.
    AtLeast(String),
    /// The sort keys up to this one.
    AtMost(String),
    /// The sort keys from one to the other; none when `from` is above `to`.
    Between {
        /// The lowest sort key.
        from: String,
        /// The highest sort key.
        to: String,
    },
}

impl SortRange {
    /// Returns whether a sort key is in the range.
    pub fn contains_sort_key(&self, sort_key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Prefix(prefix) => sort_key.starts_with(prefix.as_str()),
            Self::AtLeast(from) => sort_key >= from.as_str(),
            Self::AtMost(to) => sort_key <= to.as_str(),
            Self::Between { from, to } => sort_key >= from.as_str() && sort_key <= to.as_str(),
        }
    }

    /// Returns the range without empty texts, which DynamoDB refuses. `None` if the range is empty.
    fn without_empty_bounds(self) -> Option<Self> {
        match self {
            Self::Prefix(prefix) if prefix.is_empty() => Some(Self::All),
            Self::AtLeast(from) if from.is_empty() => Some(Self::All),
            Self::AtMost(to) if to.is_empty() => None,
            Self::Between { from, to } if from > to || to.is_empty() => None,
            Self::Between { from, to } if from.is_empty() => Some(Self::AtMost(to)),
            range @ (Self::All
            | Self::Prefix(_)
            | Self::AtLeast(_)
            | Self::AtMost(_)
            | Self::Between { .. }) => Some(range),
        }
    }

    /// Returns the part of the range that a query after `cursor` can reach, without empty texts.
    /// `None` if there is none, or if the cursor is outside the range.
    ///
    /// DynamoDB refuses a start key outside the range. A cursor may come from the address of a web
    /// page, so an invalid one has to result in the end of the list and not in an error.
    pub(crate) fn reachable_range(self, cursor: Option<&str>) -> Option<Self> {
        self.without_empty_bounds()
            .filter(|range| cursor.is_none_or(|cursor| range.contains_sort_key(cursor)))
    }
}

/// The direction of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortOrder {
    /// From the lowest sort key.
    Ascending,
    /// From the highest sort key.
    Descending,
}

/// A position within a partition. It names a sort key, not an item: the item may be gone when the
/// next page is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageCursor(String);

impl PageCursor {
    /// Creates a position at a sort key. The next page begins after it.
    pub fn at_sort_key(sort_key: impl Into<String>) -> Self {
        Self(sort_key.into())
    }

    /// Returns the sort key of the position.
    pub fn sort_key(&self) -> &str {
        &self.0
    }
}

/// A query for one page of a partition of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableQuery {
    /// The partition.
    pub pk: String,
    /// The range of sort keys.
    pub range: SortRange,
    /// The direction.
    pub order: SortOrder,
    /// Maximum items of the page.
    pub limit: NonZeroU16,
    /// Where the previous page ended; `None` for the first page. A cursor outside the range results
    /// in an empty last page.
    pub after: Option<PageCursor>,
}

/// A page of items, in the order of the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemPage {
    /// The items, at most as many as requested. There may be fewer, even none, before the end,
    /// because DynamoDB ends a page after 1 MB.
    pub items: Vec<StoredItem>,
    /// Items of the page that are corrupt. They do not affect the others.
    pub corrupt: Vec<CorruptItem>,
    /// The start of the next page. Only `None` means that there are no more items.
    pub next: Option<PageCursor>,
}

impl ItemPage {
    /// Returns the page of a query without results.
    pub(crate) fn empty_page() -> Self {
        Self { items: Vec::new(), corrupt: Vec::new(), next: None }
    }
}

/// An item of a page that lacks an attribute that every item written by this crate has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorruptItem {
    /// Its key.
    pub key: ItemKey,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl From<CorruptItem> for TableError {
    fn from(CorruptItem { key, reason }: CorruptItem) -> Self {
        Self::Corrupt { key, reason }
    }
}

/// The sparse indexes of the table. An item is in an index while it has a key for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TableIndex {
    /// Rows that must be checked again, by due time.
    Due,
    /// Invoices that are open in Xero, by when they were last verified.
    Open,
    /// Records that are failing or were given up, by ledger.
    Attention,
}

/// A query for one page of a partition of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexQuery {
    /// The index.
    pub index: TableIndex,
    /// The partition of the index.
    pub pk: String,
    /// The range of sort keys.
    pub range: SortRange,
    /// The direction.
    pub order: SortOrder,
    /// Maximum entries of the page.
    pub limit: NonZeroU16,
    /// The last entry of the previous page; `None` for the first page. An entry outside the range
    /// results in an empty last page.
    pub after: Option<IndexEntry>,
}

/// An entry of an index. It holds keys only; read the item from the table before deciding anything.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexEntry {
    /// The key in the index.
    pub index: IndexKey,
    /// The key of the item.
    pub key: ItemKey,
}

/// A page of index entries, in the order of the query. The order of entries with the same index key
/// is up to the table, and is the same on every page of one walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPage {
    /// The entries, at most as many as requested. There may be fewer before the end.
    pub entries: Vec<IndexEntry>,
    /// The start of the next page. Only `None` means that there are no more entries.
    pub next: Option<IndexEntry>,
}

impl IndexPage {
    /// Returns the page of a query without results.
    pub(crate) fn empty_page() -> Self {
        Self { entries: Vec::new(), next: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(from: &str, to: &str) -> SortRange {
        SortRange::Between { from: from.to_owned(), to: to.to_owned() }
    }

    #[test]
    fn empty_bounds_are_resolved_before_the_table_sees_them() {
        let text = String::new;
        assert_eq!(SortRange::Prefix(text()).reachable_range(None), Some(SortRange::All));
        assert_eq!(SortRange::AtLeast(text()).reachable_range(None), Some(SortRange::All));
        assert_eq!(SortRange::AtMost(text()).reachable_range(None), None);
        assert_eq!(between("", "").reachable_range(None), None);
        assert_eq!(between("", "m").reachable_range(None), Some(SortRange::AtMost("m".to_owned())));
        assert_eq!(between("n", "m").reachable_range(None), None);
        assert_eq!(between("m", "m").reachable_range(None), Some(between("m", "m")));
    }

    #[test]
    fn a_cursor_outside_the_range_reaches_nothing() {
        let prefix = SortRange::Prefix("MAP#".to_owned());
        assert_eq!(prefix.clone().reachable_range(Some("MAP#7")), Some(prefix.clone()));
        assert_eq!(prefix.clone().reachable_range(Some("PAY#7")), None);
        assert_eq!(between("b", "d").reachable_range(Some("a")), None);
        assert_eq!(between("b", "d").reachable_range(Some("e")), None);
    }
}
