//! The product's concurrency primitives: items with versions, two preconditions, and atomic writes.
//!
//! Other code, which can be tested without a table, decides which change of a record is allowed.
//! Here, a write states only what it expects of the item that it replaces, and is refused if the
//! expectation does not hold.

mod item;
mod limits;
mod query;

use std::{collections::BTreeMap, error::Error, fmt::Debug};

use async_trait::async_trait;

pub(crate) use self::limits::{check_limits, transaction_bytes};
pub use self::{
    item::{IndexKey, ItemKey, ItemVersion, NewItem, StoredItem},
    limits::{MAX_ITEM_BYTES, MAX_TRANSACTION_BYTES, MAX_WRITES},
    query::{
        CorruptItem, IndexEntry, IndexPage, IndexQuery, ItemPage, PageCursor, SortOrder, SortRange,
        TableIndex, TableQuery,
    },
};

/// The cause of a failed operation, of any type.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Items that were read together, by their keys. `None` means that there is no such item.
pub type FoundItems = BTreeMap<ItemKey, Option<StoredItem>>;

/// What a write expects of the item that it replaces or checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteExpectation {
    /// The item does not exist.
    Absent,
    /// The item does not exist, and its first version is this one instead of
    /// [`ItemVersion::FIRST`]. If it is higher than every version that the item had before it was
    /// deleted, no version of the item ever occurs twice.
    AbsentWithFirst(ItemVersion),
    /// The item has this version.
    Version(ItemVersion),
}

/// The item is as it was read, with this version or not at all.
impl From<Option<ItemVersion>> for WriteExpectation {
    fn from(known: Option<ItemVersion>) -> Self {
        known.map_or(Self::Absent, Self::Version)
    }
}

impl WriteExpectation {
    /// Returns the version of an item written under this expectation.
    #[must_use]
    pub fn next_version(self) -> ItemVersion {
        match self {
            Self::Absent => ItemVersion::FIRST,
            Self::AbsentWithFirst(first) => first,
            Self::Version(version) => version.next(),
        }
    }
}

/// One change of one item.
#[expect(clippy::large_enum_variant, reason = "nearly every write puts an item")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemWrite {
    /// Replaces the whole item, which then has [`WriteExpectation::next_version`].
    Put {
        /// The item to write.
        item: NewItem,
        /// The expectation.
        expect: WriteExpectation,
    },
    /// Deletes the item.
    Delete {
        /// The key of the item.
        key: ItemKey,
        /// The version that it must have.
        expect: ItemVersion,
    },
    /// Changes nothing. The other writes of its transaction are performed only if the expectation
    /// holds at that moment.
    Check {
        /// The key of the item.
        key: ItemKey,
        /// The expectation.
        expect: WriteExpectation,
    },
}

impl ItemWrite {
    /// Returns the key of the item that this write changes or checks.
    pub fn item_key(&self) -> &ItemKey {
        match self {
            Self::Put { item, .. } => &item.key,
            Self::Delete { key, .. } | Self::Check { key, .. } => key,
        }
    }

    /// Returns whether this write changes its item.
    pub const fn is_change(&self) -> bool {
        match self {
            Self::Put { .. } | Self::Delete { .. } => true,
            Self::Check { .. } => false,
        }
    }
}

/// Why the table did not perform an operation.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The items are not as expected. Nothing of this write is in the table, except that after lost
    /// replies it may have been performed, and been replaced since or be about to be replaced. Read
    /// again and decide again.
    #[error("an item is not what the write expected")]
    Conflict,
    /// The table gave no conclusive answer: it is unreachable, throttles or refuses. A write may or
    /// may not have happened, because the answer to an earlier try may be lost. Read before writing
    /// again.
    #[error("the table did not complete the operation: {operation}")]
    Unavailable {
        /// The operation.
        operation: &'static str,
        /// The cause.
        source: BoxError,
    },
    /// The table refused a transaction for another reason than a conflict, such as throttling.
    /// Nothing of it was written.
    #[error("the table refused the operation: {operation}")]
    Refused {
        /// The operation.
        operation: &'static str,
        /// The cause.
        source: BoxError,
    },
    /// An item or a transaction is larger than DynamoDB allows. Nothing is written, and the same
    /// write will never be accepted.
    #[error("a write of {bytes} bytes is over the limit of {limit} bytes")]
    TooLarge {
        /// The size, rounded up.
        bytes: usize,
        /// [`MAX_ITEM_BYTES`] or [`MAX_TRANSACTION_BYTES`].
        limit: usize,
    },
    /// A transaction has more writes than DynamoDB allows. Nothing is written, and the same
    /// transaction will never be accepted.
    #[error("a transaction of {writes} writes is over the limit of {MAX_WRITES}")]
    TooMany {
        /// The number of writes.
        writes: usize,
    },
    /// A stored item lacks an attribute that every item written by this crate has.
    #[error("the item {key} is corrupt: {reason}")]
    Corrupt {
        /// The item.
        key: ItemKey,
        /// What is wrong with the item.
        reason: &'static str,
    },
}

/// A table of versioned items.
///
/// Both implementations fulfil the contract in the `conformance` module. A dropped future leaves
/// the table as a crash would: a write has been performed as a whole or not at all.
#[async_trait]
pub trait ItemTable: Send + Sync + Debug {
    /// Returns the item as the latest completed write left it. An expired item is still returned
    /// until the table deletes it.
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError>;

    /// Returns the items with these keys, each as the latest completed write left it, but not all
    /// as of one instant. Items that are corrupt, or that the table did not return, are left out:
    /// [`ItemTable::get`] returns them or their error.
    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError>;

    /// Performs all writes, or none of them and returns [`TableError::Conflict`] if an expectation
    /// does not hold. Of several writers with the same expectation at most one succeeds, even if
    /// they write the same content.
    ///
    /// More than [`MAX_WRITES`] are refused as [`TableError::TooMany`], and items or transactions
    /// beyond their maximum size as [`TableError::TooLarge`].
    ///
    /// # Panics
    ///
    /// If there are no writes, two writes or checks of one item, or a key that is empty or longer
    /// than [`ItemKey`] allows.
    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError>;

    /// Returns one page of a partition, as the latest completed writes left it. A corrupt item is
    /// reported in the page and does not fail it.
    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError>;

    /// Returns one page of an index. An index lags behind the table, so an entry may be outdated:
    /// read the item before deciding anything.
    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError>;
}
