//! Documents with a total of zero. Nothing is due on them, so they count as paid in Xero once they are
//! approved.

use crate::failure::{Failure, FailureCause, FailureClass};

/// The failure of a change of a document that counts as paid although nothing was paid or applied. It
/// is not repeated, because only a person can void the document.
pub fn zero_total_failure(number: &str) -> Failure {
    Failure::new(
        FailureClass::Untranslatable,
        FailureCause::DocumentClosed,
        format!(
            "The total of {number} is 0.00 in Xero, so it counts as paid there, and Xero does not change it."
        ),
        "Void it in Xero, then sync it again. Or undo the change in ServiceCortex, and issue another document.",
    )
}
