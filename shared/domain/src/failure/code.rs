//! The codes with which failures are created.

use super::FailureCause;

/// The code of a new failure: that of a cause, or a name for display only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureCode {
    /// The code of a cause, on which decisions depend.
    Cause(FailureCause),
    /// A stable name on which no decision depends. It is not the code of a cause.
    Name(&'static str),
}

impl FailureCode {
    /// The code as rows, logs, metrics and the CRM show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cause(cause) => cause.stable_code(),
            Self::Name(name) => name,
        }
    }

    /// The cause, if it has one.
    pub const fn to_cause(self) -> Option<FailureCause> {
        match self {
            Self::Cause(cause) => Some(cause),
            Self::Name(_) => None,
        }
    }
}

impl From<FailureCause> for FailureCode {
    fn from(cause: FailureCause) -> Self {
        Self::Cause(cause)
    }
}

impl From<&'static str> for FailureCode {
    fn from(name: &'static str) -> Self {
        Self::Name(name)
    }
}
