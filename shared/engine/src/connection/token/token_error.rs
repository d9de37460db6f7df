//! Why there is no access token, and the failure that people see.

use domain::failure::{Failure, FailureCause, FailureClass};
use domain::json_fault::JsonFault;
use jiff::Timestamp;
use store::StoreError;
use xero::XeroError;

use crate::ports::PortError;

/// Why there is no access token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The grant's row could not be read or written.
    #[error("could not use the grant's row")]
    Store(#[from] StoreError),
    /// The secret could not be read or written.
    #[error("could not use the grant's secret")]
    Secret(#[from] PortError),
    /// The secret does not hold tokens.
    #[error("the grant's secret cannot be read")]
    Undecodable(#[source] JsonFault),
    /// Xero issued no new tokens.
    #[error("could not renew the tokens")]
    Xero(#[source] XeroError),
    /// Xero refused the refresh token, or there is none: a user has to reconnect.
    #[error("the grant is no longer valid")]
    ReconnectNeeded,
    /// Another process held the lock, or the secret was not visible, until the time ran out.
    #[error("timed out waiting for the tokens")]
    Busy,
}

impl TokenError {
    /// Returns the failure of an operation, with the message for people.
    pub fn to_failure(&self, now: Timestamp) -> Failure {
        match self {
            Self::ReconnectNeeded => reconnect_failure(),
            Self::Xero(error) => error.to_failure(now),
            Self::Busy => Failure::new(
                FailureClass::Throttled,
                "token_busy",
                "The connection to Xero is being renewed.",
                "",
            ),
            Self::Undecodable(_) => Failure::new(
                FailureClass::Defect,
                "token_unreadable",
                "The stored connection to Xero cannot be read.",
                "Reconnect in Settings > Integrations > Xero.",
            ),
            Self::Store(_) | Self::Secret(_) => Failure::new(
                FailureClass::Transient,
                FailureCause::TokenStoreUnavailable,
                "The stored connection to Xero could not be read.",
                "",
            ),
        }
    }
}

/// The failure of records whose connection Xero no longer accepts.
pub(crate) fn reconnect_failure() -> Failure {
    Failure::new(
        FailureClass::Unauthorized,
        "reconnect_needed",
        "The connection to Xero has expired.",
        "Go to Settings > Integrations > Xero and click Reconnect.",
    )
}
