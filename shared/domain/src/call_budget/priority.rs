//! The purpose of a call, and the share of each limit that it leaves for more urgent calls.

/// Xero's limit on calls in a minute, on one organisation.
const PER_MINUTE: usize = 60;

/// The purpose of a call. An earlier variant has a higher priority: each variant leaves room for
/// those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallPriority {
    /// A user waits for a record to be written to Xero.
    Person,
    /// A record is written to Xero.
    Push,
    /// Changes are fetched from Xero.
    Poll,
    /// A user looks up data in Xero: pushes and polls keep a share of every limit.
    Lookup,
    /// Known facts are checked again.
    Verification,
}

impl CallPriority {
    /// The number of concurrent calls, of Xero's five.
    pub(super) const fn concurrent_calls(self) -> usize {
        match self {
            Self::Person => 5,
            Self::Push => 4,
            // Reading a chart takes three calls.
            Self::Poll | Self::Lookup => 3,
            Self::Verification => 2,
        }
    }

    /// The number of calls in a minute, of Xero's sixty.
    pub(super) const fn per_minute(self) -> usize {
        match self {
            Self::Person => PER_MINUTE,
            Self::Push => 55,
            Self::Poll => 45,
            Self::Lookup | Self::Verification => 30,
        }
    }

    /// The share of the day's calls that is reserved for higher priorities, in percent.
    pub(super) const fn reserve_percent(self) -> u32 {
        match self {
            Self::Person => 0,
            Self::Push => 5,
            Self::Poll => 15,
            Self::Lookup => 20,
            Self::Verification => 40,
        }
    }
}
