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
    /// The organisation itself.
    Organisation,
    /// Payments.
    Payments,
    /// Tax rates.
    TaxRates,
}

impl ResourceKind {
    /// Every resource.
    pub const ALL: [Self; 9] = domain::every_variant![
        Accounts,
        Allocations,
        BankTransactions,
        Contacts,
        CreditNotes,
        Invoices,
        Organisation,
        Payments,
        TaxRates
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
            ("Organisation", _) => Some(Self::Organisation),
            ("Payments", _) => Some(Self::Payments),
            ("TaxRates", _) => Some(Self::TaxRates),
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
            ("/Organisation", Some(ResourceKind::Organisation)),
            ("/Payments", Some(ResourceKind::Payments)),
            ("/TaxRates", Some(ResourceKind::TaxRates)),
            ("/connections/{id}", None),
            ("/connect/token", None),
            ("", None),
        ] {
            assert_eq!(ResourceKind::from_endpoint(endpoint), resource, "{endpoint}");
        }
    }
}
