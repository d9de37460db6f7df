//! Converts records to items and back.

use domain::json_fault::JsonFault;
use domain::mapping::Mapping;

use crate::records::StoredRecord;
use crate::results::{StoreError, VersionedRecord};
use crate::snapshot;
use crate::table::{CorruptItem, NewItem, StoredItem};

pub(crate) fn encode_item<T: StoredRecord>(record: &T) -> NewItem {
    let json = serde_json::to_string(record).expect("records hold only what JSON can say");
    let snapshot = record.snapshot_text().map(snapshot::pack_text);
    record.with_index_keys(NewItem { snapshot, ..NewItem::new(record.item_key(), json) })
}

pub(crate) fn decode_item<T: StoredRecord>(
    item: StoredItem,
) -> Result<VersionedRecord<T>, StoreError> {
    let StoredItem { key, version, record, snapshot, due: _, open: _, attention: _, expires_at: _ } =
        item;
    match decode_record(&record, snapshot.as_deref()) {
        Ok(record) => Ok(VersionedRecord { record, version }),
        Err(source) => Err(StoreError::Undecodable { key, source }),
    }
}

/// Decodes the readable records of a page in their order, and returns why the others are
/// unreadable. No row affects another.
pub(crate) fn decode_all<T: StoredRecord>(
    operation: &'static str,
    items: Vec<StoredItem>,
    corrupt: Vec<CorruptItem>,
) -> (Vec<VersionedRecord<T>>, Vec<StoreError>) {
    decode_each(operation, items, corrupt, decode_item)
}

/// Decodes the readable items of a page in their order, and returns why the others are unreadable.
/// No item affects another. Every list of items is decoded by this function.
pub(crate) fn decode_each<T>(
    operation: &'static str,
    items: Vec<StoredItem>,
    corrupt: Vec<CorruptItem>,
    decode: impl Fn(StoredItem) -> Result<T, StoreError>,
) -> (Vec<T>, Vec<StoreError>) {
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

fn decode_record<T: StoredRecord>(record: &str, packed: Option<&[u8]>) -> Result<T, JsonFault> {
    let record: T = serde_json::from_str(record)?;
    match packed {
        Some(packed) => match snapshot::unpack_text(packed) {
            Some(text) => Ok(record.with_snapshot(text)),
            None => Err(JsonFault::new("its snapshot cannot be unpacked")),
        },
        // Earlier releases stored the text in the record.
        None => Ok(record),
    }
}

/// Decodes a mapping from the record and the snapshot of its item, for tools that read the table
/// directly.
pub fn read_mapping(record: &str, snapshot: Option<&[u8]>) -> Result<Mapping, JsonFault> {
    decode_record(record, snapshot)
}
