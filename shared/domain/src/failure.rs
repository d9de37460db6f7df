//! Failures: their cause, their effect on the operation, and their message for users.
//!
//! The class is chosen once, where the facts are known (a status, a header, whether bytes were
//! sent). It decides everything that follows: whether the attempt counts, when the next one is
//! made, and whether Xero must be asked first.

mod cause;
#[cfg(test)]
mod cause_tests;
mod code;
mod given_up;
#[cfg(test)]
mod given_up_tests;
mod responsible_party;
#[cfg(test)]
mod responsible_party_tests;

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::cause::FailureCause;
pub use self::code::FailureCode;
pub use self::responsible_party::ResponsibleParty;
use crate::variants::named_variants;

named_variants! {
    /// What a failure means for the operation.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum FailureClass {
        /// Nothing was done, and a later attempt is likely to succeed. Counted.
        Transient = "transient",
        /// Xero may have carried out the write. The next attempt reads before it writes. Counted.
        Uncertain = "uncertain",
        /// Xero asked to wait. The next attempt is made when Xero allows it. Not counted.
        Throttled = "throttled",
        /// The connection must be authorised again. The record is parked until then. Not counted.
        Unauthorized = "unauthorized",
        /// Xero rejected the document, and a person must correct it. Shown at once. Counted.
        Rejected = "rejected",
        /// Another record must be in Xero first. Not counted.
        Blocked = "blocked",
        /// The integration's own rules reject the record, or a rule of Xero that retries cannot
        /// meet: the same input always gives the same result. The record is skipped at once.
        Untranslatable = "untranslatable",
        /// A fault of the integration or of its operator. Counted, and raises an alarm.
        Defect = "defect",
    }

    /// The name in logs and APIs.
    pub const fn as_str(self) -> &'static str;
}

