//! Statuses that this release does not know.

use domain::failure::{Failure, FailureClass};

/// The failure of a document with an unknown status. The document is not changed, because it is
/// unknown which changes the status allows and what they would undo. A user can change the document
/// in Xero; a later attempt may then find a known status, and a later release may know this one.
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
