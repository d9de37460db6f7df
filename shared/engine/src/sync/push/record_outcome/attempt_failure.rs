//! What the error of an attempt means for the record.

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
    /// The same failure of an attempt that had written before: what Xero answered to the writes
    /// decides whether a key is used up, and whether something may stand in Xero that we do not
    /// know.
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
    trouble: AttemptError,
    wrote: Option<WriteAnswer>,
) -> Result<AttemptFailure, PersistError> {
    let (failure, answer, parking) = match trouble {
        AttemptError::Xero(error) => {
            let answer =
                if error.is_answered() { WriteAnswer::Answered } else { WriteAnswer::Unanswered };
            let failure = error.to_failure(engine.clock.now());
            let told = AttemptFailure { failure, answer, parking: None }.after_writes(wrote);
            tracing::warn!(
                error = %ErrorChain(&*error),
                failure.class = told.failure.class.as_str(),
                "the attempt failed"
            );
            return Ok(told);
        }
        AttemptError::Failure(failure) => (failure, WriteAnswer::Unanswered, None),
        AttemptError::Explained(failure) => (failure, WriteAnswer::Answered, None),
        AttemptError::Blocked { failure, on } => (failure, WriteAnswer::Unanswered, Some(*on)),
        AttemptError::Persist(error) => return Err(error),
    };
    Ok(AttemptFailure { failure, answer, parking }.after_writes(wrote))
}
