//! The outside world, as the engine sees it. Each port has one real implementation in `runtime` and
//! one in the tests' world.

use std::error::Error;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use domain::envelope::{Unreadable, Wake};
use domain::outbound::Event;
use jiff::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;

/// The cause of a port's failure, whatever its type.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What time it is.
#[async_trait]
pub trait Clock: Send + Sync + Debug {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Lets a moment pass: the only wait there is, while another process renews a token.
    async fn pause(&self, moment: Duration);
}

/// Fresh identities and secrets. The only source of randomness.
pub trait Ids: Send + Sync + Debug {
    /// A new identity.
    fn uuid(&self) -> Uuid;

    /// Text that nobody can guess: 64 characters of `a-z 0-9`.
    fn unguessable(&self) -> SecretString;
}

/// Where tokens are kept, by name.
#[async_trait]
pub trait Secrets: Send + Sync + Debug {
    /// The secret of that name, if there is one.
    async fn get(&self, name: &str) -> Result<Option<SecretString>, PortError>;

    /// Writes the secret of that name, creating it if need be. After it returned, every reader sees
    /// this value or a later one.
    async fn put(&self, name: &str, value: &SecretString) -> Result<(), PortError>;
}

/// Hints to ourselves: they arrive on the queue of their kind, in the account's group.
#[async_trait]
pub trait WakeUps: Send + Sync + Debug {
    /// Books a wake-up: at `at` or up to a minute later, `wake` arrives. Booking the same wake-up
    /// twice books it once.
    async fn book(&self, wake: &Wake, at: Timestamp) -> Result<(), PortError>;

    /// Leaves a wake-up behind what is already in the queue. The same one within five minutes arrives
    /// once.
    async fn leave(&self, wake: &Wake) -> Result<(), PortError>;
}

/// The way to the CRM.
#[async_trait]
pub trait Events: Send + Sync + Debug {
    /// Delivers an event, in the order of its account's. Delivering it twice within five minutes
    /// delivers it once.
    async fn publish(&self, event: &Event) -> Result<(), PortError>;
}

/// Where messages go that nobody can read.
#[async_trait]
pub trait DeadLetters: Send + Sync + Debug {
    /// Moves a message here with its reason beside it: a sentence that names the field, and a stable
    /// word. Moving the same message twice moves it once.
    async fn bury(&self, letter: DeadLetter<'_>, reason: &Unreadable) -> Result<(), PortError>;
}

/// A message that cannot be read, as it came.
#[derive(Clone, Copy)]
pub struct DeadLetter<'a> {
    /// The queue's id of it.
    pub message_id: &'a str,
    /// Its message group.
    pub group: &'a str,
    /// Its body.
    pub body: &'a str,
}

/// A body may hold personal data.
impl Debug for DeadLetter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeadLetter({} of {})", self.message_id, self.group)
    }
}

/// A port did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("could not {operation}")]
pub struct PortError {
    /// What was attempted.
    pub operation: &'static str,
    /// What went wrong.
    #[source]
    pub source: BoxError,
}
