//! Which permission a call needs.

use std::fmt;

use crate::resource_kind::ResourceKind;

/// The permission that a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XeroPermission {
    /// Contacts.
    Contacts,
    /// Invoices and credit notes.
    Invoices,
    /// Credit that is applied to an invoice or removed from it. Xero's pages do not say whether
    /// that needs the scope of payments besides the one of credit notes.
    Allocations,
    /// Payments, overpayments and prepayments.
    Payments,
    /// Money spent and received.
    BankTransactions,
    /// The organisation, its accounts, tax rates, items and tracking categories, to read.
    Settings,
    /// No more than a login, as for the list of connections.
    Login,
}

impl XeroPermission {
    /// The permission for a path without ids, such as `/CreditNotes/{CreditNoteID}/Allocations`.
    pub(super) fn for_endpoint(endpoint: &str) -> Self {
        match ResourceKind::from_endpoint(endpoint) {
            Some(ResourceKind::Contacts) => Self::Contacts,
            Some(ResourceKind::Allocations) => Self::Allocations,
            Some(ResourceKind::Invoices | ResourceKind::CreditNotes) => Self::Invoices,
            Some(
                ResourceKind::Payments | ResourceKind::Overpayments | ResourceKind::Prepayments,
            ) => Self::Payments,
            Some(ResourceKind::BankTransactions) => Self::BankTransactions,
            Some(
                ResourceKind::Organisation
                | ResourceKind::Accounts
                | ResourceKind::Items
                | ResourceKind::TaxRates
                | ResourceKind::TrackingCategories,
            ) => Self::Settings,
            None => Self::Login,
        }
    }

    /// The scopes that may be missing, of [`SCOPES`](crate::SCOPES). At least one is.
    pub const fn scope_names(self) -> &'static [&'static str] {
        match self {
            Self::Contacts => &["accounting.contacts"],
            Self::Invoices => &["accounting.invoices"],
            Self::Allocations => &["accounting.invoices", "accounting.payments"],
            Self::Payments => &["accounting.payments"],
            Self::BankTransactions => &["accounting.banktransactions"],
            Self::Settings => &["accounting.settings.read"],
            Self::Login => &["openid"],
        }
    }
}

/// The scopes by their names.
impl fmt::Display for XeroPermission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scope_names().join(" or "))
    }
}
