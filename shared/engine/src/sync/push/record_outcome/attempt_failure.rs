//! Converts the error of an attempt into a failure of the record.

use domain::failure::Failure;
use domain::operation::{ParkingReason, WriteAnswer, into_unconfirmed};

use crate::Engine;
use crate::connection::tenant_session::AttemptError;
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;

/// A failure with the facts that the state machine needs.
pub(super) struct AttemptFailure {
    pub(super) failure: Failure,
    pub(super) answer: WriteAnswer,
    pub(super) parking: Option<ParkingReason>,
}

impl AttemptFailure {
    /// Adjusts the failure to Xero's answers to the attempt's writes. They decide whether the
    /// idempotency key was used, and whether Xero may have a document that the row does not know.
    fn after_writes(self, wrote: Option<WriteAnswer>) -> Self {
        let Self { failure, answer, parking } = self;
        match wrote {
            None => Self { failure, answer, parking },
            Some(WriteAnswer::Answered) => Self { failure, answer: WriteAnswer::Answered, parking },
            Some(open @ (WriteAnswer::Unanswered | WriteAnswer::Unconfirmed)) => {
                Self { failure: into_unconfirmed(failure), answer: open, parking }
            }
        }
    }
}

/// Returns what an error means for the record, given what Xero answered to the writes of the
/// attempt.
pub(super) fn into_attempt_failure(
    engine: &Engine,
    error: AttemptError,
    wrote: Option<WriteAnswer>,
) -> Result<AttemptFailure, PersistError> {
    let (failure, answer, parking) = match error {
        AttemptError::Xero(error) => {
            let answer =
                if error.is_answered() { WriteAnswer::Answered } else { WriteAnswer::Unanswered };
            let failure = error.to_failure(engine.clock.now());
            let attempt_failure =
                AttemptFailure { failure, answer, parking: None }.after_writes(wrote);
            tracing::warn!(
                error = %ErrorChain(&*error),
                failure.class = attempt_failure.failure.class.as_str(),
                "the attempt failed"
            );
            return Ok(attempt_failure);
        }
        AttemptError::Failure(failure) => (failure, WriteAnswer::Unanswered, None),
        AttemptError::Explained(failure) => (failure, WriteAnswer::Answered, None),
        AttemptError::Blocked { failure, on } => (failure, WriteAnswer::Unanswered, Some(*on)),
        AttemptError::Persist(error) => return Err(error),
    };
    Ok(AttemptFailure { failure, answer, parking }.after_writes(wrote))
}
