//! The rows of the table of known sentences.

use crate::failure::{FailureCause, FailureCode};

/// One known sentence.
#[derive(Debug)]
pub(in crate::rejection) struct KnownSentence {
    /// Xero's words, in lower case, without quotation marks.
    pub(in crate::rejection) words: &'static str,
    /// Its cause, if a decision depends on it; otherwise a stable name for people and metrics.
    pub(in crate::rejection) code: FailureCode,
    /// Whether Xero gives the same answer until a person changes the record, or a document in Xero.
    pub(in crate::rejection) is_final: bool,
    /// What a person can do.
    pub(in crate::rejection) remedy: &'static str,
}

/// A sentence on which no decision depends, and which may not apply any more at the next attempt.
pub(super) const fn known_sentence(
    words: &'static str,
    name: &'static str,
    remedy: &'static str,
) -> KnownSentence {
    KnownSentence { words, code: FailureCode::Name(name), is_final: false, remedy }
}

/// A sentence on which no decision depends, and which Xero repeats until a person acts.
pub(super) const fn final_sentence(
    words: &'static str,
    name: &'static str,
    remedy: &'static str,
) -> KnownSentence {
    KnownSentence { words, code: FailureCode::Name(name), is_final: true, remedy }
}

/// A sentence with a cause, on which decisions depend. It is final if the cause is the state of a
/// document.
pub(super) const fn cause_sentence(
    words: &'static str,
    cause: FailureCause,
    remedy: &'static str,
) -> KnownSentence {
    let is_final = cause.is_about_document_state();
    KnownSentence { words, code: FailureCode::Cause(cause), is_final, remedy }
}
