//! What Xero answered to the writes of one attempt at one record.
//!
//! An attempt may fail after its write for a reason that has nothing to do with the write: the read that would tell
//! the id is throttled, the token is refused, a request is never sent. What the failure means for the record then
//! depends on the write. So each write is noted here by the code that makes it, and the failure is judged
//! by it where it is recorded; no caller in between has to think of it.

use std::sync::{Mutex, PoisonError};

use domain::failure::FailureClass;
use domain::operation::Answer;
use xero::XeroError;

/// The answer to what an attempt has written; none while it has written nothing.
#[derive(Debug, Default)]
pub(crate) struct WriteState(Mutex<Option<Answer>>);

impl WriteState {
    /// The answer that decides what is known of the writes so far.
    pub(crate) fn answer(&self) -> Option<Answer> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a write was performed. `is_known` says whether the answer carries the id of what it wrote.
    pub(super) fn note_done(&self, is_known: bool) {
        self.note(if is_known { Answer::Answered } else { Answer::Unconfirmed });
    }

    /// Notes the error of a write. One that was never sent leaves everything as it was.
    pub(super) fn note_error(&self, error: &XeroError) {
        if is_unanswered(error) {
            self.note(Answer::Unanswered);
        } else if error.is_answered() {
            self.note_done(!may_stand(error));
        }
    }

    /// What one write leaves open stays open, whatever is answered to the next.
    fn note(&self, answer: Answer) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *noted = match (*noted, answer) {
            (Some(Answer::Unanswered), _) | (_, Answer::Unanswered) => Some(Answer::Unanswered),
            (Some(Answer::Unconfirmed), _) | (_, Answer::Unconfirmed) => Some(Answer::Unconfirmed),
            (Some(Answer::Answered) | None, Answer::Answered) => Some(Answer::Answered),
        };
    }
}

/// Whether it is not known that Xero answered: what came back, if anything, is not Xero's.
fn is_unanswered(error: &XeroError) -> bool {
    matches!(error, XeroError::Unanswered { .. })
        || (matches!(error, XeroError::Edge { .. }) && error.class() == FailureClass::Uncertain)
}

/// Whether Xero may have performed a write that it answered like this.
const fn may_stand(error: &XeroError) -> bool {
    matches!(
        error,
        XeroError::ServerFault { .. }
            | XeroError::Offline { .. }
            | XeroError::Unexplained
            | XeroError::Undecodable { .. }
            | XeroError::Unidentified { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(errors: &[XeroError]) -> Option<Answer> {
        let state = WriteState::default();
        for error in errors {
            state.note_error(error);
        }
        state.answer()
    }

    #[test]
    fn a_call_that_was_never_made_is_no_write() {
        assert_eq!(noted(&[XeroError::Unsendable { reason: "a test" }]), None);
        let refused = XeroError::Rejected { messages: Vec::new() };
        let never_made = XeroError::Unsendable { reason: "a test" };
        assert_eq!(noted(&[refused, never_made]), Some(Answer::Answered));
    }

    #[test]
    fn what_may_stand_stays_open_whatever_follows() {
        let answers: [fn() -> XeroError; 2] =
            [|| XeroError::Unexplained, || XeroError::Unidentified { endpoint: "/Invoices" }];
        for open in answers {
            assert_eq!(open().class(), FailureClass::Uncertain);
            assert_eq!(noted(&[open(), XeroError::TenantRefused]), Some(Answer::Unconfirmed));
            assert_eq!(noted(&[XeroError::TenantRefused, open()]), Some(Answer::Unconfirmed));
        }
    }
}
