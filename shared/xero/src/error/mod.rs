//! Everything that can go wrong with a call, and what it means.
//!
//! The variants are facts: a status, a header, whether bytes were sent. Their class follows in `meaning` and nowhere
//! else. `classify` reads them from an answer, `edge` recognises what is no answer of Xero's, `validation` finds
//! Xero's sentences, `people` puts them into words.

mod classify;
mod edge;
mod meaning;
mod people;
mod validation;

use std::fmt;

use jiff::SignedDuration;

pub(crate) use classify::{Addressed, Reply, classify, refusal};
pub(crate) use edge::{is_blank, is_page};
pub(crate) use validation::{member, messages, text};

use crate::tokens::NoAccessToken;
use crate::transport::{BoxError, Sent, TransportError, TransportErrorKind};
use crate::turnstile::Barred;

/// Why a call did not give what it was made for.
#[derive(Debug, thiserror::Error)]
pub enum XeroError {
    /// The call breaks a rule of this client and was never made.
    #[error("the call cannot be made: {reason}")]
    Unsendable {
        /// The rule.
        reason: &'static str,
    },
    /// Whoever counts the calls did not let it through.
    #[error("the call was not let through")]
    Barred {
        /// Why.
        #[source]
        source: Barred,
    },
    /// No connection came about, so Xero has seen nothing.
    #[error("no connection to Xero could be made")]
    NotSent {
        /// The cause.
        #[source]
        source: TransportError,
    },
    /// The request may have arrived; no complete answer came back.
    #[error("Xero did not answer a {access}")]
    Unanswered {
        /// Whether the call could have changed a document.
        access: Access,
        /// The cause.
        #[source]
        source: TransportError,
    },
    /// Xero answered with a fault of its own: a status in the 500s, or 408.
    #[error("Xero answered a {access} with status {status}")]
    ServerFault {
        /// Whether the call could have changed a document.
        access: Access,
        /// The status.
        status: u16,
    },
    /// Xero takes no calls for now (503).
    #[error("Xero takes no calls for now: {outage}")]
    Offline {
        /// Whether the call could have changed a document.
        access: Access,
        /// What is offline.
        outage: Outage,
    },
    /// A page of the edge came instead of Xero's answer, or an empty body where there cannot be one.
    #[error("the edge answered a {access} in Xero's place, with status {status}")]
    Edge {
        /// Whether the call could have changed a document.
        access: Access,
        /// The status.
        status: u16,
    },
    /// A limit on calls is used up (429).
    #[error("Xero's {limit} limit is used up")]
    Throttled {
        /// Which limit.
        limit: Limit,
        /// How long Xero asks us to stay away.
        retry_after: SignedDuration,
    },
    /// There is no access token for the call.
    #[error("the call has no access token")]
    NoAccessToken {
        /// Whether Xero had rejected another one before, on a try of the same call.
        is_answered: bool,
        /// Why, with what it means.
        #[source]
        source: NoAccessToken,
    },
    /// Xero rejects the access token (401), and a renewed one as well. The refresh token may be good: only
    /// the token endpoint says that it is not.
    #[error("Xero rejects the access token (expired: {expired})")]
    TokenRejected {
        /// Whether it merely expired.
        expired: bool,
    },
    /// The consent that was given does not cover the call (401 or 403). Other calls may well be covered.
    #[error("the consent given does not cover this call: {scope} is missing")]
    ScopeMissing {
        /// The scope that the call needs, of [`SCOPES`](crate::SCOPES).
        scope: &'static str,
    },
    /// The organisation is not, or no longer, connected to the app (403).
    #[error("the organisation is not connected to the app")]
    TenantRefused,
    /// The Xero user who connected may not do this (403 for any other reason).
    #[error("the Xero user who connected may not do this")]
    Forbidden,
    /// Xero refused the document. There may be no sentence at all.
    #[error("Xero refused the document")]
    Rejected {
        /// Xero's sentences.
        messages: Vec<String>,
    },
    /// Xero holds another document with this number or name, which may be ours from an earlier try.
    #[error("Xero already has a document with this number or name")]
    NotUnique {
        /// Xero's sentences.
        messages: Vec<String>,
    },
    /// The idempotency key was used with other bytes in the last six minutes.
    #[error("the idempotency key was used with a different request")]
    KeyReused,
    /// Xero refused with its general sentence, which leaves open what became of the document.
    #[error("Xero refused without saying why")]
    Unexplained,
    /// Xero's answer does not say whether it saved the document: it has neither an id nor an error for it.
    #[error("{endpoint}: the answer does not say whether the document was saved")]
    Unidentified {
        /// The path called, without ids.
        endpoint: &'static str,
    },
    /// Nothing has the id that was asked for (404).
    #[error("{endpoint}: nothing has this id")]
    NotFound {
        /// The path asked, without the id.
        endpoint: &'static str,
    },
    /// Xero does not understand the call: a fault of this client.
    #[error("{endpoint}: Xero refused the call itself with status {status} ({kind})")]
    CallRefused {
        /// The path called, without ids.
        endpoint: &'static str,
        /// The status.
        status: u16,
        /// Xero's name for the fault; `unnamed` when it gave none.
        kind: String,
    },
    /// The answer is not what Xero's contract promises.
    #[error("{endpoint}: the answer cannot be read")]
    Undecodable {
        /// The path called, without ids.
        endpoint: &'static str,
        /// The cause.
        #[source]
        source: BoxError,
    },
    /// The code or refresh token is spent, expired or revoked (`invalid_grant`).
    #[error("the grant is no longer valid")]
    GrantRefused,
    /// The app is set up wrongly at Xero: its id, secret, scopes or redirect address.
    #[error("the identity host refused the app: {code}")]
    OperatorFault {
        /// The OAuth error code.
        code: String,
    },
    /// The identity host is in trouble (429, in the 500s, or a page of its edge). Every token stays as it was.
    #[error("the identity host answered with status {status}")]
    IdentityUnavailable {
        /// The status.
        status: u16,
    },
    /// The identity host did not answer. Every token stays as it was: Xero takes the previous
    /// refresh token for 30 minutes after its use.
    #[error("the identity host did not answer")]
    IdentityUnanswered {
        /// The cause.
        #[source]
        source: TransportError,
    },
}

