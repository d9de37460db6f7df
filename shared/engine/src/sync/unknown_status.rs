//! Statuses that Xero added after this was written.

use domain::failure::{Failure, FailureClass};

/// Why a document with a status that is not known stays as it is: what the status allows, and what
/// a change would undo, is not known either. A person can change the document in Xero; a later
/// attempt, or a later release, may find a status that it knows.
pub(super) fn unknown_status_failure(number: &str, status: &str) -> Failure {
    Failure::new(
        FailureClass::Rejected,
        "status_unknown",
        format!(
            "In Xero, {number} has the status {status}, which this integration does not recognise, so it was not changed."
        ),
        "Check it in Xero, then retry. If this persists, contact support.",
    )
}
