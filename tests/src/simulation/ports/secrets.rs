//! The secrets of the simulation, whose reads may be stale.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use engine::ports::{IfMissing, PortError, SecretStore};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use uuid::Uuid;

use super::{SharedState, refused};
use crate::access::Access;
use crate::ports::locked;
use crate::simulation::executor::after;
use crate::simulation::faults::{Fault, Port};

/// Maximum time for which a secret store returns an older value.
const LAG_MAX: SignedDuration = SignedDuration::from_secs(60);

/// The value that reads of a secret return after a write.
#[derive(Debug)]
pub struct Shown {
    /// The previous value.
    before: Option<SecretString>,
    /// The version that is not visible yet.
    hidden: Uuid,
    /// The number of reads that are affected.
    reads: u64,
    /// The end of the affected period.
    until: Timestamp,
}

/// The secrets.
#[derive(Debug, Clone)]
pub struct SimSecrets {
    /// The implementation without faults.
    pub kept: Arc<Mutex<BTreeMap<String, SecretString>>>,
    /// Every value that was written, by its version.
    pub versions: Arc<Mutex<BTreeMap<(String, Uuid), SecretString>>>,
    /// The values that reads return instead of the newest one.
    pub shown: Arc<Mutex<BTreeMap<String, Shown>>>,
    /// The world.
    pub shared: SharedState,
}

impl SimSecrets {
    /// Returns the value that a read shows: for some reads after a write, the previous one.
    fn visible(&self, name: &str) -> Option<SecretString> {
        let now = self.shared.timeline.now();
        match locked(&self.shown).get_mut(name) {
            Some(shown) if shown.reads > 0 && now < shown.until => {
                shown.reads -= 1;
                shown.before.clone()
            }
            Some(_) | None => locked(&self.kept).get(name).cloned(),
        }
    }

    /// Returns the value that a read of one version shows: for some reads after it was written,
    /// none.
    fn visible_version(&self, name: &str, version: Uuid) -> Option<SecretString> {
        let now = self.shared.timeline.now();
        match locked(&self.shown).get_mut(name) {
            Some(shown) if shown.reads > 0 && now < shown.until && shown.hidden == version => {
                shown.reads -= 1;
                None
            }
            Some(_) | None => locked(&self.versions).get(&(name.to_owned(), version)).cloned(),
        }
    }

    async fn step<T: Send>(
        &self,
        what: String,
        operation: &'static str,
        act: impl FnOnce() -> T + Send,
    ) -> Result<T, PortError> {
        let course = self.shared.draw_course(Port::Secret, move || what);
        self.shared.before(&course).await;
        let result = match course.fault {
            Some(Fault::FailBefore | Fault::Throttled) => Err(refused(operation)),
            _ => Ok(act()),
        };
        self.shared.after(&course).await;
        if course.fault == Some(Fault::FailAfter) { Err(refused(operation)) } else { result }
    }
}

impl SimSecrets {
    fn keep(&self, name: &str, value: &SecretString, version: Uuid) {
        let before = locked(&self.kept).insert(name.to_owned(), value.clone());
        locked(&self.versions).insert((name.to_owned(), version), value.clone());
        let reads = locked(&self.shared.faults).secret_lag();
        let until = after(self.shared.timeline.now(), LAG_MAX);
        let shown = Shown { before, hidden: version, reads, until };
        locked(&self.shown).insert(name.to_owned(), shown);
    }
}

#[async_trait]
impl SecretStore for SimSecrets {
    async fn get_secret(&self, name: &str) -> Result<Option<SecretString>, PortError> {
        self.shared.record_access(Access::ReadSecret);
        let get = || self.visible(name);
        self.step(format!("read secret {name}"), "read a secret", get).await
    }

    async fn get_version(
        &self,
        name: &str,
        version: Uuid,
    ) -> Result<Option<SecretString>, PortError> {
        self.shared.record_access(Access::ReadSecret);
        let get = || self.visible_version(name, version);
        self.step(format!("read secret {name}, {version}"), "read a secret", get).await
    }

    async fn write_secret(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
        if_missing: IfMissing,
    ) -> Result<(), PortError> {
        let is_there = || locked(&self.kept).contains_key(name);
        let creates = if_missing == IfMissing::Create;
        self.shared.record_access(if creates && !is_there() {
            Access::NewSecret
        } else {
            Access::WriteSecret
        });
        // The secret may be deleted while the request is in transit.
        let write = || (creates || is_there()).then(|| self.keep(name, value, version));
        let written = self.step(format!("write secret {name}"), "write a secret", write).await?;
        written.ok_or_else(|| refused("write a secret"))
    }

    async fn delete_secret(&self, name: &str) -> Result<(), PortError> {
        self.shared.record_access(Access::DeleteSecret);
        let delete = || {
            locked(&self.kept).remove(name);
            locked(&self.shown).remove(name);
            locked(&self.versions).retain(|(of, _), _| of != name);
        };
        self.step(format!("delete secret {name}"), "delete a secret", delete).await
    }
}
