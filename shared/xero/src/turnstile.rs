//! The turnstile before every call: whoever counts the calls says whether one more may be made.
//!
//! The client neither counts nor waits; it asks before a call and tells how the call ended.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::budget::Budget;
use crate::error::Limit;
use crate::rows::OddRow;
use crate::transport::BoxError;

/// Whoever counts the calls on one organisation.
#[async_trait]
pub trait Turnstile: Send + Sync + Debug {
    /// Lets one call through, or says why not.
    async fn enter(&self) -> Result<Pass, Barred>;

    /// The call that was let through has ended. Not being told, because the caller died, must do no
    /// more harm than a call that takes its time.
    async fn leave(&self, pass: Pass, ending: Ending);

    /// These rows of an answer could not be read. There is at least one.
    fn note_odd_rows(&self, rows: &[OddRow]);
}

/// Leave to make one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass(pub Uuid);

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Xero answered, and said what is left.
    Answered(Budget),
    /// No answer; the request may still arrive.
    Unanswered,
    /// Nothing left the house.
    NotSent,
}

/// Why a call is not let through. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum Barred {
    /// It would exceed one of Xero's limits, or use up what is kept for more urgent calls.
    #[error("the {limit} limit has no room for the call")]
    Full {
        /// Which limit.
        limit: Limit,
        /// When there may be room.
        wait: SignedDuration,
    },
    /// The connection has been ended.
    #[error("the connection has been ended")]
    Closed,
    /// Too little time is left to read the answer.
    #[error("too little time is left for the call")]
    Late,
    /// It could not be found out.
    #[error("the calls could not be counted")]
    Uncounted {
        /// The cause.
        #[source]
        source: BoxError,
    },
}
