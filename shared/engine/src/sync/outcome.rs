//! Holds the outcome of one attempt at one record.
//!
//! Records that share a call get their outcomes at different stages of the attempt, and a later
//! stage may explain what an earlier one recorded. Each task therefore keeps its own outcome, and
//! no stage has to map its results back to the tasks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::ids::CrmId;
use domain::operation::ParkingReason;
use xero::XeroError;

use super::Synced;
use crate::connection::tenant_session::AttemptError;

/// The result of an attempt at a record.
pub(crate) type Outcome = Result<Synced, AttemptError>;

/// The outcome of an attempt. Empty until the attempt has determined it.
#[derive(Debug, Default)]
pub(crate) struct OutcomeSlot(Mutex<Option<Outcome>>);

impl OutcomeSlot {
    /// Records the outcome. It replaces an earlier one.
    pub(crate) fn set(&self, outcome: Outcome) {
        *self.lock() = Some(outcome);
    }

    /// Discards the outcome of a try that did not finish.
    pub(crate) fn clear(&self) {
        *self.lock() = None;
    }

    /// Returns whether there is no outcome yet.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_none()
    }

    /// Returns whether the outcome is a success.
    pub(super) fn is_success(&self) -> bool {
        self.lock().as_ref().is_some_and(Result::is_ok)
    }

    /// Returns Xero's error, if that is the outcome.
    pub(crate) fn xero_error(&self) -> Option<Arc<XeroError>> {
        match &*self.lock() {
            Some(Err(AttemptError::Xero(error))) => Some(error.clone()),
            Some(Ok(_) | Err(_)) | None => None,
        }
    }

    /// Returns the record for which the task waits, if no action of a person is needed.
    pub(super) fn awaited_record(&self) -> Option<(EntityKind, CrmId)> {
        let outcome = self.lock();
        let Some(Err(AttemptError::Blocked { failure, on })) = &*outcome else { return None };
        let ParkingReason::Prerequisite { kind, crm_id } = &**on else { return None };
        failure.remedy.is_empty().then(|| (*kind, crm_id.clone()))
    }

    /// Returns the outcome at the end of the attempt. Every attempt determines one; if a defect
    /// leaves a record without an outcome, the record fails alone, and its failure says so.
    pub(crate) fn into_outcome(self) -> Outcome {
        let outcome = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        debug_assert!(outcome.is_some(), "the attempt left a record without an outcome");
        outcome.unwrap_or_else(|| Err(not_attempted_failure().into()))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Outcome>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_attempted_failure() -> Failure {
    Failure::new(
        FailureClass::Defect,
        "not_attempted",
        "The integration did not process this record because of an internal error.",
        "If this persists, contact support.",
    )
}

#[cfg(test)]
mod tests {
    use domain::sync_log::LoggedOperation;

    use super::*;

    fn a_success() -> Synced {
        Synced { link: None, operation: LoggedOperation::Push, remarks: Vec::new() }
    }

    fn a_refusal() -> Outcome {
        Err(XeroError::TenantRefused.into())
    }

    #[test]
    fn a_later_outcome_replaces_an_earlier_one() {
        let slot = OutcomeSlot::default();
        assert!(slot.is_empty());
        slot.set(a_refusal());
        assert!(!slot.is_empty());
        slot.set(Ok(a_success()));
        assert!(slot.into_outcome().is_ok());
    }

    #[test]
    fn only_an_error_of_xero_is_returned_as_one() {
        let slot = OutcomeSlot::default();
        assert!(slot.xero_error().is_none());
        slot.set(Ok(a_success()));
        assert!(slot.xero_error().is_none());
        slot.set(Err(not_attempted_failure().into()));
        assert!(slot.xero_error().is_none());
        slot.set(a_refusal());
        assert!(matches!(slot.xero_error().as_deref(), Some(XeroError::TenantRefused)));
    }

    #[test]
    fn a_discarded_outcome_leaves_the_record_open() {
        let slot = OutcomeSlot::default();
        slot.set(Ok(a_success()));
        slot.clear();
        assert!(slot.is_empty());
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "without an outcome")]
    fn a_record_that_an_attempt_forgot_is_noticed() {
        drop(OutcomeSlot::default().into_outcome());
    }
}
