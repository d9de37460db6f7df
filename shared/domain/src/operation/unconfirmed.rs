//! Failures after a write that may stand in Xero.

use crate::failure::{Failure, FailureClass};

const RESOLVED_FIRST: &str =
    "Nothing is needed: the next attempt checks first and makes no second copy.";

/// The failure of an attempt that wrote something which may stand in Xero under an id we do not know.
///
/// Whatever failed afterwards (a read that was throttled, a token that was refused, a call that was never sent) says
/// nothing about the write. So the failure is [`FailureClass::Uncertain`]: it counts, and the next attempt looks before
/// it writes. Code, message and earliest instant stay; a defect stays a defect, because it raises an alarm
/// and makes the next attempt look as well.
pub fn unconfirmed(failure: Failure) -> Failure {
    match failure.class {
        FailureClass::Uncertain | FailureClass::Defect => failure,
        FailureClass::Transient
        | FailureClass::Throttled
        | FailureClass::Unauthorized
        | FailureClass::Rejected
        | FailureClass::Blocked
        | FailureClass::Untranslatable => {
            let Failure { class: _, code, message, remedy, not_before } = failure;
            let remedy = if remedy.is_empty() { RESOLVED_FIRST.to_owned() } else { remedy };
            Failure { class: FailureClass::Uncertain, code, message, remedy, not_before }
        }
    }
}
