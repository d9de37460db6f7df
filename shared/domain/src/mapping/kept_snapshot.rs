//! The snapshot of a record that is stored with its mapping.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::idempotency::ContentHash;

/// A CRM record as received, in the form in which it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSnapshot {
    /// The CRM's revision, which rises with every change. It alone decides which of two snapshots
    /// is newer.
    pub revision: u64,
    /// The key by which the document can be found in Xero, such as an invoice's number or a
    /// contact's number.
    pub natural_key: String,
    /// The hash of `json`.
    pub hash: ContentHash,
    /// The snapshot as JSON text, serialised from the checked record. The table stores it
    /// compressed, beside the rest of the row: as text inside JSON it would be escaped. Rows of
    /// earlier releases hold it here.
    #[serde(default, skip_serializing)]
    pub json: String,
}

impl KeptSnapshot {
    /// A snapshot of the record's state at `revision`, with the hash of `json`.
    pub fn new(revision: u64, natural_key: String, json: String) -> Self {
        let hash = ContentHash::of_bytes(json.as_bytes());
        Self { revision, natural_key, hash, json }
    }

    /// Parses the text as a snapshot of the record's kind.
    ///
    /// # Errors
    ///
    /// The text was dropped, or it is not the snapshot of such a record.
    pub fn parse_text<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.json)
    }
}
