//! Pages of a partition and of an index.

use std::num::NonZeroU16;

use super::item::{IndexKey, Item, ItemKey};

/// Which sort keys of a partition a query looks at. Bounds are inclusive and compare by UTF-8
/// bytes. An empty text bounds nothing from below and everything from above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortRange {
    /// The whole partition.
    All,
    /// The sort keys that begin with this text.
    Prefix(String),
    /// The sort keys from this one on.
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
    /// Whether a sort key lies in the range.
    pub fn contains(&self, sort_key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Prefix(prefix) => sort_key.starts_with(prefix.as_str()),
            Self::AtLeast(from) => sort_key >= from.as_str(),
            Self::AtMost(to) => sort_key <= to.as_str(),
            Self::Between { from, to } => sort_key >= from.as_str() && sort_key <= to.as_str(),
        }
    }

    /// The range without empty texts, which DynamoDB refuses; `None` when nothing can lie in it.
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

    /// What a query over this range after `cursor` can still meet: a range without empty texts
    /// that holds the cursor, or nothing.
    ///
    /// DynamoDB refuses a start key outside the range. A cursor can come from the address of a web
    /// page, so a made-up one must read as the end of the list and not as a failure.
    pub(crate) fn reachable(self, cursor: Option<&str>) -> Option<Self> {
        self.without_empty_bounds()
            .filter(|range| cursor.is_none_or(|cursor| range.contains(cursor)))
    }
}

/// The direction in which a query walks a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// From the lowest sort key.
    Ascending,
    /// From the highest sort key.
    Descending,
}

/// How far a query over a partition has come. It names a place, not an item: the item there may
/// be gone by the time the next page is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// The place of this sort key; what comes after it is read next.
    pub fn at(sort_key: impl Into<String>) -> Self {
        Self(sort_key.into())
    }

    /// The sort key of the place.
    pub fn sort_key(&self) -> &str {
        &self.0
    }
}

/// A question for one page of one partition of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The partition.
    pub pk: String,
    /// Which of its sort keys.
    pub range: SortRange,
    /// In which direction.
    pub order: Order,
    /// How many items the page may hold.
    pub limit: NonZeroU16,
    /// Where the previous page ended; `None` for the first page. A cursor outside the range is
    /// answered by an empty last page.
    pub after: Option<Cursor>,
}

/// One page of items, in the order of the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The items, at most as many as asked for. There may be fewer, even none, before the end:
    /// DynamoDB ends a page after 1 MB.
    pub items: Vec<Item>,
    /// Where the next page starts. Only `None` means that there are no more items.
    pub next: Option<Cursor>,
}

impl Page {
    /// The page of a question that nothing answers.
    pub(crate) fn empty() -> Self {
        Self { items: Vec::new(), next: None }
    }
}

/// The sparse indexes of the table: an item is in one while it carries a key for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Index {
    /// What somebody must look at, by the time it is due.
    Due,
    /// What is still open in Xero, by the time it was last verified.
    Open,
    /// What is failing or was given up, by ledger.
    Attention,
}

/// A question for one page of one partition of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexQuery {
    /// The index.
    pub index: Index,
    /// The partition of the index.
    pub pk: String,
    /// Which of its sort keys.
    pub range: SortRange,
    /// In which direction.
    pub order: Order,
    /// How many entries the page may hold.
    pub limit: NonZeroU16,
    /// The last entry of the previous page; `None` for the first page. An entry outside the range
    /// is answered by an empty last page.
    pub after: Option<IndexEntry>,
}

/// An item met in an index: keys only, to be read from the table before anything is decided.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexEntry {
    /// The place in the index.
    pub index: IndexKey,
    /// The item found there.
    pub key: ItemKey,
}

/// One page of index entries, in the order of the query. The order among entries that share a
/// place is the table's own, and is the same on every page of one walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPage {
    /// The entries, at most as many as asked for; there may be fewer before the end.
    pub entries: Vec<IndexEntry>,
    /// Where the next page starts. Only `None` means that there are no more entries.
    pub next: Option<IndexEntry>,
}

impl IndexPage {
    /// The page of a question that nothing answers.
    pub(crate) fn empty() -> Self {
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
        assert_eq!(SortRange::Prefix(text()).reachable(None), Some(SortRange::All));
        assert_eq!(SortRange::AtLeast(text()).reachable(None), Some(SortRange::All));
        assert_eq!(SortRange::AtMost(text()).reachable(None), None);
        assert_eq!(between("", "").reachable(None), None);
        assert_eq!(between("", "m").reachable(None), Some(SortRange::AtMost("m".to_owned())));
        assert_eq!(between("n", "m").reachable(None), None);
        assert_eq!(between("m", "m").reachable(None), Some(between("m", "m")));
    }

    #[test]
    fn a_cursor_outside_the_range_reaches_nothing() {
        let prefix = SortRange::Prefix("MAP#".to_owned());
        assert_eq!(prefix.clone().reachable(Some("MAP#7")), Some(prefix.clone()));
        assert_eq!(prefix.clone().reachable(Some("PAY#7")), None);
        assert_eq!(between("b", "d").reachable(Some("a")), None);
        assert_eq!(between("b", "d").reachable(Some("e")), None);
    }
}
