//! The rows of the table of known sentences.

use crate::failure::{FailureCause, FailureCode};

/// One known sentence.
#[derive(Debug)]
pub(in crate::rejection) struct KnownSentence {
    /// Xero's words, in lower case, without quotation marks.
    pub(in crate::rejection) words: &'static str,
    /// Its cause, if a decision depends on it; otherwise a stable name for people and metrics.
    pub(in crate::rejection) code: FailureCode,
    /// What a person can do.
    pub(in crate::rejection) remedy: &'static str,
}

/// A sentence on which no decision depends.
pub(super) const fn known_sentence(
    words: &'static str,
    name: &'static str,
    remedy: &'static str,
) -> KnownSentence {
    KnownSentence { words, code: FailureCode::Name(name), remedy }
}

/// A sentence with a cause, on which decisions depend.
pub(super) const fn means(
    words: &'static str,
    cause: FailureCause,
    remedy: &'static str,
) -> KnownSentence {
    KnownSentence { words, code: FailureCode::Cause(cause), remedy }
}
