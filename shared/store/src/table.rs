//! The whole concurrency vocabulary of the product: items with versions, two preconditions, and
//! writes that happen together or not at all.
//!
//! Which change of a record is allowed is decided elsewhere, in code that can be tested without a
//! table. Here a write says only what it believed about the item it replaces, and is refused when
//! that belief is out of date.

mod item;
mod limits;
mod query;

use std::{error::Error, fmt::Debug};

use async_trait::async_trait;

pub(crate) use self::limits::admit;
pub use self::{
    item::{IndexKey, Item, ItemKey, NewItem, Version},
    limits::{MAX_ITEM_BYTES, MAX_TRANSACTION_BYTES, MAX_WRITES},
    query::{Cursor, Index, IndexEntry, IndexPage, IndexQuery, Order, Page, Query, SortRange},
};

/// The cause of an unfinished operation, whatever its type.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What a write believes about the item it is going to replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// There is none.
    Absent,
    /// It has this version.
    Version(Version),
}

impl Expect {
    /// The version of an item written under this expectation.
    #[must_use]
    pub fn next_version(self) -> Version {
        match self {
            Self::Absent => Version::FIRST,
            Self::Version(version) => version.next(),
        }
    }
}

/// One change of one item.
#[expect(clippy::large_enum_variant, reason = "nearly every write puts an item")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Puts the item whole in the place of what is there, as [`Expect::next_version`].
    Put {
        /// What to write.
        item: NewItem,
        /// What must be there.
        expect: Expect,
    },
    /// Removes the item.
    Delete {
        /// Which item.
        key: ItemKey,
        /// The version it must have.
        expect: Version,
    },
}

impl Write {
    /// The item this write changes.
    pub fn key(&self) -> &ItemKey {
        match self {
            Self::Put { item, .. } => &item.key,
            Self::Delete { key, .. } => key,
        }
    }
}

/// Why the table did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The items are not what the writer believed. Nothing of this write is in the table, except
    /// that after replies were lost on the way it may have been there and been replaced since.
    /// Read again and decide again.
    #[error("an item is not what the write expected")]
    Conflict,
    /// The table gave no answer, or one that settles nothing: unreachable, throttled, refusing.
    /// A write may or may not have happened. Read before writing again.
    #[error("the table did not complete the operation: {operation}")]
    Unavailable {
        /// What was asked of the table.
        operation: &'static str,
        /// What came instead of an answer.
        source: BoxError,
    },
    /// An item or a transaction is larger than DynamoDB allows. Nothing is written, and the same
    /// write will never be accepted.
    #[error("a write of {bytes} bytes is over the limit of {limit} bytes")]
    TooLarge {
        /// The size, counted generously.
        bytes: usize,
        /// [`MAX_ITEM_BYTES`] or [`MAX_TRANSACTION_BYTES`].
        limit: usize,
    },
    /// A transaction has more writes than DynamoDB allows. Nothing is written, and the same
    /// transaction will never be accepted.
    #[error("a transaction of {writes} writes is over the limit of {MAX_WRITES}")]
    TooMany {
        /// How many it has.
        writes: usize,
    },
    /// An item lacks what every item written by this crate has.
    #[error("the item {key} is corrupt: {reason}")]
    Corrupt {
        /// The item.
        key: ItemKey,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// A table of versioned items.
///
/// Both implementations keep the contract in the `conformance` module. A dropped future leaves
/// the table as a crash would: a write has happened whole or not at all.
#[async_trait]
pub trait Table: Send + Sync + Debug {
    /// The item as the latest completed write left it. An item past its expiry is still returned
    /// until the table deletes it.
    async fn get(&self, key: &ItemKey) -> Result<Option<Item>, TableError>;

    /// Makes all the changes, or none and reports [`TableError::Conflict`] when any of the
    /// expectations does not hold. Of several writers with the same expectation, one at most
    /// succeeds, even when they write the same content.
    ///
    /// More than [`MAX_WRITES`] are refused as [`TableError::TooMany`], and what is larger than an
    /// item or a transaction may be as [`TableError::TooLarge`].
    ///
    /// # Panics
    ///
    /// Without writes, with two writes of one item, and with a key that is empty or longer than
    /// [`ItemKey`] allows.
    async fn write(&self, writes: Vec<Write>) -> Result<(), TableError>;

    /// One page of a partition as the latest completed writes left it.
    async fn query(&self, query: Query) -> Result<Page, TableError>;

    /// One page of an index. An index follows the table with a delay, so an entry is a hint: read
    /// the item before deciding anything.
    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError>;
}
