//! Data keys in memory: as at KMS, each can be decrypted with its own context only.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use engine::ports::{DataKey, DataKeys, PortError};
use secrecy::SecretString;

/// All data keys, with the context of each.
#[derive(Debug, Clone, Default)]
pub struct MemoryKeys {
    keys: Arc<Mutex<Vec<(String, String)>>>,
    calls: Arc<AtomicUsize>,
}

impl MemoryKeys {
    /// The number of calls of the key service so far.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    fn locked(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl DataKeys for MemoryKeys {
    async fn new_key(&self, context: &str) -> Result<DataKey, PortError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut keys = self.locked();
        let encrypted = keys.len().to_string();
        let plain = format!("data key {encrypted} of {context}");
        keys.push((context.to_owned(), plain.clone()));
        Ok(DataKey { plain: SecretString::from(plain), encrypted })
    }

    async fn open_key(&self, encrypted: &str, context: &str) -> Result<SecretString, PortError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let keys = self.locked();
        let found = encrypted.parse::<usize>().ok().and_then(|number| keys.get(number));
        let found = found.filter(|(of, _)| of == context);
        let plain = found.map(|(_, plain)| SecretString::from(plain.clone()));
        let refused = "InvalidCiphertextException";
        plain.ok_or_else(|| PortError { operation: "decrypt a data key", source: refused.into() })
    }
}