/// Whether a call could have changed a document. What may safely be repeated counts as a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Repeating it changes nothing.
    Read,
    /// It creates or changes a document.
    Write,
}

/// What is offline, by the text of a 503.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// This organisation alone.
    Organisation,
    /// Xero, for planned maintenance.
    Maintenance,
    /// Xero, for another reason.
    Unavailable,
}

/// Which of Xero's limits is used up, by `X-Rate-Limit-Problem`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Calls at the same time, on one organisation.
    Concurrent,
    /// Calls in a minute, on one organisation.
    Minute,
    /// Calls in a day, on one organisation.
    Day,
    /// Calls of the app in a minute, over all organisations.
    AppMinute,
    /// A limit this client does not know.
    Unknown,
}

impl XeroError {
    /// An exchange with the API that did not finish.
    pub(crate) fn unfinished(access: Access, source: TransportError) -> Self {
        match (source.kind, source.sent) {
            (TransportErrorKind::Invalid, _) => {
                Self::Unsendable { reason: "its address or headers are not valid" }
            }
            (_, Sent::No) => Self::NotSent { source },
            (_, Sent::Unknown) => Self::Unanswered { access, source },
        }
    }

    pub(crate) fn undecodable(endpoint: &'static str, source: impl Into<BoxError>) -> Self {
        Self::Undecodable { endpoint, source: source.into() }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Organisation => "the organisation is offline",
            Self::Maintenance => "maintenance",
            Self::Unavailable => "temporarily unavailable",
        })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Concurrent => "concurrent",
            Self::Minute => "minute",
            Self::Day => "day",
            Self::AppMinute => "app minute",
            Self::Unknown => "call",
        })
    }
}