impl FailureClass {
    /// Whether a failure of this class counts towards the limit of attempts.
    pub const fn is_counted(self) -> bool {
        match self {
            Self::Transient | Self::Uncertain | Self::Rejected | Self::Defect => true,
            Self::Throttled | Self::Unauthorized | Self::Blocked | Self::Untranslatable => false,
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failed attempt, as it is stored in the mapping and shown to people.
///
/// `message` and `remedy` are plain sentences. Neither ever contains a token, a raw answer or JSON.
/// Decisions depend on `class` and `cause`, never on `code`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredFailure")]
pub struct Failure {
    /// The effect on the operation.
    pub class: FailureClass,
    /// The cause, if a decision depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<FailureCause>,
    /// A stable name for people, metrics and the CRM, such as `account_code_unknown`.
    pub code: Cow<'static, str>,
    /// What happened.
    pub message: String,
    /// What a person can do. Empty when no action is needed.
    pub remedy: String,
    /// No attempt is made before this instant: the end of Xero's `Retry-After`, or of another wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

/// A failure as rows hold it.
///
/// The rows of earlier releases have no cause, and the rows of later releases may have one that
/// this release does not know. The cause then follows from the code.
#[derive(Deserialize)]
struct StoredFailure {
    class: FailureClass,
    cause: Option<String>,
    code: Cow<'static, str>,
    message: String,
    remedy: String,
    not_before: Option<Timestamp>,
}

impl From<StoredFailure> for Failure {
    fn from(stored: StoredFailure) -> Self {
        let StoredFailure { class, cause, code, message, remedy, not_before } = stored;
        let known = cause.as_deref().and_then(FailureCause::from_code);
        let cause = known.or_else(|| FailureCause::from_code(&code));
        Self { class, cause, code, message, remedy, not_before }
    }
}

/// The maximum length of a failure's message and of its remedy, in characters. Lists that a
/// customer or Xero can grow may be part of them, and they are stored in rows and events of a
/// limited size.
pub const TEXT_MAX: usize = 2_000;

/// Cuts a text to the maximum length.
fn shorten_text(text: String) -> String {
    match text.char_indices().nth(TEXT_MAX.saturating_sub(1)) {
        Some((end, _)) if text.chars().count() > TEXT_MAX => {
            let kept = text.get(..end).unwrap_or_default();
            format!("{kept}…")
        }
        Some(_) | None => text,
    }
}

impl Failure {
    /// Whether both have the same cause, and so the same remedy, as people see them.
    pub fn has_same_cause(&self, other: &Self) -> bool {
        self.class == other.class && self.code == other.code
    }

    /// A failure without an earliest instant for the next attempt. `code` is a [`FailureCause`] if
    /// a decision depends on it, otherwise the name that people see.
    pub fn new(
        class: FailureClass,
        code: impl Into<FailureCode>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let code = code.into();
        Self {
            class,
            cause: code.to_cause(),
            code: Cow::Borrowed(code.as_str()),
            message: shorten_text(message.into()),
            remedy: shorten_text(remedy.into()),
            not_before: None,
        }
    }

    /// Whether other settings may resolve it: it concerns a chosen account or tax rate.
    pub fn is_about_settings(&self) -> bool {
        self.class == FailureClass::Untranslatable
            || self.cause.is_some_and(FailureCause::is_about_settings)
    }

    /// Whether a user's decision may end it: other settings, or an answer about a payment in Xero.
    pub fn may_end_by_decision(&self) -> bool {
        self.is_about_settings() || self.is_about_unclear_payment()
    }

    /// Whether the state of a document in Xero caused it. A change of that document may resolve it.
    pub fn is_about_document_state(&self) -> bool {
        self.cause.is_some_and(FailureCause::is_about_document_state)
    }

    /// Whether the contact of the client is archived in Xero. A restore of the contact, or a link of
    /// the client to another one, ends it.
    pub fn is_about_archived_contact(&self) -> bool {
        self.cause == Some(FailureCause::ContactArchived)
    }

    /// Whether Xero has a payment that may be this one. A decision about that payment ends the
    /// failure, and so does its removal.
    pub fn is_about_unclear_payment(&self) -> bool {
        self.cause == Some(FailureCause::PaymentUnclear)
    }

    /// Whether a change in Xero may end it: a change of a document, or the restore of a contact.
    pub fn may_end_by_change_in_xero(&self) -> bool {
        self.is_about_document_state() || self.is_about_archived_contact()
    }

    /// Whether a change whose instant is recorded may end it: one in Xero, or a decision about a
    /// payment.
    pub fn may_end_by_recorded_change(&self) -> bool {
        self.may_end_by_change_in_xero() || self.is_about_unclear_payment()
    }

    /// Whether a record with this failure may continue before its next retry, or after it was given
    /// up: a user's decision or a change in Xero may end the failure.
    pub fn may_end_before_retry(&self) -> bool {
        self.may_end_by_decision() || self.may_end_by_change_in_xero()
    }

    /// Whether the consent lacks a permission. All other calls still work, and a new consent
    /// resolves it.
    pub fn is_about_permission(&self) -> bool {
        self.class == FailureClass::Unauthorized
            && self.cause == Some(FailureCause::PermissionMissing)
    }

    /// Whether an outage of Xero or of the network caused it, rather than the record. An uncertain
    /// failure may also have a cause in the record: an interrupted attempt, or a document that Xero
    /// cannot process.
    pub fn is_about_an_outage(&self) -> bool {
        match self.class {
            FailureClass::Transient => true,
            FailureClass::Uncertain => self.cause.is_some_and(FailureCause::is_outage),
            FailureClass::Throttled
            | FailureClass::Unauthorized
            | FailureClass::Rejected
            | FailureClass::Blocked
            | FailureClass::Untranslatable
            | FailureClass::Defect => false,
        }
    }

    /// The same failure, with no attempt before `instant`.
    #[must_use]
    pub fn with_not_before(mut self, instant: Timestamp) -> Self {
        self.not_before = Some(instant);
        self
    }
}

/// Prints one line for people: the message, followed by the remedy.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.remedy.is_empty() {
            write!(f, " {}", self.remedy)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_have_the_same_cause_if_class_and_code_agree() {
        let failure =
            |class, code: &'static str| Failure::new(class, code, "It failed.", "Try again.");
        let (rejected, blocked) = (FailureClass::Rejected, FailureClass::Blocked);
        assert!(failure(rejected, "a").has_same_cause(&failure(rejected, "a")));
        assert!(!failure(rejected, "a").has_same_cause(&failure(rejected, "b")));
        assert!(!failure(rejected, "a").has_same_cause(&failure(blocked, "a")));
    }

    #[test]
    fn texts_are_cut_at_their_maximum_length() {
        for (length, kept) in [(1_999, 1_999), (2_000, 2_000), (2_001, 2_000), (200_000, 2_000)] {
            let text = "é".repeat(length);
            let failure = Failure::new(FailureClass::Defect, "code", text.clone(), text);
            let lengths = (failure.message.chars().count(), failure.remedy.chars().count());
            assert_eq!(lengths, (kept, kept), "{length}");
        }
    }
}
