//! The outside world, as the engine sees it. Each port has one real implementation in `runtime` and
//! one in the tests' world.

use std::error::Error;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use domain::dead_letter::Reason;
use domain::entity::EntityKind;
use domain::envelope::Wake;
use domain::outbound::Event;
use domain::sync_log::LogStatus;
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

/// Where tokens are kept, by name. A read may show an older value, or none, for some time after a write:
/// Secrets Manager promises no read after write.
#[async_trait]
pub trait Secrets: Send + Sync + Debug {
    /// The secret of that name, if one is visible.
    async fn get(&self, name: &str) -> Result<Option<SecretString>, PortError>;

    /// Writes a value of the secret of that name, creating the secret if need be. Writing the same
    /// `version` twice writes it once.
    async fn put(&self, name: &str, value: &SecretString, version: Uuid) -> Result<(), PortError>;

    /// The same, for a secret that is there. One that was deleted is not created again: that is an error.
    async fn replace(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
    ) -> Result<(), PortError>;

    /// Deletes the secret of that name for good. One that is not there is deleted already.
    async fn delete(&self, name: &str) -> Result<(), PortError>;
}

/// Hints to ourselves: they arrive on the product's own queue of wake-ups of their kind, in the account's
/// group.
#[async_trait]
pub trait WakeUps: Send + Sync + Debug {
    /// Books a wake-up: at `at` or up to a minute later, `wake` arrives. Booking the same wake-up
    /// twice books it once.
    async fn book(&self, wake: &Wake, at: Timestamp) -> Result<(), PortError>;

    /// Leaves a wake-up behind the account's other wake-ups; the CRM's messages are on another queue and go
    /// on beside it. The same one within five minutes arrives once.
    async fn leave(&self, wake: &Wake) -> Result<(), PortError>;
}

/// The way to the CRM.
#[async_trait]
pub trait Events: Send + Sync + Debug {
    /// Delivers an event, in the order of its account's. Delivering it twice within five minutes
    /// delivers it once.
    async fn publish(&self, event: &Event) -> Result<(), PortError>;
}

/// Where numbers go that somebody watches.
pub trait Metrics: Send + Sync + Debug {
    /// Notes a number. It is about no account in particular: what is paid for is the number of series.
    fn record(&self, measure: Measure);
}

/// A number that somebody watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// An attempt ended.
    Attempt {
        /// At what kind of record.
        entity: EntityKind,
        /// How.
        outcome: LogStatus,
    },
    /// An attempt failed by a fault of ours or of the operator's.
    Defect,
    /// Xero's total of a document is not the CRM's.
    TotalsDiffer,
    /// Xero asked us to wait.
    Throttled,
    /// So many calls has an organisation left for the day; noted only when they are few.
    CallsLeft(u32),
    /// A grant's tokens were to be renewed.
    Refresh(Refreshed),
    /// What a health check counted.
    Health(Counted),
    /// Connections that could not be kept alive in one visit.
    KeepAliveFailed(usize),
    /// So many rows of an answer of Xero's could not be read, and were left out.
    OddRows(usize),
    /// So many sentences in which Xero refused a record are not in the table of known ones.
    UnknownSentences(usize),
    /// A poll of a ledger failed for a reason of ours.
    PollFailed,
}

/// How a refresh ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    /// The grant has new tokens.
    Renewed,
    /// Xero no longer takes the grant.
    Refused,
    /// It came to nothing, or nobody knows what it came to.
    Failed,
}

/// What a health check counted, over all accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Organisations that are connected.
    pub connections: usize,
    /// What was given up; none if there was no time to count it all.
    pub given_up: Option<GivenUp>,
    /// Records whose wake-up is more than a quarter of an hour late.
    pub overdue: usize,
    /// Accounts with an event that was not delivered for a quarter of an hour.
    pub undelivered: usize,
    /// Connections that somebody had ended inside Xero.
    pub found_disconnected: usize,
}

/// Records that were given up, of connected organisations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GivenUp {
    /// All of them.
    pub records: usize,
    /// Accounts with such records.
    pub accounts: usize,
    /// Accounts with five or more.
    pub warned: usize,
}

/// Where messages go that cannot be read, or that fail every time they come.
#[async_trait]
pub trait DeadLetters: Send + Sync + Debug {
    /// Moves a message here with its reason beside it: a sentence and a stable code. Moving the same
    /// message twice moves it once.
    async fn bury(&self, letter: DeadLetter<'_>, reason: &Reason) -> Result<(), PortError>;
}

/// A message that is moved aside, as it came.
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
