//! Failures: what went wrong, what to do about it, and what a person is told.
//!
//! The class is chosen once, where the facts are (a status, a header, whether bytes were sent), and
//! decides everything that follows: whether the attempt counts, when the next one comes, whether
//! Xero has to be asked first.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a failure means for the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// Nothing was done and trying later is likely to work. Counted.
    Transient,
    /// Xero may or may not have done it: the next attempt looks before it writes. Counted.
    Uncertain,
    /// Xero asked us to wait. Not counted; the next attempt comes when Xero allows it.
    Throttled,
    /// The connection has to be authorised again. Not counted; parked until then.
    Unauthorized,
    /// Xero refused the document. Counted; shown at once, since the cure is a person's.
    Rejected,
    /// Something else has to be in Xero first. Not counted.
    Blocked,
    /// Our own rules refuse: the same input would give the same answer. Skipped at once.
    Untranslatable,
    /// A fault of ours or of the operator's. Counted, and an alarm.
    Defect,
}

impl FailureClass {
    /// Every class, for exhaustive tests.
    pub const ALL: [Self; 8] = [
        Self::Transient,
        Self::Uncertain,
        Self::Throttled,
        Self::Unauthorized,
        Self::Rejected,
        Self::Blocked,
        Self::Untranslatable,
        Self::Defect,
    ];

    /// Whether the attempt takes a step on the ladder.
    pub const fn is_counted(self) -> bool {
        match self {
            Self::Transient | Self::Uncertain | Self::Rejected | Self::Defect => true,
            Self::Throttled | Self::Unauthorized | Self::Blocked | Self::Untranslatable => false,
        }
    }

    /// The name in logs and APIs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Uncertain => "uncertain",
            Self::Throttled => "throttled",
            Self::Unauthorized => "unauthorized",
            Self::Rejected => "rejected",
            Self::Blocked => "blocked",
            Self::Untranslatable => "untranslatable",
            Self::Defect => "defect",
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Codes of writes that met an outage, as the Xero client gives them.
pub const OUTAGES: [&str; 6] = [
    "xero_silent",
    "xero_faulty",
    "xero_maintenance",
    "xero_unavailable",
    "xero_unreachable",
    "organisation_offline",
];

/// The code of a call that the consent does not cover, as the Xero client gives it.
pub const PERMISSION_MISSING: &str = "permission_missing";

/// A failed attempt, as it is stored in the mapping and shown to people.
///
/// `message` and `remedy` are plain sentences. Neither ever holds a token, a raw answer or JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What it means for the operation.
    pub class: FailureClass,
    /// A stable name for programs and support, such as `account_code_unknown`.
    pub code: Cow<'static, str>,
    /// What happened.
    pub message: String,
    /// What a person can do; empty when nothing is needed but time.
    pub remedy: String,
    /// No attempt before this instant: Xero's `Retry-After`, or the clock of what it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

impl Failure {
    /// A failure without an earliest instant.
    pub fn new(
        class: FailureClass,
        code: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            class,
            code: Cow::Borrowed(code),
            message: message.into(),
            remedy: remedy.into(),
            not_before: None,
        }
    }

    /// Whether other settings may cure it: it is about an account or a tax rate that was chosen.
    pub fn is_about_settings(&self) -> bool {
        self.class == FailureClass::Untranslatable
            || ["account_", "tax_"].iter().any(|start| self.code.starts_with(start))
    }

    /// Whether the consent lacks a permission: everything else goes on, and a new consent cures it.
    pub fn is_about_permission(&self) -> bool {
        self.class == FailureClass::Unauthorized && self.code == PERMISSION_MISSING
    }

    /// Whether it was for no reason of the record's own: Xero, or the way to it, was out of order. An attempt that
    /// was interrupted, or whose document Xero would not have, may be uncertain for a reason of its own.
    pub fn is_about_an_outage(&self) -> bool {
        match self.class {
            FailureClass::Transient => true,
            FailureClass::Uncertain => OUTAGES.contains(&self.code.as_ref()),
            FailureClass::Throttled
            | FailureClass::Unauthorized
            | FailureClass::Rejected
            | FailureClass::Blocked
            | FailureClass::Untranslatable
            | FailureClass::Defect => false,
        }
    }

    /// The same failure, not to be tried again before `instant`.
    #[must_use]
    pub fn not_before(mut self, instant: Timestamp) -> Self {
        self.not_before = Some(instant);
        self
    }
}

/// One line for people: what happened, then what to do.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.remedy.is_empty() {
            write!(f, " {}", self.remedy)?;
        }
        Ok(())
    }
}
