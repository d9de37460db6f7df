//! Failures after a write whose document may exist in Xero.

use crate::failure::{Failure, FailureClass};

const RESOLVED_FIRST: &str =
    "No action is needed: the next attempt checks first and creates no second copy.";

/// Converts the failure of an attempt after a write whose document may exist in Xero under an
/// unknown id.
///
/// A failure after the write (a throttled read, a refused token, a call that was never sent) says
/// nothing about the write itself. So the class becomes [`FailureClass::Uncertain`]: the failure
/// counts, and the next attempt reads before it writes. The cause, the code, the message and the
/// earliest instant stay. A defect stays a defect: it raises an alarm and makes the next attempt
/// read first, too.
pub fn into_unconfirmed(failure: Failure) -> Failure {
    match failure.class {
        FailureClass::Uncertain | FailureClass::Defect => failure,
        FailureClass::Transient
        | FailureClass::Throttled
        | FailureClass::Unauthorized
        | FailureClass::Rejected
        | FailureClass::Blocked
        | FailureClass::Untranslatable => {
            let Failure { class: _, cause, code, message, remedy, not_before } = failure;
            let remedy = if remedy.is_empty() { RESOLVED_FIRST.to_owned() } else { remedy };
            Failure { class: FailureClass::Uncertain, cause, code, message, remedy, not_before }
        }
    }
}
