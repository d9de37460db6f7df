//! Idempotency keys: equal for the same intent, different for any other.
//!
//! Xero keeps a key for six minutes from its first use and replays the first answer, errors
//! included. It rejects a key longer than 128 characters, and a key that is used again with a
//! different body. So a key here covers the document's hash, has a fixed length, and includes a
//! serial that rises after every answer that must not be replayed.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::crm::Revision;
use crate::mapping::MappingKey;

/// The value of the `Idempotency-Key` header: 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key of one intent: this document (its hash), for this mapping, in this generation, at
    /// this revision, under this serial. It covers the account and the tenant, so two organisations
    /// never share a key. It covers the revision, so an edit that restores an earlier document is
    /// not mistaken for a repetition of it.
    pub fn for_write(key: &MappingKey, intent: WriteIntent, document: &ContentHash) -> Self {
        let WriteIntent { generation, revision, serial } = intent;
        let intent = format!(
            "{}\n{}\n{}\n{}\n{generation}\n{revision}\n{document}\n{serial}",
            key.ledger.account, key.ledger.tenant, key.kind, key.crm_id,
        );
        Self(ContentHash::of_bytes(intent.as_bytes()).to_string())
    }

    /// The key of one call that writes several documents: exactly these intents, in this order. A
    /// single document keeps its own key.
    pub fn of_batch(keys: &[Self]) -> Self {
        if let [only] = keys {
            return only.clone();
        }
        let joined = keys.iter().map(Self::as_str).collect::<Vec<_>>().join("\n");
        Self(ContentHash::of_bytes(joined.as_bytes()).to_string())
    }

    /// The key of writing the same once more within an attempt, after an answer that must not be
    /// replayed. The first write, with `repetition` 0, keeps its key.
    #[must_use]
    pub fn of_repetition(self, repetition: u8) -> Self {
        if repetition == 0 {
            return self;
        }
        let repeated = format!("{}\n{repetition}", self.0);
        Self(ContentHash::of_bytes(repeated.as_bytes()).to_string())
    }

    /// The value of the header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The values that distinguish one write of a record from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteIntent {
    /// The generation of the document in Xero. It rises when a user asks for a new copy.
    pub generation: u32,
    /// The record's revision.
    pub revision: Revision,
    /// A serial that rises with every answer from Xero that must not be replayed.
    pub serial: u32,
}

/// A SHA-256 hash, written as 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentHash(String);

impl ContentHash {
    /// The hash of the given bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        use fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in Sha256::digest(bytes) {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        }
        Self(text)
    }

    /// The hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use uuid::Uuid;

    use super::*;
    use crate::entity::EntityKind;
    use crate::ids::{AccountId, Ledger, TenantId};
    use crate::mapping::tests::a_key;

    const FIRST: WriteIntent = WriteIntent { generation: 1, revision: 1, serial: 0 };

    #[test]
    fn every_part_of_the_intent_changes_the_key() {
        let document = ContentHash::of_bytes(b"document");
        let first = IdempotencyKey::for_write(&a_key("inv_1"), FIRST, &document);
        assert_eq!(first, IdempotencyKey::for_write(&a_key("inv_1"), FIRST, &document));
        let derive = |intent| IdempotencyKey::for_write(&a_key("inv_1"), intent, &document);
        for other in [
            IdempotencyKey::for_write(&a_key("inv_2"), FIRST, &document),
            IdempotencyKey::for_write(&a_key("inv_1"), FIRST, &ContentHash::of_bytes(b"edited")),
            derive(WriteIntent { generation: 2, ..FIRST }),
            derive(WriteIntent { revision: 2, ..FIRST }),
            derive(WriteIntent { serial: 1, ..FIRST }),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn each_repetition_within_an_attempt_has_a_key_of_its_own() {
        let document = ContentHash::of_bytes(b"document");
        let first = IdempotencyKey::for_write(&a_key("inv_1"), FIRST, &document);
        assert_eq!(first.clone().of_repetition(0), first);
        let repeated = [1, 2].map(|repetition| first.clone().of_repetition(repetition));
        assert_ne!(repeated[0], first);
        assert_ne!(repeated[0], repeated[1]);
        let next = IdempotencyKey::for_write(
            &a_key("inv_1"),
            WriteIntent { serial: 1, ..FIRST },
            &document,
        );
        assert!(!repeated.contains(&next), "the next attempt replays no repetition");
    }

    #[test]
    fn the_same_id_in_another_account_organisation_or_kind_has_another_key() {
        let document = ContentHash::of_bytes(b"document");
        let derive = |key: &MappingKey| IdempotencyKey::for_write(key, FIRST, &document);
        let key = a_key("inv_1");
        let Ledger { account, tenant } = key.ledger.clone();
        let others = [
            Ledger { account: AccountId::new("acc_2").unwrap(), tenant },
            Ledger { account, tenant: TenantId(Uuid::from_u128(8)) },
        ];
        let others = others.map(|ledger| MappingKey { ledger, ..key.clone() });
        let credit_note = MappingKey { kind: EntityKind::CreditNote, ..key.clone() };
        for other in others.iter().chain([&credit_note]) {
            assert_ne!(derive(other), derive(&key), "{other:?}");
            assert_ne!(other.hash_seed(), key.hash_seed(), "{other:?}");
        }
    }

    #[test]
    fn a_batch_has_the_key_of_its_only_document_and_else_one_of_its_own() {
        let derive =
            |id| IdempotencyKey::for_write(&a_key(id), FIRST, &ContentHash::of_bytes(b"document"));
        let (one, two) = (derive("inv_1"), derive("inv_2"));
        assert_eq!(IdempotencyKey::of_batch(std::slice::from_ref(&one)), one);
        let both = IdempotencyKey::of_batch(&[one.clone(), two.clone()]);
        assert_ne!(both, one);
        assert_ne!(both, IdempotencyKey::of_batch(&[two, one]));
        assert_eq!(both.as_str().len(), 64);
    }

    proptest! {
        #[test]
        fn a_key_always_fits_into_xeros_128_characters(
            id in "[A-Za-z0-9_.-]{1,40}",
            generation: u32,
            revision: u64,
            serial: u32,
        ) {
            let intent = WriteIntent { generation, revision, serial };
            let key = IdempotencyKey::for_write(&a_key(&id), intent, &ContentHash::of_bytes(b""));
            prop_assert_eq!(key.as_str().len(), 64);
        }
    }
}
