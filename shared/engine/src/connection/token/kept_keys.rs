//! Data keys in the memory of a warm process.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use secrecy::SecretString;

use crate::ports::{DataKey, DataKeys, PortError};

/// Maximum number of data keys that a process remembers: as many as grants whose tokens it
/// remembers.
const KEPT_MAX: usize = 64;

/// A key service that is called once for each data key while the process remembers that key.
///
/// A renewal reads the same value several times, and each call of the key service costs money and
/// time. Every value has a data key of its own, so a remembered key decrypts only tokens that this
/// process has already read or written. Keys are wiped from memory when they are dropped.
#[derive(Debug)]
pub(super) struct KeptKeys {
    service: Arc<dyn DataKeys>,
    kept: Mutex<VecDeque<KeptKey>>,
}

#[derive(Debug)]
struct KeptKey {
    context: String,
    key: DataKey,
}

impl KeptKeys {
    pub(super) fn new(service: Arc<dyn DataKeys>) -> Self {
        Self { service, kept: Mutex::default() }
    }

    fn find_key(&self, encrypted: &str, context: &str) -> Option<SecretString> {
        let kept = self.locked();
        let fits = |kept: &&KeptKey| kept.key.encrypted == encrypted && kept.context == context;
        kept.iter().find(fits).map(|kept| kept.key.plain.clone())
    }

    /// Remembers a key, and forgets the oldest one if there are too many.
    fn keep_key(&self, key: DataKey, context: &str) {
        let mut kept = self.locked();
        kept.push_front(KeptKey { context: context.to_owned(), key });
        kept.truncate(KEPT_MAX);
    }

    /// Forgets the keys of deleted tokens.
    pub(super) fn forget_keys(&self, context: &str) {
        self.locked().retain(|kept| kept.context != context);
    }

    fn locked(&self) -> MutexGuard<'_, VecDeque<KeptKey>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl DataKeys for KeptKeys {
    async fn new_key(&self, context: &str) -> Result<DataKey, PortError> {
        let key = self.service.new_key(context).await?;
        self.keep_key(key.clone(), context);
        Ok(key)
    }

    async fn open_key(&self, encrypted: &str, context: &str) -> Result<SecretString, PortError> {
        if let Some(plain) = self.find_key(encrypted, context) {
            return Ok(plain);
        }
        let plain = self.service.open_key(encrypted, context).await?;
        let key = DataKey { plain: plain.clone(), encrypted: encrypted.to_owned() };
        self.keep_key(key, context);
        Ok(plain)
    }
}
