//! Scopes: which exist, which an app may request, which one a resource needs.

use crate::settings::ScopeSet;
use std::collections::BTreeSet;

/// A set of scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scopes(BTreeSet<String>);

/// The scopes that every app may request.
pub(crate) const GRANULAR: &[&str] = &[
    "openid",
    "profile",
    "email",
    "offline_access",
    "accounting.attachments",
    "accounting.attachments.read",
    "accounting.banktransactions",
    "accounting.banktransactions.read",
    "accounting.budgets.read",
    "accounting.contacts",
    "accounting.contacts.read",
    "accounting.invoices",
    "accounting.invoices.read",
    "accounting.manualjournals",
    "accounting.manualjournals.read",
    "accounting.payments",
    "accounting.payments.read",
    "accounting.reports.aged.read",
    "accounting.reports.balancesheet.read",
    "accounting.reports.banksummary.read",
    "accounting.reports.budgetsummary.read",
    "accounting.reports.executivesummary.read",
    "accounting.reports.profitandloss.read",
    "accounting.reports.taxreports.read",
    "accounting.reports.trialbalance.read",
    "accounting.settings",
    "accounting.settings.read",
];

/// The scopes that only apps created before 2026-03-02 may still request.
const BROAD: &[&str] =
    &["accounting.reports.read", "accounting.transactions", "accounting.transactions.read"];

/// A family of resources that one scope permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    Contacts,
    Invoices,
    Payments,
    BankTransactions,
    Settings,
}

/// Reading or changing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl Scopes {
    /// The scopes of a space-separated text.
    pub(crate) fn parse(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_owned).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The first scope that an app of this age may not request.
    pub(crate) fn forbidden_to(&self, age: ScopeSet) -> Option<&str> {
        self.iter().find(|scope| {
            let broad = age == ScopeSet::Broad && BROAD.contains(scope);
            !GRANULAR.contains(scope) && !broad
        })
    }

    /// Adds the earlier granted scopes to the requested ones. The scopes about the user are per
    /// sign-in; those about the books remain granted.
    pub(crate) fn joined_with(mut self, earlier: &Self) -> Self {
        let books = earlier.0.iter().filter(|scope| scope.starts_with("accounting."));
        self.0.extend(books.cloned());
        self
    }

    /// Whether the scopes permit access to an area.
    pub(crate) fn open(&self, area: Area, access: Access) -> bool {
        let names: &[&str] = match area {
            Area::Contacts => &["accounting.contacts"],
            Area::Invoices => &["accounting.invoices", "accounting.transactions"],
            Area::Payments => &["accounting.payments", "accounting.transactions"],
            Area::BankTransactions => &["accounting.banktransactions", "accounting.transactions"],
            Area::Settings => &["accounting.settings"],
        };
        names.iter().any(|name| {
            self.contains(name)
                || (access == Access::Read && self.contains(&format!("{name}.read")))
        })
    }

    /// The scopes as one text, as in the token response.
    pub(crate) fn joined(&self) -> String {
        self.0.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}
