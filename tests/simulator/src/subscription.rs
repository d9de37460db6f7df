//! The subscription of an organisation, which limits the e-mails it sends.

use crate::variants::every_variant;

/// The subscription of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscription {
    /// A paid plan.
    Paying,
    /// A trial that has not ended.
    Trial,
    /// Xero's demo company.
    Demo,
}

impl Subscription {
    /// Every kind.
    pub(crate) const ALL: [Self; 3] = every_variant![Paying, Trial, Demo];

    /// Its name on the control surface.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Paying => "paying",
            Self::Trial => "trial",
            Self::Demo => "demo",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// How many invoices it can send by e-mail in a day: Xero's limits.
    pub(crate) fn daily_emails(self) -> usize {
        match self {
            Self::Paying => 1_000,
            Self::Trial => 20,
            Self::Demo => 0,
        }
    }

    /// Xero's name for the plan.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Paying => "STANDARD",
            Self::Trial => "TRIAL",
            Self::Demo => "DEMO",
        }
    }
}
