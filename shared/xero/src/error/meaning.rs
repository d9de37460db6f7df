//! Derives the effect of an error on the operation and on the next call.

use domain::failure::FailureClass;
use domain::rejection;

use super::{AccessMode, XeroError};
use crate::rate_limiter::NotPermitted;

impl XeroError {
    /// The failure class of the operation. That of a rejected document follows from Xero's
    /// sentences: what Xero never accepts is not retried.
    pub fn failure_class(&self) -> FailureClass {
        match self {
            Self::NoAccessToken { is_answered: _, source } => source.failure.class,
            // A write that was answered with a page and a success status may have been carried out.
            Self::NotUnique { .. }
            | Self::KeyReused
            | Self::Unexplained
            | Self::Unidentified { .. }
            | Self::AnswerTooLarge { access: AccessMode::Write, .. }
            | Self::BatchRejected { .. }
            | Self::Edge { access: AccessMode::Write, status: 200..=299 } => FailureClass::Uncertain,
            Self::NotSent { .. }
            | Self::TokenRejected { .. }
            | Self::Edge { .. }
            | Self::IdentityUnavailable { .. }
            | Self::IdentityUnanswered { .. }
            | Self::NotPermitted { source: NotPermitted::Uncounted { .. } } => FailureClass::Transient,
            Self::Unanswered { access, .. }
            | Self::ServerFault { access, .. }
            | Self::Offline { access, .. } => access.unfinished_class(),
            Self::Throttled { .. }
            | Self::NotPermitted { source: NotPermitted::Full { .. } | NotPermitted::Late } => {
                FailureClass::Throttled
            }
            Self::NotPermitted { source: NotPermitted::Closed }
            | Self::ScopeMissing { .. }
            | Self::TenantRefused
            | Self::GrantRefused => FailureClass::Unauthorized,
            Self::Rejected { messages } => rejection::find_class(messages),
            Self::Forbidden | Self::NotFound { .. } => FailureClass::Rejected,
            Self::Unsendable { .. }
            | Self::CallRefused { .. }
            | Self::Undecodable { .. }
            // The same call would be answered the same way.
            | Self::AnswerTooLarge { access: AccessMode::Read, .. }
            | Self::OperatorFault { .. } => FailureClass::Defect,
        }
    }

    /// Whether Xero answered. If so, the serial of the idempotency key must rise before the next
    /// write: Xero keeps the answer to a key for six minutes, errors included, and replays it. An
    /// answer that is too large does not count: its content is unknown, so the key must stay.
    pub const fn is_answered(&self) -> bool {
        match self {
            Self::NoAccessToken { is_answered, source: _ } => *is_answered,
            Self::Unsendable { .. }
            | Self::NotPermitted { .. }
            | Self::NotSent { .. }
            | Self::Unanswered { .. }
            | Self::AnswerTooLarge { .. }
            | Self::Edge { .. }
            | Self::IdentityUnanswered { .. } => false,
            Self::ServerFault { .. }
            | Self::Offline { .. }
            | Self::Throttled { .. }
            | Self::TokenRejected { .. }
            | Self::ScopeMissing { .. }
            | Self::TenantRefused
            | Self::Forbidden
            | Self::Rejected { .. }
            | Self::NotUnique { .. }
            | Self::KeyReused
            | Self::Unexplained
            | Self::Unidentified { .. }
            | Self::BatchRejected { .. }
            | Self::NotFound { .. }
            | Self::CallRefused { .. }
            | Self::Undecodable { .. }
            | Self::GrantRefused
            | Self::OperatorFault { .. }
            | Self::IdentityUnavailable { .. } => true,
        }
    }

    /// How many of Xero's sentences about the document, or about any of a batch, are not in the
    /// table of [`rejection`](mod@domain::rejection).
    pub fn unknown_sentences(&self) -> usize {
        if let Self::Rejected { messages }
        | Self::NotUnique { messages }
        | Self::BatchRejected { messages } = self
        {
            messages.iter().filter(|message| !rejection::is_known(message)).count()
        } else {
            0
        }
    }
}

impl AccessMode {
    /// The class of a call whose outcome is unknown.
    const fn unfinished_class(self) -> FailureClass {
        match self {
            Self::Read => FailureClass::Transient,
            Self::Write => FailureClass::Uncertain,
        }
    }
}
