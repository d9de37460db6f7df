//! Determines the failure of a record from the error of its attempt.

use domain::failure::{Failure, FailureClass};
use domain::operation::{ParkingReason, WriteAnswer, into_unconfirmed};

use crate::Engine;
use crate::connection::connection_failures::refused_once_failure;
use crate::connection::tenant_session::AttemptError;
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;
use crate::sync::push::{AttemptFacts, ClaimedRecord};
use crate::sync::release;

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

/// Returns the failure to record for an attempt that ended with an error.
pub(super) async fn determine_failure(
    engine: &Engine,
    claimed: &ClaimedRecord,
    error: AttemptError,
    tried: AttemptFacts,
) -> Result<AttemptFailure, PersistError> {
    let AttemptFailure { failure, answer, parking } =
        into_attempt_failure(engine, error, tried.write_answer)?;
    let failure = confirm_with_connection(engine, claimed, failure, tried.epoch).await?;
    Ok(AttemptFailure { failure, answer, parking })
}

/// Returns what an error means for the record, given what Xero answered to the writes of the
/// attempt.
fn into_attempt_failure(
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

/// Returns the failure to record, after comparing it with the connection. A record may wait for the
/// connection only if the connection's row shows that it does not work, or that it has started to
/// work since the attempt began: otherwise nothing would ever release the record. If the row could
/// not be updated, the attempt is repeated and determines the cause again.
async fn confirm_with_connection(
    engine: &Engine,
    claimed: &ClaimedRecord,
    failure: Failure,
    epoch: Option<u64>,
) -> Result<Failure, PersistError> {
    // A consent that lacks a permission leaves the connection working for every other call.
    if failure.class != FailureClass::Unauthorized || failure.is_about_permission() {
        return Ok(failure);
    }
    let key = &claimed.row.record.key;
    let working = release::find_working_epoch(engine, &key.ledger).await?;
    if working.is_none() || working != epoch {
        return Ok(failure);
    }
    tracing::warn!(
        account.id = %key.ledger.account,
        entity = %key.kind,
        crm.id = %key.crm_id,
        failure.code = %failure.code,
        "the connection does not show why the attempt failed; it is repeated"
    );
    Ok(refused_once_failure())
}
