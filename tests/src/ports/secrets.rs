//! Secrets in memory, whose reads may be stale.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use engine::ports::{IfMissing, PortError, SecretStore};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::locked;
use crate::access::Access;
use crate::io_monitor::IoMonitor;

/// The value that reads of a secret return instead of the newest one.
#[derive(Debug, Clone)]
struct Shown {
    /// The previous value.
    before: Option<SecretString>,
    /// The version that is not visible yet; `None` if no version is visible.
    hidden: Option<Uuid>,
    /// The number of reads that are affected.
    reads: u32,
}

/// Secrets in memory.
#[derive(Debug, Clone, Default)]
pub struct MemorySecrets {
    kept: Arc<Mutex<BTreeMap<String, SecretString>>>,
    /// Every value that was written, by its version.
    versions: Arc<Mutex<BTreeMap<(String, Uuid), SecretString>>>,
    /// The stale value that reads return.
    shown: Arc<Mutex<BTreeMap<String, Shown>>>,
    lag: Arc<Mutex<u32>>,
    io: IoMonitor,
}

impl MemorySecrets {
    /// No secrets, monitored by `io`.
    pub fn new(io: IoMonitor) -> Self {
        Self { io, ..Self::default() }
    }

    /// Makes this many reads after each write return the value before it.
    pub fn set_lag(&self, reads: u32) {
        *locked(&self.lag) = reads;
    }

    fn visible(&self, name: &str) -> Option<SecretString> {
        let mut shown = locked(&self.shown);
        match shown.get_mut(name) {
            Some(shown) if shown.reads > 0 => {
                shown.reads -= 1;
                shown.before.clone()
            }
            Some(_) | None => locked(&self.kept).get(name).cloned(),
        }
    }

    fn visible_version(&self, name: &str, version: Uuid) -> Option<SecretString> {
        let mut shown = locked(&self.shown);
        match shown.get_mut(name) {
            Some(shown) if shown.reads > 0 && shown.hidden.is_none_or(|one| one == version) => {
                shown.reads -= 1;
                None
            }
            Some(_) | None => locked(&self.versions).get(&(name.to_owned(), version)).cloned(),
        }
    }

    fn forget(&self, name: &str) {
        locked(&self.kept).remove(name);
        locked(&self.shown).remove(name);
        locked(&self.versions).retain(|(of, _), _| of != name);
    }

    /// The number of secrets.
    pub fn len(&self) -> usize {
        locked(&self.kept).len()
    }

    /// Whether there are no secrets.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes the secret of that name, without the processes' knowledge.
    pub fn lose(&self, name: &str) {
        self.forget(name);
    }

    /// Hides the secret from this many reads, however long ago it was written.
    pub fn hide(&self, name: &str, reads: u32) {
        let shown = Shown { before: None, hidden: None, reads };
        locked(&self.shown).insert(name.to_owned(), shown);
    }

    /// The names of all secrets.
    pub fn names(&self) -> Vec<String> {
        locked(&self.kept).keys().cloned().collect()
    }

    /// Every stored value, to search for values that must not be stored elsewhere.
    pub fn values(&self) -> Vec<String> {
        locked(&self.kept).values().map(|value| value.expose_secret().to_owned()).collect()
    }
}

#[async_trait]
impl SecretStore for MemorySecrets {
    async fn get_secret(&self, name: &str) -> Result<Option<SecretString>, PortError> {
        self.io.record_access(Access::ReadSecret);
        self.io.run_step(async { Ok(self.visible(name)) }).await
    }

    async fn get_version(
        &self,
        name: &str,
        version: Uuid,
    ) -> Result<Option<SecretString>, PortError> {
        self.io.record_access(Access::ReadSecret);
        self.io.run_step(async { Ok(self.visible_version(name, version)) }).await
    }

    async fn write_secret(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
        if_missing: IfMissing,
    ) -> Result<(), PortError> {
        let is_new = !locked(&self.kept).contains_key(name);
        if is_new && if_missing == IfMissing::Fail {
            self.io.record_access(Access::WriteSecret);
            let source = "there is no such secret".into();
            return Err(PortError { operation: "write a secret", source });
        }
        self.io.record_access(if is_new { Access::NewSecret } else { Access::WriteSecret });
        let put = async {
            let before = locked(&self.kept).insert(name.to_owned(), value.clone());
            locked(&self.versions).insert((name.to_owned(), version), value.clone());
            let reads = *locked(&self.lag);
            if reads > 0 {
                let shown = Shown { before, hidden: Some(version), reads };
                locked(&self.shown).insert(name.to_owned(), shown);
            }
            Ok(())
        };
        self.io.run_step(put).await
    }

    async fn delete_secret(&self, name: &str) -> Result<(), PortError> {
        self.io.record_access(Access::DeleteSecret);
        let delete = async {
            self.forget(name);
            Ok(())
        };
        self.io.run_step(delete).await
    }
}
