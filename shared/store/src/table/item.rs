//! Items, their keys and their versions.

use std::fmt;

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

/// The primary key of an item: its partition, and its position within the partition.
///
/// Keys sort by partition, then by sort key, both by UTF-8 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemKey {
    /// Partition key, 1 to 2,048 bytes.
    pub pk: String,
    /// Sort key, 1 to 1,024 bytes.
    pub sk: String,
}

impl ItemKey {
    /// Creates a key from its two parts.
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pk, self.sk)
    }
}

/// The key of an item in one of the sparse indexes.
///
/// Unlike an [`ItemKey`] it need not be unique: several items may share one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexKey {
    /// Partition key of the index, 1 to 2,048 bytes.
    pub pk: String,
    /// Sort key of the index, 1 to 1,024 bytes.
    pub sk: String,
}

impl IndexKey {
    /// Creates a key from its two parts.
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }
}

/// How often an item has been written since it was created, added to its first version.
///
/// It protects every write: a writer with an old version cannot overwrite a newer one. An item that
/// is created again after a delete starts at [`ItemVersion::FIRST`], unless its writer
/// [chooses its first version](super::WriteExpectation::AbsentWithFirst).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemVersion(u64);

impl ItemVersion {
    /// The version after the first write.
    pub const FIRST: Self = Self(1);

    /// The version with this number. No write results in version 0.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number, for storage and display.
    #[must_use]
    pub const fn as_number(self) -> u64 {
        self.0
    }

    /// Returns the version after the next write.
    ///
    /// # Panics
    ///
    /// After 2^64 - 1 writes of one item.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add(1).expect("one item is not written 2^64 times"))
    }
}

impl fmt::Display for ItemVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An item to write, without the version, which the table assigns.
#[derive(Clone, PartialEq, Eq)]
pub struct NewItem {
    /// Its primary key.
    pub key: ItemKey,
    /// Its key in the `due` index. `None` means that it is not in the index.
    pub due: Option<IndexKey>,
    /// Its key in the `open` index. `None` means that it is not in the index.
    pub open: Option<IndexKey>,
    /// Its key in the `attention` index. `None` means that it is not in the index.
    pub attention: Option<IndexKey>,
    /// When it expires. The table may delete it at any later time. Stored in whole seconds and
    /// rounded up, so that nothing is deleted before it expires.
    pub expires_at: Option<Timestamp>,
    /// The record as JSON text. The table does not interpret it; an empty text is allowed.
    pub record: String,
    /// Data that is too long for the record, as bytes. The table does not interpret it.
    pub snapshot: Option<Vec<u8>>,
}

impl NewItem {
    /// Creates an item in no index, without a snapshot and without an expiry.
    pub fn new(key: ItemKey, record: impl Into<String>) -> Self {
        let record = record.into();
        Self {
            key,
            due: None,
            open: None,
            attention: None,
            expires_at: None,
            record,
            snapshot: None,
        }
    }

    /// Returns the item as the table stores it with `version`.
    #[must_use]
    pub fn into_stored(self, version: ItemVersion) -> StoredItem {
        let Self { key, due, open, attention, expires_at, record, snapshot } = self;
        let expires_at = expires_at.map(whole_second);
        StoredItem { key, version, due, open, attention, expires_at, record, snapshot }
    }
}

/// An item as the table stores it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredItem {
    /// Its primary key.
    pub key: ItemKey,
    /// The version that the latest write assigned.
    pub version: ItemVersion,
    /// Its key in the `due` index.
    pub due: Option<IndexKey>,
    /// Its key in the `open` index.
    pub open: Option<IndexKey>,
    /// Its key in the `attention` index.
    pub attention: Option<IndexKey>,
    /// When it expires, in whole seconds. The table deletes late (DynamoDB: within a few days), so
    /// a reader may find an expired item and decides what that means.
    pub expires_at: Option<Timestamp>,
    /// The record, as JSON text.
    pub record: String,
    /// Data that is too long for the record.
    pub snapshot: Option<Vec<u8>>,
}

/// Rounds up to whole seconds, because DynamoDB stores expiries as whole seconds since 1970. Past
/// the last whole second that jiff supports, in the year 9999, the instant stays as it is.
fn whole_second(instant: Timestamp) -> Timestamp {
    let up = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil);
    instant.round(up).unwrap_or(instant)
}

/// Shows only the length of a record, because records hold names and addresses of people.
struct RecordLength(usize);

impl fmt::Debug for RecordLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.0)
    }
}

impl fmt::Debug for NewItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewItem")
            .field("key", &self.key)
            .field("due", &self.due)
            .field("open", &self.open)
            .field("attention", &self.attention)
            .field("expires_at", &self.expires_at)
            .field("record", &RecordLength(self.record.len()))
            .field("snapshot", &self.snapshot.as_ref().map(|bytes| RecordLength(bytes.len())))
            .finish()
    }
}

impl fmt::Debug for StoredItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredItem")
            .field("key", &self.key)
            .field("version", &self.version)
            .field("due", &self.due)
            .field("open", &self.open)
            .field("attention", &self.attention)
            .field("expires_at", &self.expires_at)
            .field("record", &RecordLength(self.record.len()))
            .field("snapshot", &self.snapshot.as_ref().map(|bytes| RecordLength(bytes.len())))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_rounded_up_to_the_second() {
        let later = |nanoseconds| Timestamp::new(1_800_000_000, nanoseconds).unwrap();
        let next = Timestamp::from_second(1_800_000_001).unwrap();
        assert_eq!(whole_second(later(0)), later(0));
        assert_eq!(whole_second(later(1)), next);
        assert_eq!(whole_second(later(999_999_999)), next);
        assert_eq!(whole_second(Timestamp::MAX), Timestamp::MAX);
    }

    #[test]
    fn debug_output_does_not_show_the_record() {
        let item = NewItem::new(ItemKey::new("A", "B"), "secret words");
        assert!(!format!("{item:?}").contains("secret"));
        let stored = item.into_stored(ItemVersion::FIRST);
        assert!(format!("{stored:?}").contains("<12 bytes>"));
        assert!(!format!("{stored:?}").contains("secret"));
        let packed = StoredItem { snapshot: Some(b"secret".to_vec()), ..stored };
        assert!(format!("{packed:?}").contains("<6 bytes>"));
    }
}
