//! Converts items to DynamoDB attributes and back.

use std::{collections::HashMap, str::FromStr};

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use jiff::Timestamp;

use super::write_id::WriteId;
use crate::table::{
    IndexEntry, IndexKey, ItemKey, ItemVersion, StoredItem, TableError, TableIndex,
};

/// An item, or part of one, as DynamoDB represents it.
pub(super) type ItemAttributes = HashMap<String, AttributeValue>;

/// The names of a partition key and a sort key.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyNames {
    pub(super) pk: &'static str,
    pub(super) sk: &'static str,
}

pub(super) const PRIMARY: KeyNames = KeyNames { pk: "pk", sk: "sk" };
pub(super) const DUE: KeyNames = KeyNames { pk: "due_pk", sk: "due_sk" };
pub(super) const OPEN: KeyNames = KeyNames { pk: "open_pk", sk: "open_sk" };
pub(super) const ATTENTION: KeyNames = KeyNames { pk: "attention_pk", sk: "attention_sk" };
pub(super) const VERSION: &str = "version";
pub(super) const WRITE_ID: &str = "write_id";
const RECORD: &str = "record";
const SNAPSHOT: &str = "snapshot";
const EXPIRES_AT: &str = "expires_at";

const fn names_of(index: TableIndex) -> KeyNames {
    match index {
        TableIndex::Due => DUE,
        TableIndex::Open => OPEN,
        TableIndex::Attention => ATTENTION,
    }
}

pub(super) fn encode_item(item: StoredItem, write_id: &WriteId) -> ItemAttributes {
    let StoredItem { key, version, due, open, attention, expires_at, record, snapshot } = item;
    let mut attributes = key_attributes(PRIMARY, key.pk, key.sk);
    attributes.insert(VERSION.to_owned(), encode_version(version));
    attributes.insert(RECORD.to_owned(), AttributeValue::S(record));
    attributes.insert(WRITE_ID.to_owned(), AttributeValue::S(write_id.as_str().to_owned()));
    if let Some(bytes) = snapshot {
        attributes.insert(SNAPSHOT.to_owned(), AttributeValue::B(Blob::new(bytes)));
    }
    if let Some(place) = due {
        attributes.extend(key_attributes(DUE, place.pk, place.sk));
    }
    if let Some(place) = open {
        attributes.extend(key_attributes(OPEN, place.pk, place.sk));
    }
    if let Some(place) = attention {
        attributes.extend(key_attributes(ATTENTION, place.pk, place.sk));
    }
    if let Some(instant) = expires_at {
        let seconds = AttributeValue::N(instant.as_second().to_string());
        attributes.insert(EXPIRES_AT.to_owned(), seconds);
    }
    attributes
}

pub(super) fn encode_version(version: ItemVersion) -> AttributeValue {
    AttributeValue::N(version.as_number().to_string())
}

pub(super) fn encode_key(key: &ItemKey) -> ItemAttributes {
    key_attributes(PRIMARY, key.pk.clone(), key.sk.clone())
}

pub(super) fn encode_entry(index: TableIndex, entry: IndexEntry) -> ItemAttributes {
    let mut attributes = key_attributes(PRIMARY, entry.key.pk, entry.key.sk);
    attributes.extend(key_attributes(names_of(index), entry.index.pk, entry.index.sk));
    attributes
}

fn key_attributes(names: KeyNames, pk: String, sk: String) -> ItemAttributes {
    HashMap::from([
        (names.pk.to_owned(), AttributeValue::S(pk)),
        (names.sk.to_owned(), AttributeValue::S(sk)),
    ])
}

