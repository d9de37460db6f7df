//! What errors say about a call: whether it could change a document, what is offline, and which
//! limit is used up.

use std::fmt;

/// Whether a call could have changed a document. A call that can be repeated safely counts as a
/// read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessMode {
    /// Repeating the call changes nothing.
    Read,
    /// The call creates or changes a document.
    Write,
}

/// What is offline, according to the text of a 503.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutageKind {
    /// This organisation only.
    Organisation,
    /// Xero, for planned maintenance.
    Maintenance,
    /// Xero, for another reason.
    Unavailable,
}

/// The limit that is used up, according to `X-Rate-Limit-Problem`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// Concurrent calls on one organisation.
    Concurrent,
    /// Calls in a minute on one organisation.
    Minute,
    /// Calls in a day on one organisation.
    Day,
    /// Calls of the app in a minute, over all organisations.
    AppMinute,
    /// A limit that this client does not know.
    Unknown,
}

impl fmt::Display for AccessMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

impl fmt::Display for OutageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Organisation => "the organisation is offline",
            Self::Maintenance => "maintenance",
            Self::Unavailable => "temporarily unavailable",
        })
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Concurrent => "concurrent",
            Self::Minute => "minute",
            Self::Day => "day",
            Self::AppMinute => "app minute",
            Self::Unknown => "call",
        })
    }
}
