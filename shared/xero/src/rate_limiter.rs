//! The rate limiter that every call passes: it counts the calls and decides whether one more may be
//! made.
//!
//! The client neither counts nor waits. It asks before a call and reports how the call ended.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::error::RateLimit;
use crate::rate_limit_headers::RateLimitHeaders;
use crate::rows::UndecodableRow;
use crate::transport::BoxError;

/// Counts the calls on one organisation.
#[async_trait]
pub trait RateLimiter: Send + Sync + Debug {
    /// Permits one call.
    ///
    /// # Errors
    ///
    /// The reason why the call is not permitted.
    async fn acquire_permit(&self) -> Result<Permit, NotPermitted>;

    /// Reports that a permitted call has ended. If the caller dies and does not report it, the
    /// effect must be no worse than that of a slow call.
    async fn release_permit(&self, permit: Permit, outcome: CallOutcome);

    /// Reports rows of an answer that could not be read. There is at least one.
    fn report_undecodable_rows(&self, rows: &[UndecodableRow]);

    /// Reports how many of Xero's sentences in a refusal are not in the table of
    /// [`rejection`](mod@domain::rejection). There is at least one.
    fn report_unknown_sentences(&self, count: usize);
}

/// The permission to make one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit(pub Uuid);

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// Xero answered, and reported the calls left.
    Answered(RateLimitHeaders),
    /// No answer came; the request may still arrive.
    Unanswered,
    /// The request was never sent.
    NotSent,
}

/// The reason why a call is not permitted. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum NotPermitted {
    /// The call would exceed one of Xero's limits, or use calls that are reserved for higher
    /// priorities.
    #[error("the {limit} limit has no room for the call")]
    Full {
        /// The limit.
        limit: RateLimit,
        /// How long to wait before there may be room.
        wait: SignedDuration,
    },
    /// The connection has been ended.
    #[error("the connection has been ended")]
    Closed,
    /// Too little time is left to read the answer.
    #[error("too little time is left for the call")]
    Late,
    /// The count of calls could not be read or updated.
    #[error("the calls could not be counted")]
    Uncounted {
        /// The cause.
        #[source]
        source: BoxError,
    },
}
