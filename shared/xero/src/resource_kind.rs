//! The resources of Xero's accounting API.

/// A resource of Xero's accounting API, as far as the client uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    /// The chart of accounts.
    Accounts,
    /// Credit of a credit note that is applied to an invoice.
    Allocations,
    /// Money spent and received.
    BankTransactions,
    /// Contacts.
    Contacts,
    /// Credit notes.
    CreditNotes,
    /// Invoices.
    Invoices,
    /// Items.
    Items,
    /// The organisation itself.
    Organisation,
    /// Money paid in excess of what was due.
    Overpayments,
    /// Payments.
    Payments,
    /// Money paid in advance.
    Prepayments,
    /// Tax rates.
    TaxRates,
    /// Tracking categories.
    TrackingCategories,
}

impl ResourceKind {
    /// Every resource.
    pub const ALL: [Self; 13] = domain::every_variant![
        Accounts,
        Allocations,
        BankTransactions,
        Contacts,
        CreditNotes,
        Invoices,
        Items,
        Organisation,
        Overpayments,
        Payments,
        Prepayments,
        TaxRates,
        TrackingCategories
    ];

    /// The resource of a path without ids, such as `/CreditNotes/{CreditNoteID}/Allocations`;
    /// `None` outside the accounting API.
    pub(crate) fn from_endpoint(endpoint: &str) -> Option<Self> {
        let mut parts = endpoint.split('/').skip(1);
        let collection = parts.next()?;
        match (collection, parts.nth(1)) {
            ("Accounts", _) => Some(Self::Accounts),
            ("BankTransactions", _) => Some(Self::BankTransactions),
            ("Contacts", _) => Some(Self::Contacts),
            ("CreditNotes", Some("Allocations")) => Some(Self::Allocations),
            ("CreditNotes", _) => Some(Self::CreditNotes),
            ("Invoices", _) => Some(Self::Invoices),
            ("Items", _) => Some(Self::Items),
            ("Organisation", _) => Some(Self::Organisation),
            ("Overpayments", _) => Some(Self::Overpayments),
            ("Payments", _) => Some(Self::Payments),
            ("Prepayments", _) => Some(Self::Prepayments),
            ("TaxRates", _) => Some(Self::TaxRates),
            ("TrackingCategories", _) => Some(Self::TrackingCategories),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_resource() {
        for (endpoint, resource) in [
            ("/Accounts", Some(ResourceKind::Accounts)),
            ("/BankTransactions/{BankTransactionID}", Some(ResourceKind::BankTransactions)),
            ("/Contacts", Some(ResourceKind::Contacts)),
            ("/CreditNotes", Some(ResourceKind::CreditNotes)),
            ("/CreditNotes/{CreditNoteID}", Some(ResourceKind::CreditNotes)),
            ("/CreditNotes/{CreditNoteID}/Allocations", Some(ResourceKind::Allocations)),
            (
                "/CreditNotes/{CreditNoteID}/Allocations/{AllocationID}",
                Some(ResourceKind::Allocations),
            ),
            ("/Invoices/{InvoiceID}", Some(ResourceKind::Invoices)),
            ("/Items", Some(ResourceKind::Items)),
            ("/Organisation", Some(ResourceKind::Organisation)),
            ("/Overpayments", Some(ResourceKind::Overpayments)),
            ("/Payments", Some(ResourceKind::Payments)),
            ("/Prepayments", Some(ResourceKind::Prepayments)),
            ("/TaxRates", Some(ResourceKind::TaxRates)),
            ("/TrackingCategories", Some(ResourceKind::TrackingCategories)),
            ("/connections/{id}", None),
            ("/connect/token", None),
            ("", None),
        ] {
            assert_eq!(ResourceKind::from_endpoint(endpoint), resource, "{endpoint}");
        }
    }
}
