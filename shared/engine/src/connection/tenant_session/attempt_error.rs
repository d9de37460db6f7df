//! Why an attempt failed.

use std::sync::Arc;

use domain::failure::Failure;
use domain::operation::ParkingReason;
use store::StoreError;
use xero::XeroError;

use crate::errors::PersistError;

/// Why an attempt failed. Records of one call may share an error.
#[derive(Debug, Clone)]
pub enum AttemptError {
    /// An error of a call to Xero, with or without an answer.
    Xero(Arc<XeroError>),
    /// A failure found on our side before any call to Xero.
    Failure(Failure),
    /// A failure that explains an earlier refusal by Xero in the same attempt.
    Explained(Failure),
    /// Another record has to be in Xero first.
    Blocked {
        /// The failure, with the instant until which to wait if one is known.
        failure: Failure,
        /// The event or record for which it waits.
        on: Box<ParkingReason>,
    },
    /// The table did not answer, so the outcome cannot be recorded either, and the message returns
    /// to the queue.
    Persist(PersistError),
}

impl AttemptError {
    /// Returns whether the remaining calls are reserved for more urgent work.
    pub(crate) fn is_not_permitted(&self) -> bool {
        match self {
            Self::Xero(error) => matches!(**error, XeroError::NotPermitted { .. }),
            Self::Failure(_) | Self::Explained(_) | Self::Blocked { .. } | Self::Persist(_) => {
                false
            }
        }
    }
}

impl From<XeroError> for AttemptError {
    fn from(error: XeroError) -> Self {
        Self::Xero(Arc::new(error))
    }
}

impl From<Failure> for AttemptError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<StoreError> for AttemptError {
    fn from(error: StoreError) -> Self {
        Self::Persist(error.into())
    }
}

impl From<PersistError> for AttemptError {
    fn from(error: PersistError) -> Self {
        Self::Persist(error)
    }
}
