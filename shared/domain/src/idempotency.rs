//! Idempotency keys: the same for the same intent, different for anything else.
//!
//! Xero keeps a key for six minutes from its first use and replays the first answer, errors
//! included; a key longer than 128 characters is refused, and a key used with other bytes is
//! refused too. So a key here covers the document's own hash, has a fixed length, and carries a
//! serial that rises once Xero has answered an error under it.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::mapping::MappingKey;

/// The value of the `Idempotency-Key` header: 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key of one intent: this document (its hash), for this mapping, in this generation, under
    /// this serial. Accounts and tenants are part of it, so two organisations never share a key.
    pub fn derive(key: &MappingKey, generation: u32, document: &Hash, serial: u32) -> Self {
        let intent = format!(
            "{}\n{}\n{}\n{}\n{generation}\n{document}\n{serial}",
            key.ledger.account, key.ledger.tenant, key.kind, key.crm_id,
        );
        Self(Hash::of(intent.as_bytes()).to_string())
    }

    /// The header's value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A SHA-256, written as 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(String);

impl Hash {
    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in Sha256::digest(bytes) {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        }
        Self(text)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mapping::tests::a_key;

    #[test]
    fn every_part_of_the_intent_changes_the_key() {
        let document = Hash::of(b"document");
        let first = IdempotencyKey::derive(&a_key("inv_1"), 1, &document, 0);
        assert_eq!(first, IdempotencyKey::derive(&a_key("inv_1"), 1, &document, 0));
        for other in [
            IdempotencyKey::derive(&a_key("inv_2"), 1, &document, 0),
            IdempotencyKey::derive(&a_key("inv_1"), 2, &document, 0),
            IdempotencyKey::derive(&a_key("inv_1"), 1, &Hash::of(b"edited"), 0),
            IdempotencyKey::derive(&a_key("inv_1"), 1, &document, 1),
        ] {
            assert_ne!(first, other);
        }
    }

    proptest! {
        #[test]
        fn a_key_always_fits_into_xeros_128_characters(
            id in "[A-Za-z0-9_.-]{1,40}",
            generation: u32,
            serial: u32,
        ) {
            let key = IdempotencyKey::derive(&a_key(&id), generation, &Hash::of(b""), serial);
            prop_assert_eq!(key.as_str().len(), 64);
        }
    }
}
