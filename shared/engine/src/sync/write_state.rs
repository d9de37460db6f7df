//! Records what Xero answered to the writes of one attempt at one record.
//!
//! An attempt may fail after its write for a reason unrelated to the write: the read that would
//! return the id is throttled, the token is refused, or a request is never sent. What the failure
//! means for the record then depends on the write. So the code that writes records each answer
//! here, and the code that records the failure takes it into account; callers in between do not
//! need to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use domain::operation::WriteAnswer;
use xero::XeroError;

/// The known facts about the writes of an attempt.
#[derive(Debug, Default)]
pub(crate) struct WriteState {
    /// The answer to the writes. `None` while nothing has been written.
    answer: Mutex<Option<WriteAnswer>>,
    /// Whether a try of the attempt may have created a document in Xero that the row does not know.
    may_have_left_document: AtomicBool,
}

impl WriteState {
    /// Returns the answer that decides what is known about the writes so far.
    pub(crate) fn decisive_answer(&self) -> Option<WriteAnswer> {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a try of the attempt may have created a document in Xero that the row does not
    /// know. Only a look-up that finds none, or the success of the attempt, changes that.
    pub(crate) fn record_possible_document(&self) {
        self.may_have_left_document.store(true, Ordering::Relaxed);
    }

    /// Records that a look-up after all earlier tries found no document.
    pub(crate) fn record_no_document(&self) {
        self.may_have_left_document.store(false, Ordering::Relaxed);
    }

    /// Returns whether a try of the attempt may have created a document that the row does not know.
    pub(crate) fn may_have_left_document(&self) -> bool {
        self.may_have_left_document.load(Ordering::Relaxed)
    }

    /// Records that Xero performed a write. `is_known` says whether the answer carries the id of
    /// the document.
    pub(super) fn record_done(&self, is_known: bool) {
        self.record_answer(if is_known { WriteAnswer::Answered } else { WriteAnswer::Unconfirmed });
    }

    /// Records the error of a write. A request that was never sent changes nothing.
    pub(super) fn record_error(&self, error: &XeroError) {
        if is_unanswered(error) {
            self.record_answer(WriteAnswer::Unanswered);
        } else if error.is_answered() {
            self.record_done(!may_have_written(error));
        }
    }

    /// Replaces the answer with that of a later try, which looked up documents of the earlier
    /// writes before it wrote. If the later try wrote nothing, the answer stays.
    pub(crate) fn replace_with_later(&self, later: &Self) {
        self.may_have_left_document.store(later.may_have_left_document(), Ordering::Relaxed);
        if let Some(answer) = later.decisive_answer() {
            *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        }
    }

    /// Keeps the least certain answer: a later answer does not decide an earlier uncertain write.
    fn record_answer(&self, answer: WriteAnswer) {
        let mut answer_so_far = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        *answer_so_far = match (*answer_so_far, answer) {
            (Some(WriteAnswer::Unanswered), _) | (_, WriteAnswer::Unanswered) => {
                Some(WriteAnswer::Unanswered)
            }
            (Some(WriteAnswer::Unconfirmed), _) | (_, WriteAnswer::Unconfirmed) => {
                Some(WriteAnswer::Unconfirmed)
            }
            (Some(WriteAnswer::Answered) | None, WriteAnswer::Answered) => {
                Some(WriteAnswer::Answered)
            }
        };
    }
}

/// Returns whether Xero's answer is unknown. A page of Xero's edge says nothing about the write,
/// whatever its status: Xero may have performed the write before the edge lost the answer. Neither
/// does an answer that is too large to be read.
const fn is_unanswered(error: &XeroError) -> bool {
    matches!(
        error,
        XeroError::Unanswered { .. } | XeroError::AnswerTooLarge { .. } | XeroError::Edge { .. }
    )
}

/// Returns whether Xero may have performed a write in spite of this error.
const fn may_have_written(error: &XeroError) -> bool {
    matches!(
        error,
        XeroError::ServerFault { .. }
            | XeroError::Offline { .. }
            | XeroError::Unexplained
            | XeroError::Undecodable { .. }
            | XeroError::Unidentified { .. }
            | XeroError::BatchRejected { .. }
    )
}

#[cfg(test)]
mod tests {
    use domain::failure::FailureClass;
    use xero::error::AccessMode;
    use xero::{RequestSent, TransportError, TransportErrorKind};

    use super::*;

    fn answer_after(errors: &[XeroError]) -> Option<WriteAnswer> {
        let state = WriteState::default();
        for error in errors {
            state.record_error(error);
        }
        state.decisive_answer()
    }

    #[test]
    fn a_call_that_was_never_made_is_no_write() {
        assert_eq!(answer_after(&[XeroError::Unsendable { reason: "a test" }]), None);
        let refused = XeroError::Rejected { messages: Vec::new() };
        let never_made = XeroError::Unsendable { reason: "a test" };
        assert_eq!(answer_after(&[refused, never_made]), Some(WriteAnswer::Answered));
    }

    #[test]
    fn an_html_page_instead_of_the_answer_leaves_the_write_open_whatever_its_status() {
        for status in [200, 302, 400, 401, 403, 404, 503] {
            let page = XeroError::Edge { access: AccessMode::Write, status };
            assert_eq!(answer_after(&[page]), Some(WriteAnswer::Unanswered), "{status}");
        }
    }

    #[test]
    fn an_answer_that_is_too_large_leaves_the_write_open() {
        let source = TransportError {
            sent: RequestSent::Unknown,
            kind: TransportErrorKind::TooLarge,
            source: "a test".into(),
        };
        let error = XeroError::AnswerTooLarge { access: AccessMode::Write, source };
        assert_eq!(error.failure_class(), FailureClass::Uncertain);
        assert_eq!(answer_after(&[error, XeroError::TenantRefused]), Some(WriteAnswer::Unanswered));
    }

    #[test]
    fn a_later_try_that_wrote_replaces_the_answer_and_one_that_did_not_leaves_it() {
        let state = WriteState::default();
        state.record_error(&XeroError::BatchRejected { messages: Vec::new() });
        state.replace_with_later(&WriteState::default());
        assert_eq!(state.decisive_answer(), Some(WriteAnswer::Unconfirmed));
        let later = WriteState::default();
        later.record_error(&XeroError::Rejected { messages: Vec::new() });
        state.replace_with_later(&later);
        assert_eq!(state.decisive_answer(), Some(WriteAnswer::Answered));
    }

    #[test]
    fn a_write_that_may_have_taken_effect_stays_open_whatever_follows() {
        let answers: [fn() -> XeroError; 3] = [
            || XeroError::Unexplained,
            || XeroError::Unidentified { endpoint: "/Invoices" },
            || XeroError::BatchRejected { messages: Vec::new() },
        ];
        for open in answers {
            assert_eq!(open().failure_class(), FailureClass::Uncertain);
            assert_eq!(
                answer_after(&[open(), XeroError::TenantRefused]),
                Some(WriteAnswer::Unconfirmed)
            );
            assert_eq!(
                answer_after(&[XeroError::TenantRefused, open()]),
                Some(WriteAnswer::Unconfirmed)
            );
        }
    }
}
