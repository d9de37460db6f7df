//! Reads a secret from JSON into a type that never prints it.

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

/// Reads a text as a secret. Refuses any other JSON with an error of serde, which may quote a number:
/// errors that reach a log or a response are converted first.
pub fn deserialize_secret<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}
