//! The errors of a call and their meaning.
//!
//! The variants are facts: a status, a header, whether bytes were sent. Their class follows in
//! `meaning` and nowhere else. `facts` names those that several variants share, `classify` reads
//! them from an answer, `edge` recognises answers that Xero did not write, `validation` finds
//! Xero's sentences, `permission` names the permissions that a consent lacks, and `user_message`
//! writes the messages for users.

mod classify;
mod edge;
mod facts;
mod meaning;
mod permission;
mod user_message;
mod validation;

use domain::json_fault::JsonFault;
use jiff::SignedDuration;

pub(crate) use classify::{CallTarget, FailedAnswer, classify_answer, classify_rejection};
pub(crate) use edge::{is_answer, is_blank, is_html_page};
pub use facts::{AccessMode, OutageKind, RateLimit};
pub use permission::XeroPermission;
pub(crate) use validation::{LazyJson, validation_messages};

use crate::rate_limiter::NotPermitted;
use crate::tokens::NoAccessToken;
use crate::transport::{BoxError, RequestSent, TransportError, TransportErrorKind};

/// The reason why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum XeroError {
    /// The call breaks a rule of this client and was never made.
    #[error("the call cannot be made: {reason}")]
    Unsendable {
        /// The rule that the call breaks.
        reason: &'static str,
    },
    /// The count of calls did not permit the call.
    #[error("the call was not permitted")]
    NotPermitted {
        /// The reason.
        #[source]
        source: NotPermitted,
    },
    /// No connection could be made, so Xero has not seen the call.
    #[error("no connection to Xero could be made")]
    NotSent {
        /// The cause.
        #[source]
        source: TransportError,
    },
    /// The request may have arrived, but no complete answer came back.
    #[error("Xero did not answer a {access}")]
    Unanswered {
        /// Whether the call could have changed a document.
        access: AccessMode,
        /// The cause.
        #[source]
        source: TransportError,
    },
    /// Xero's answer is longer than this client reads. What it says is unknown, so a write may have
    /// been performed.
    #[error("Xero's answer to a {access} is too large to be read")]
    AnswerTooLarge {
        /// Whether the call could have changed a document.
        access: AccessMode,
        /// The cause, with the limit.
        #[source]
        source: TransportError,
    },
    /// Xero answered with an internal error: a status in the 500s, or 408.
    #[error("Xero answered a {access} with status {status}")]
    ServerFault {
        /// Whether the call could have changed a document.
        access: AccessMode,
        /// The status.
        status: u16,
    },
    /// Xero accepts no calls at present (503).
    #[error("Xero accepts no calls at present: {outage}")]
    Offline {
        /// Whether the call could have changed a document.
        access: AccessMode,
        /// What is offline.
        outage: OutageKind,
    },
    /// A page or a redirect of the edge came instead of Xero's answer, or an empty body where Xero
    /// always sends one.
    #[error("the edge answered a {access} in place of Xero, with status {status}")]
    Edge {
        /// Whether the call could have changed a document.
        access: AccessMode,
        /// The status.
        status: u16,
    },
    /// A limit on calls is used up (429).
    #[error("Xero's {limit} limit is used up")]
    Throttled {
        /// The limit.
        limit: RateLimit,
        /// How long Xero asks to wait.
        retry_after: SignedDuration,
    },
    /// There is no access token for the call.
    #[error("the call has no access token")]
    NoAccessToken {
        /// Whether Xero had rejected another token before, in an earlier try of the same call.
        is_answered: bool,
        /// The reason, with its meaning.
        #[source]
        source: NoAccessToken,
    },
    /// Xero rejects the access token (401), and a renewed one as well. The refresh token may still
    /// be valid: only the token endpoint can reject it.
    #[error("Xero rejects the access token (expired: {expired})")]
    TokenRejected {
        /// Whether the token had expired.
        expired: bool,
    },
    /// The consent that was given does not cover the call (401 or 403). Other calls may well be
    /// covered.
    #[error("the consent given does not cover this call: {permission} is missing")]
    ScopeMissing {
        /// What the call needs.
        permission: XeroPermission,
    },
    /// The organisation is not, or no longer, connected to the app (403).
    #[error("the organisation is not connected to the app")]
    TenantRefused,
    /// The Xero user who connected is not permitted to do this (403 for any other reason).
    #[error("the Xero user who connected is not permitted to do this")]
    Forbidden,
    /// Xero rejected the document. There may be no sentence at all.
    #[error("Xero rejected the document")]
    Rejected {
        /// Xero's sentences.
        messages: Vec<String>,
    },
    /// Xero has another document with this number or name. It may be this integration's, from an
    /// earlier attempt.
    #[error("Xero already has a document with this number or name")]
    NotUnique {
        /// Xero's sentences.
        messages: Vec<String>,
    },
    /// The idempotency key was used with a different body in the last six minutes.
    #[error("the idempotency key was used with a different request")]
    KeyReused,
    /// Xero rejected the call with a general sentence that does not reveal whether the document was
    /// saved.
    #[error("Xero rejected the call without a reason")]
    Unexplained,
    /// Xero's answer does not say whether it saved the document: it contains neither an id nor an
    /// error for it.
    #[error("{endpoint}: the answer does not say whether the document was saved")]
    Unidentified {
        /// The path that was called, without ids.
        endpoint: &'static str,
    },
    /// Xero rejected a batch as a whole (400), although it was asked to judge each document
    /// separately. One document may be the only cause, and Xero may have saved the others.
    #[error("Xero rejected a batch as a whole")]
    BatchRejected {
        /// Xero's sentences, about any of the documents.
        messages: Vec<String>,
    },
    /// No record has the requested id (404).
    #[error("{endpoint}: no record has this id")]
    NotFound {
        /// The path that was called, without the id.
        endpoint: &'static str,
    },
    /// Xero does not understand the call, which is a fault of this client.
    #[error("{endpoint}: Xero rejected the call itself with status {status} ({kind})")]
    CallRefused {
        /// The path that was called, without ids.
        endpoint: &'static str,
        /// The status.
        status: u16,
        /// Xero's name for the fault; `unnamed` if it gives none.
        kind: String,
    },
    /// The answer does not conform to Xero's contract.
    #[error("{endpoint}: the answer cannot be read")]
    Undecodable {
        /// The path that was called, without ids.
        endpoint: &'static str,
        /// The cause.
        #[source]
        source: BoxError,
    },
    /// The code or refresh token is used up, expired or revoked (`invalid_grant`).
    #[error("the grant is no longer valid")]
    GrantRefused,
    /// The app's registration at Xero is wrong: its id, secret, scopes or redirect address.
    #[error("the identity host rejected the app: {code}")]
    OperatorFault {
        /// The OAuth error code.
        code: String,
    },
    /// The identity host is unavailable (429, in the 500s, or a page or redirect of its edge). No
    /// token has changed.
    #[error("the identity host answered with status {status}")]
    IdentityUnavailable {
        /// The status.
        status: u16,
    },
    /// The identity host did not answer. The tokens may have changed: Xero accepts the previous
    /// refresh token for 30 minutes after its use.
    #[error("the identity host did not answer")]
    IdentityUnanswered {
        /// The cause.
        #[source]
        source: TransportError,
    },
}

impl XeroError {
    /// The error for an exchange with the API that did not finish.
    pub(crate) fn from_transport(access: AccessMode, source: TransportError) -> Self {
        match (source.kind, source.sent) {
            (TransportErrorKind::Invalid, _) => {
                Self::Unsendable { reason: "its address or headers are not valid" }
            }
            (TransportErrorKind::TooLarge, _) => Self::AnswerTooLarge { access, source },
            (_, RequestSent::No) => Self::NotSent { source },
            (_, RequestSent::Unknown) => Self::Unanswered { access, source },
        }
    }

    pub(crate) fn undecodable_answer(endpoint: &'static str, source: impl Into<BoxError>) -> Self {
        Self::Undecodable { endpoint, source: source.into() }
    }

    /// The error for an answer whose JSON cannot be read. The log may not quote the answer.
    pub(crate) fn undecodable_json(endpoint: &'static str, error: serde_json::Error) -> Self {
        Self::undecodable_answer(endpoint, JsonFault::from(error))
    }
}
