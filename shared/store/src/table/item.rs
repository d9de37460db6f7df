//! Items, their keys and their versions.

use std::fmt;

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

/// The primary key of an item: the partition it lives in and its place in the partition's order.
///
/// Keys order by partition, then by sort key, both by UTF-8 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemKey {
    /// Partition key, 1 to 2,048 bytes.
    pub pk: String,
    /// Sort key, 1 to 1,024 bytes.
    pub sk: String,
}

impl ItemKey {
    /// The key made of these two parts.
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pk, self.sk)
    }
}

/// The place of an item in one of the two sparse indexes.
///
/// Unlike an [`ItemKey`] it need not be unique: several items may share one place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexKey {
    /// Partition key of the index, 1 to 2,048 bytes.
    pub pk: String,
    /// Sort key of the index, 1 to 1,024 bytes.
    pub sk: String,
}

impl IndexKey {
    /// The key made of these two parts.
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }
}

/// How often an item has been written since it last came into being.
///
/// It is the fence of every write: whoever holds an old version cannot write over a newer one.
/// A deleted item starts again at [`Version::FIRST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(u64);

impl Version {
    /// The version the first write gives.
    pub const FIRST: Self = Self(1);

    /// The version with this number, which no write gives when it is 0.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number, for storing and showing.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The version the next write gives.
    ///
    /// # Panics
    ///
    /// After 2^64 - 1 writes of one item.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add(1).expect("one item is not written 2^64 times"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An item as a writer hands it over: everything but the version, which the table gives.
#[derive(Clone, PartialEq, Eq)]
pub struct NewItem {
    /// Where the item lives.
    pub key: ItemKey,
    /// Its place in the index `due`; `None` keeps it out, or takes it out.
    pub due: Option<IndexKey>,
    /// Its place in the index `open`; `None` keeps it out, or takes it out.
    pub open: Option<IndexKey>,
    /// Its place in the index `attention`; `None` keeps it out, or takes it out.
    pub attention: Option<IndexKey>,
    /// From when on the table may delete the item by itself, at a time of its own choosing.
    /// Stored in whole seconds, rounded up, so that nothing is deleted before it expires.
    pub expires_at: Option<Timestamp>,
    /// The record, as JSON text. The table does not read it, and an empty text is allowed.
    pub record: String,
    /// What is too long to be part of the record, as bytes of its own. The table does not read it.
    pub snapshot: Option<Vec<u8>>,
}

impl NewItem {
    /// An item in no index, without a snapshot, that never expires.
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

    /// The item as the table keeps it once it is written under `version`.
    #[must_use]
    pub fn stored(self, version: Version) -> Item {
        let Self { key, due, open, attention, expires_at, record, snapshot } = self;
        let expires_at = expires_at.map(whole_second);
        Item { key, version, due, open, attention, expires_at, record, snapshot }
    }
}

/// An item as the table holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// Where the item lives.
    pub key: ItemKey,
    /// The version the latest write gave it.
    pub version: Version,
    /// Its place in the index `due`.
    pub due: Option<IndexKey>,
    /// Its place in the index `open`.
    pub open: Option<IndexKey>,
    /// Its place in the index `attention`.
    pub attention: Option<IndexKey>,
    /// From when on the table may delete it, in whole seconds. Deletion is late (DynamoDB: within
    /// a few days), so a reader may well meet an item after this instant and decides what it means.
    pub expires_at: Option<Timestamp>,
    /// The record, as JSON text.
    pub record: String,
    /// What is too long to be part of the record.
    pub snapshot: Option<Vec<u8>>,
}

/// DynamoDB keeps expiries as whole seconds since 1970. Past the last whole second jiff can name,
/// in the year 9999, there is nothing to round up to and the instant stays as it is.
fn whole_second(instant: Timestamp) -> Timestamp {
    let up = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil);
    instant.round(up).unwrap_or(instant)
}

/// Records hold names and addresses of people, so debug output shows only how long they are.
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

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item")
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
        let stored = item.stored(Version::FIRST);
        assert!(format!("{stored:?}").contains("<12 bytes>"));
        assert!(!format!("{stored:?}").contains("secret"));
        let packed = Item { snapshot: Some(b"secret".to_vec()), ..stored };
        assert!(format!("{packed:?}").contains("<6 bytes>"));
    }
}
