//! The interface below the client: bytes out, bytes in.
//!
//! Everything above it (documents, headers, classification, the OAuth exchange) runs unchanged over
//! a socket, over a simulator in the same process, or over a scripted table in a test.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

/// The cause of an unfinished exchange, from any library.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Sends one request and returns its answer.
#[async_trait]
pub trait Transport: Send + Sync + fmt::Debug {
    /// Makes one exchange. Any status is an answer; only an exchange that did not finish is an
    /// error.
    ///
    /// The request is sent at most once, redirects are not followed, and a content encoding that
    /// the request asked for is already decoded in the answer.
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError>;
}

/// An exchange that did not finish.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct TransportError {
    /// Whether the other side may have received the request.
    pub sent: RequestSent,
    /// How the exchange failed.
    pub kind: TransportErrorKind,
    /// The cause.
    #[source]
    pub source: BoxError,
}

/// Whether the other side may have received the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestSent {
    /// Certainly not: no byte of it was sent.
    No,
    /// Possibly, wholly or in part. A write has an uncertain outcome.
    Unknown,
}

/// How an exchange failed to finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportErrorKind {
    /// The request cannot be sent, for example because its address is not valid.
    Invalid,
    /// No connection was made: the name was not found, the connection was refused, TLS failed, or
    /// it took too long.
    Connect,
    /// No complete answer within the time allowed.
    Timeout,
    /// The connection broke, or the other side did not speak HTTP.
    Interrupted,
    /// The answer is longer than this side accepts.
    TooLarge,
}

impl fmt::Display for TransportErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "the request cannot be sent",
            Self::Connect => "no connection could be made",
            Self::Timeout => "no complete answer came in time",
            Self::Interrupted => "the connection broke before the answer was complete",
            Self::TooLarge => "the answer is too long",
        })
    }
}