pub(super) fn decode_item(mut attributes: ItemAttributes) -> Result<StoredItem, TableError> {
    let key = take_key(&mut attributes)?;
    let corrupt = |reason| TableError::Corrupt { key: key.clone(), reason };

    let version = take_number(&mut attributes, VERSION)
        .ok()
        .flatten()
        .map(ItemVersion::from_number)
        .ok_or_else(|| corrupt("its version is missing or not a whole number"))?;
    let record = take_text(&mut attributes, RECORD)
        .ok_or_else(|| corrupt("its record is missing or not a text"))?;
    let snapshot = take_bytes(&mut attributes, SNAPSHOT)
        .map_err(|InvalidBytes| corrupt("its snapshot is not made of bytes"))?;
    let expires_at = take_number(&mut attributes, EXPIRES_AT)
        .and_then(|seconds| seconds.map(timestamp_from_seconds).transpose())
        .map_err(|InvalidNumber| corrupt("its expiry is not an instant"))?;
    let due = take_index_key(&mut attributes, DUE)
        .map_err(|IncompleteIndexKey| corrupt("its key in the index due is incomplete"))?;
    let open = take_index_key(&mut attributes, OPEN)
        .map_err(|IncompleteIndexKey| corrupt("its key in the index open is incomplete"))?;
    let attention = take_index_key(&mut attributes, ATTENTION)
        .map_err(|IncompleteIndexKey| corrupt("its key in the index attention is incomplete"))?;
    Ok(StoredItem { key, version, due, open, attention, expires_at, record, snapshot })
}

pub(super) fn decode_key(mut attributes: ItemAttributes) -> Result<ItemKey, TableError> {
    take_key(&mut attributes)
}

pub(super) fn decode_entry(
    index: TableIndex,
    mut attributes: ItemAttributes,
) -> Result<IndexEntry, TableError> {
    let key = take_key(&mut attributes)?;
    match take_index_key(&mut attributes, names_of(index)) {
        Ok(Some(place)) => Ok(IndexEntry { index: place, key }),
        Ok(None) | Err(IncompleteIndexKey) => {
            Err(TableError::Corrupt { key, reason: "it is in an index without a key for it" })
        }
    }
}

/// An index key with only one of its halves.
struct IncompleteIndexKey;

/// An attribute that is not a number, or not of the expected kind.
struct InvalidNumber;

/// An attribute that is not binary.
struct InvalidBytes;

fn timestamp_from_seconds(seconds: i64) -> Result<Timestamp, InvalidNumber> {
    Timestamp::from_second(seconds).map_err(|_| InvalidNumber)
}

fn take_key(attributes: &mut ItemAttributes) -> Result<ItemKey, TableError> {
    let pk = take_text(attributes, PRIMARY.pk);
    let sk = take_text(attributes, PRIMARY.sk);
    match (pk, sk) {
        (Some(pk), Some(sk)) => Ok(ItemKey { pk, sk }),
        (pk, sk) => Err(TableError::Corrupt {
            key: ItemKey::new(pk.unwrap_or_default(), sk.unwrap_or_default()),
            reason: "its key is incomplete",
        }),
    }
}

fn take_index_key(
    attributes: &mut ItemAttributes,
    names: KeyNames,
) -> Result<Option<IndexKey>, IncompleteIndexKey> {
    let pk = take_text(attributes, names.pk);
    let sk = take_text(attributes, names.sk);
    match (pk, sk) {
        (Some(pk), Some(sk)) => Ok(Some(IndexKey { pk, sk })),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(IncompleteIndexKey),
    }
}

fn take_text(attributes: &mut ItemAttributes, name: &str) -> Option<String> {
    if let AttributeValue::S(text) = attributes.remove(name)? { Some(text) } else { None }
}

fn take_bytes(
    attributes: &mut ItemAttributes,
    name: &str,
) -> Result<Option<Vec<u8>>, InvalidBytes> {
    match attributes.remove(name) {
        None => Ok(None),
        Some(AttributeValue::B(bytes)) => Ok(Some(bytes.into_inner())),
        Some(_) => Err(InvalidBytes),
    }
}

fn take_number<T: FromStr>(
    attributes: &mut ItemAttributes,
    name: &str,
) -> Result<Option<T>, InvalidNumber> {
    match attributes.remove(name) {
        None => Ok(None),
        Some(AttributeValue::N(digits)) => digits.parse().map(Some).map_err(|_| InvalidNumber),
        Some(_) => Err(InvalidNumber),
    }
}
