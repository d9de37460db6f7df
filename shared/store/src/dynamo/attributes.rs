//! Converts items to DynamoDB attributes and back.

use std::{collections::HashMap, str::FromStr};

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use jiff::Timestamp;

use super::write_id::WriteId;
use crate::table::{Index, IndexEntry, IndexKey, Item, ItemKey, TableError, Version};

/// An item, or part of one, as DynamoDB represents it.
pub(super) type Attributes = HashMap<String, AttributeValue>;

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

const fn names_of(index: Index) -> KeyNames {
    match index {
        Index::Due => DUE,
        Index::Open => OPEN,
        Index::Attention => ATTENTION,
    }
}

pub(super) fn encode(item: Item, write_id: &WriteId) -> Attributes {
    let Item { key, version, due, open, attention, expires_at, record, snapshot } = item;
    let mut attributes = pair(PRIMARY, key.pk, key.sk);
    attributes.insert(VERSION.to_owned(), encode_version(version));
    attributes.insert(RECORD.to_owned(), AttributeValue::S(record));
    attributes.insert(WRITE_ID.to_owned(), AttributeValue::S(write_id.as_str().to_owned()));
    if let Some(bytes) = snapshot {
        attributes.insert(SNAPSHOT.to_owned(), AttributeValue::B(Blob::new(bytes)));
    }
    if let Some(place) = due {
        attributes.extend(pair(DUE, place.pk, place.sk));
    }
    if let Some(place) = open {
        attributes.extend(pair(OPEN, place.pk, place.sk));
    }
    if let Some(place) = attention {
        attributes.extend(pair(ATTENTION, place.pk, place.sk));
    }
    if let Some(instant) = expires_at {
        let seconds = AttributeValue::N(instant.as_second().to_string());
        attributes.insert(EXPIRES_AT.to_owned(), seconds);
    }
    attributes
}

pub(super) fn encode_version(version: Version) -> AttributeValue {
    AttributeValue::N(version.number().to_string())
}

pub(super) fn encode_key(key: &ItemKey) -> Attributes {
    pair(PRIMARY, key.pk.clone(), key.sk.clone())
}

pub(super) fn encode_entry(index: Index, entry: IndexEntry) -> Attributes {
    let mut attributes = pair(PRIMARY, entry.key.pk, entry.key.sk);
    attributes.extend(pair(names_of(index), entry.index.pk, entry.index.sk));
    attributes
}

fn pair(names: KeyNames, pk: String, sk: String) -> Attributes {
    HashMap::from([
        (names.pk.to_owned(), AttributeValue::S(pk)),
        (names.sk.to_owned(), AttributeValue::S(sk)),
    ])
}

pub(super) fn decode(mut attributes: Attributes) -> Result<Item, TableError> {
    let key = take_key(&mut attributes)?;
    let corrupt = |reason| TableError::Corrupt { key: key.clone(), reason };

    let version = take_number(&mut attributes, VERSION)
        .ok()
        .flatten()
        .map(Version::from_number)
        .ok_or_else(|| corrupt("its version is missing or not a whole number"))?;
    let record = take_text(&mut attributes, RECORD)
        .ok_or_else(|| corrupt("its record is missing or not a text"))?;
    let snapshot = take_bytes(&mut attributes, SNAPSHOT)
        .map_err(|NotBytes| corrupt("its snapshot is not made of bytes"))?;
    let expires_at = take_number(&mut attributes, EXPIRES_AT)
        .and_then(|seconds| seconds.map(instant).transpose())
        .map_err(|NotThatNumber| corrupt("its expiry is not an instant"))?;
    let due = take_place(&mut attributes, DUE)
        .map_err(|HalfAPlace| corrupt("its place in the index due is incomplete"))?;
    let open = take_place(&mut attributes, OPEN)
        .map_err(|HalfAPlace| corrupt("its place in the index open is incomplete"))?;
    let attention = take_place(&mut attributes, ATTENTION)
        .map_err(|HalfAPlace| corrupt("its place in the index attention is incomplete"))?;
    Ok(Item { key, version, due, open, attention, expires_at, record, snapshot })
}

pub(super) fn decode_key(mut attributes: Attributes) -> Result<ItemKey, TableError> {
    take_key(&mut attributes)
}

pub(super) fn decode_entry(
    index: Index,
    mut attributes: Attributes,
) -> Result<IndexEntry, TableError> {
    let key = take_key(&mut attributes)?;
    match take_place(&mut attributes, names_of(index)) {
        Ok(Some(place)) => Ok(IndexEntry { index: place, key }),
        Ok(None) | Err(HalfAPlace) => {
            Err(TableError::Corrupt { key, reason: "it is in an index without a place there" })
        }
    }
}

/// An index key with only one of its halves.
struct HalfAPlace;

/// An attribute that is not a number, or not of the expected kind.
struct NotThatNumber;

/// An attribute that is not binary.
struct NotBytes;

fn instant(seconds: i64) -> Result<Timestamp, NotThatNumber> {
    Timestamp::from_second(seconds).map_err(|_| NotThatNumber)
}

fn take_key(attributes: &mut Attributes) -> Result<ItemKey, TableError> {
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

fn take_place(
    attributes: &mut Attributes,
    names: KeyNames,
) -> Result<Option<IndexKey>, HalfAPlace> {
    let pk = take_text(attributes, names.pk);
    let sk = take_text(attributes, names.sk);
    match (pk, sk) {
        (Some(pk), Some(sk)) => Ok(Some(IndexKey { pk, sk })),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(HalfAPlace),
    }
}

fn take_text(attributes: &mut Attributes, name: &str) -> Option<String> {
    if let AttributeValue::S(text) = attributes.remove(name)? { Some(text) } else { None }
}

fn take_bytes(attributes: &mut Attributes, name: &str) -> Result<Option<Vec<u8>>, NotBytes> {
    match attributes.remove(name) {
        None => Ok(None),
        Some(AttributeValue::B(bytes)) => Ok(Some(bytes.into_inner())),
        Some(_) => Err(NotBytes),
    }
}

fn take_number<T: FromStr>(
    attributes: &mut Attributes,
    name: &str,
) -> Result<Option<T>, NotThatNumber> {
    match attributes.remove(name) {
        None => Ok(None),
        Some(AttributeValue::N(digits)) => digits.parse().map(Some).map_err(|_| NotThatNumber),
        Some(_) => Err(NotThatNumber),
    }
}
