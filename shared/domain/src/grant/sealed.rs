//! The values of a grant's secret when the table stores them instead of Secrets Manager: encrypted,
//! each under a data key of its own.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Values per row. A process whose lock had expired may write after a faster one, so the value
/// before the newest one stays readable by its version.
const VALUES_MAX: usize = 2;

/// The encrypted values of one secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedTokens {
    /// The name that the secret has in Secrets Manager.
    pub name: String,
    /// The values, the newest first.
    pub values: Vec<SealedValue>,
}

/// An encrypted value of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedValue {
    /// The identity of the value.
    pub version: Uuid,
    /// The data key, encrypted by the key service.
    pub data_key: String,
    /// The value, encrypted with the data key.
    pub sealed: String,
}

impl SealedTokens {
    /// A secret without values.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), values: Vec::new() }
    }

    /// The newest value.
    pub fn newest(&self) -> Option<&SealedValue> {
        self.values.first()
    }

    /// The value of a version, if it is one of the newest two.
    pub fn find_version(&self, version: Uuid) -> Option<&SealedValue> {
        self.values.iter().find(|value| value.version == version)
    }

    /// The secret with a new value.
    #[must_use]
    pub fn with_value(mut self, value: SealedValue) -> Self {
        self.values.insert(0, value);
        self.values.truncate(VALUES_MAX);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(version: u128) -> SealedValue {
        let version = Uuid::from_u128(version);
        SealedValue { version, data_key: "key".to_owned(), sealed: "text".to_owned() }
    }

    #[test]
    fn the_newest_two_values_stay_readable() {
        let tokens = SealedTokens::new("name");
        assert!(tokens.newest().is_none());
        let tokens = tokens.with_value(value(1)).with_value(value(2)).with_value(value(3));
        assert_eq!(tokens.newest(), Some(&value(3)));
        assert_eq!(tokens.find_version(Uuid::from_u128(2)), Some(&value(2)));
        assert_eq!(tokens.find_version(Uuid::from_u128(1)), None);
    }
}
