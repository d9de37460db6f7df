//! Where the tokens of grants are stored, as configured.

use std::sync::Arc;

use engine::connection::token::{SealedSecrets, TokenPlace, TokenStores};
use engine::ports::SecretStore;
use store::Store;
use xero::Transport;

use super::{KeyService, SecretsManager};
use crate::config::{AwsConfig, TokenStoreConfig};

/// Builds the storage of tokens that the configuration names: Secrets Manager, the table, or both
/// while tokens are moved from one to the other.
pub(crate) fn build_token_store(
    config: TokenStoreConfig,
    secrets: SecretsManager,
    store: &Store,
    aws: &AwsConfig,
    transport: &Arc<dyn Transport>,
) -> Arc<dyn SecretStore> {
    let table = |key: String| {
        let keys = KeyService::new(transport.clone(), aws, key);
        SealedSecrets::new(store.clone(), Arc::new(keys))
    };
    let (key, wanted) = match config {
        TokenStoreConfig::Secrets => return Arc::new(secrets),
        TokenStoreConfig::Sealed { key } => return Arc::new(table(key)),
        TokenStoreConfig::SecretsReadingSealed { key } => (key, TokenPlace::Secrets),
        TokenStoreConfig::SealedReadingSecrets { key } => (key, TokenPlace::Table),
    };
    Arc::new(TokenStores { secrets: Arc::new(secrets), table: Arc::new(table(key)), wanted })
}
