//! The engine's interfaces to external systems. Each port has one real implementation in `runtime`
//! and one in the tests' world.

mod metrics;

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use domain::dead_letter::DeadLetterReason;
use domain::envelope::WakeUp;
use domain::ids::EventId;
use domain::outbound::EventMessage;
use jiff::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;
use xero::OAuthApp;

pub use self::metrics::{GivenUp, HealthCounts, Metric, MetricRecorder, RefreshOutcome};

/// The cause of a port's failure, of any type.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The only source of the current time.
#[async_trait]
pub trait Clock: Send + Sync + Debug {
    /// Returns the current time.
    fn now(&self) -> Timestamp;

    /// Waits for this long. This is the engine's only wait. It is used while another process
    /// renews a token.
    async fn sleep_for(&self, moment: Duration);
}

/// The only source of randomness: identities and secrets.
pub trait IdSource: Send + Sync + Debug {
    /// Returns a new unique identity.
    fn new_uuid(&self) -> Uuid;

    /// Returns an unguessable text: 64 characters of `a-z 0-9`.
    fn new_secret(&self) -> SecretString;
}

/// The storage of tokens, by name. A read may return an older value, or none, for some time after a
/// write: Secrets Manager does not guarantee read-after-write consistency.
#[async_trait]
pub trait SecretStore: Send + Sync + Debug {
    /// Returns the current value of a secret, if one is visible.
    async fn get_secret(&self, name: &str) -> Result<Option<SecretString>, PortError>;

    /// Returns one version of a secret, if it is visible: the value written under this id,
    /// regardless of later writes.
    async fn get_version(
        &self,
        name: &str,
        version: Uuid,
    ) -> Result<Option<SecretString>, PortError>;

    /// Writes a value of a secret. Writing the same `version` twice writes it once.
    async fn write_secret(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
        if_missing: IfMissing,
    ) -> Result<(), PortError>;

    /// Deletes a secret permanently. Succeeds if the secret does not exist.
    async fn delete_secret(&self, name: &str) -> Result<(), PortError>;

    /// Deletes the values that remain in a former place, if the tokens were moved and their newest
    /// version is in the new place. Called only while no process can be writing tokens of this
    /// name. Without a former place there is nothing to do.
    async fn remove_moved(&self, _name: &str, _version: Uuid) -> Result<(), PortError> {
        Ok(())
    }
}

/// What a write does if there is no secret of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfMissing {
    /// It creates the secret.
    Create,
    /// It fails: a deleted secret is not created again.
    Fail,
}

/// The source of this app's credentials at Xero, which an operator may replace at any time.
#[async_trait]
pub trait AppSource: Send + Sync + Debug {
    /// Reads the credentials as they are now.
    async fn read_app(&self) -> Result<OAuthApp, PortError>;
}

/// Credentials that never change.
#[async_trait]
impl AppSource for OAuthApp {
    async fn read_app(&self) -> Result<OAuthApp, PortError> {
        Ok(self.clone())
    }
}

/// Data keys for tokens that the table stores. The key service encrypts each under a key that never
/// leaves the service, and records every use.
#[async_trait]
pub trait DataKeys: Send + Sync + Debug {
    /// Returns a new data key. It can be decrypted with the same `context` only.
    async fn new_key(&self, context: &str) -> Result<DataKey, PortError>;

    /// Decrypts a data key.
    async fn open_key(&self, encrypted: &str, context: &str) -> Result<SecretString, PortError>;
}

/// A new data key, plain and encrypted. Only the encrypted form is stored.
#[derive(Debug, Clone)]
pub struct DataKey {
    /// The key, as an unguessable text. It is never stored.
    pub plain: SecretString,
    /// The key, encrypted by the key service.
    pub encrypted: String,
}

/// Wake-ups of the product itself. They arrive on its own queue of wake-ups for their kind, in the
/// account's message group.
#[async_trait]
pub trait WakeUps: Send + Sync + Debug {
    /// Schedules `wake_up` to arrive at `at` or up to a minute later. Scheduling the same wake-up
    /// twice schedules it once.
    async fn schedule(&self, wake_up: &WakeUp, at: Timestamp) -> Result<(), PortError>;

    /// Enqueues `wake_up` behind the account's other wake-ups. Messages from the CRM are on another
    /// queue and are not delayed by it. The same wake-up within five minutes arrives once.
    async fn enqueue(&self, wake_up: &WakeUp) -> Result<(), PortError>;
}

/// The delivery of events to the CRM.
#[async_trait]
pub trait EventPublisher: Send + Sync + Debug {
    /// Delivers an event after the account's earlier events. Delivering the same event twice within
    /// five minutes delivers it once.
    async fn publish_event(&self, event: &EventMessage) -> Result<(), PortError>;

    /// Delivers events whose order does not matter, with fewer calls than one by one.
    async fn publish_unordered_events(&self, events: &[EventMessage]) -> PublishedEvents {
        let mut published = PublishedEvents::default();
        for event in events {
            published.add([event.event_id], self.publish_event(event).await);
        }
        published
    }
}

/// The result of delivering several events.
#[derive(Debug, Default)]
pub struct PublishedEvents {
    /// The ids of those that the queue accepted.
    pub accepted: BTreeSet<EventId>,
    /// The first error, if some were not accepted.
    pub error: Option<PortError>,
}

impl PublishedEvents {
    /// Adds the result of one call.
    pub fn add(&mut self, ids: impl IntoIterator<Item = EventId>, result: Result<(), PortError>) {
        match result {
            Ok(()) => self.accepted.extend(ids),
            Err(error) => self.error = self.error.take().or(Some(error)),
        }
    }
}

/// The destination of messages that cannot be read or that fail every time.
#[async_trait]
pub trait DeadLetters: Send + Sync + Debug {
    /// Moves a message here together with its reason: a sentence and a stable code. Moving the same
    /// message twice moves it once.
    async fn dead_letter(
        &self,
        letter: DeadLetter<'_>,
        reason: &DeadLetterReason,
    ) -> Result<(), PortError>;
}

/// A message that is moved to the dead-letter queue, as it was received.
#[derive(Clone, Copy)]
pub struct DeadLetter<'a> {
    /// The id that the queue assigned.
    pub message_id: &'a str,
    /// Its message group.
    pub group: &'a str,
    /// Its body.
    pub body: &'a str,
}

/// Hides the body, because it may hold personal data.
impl Debug for DeadLetter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeadLetter({} of {})", self.message_id, self.group)
    }
}

/// A port did not perform an operation.
#[derive(Debug, thiserror::Error)]
#[error("could not {operation}")]
pub struct PortError {
    /// The operation.
    pub operation: &'static str,
    /// The cause.
    #[source]
    pub source: BoxError,
}

impl PortError {
    /// Returns the refusal if the same call will always fail because of what it sends. Any other
    /// error may be temporary, even if it needs an operator, such as a missing queue or permission.
    pub fn content_refusal(&self) -> Option<&ContentRefusal> {
        self.source.downcast_ref()
    }
}

/// The service refuses what a call sends, and will refuse it every time. A port uses it as the
/// cause of a [`PortError`].
#[derive(Debug, thiserror::Error)]
#[error("the content was refused with {code}")]
pub struct ContentRefusal {
    /// The service's code.
    pub code: String,
    /// The service's answer.
    #[source]
    pub source: BoxError,
}
