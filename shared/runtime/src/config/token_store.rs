//! The configuration of the storage of tokens.

use super::reader::VariableReader;
use crate::env;

/// Where the tokens of grants are stored. Tokens move in three deployments: the other place is read
/// first, then written, then the former place is not read any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenStoreConfig {
    /// In Secrets Manager.
    Secrets,
    /// In Secrets Manager, and read from the table, too.
    SecretsReadingSealed {
        /// The ARN of the KMS key.
        key: String,
    },
    /// In the table, encrypted, and read from Secrets Manager, too.
    SealedReadingSecrets {
        /// The ARN of the KMS key.
        key: String,
    },
    /// In the table, encrypted.
    Sealed {
        /// The ARN of the KMS key.
        key: String,
    },
}

impl<L: Fn(&str) -> Option<String>> VariableReader<L> {
    pub(super) fn token_store(&mut self) -> TokenStoreConfig {
        let key = self.required_text(env::TOKEN_KEY);
        match self.required_text(env::TOKEN_STORE).as_str() {
            "secrets-reading-sealed" => TokenStoreConfig::SecretsReadingSealed { key },
            "sealed-reading-secrets" => TokenStoreConfig::SealedReadingSecrets { key },
            "sealed" => TokenStoreConfig::Sealed { key },
            "secrets" | "" => TokenStoreConfig::Secrets,
            _ => {
                self.problems.push(format!(
                    "{} must be \"secrets\", \"secrets-reading-sealed\", \"sealed-reading-secrets\" or \"sealed\"",
                    env::TOKEN_STORE
                ));
                TokenStoreConfig::Secrets
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(store: &str) -> (TokenStoreConfig, Vec<String>) {
        let lookup = |name: &str| {
            let value = if name == env::TOKEN_STORE { store } else { "arn:key" };
            Some(value.to_owned())
        };
        let mut reader = VariableReader { lookup, problems: Vec::new() };
        (reader.token_store(), reader.problems)
    }

    #[test]
    fn each_place_has_a_name_and_another_name_is_a_problem() {
        let key = || "arn:key".to_owned();
        for (name, expected) in [
            ("secrets", TokenStoreConfig::Secrets),
            ("secrets-reading-sealed", TokenStoreConfig::SecretsReadingSealed { key: key() }),
            ("sealed-reading-secrets", TokenStoreConfig::SealedReadingSecrets { key: key() }),
            ("sealed", TokenStoreConfig::Sealed { key: key() }),
        ] {
            assert_eq!(read(name), (expected, Vec::new()), "{name}");
        }
        let (_, problems) = read("table");
        assert!(problems[0].contains("TOKEN_STORE must be"), "{problems:?}");
    }
}
