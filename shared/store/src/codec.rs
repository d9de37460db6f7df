//! Converts records to items and back.

use domain::mapping::Mapping;

use crate::answers::{StoreError, Versioned};
use crate::records::Record;
use crate::snapshot;
use crate::table::{CorruptItem, Item, NewItem};

pub(crate) fn encode<T: Record>(record: &T) -> NewItem {
    let json = serde_json::to_string(record).expect("records hold only what JSON can say");
    let snapshot = record.snapshot().map(snapshot::pack);
    record.indexed(NewItem { snapshot, ..NewItem::new(record.key(), json) })
}

pub(crate) fn decode<T: Record>(item: Item) -> Result<Versioned<T>, StoreError> {
    let Item { key, version, record, snapshot, due: _, open: _, attention: _, expires_at: _ } =
        item;
    match decode_record(&record, snapshot.as_deref()) {
        Ok(record) => Ok(Versioned { record, version }),
        Err(source) => Err(StoreError::Undecodable { key, source }),
    }
}

/// Decodes the readable records of a page in their order, and returns why the others are
/// unreadable. No row affects another. Every list of records is decoded by this function.
pub(crate) fn decode_all<T: Record>(
    operation: &'static str,
    items: Vec<Item>,
    corrupt: Vec<CorruptItem>,
) -> (Vec<Versioned<T>>, Vec<StoreError>) {
    let mut rows = Vec::with_capacity(items.len());
    let corrupt =
        corrupt.into_iter().map(|one| StoreError::Table { operation, source: one.into() });
    let mut unreadable: Vec<StoreError> = corrupt.collect();
    for item in items {
        match decode(item) {
            Ok(row) => rows.push(row),
            Err(error) => unreadable.push(error),
        }
    }
    (rows, unreadable)
}

fn decode_record<T: Record>(record: &str, packed: Option<&[u8]>) -> Result<T, serde_json::Error> {
    let record: T = serde_json::from_str(record)?;
    match packed {
        Some(packed) => match snapshot::unpack(packed) {
            Some(text) => Ok(record.with_snapshot(text)),
            None => Err(serde::de::Error::custom("its snapshot cannot be unpacked")),
        },
        // Earlier releases stored the text in the record.
        None => Ok(record),
    }
}

/// Decodes a mapping from the record and the snapshot of its item, for tools that read the table
/// directly.
pub fn read_mapping(record: &str, snapshot: Option<&[u8]>) -> Result<Mapping, serde_json::Error> {
    decode_record(record, snapshot)
}
