//! The kinds of records that are synchronised. Every exhaustive `match` over kinds depends on this
//! list.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::XeroId;

/// A kind of Xero document that this integration writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// A contact in Xero, a client in the CRM.
    Contact,
    /// An invoice to a customer.
    Invoice,
    /// A credit note to a customer.
    CreditNote,
    /// Credit of a credit note that is applied to an invoice.
    Allocation,
    /// One part of a payment taken in the CRM: money on one invoice, a fee, a surcharge.
    Payment,
}

impl EntityKind {
    /// Every kind, in dependency order: a kind comes after those that it needs in Xero.
    pub const ALL: [Self; 5] =
        crate::every_variant![Contact, Invoice, CreditNote, Allocation, Payment];

    /// The kind whose queue carries the messages about this kind. Credit notes and their
    /// allocations share a queue, so that their messages keep their order.
    #[must_use]
    pub const fn queue_kind(self) -> Self {
        match self {
            Self::Allocation => Self::CreditNote,
            Self::Contact | Self::Invoice | Self::CreditNote | Self::Payment => self,
        }
    }

    /// The page in Xero that shows a document, or `None` if its kind has no page of its own.
    pub fn xero_page(self, id: XeroId) -> Option<String> {
        let page = match self {
            Self::Contact => "Contacts/View/",
            Self::Invoice => "AccountsReceivable/View.aspx?InvoiceID=",
            Self::CreditNote => "AccountsReceivable/ViewCreditNote.aspx?creditNoteID=",
            Self::Payment | Self::Allocation => return None,
        };
        Some(format!("https://go.xero.com/{page}{id}"))
    }

    /// Whether the former numbers of a record are kept. Allocations name their credit note by its
    /// number, possibly by a former one.
    pub(crate) const fn keeps_former_numbers(self) -> bool {
        match self {
            Self::CreditNote => true,
            Self::Contact | Self::Invoice | Self::Allocation | Self::Payment => false,
        }
    }

    /// Whether a new copy in Xero may have a number of its own.
    pub(crate) const fn has_copy_numbers(self) -> bool {
        match self {
            Self::Contact => false,
            Self::Invoice | Self::CreditNote | Self::Allocation | Self::Payment => true,
        }
    }

    /// Whether a record that is in Xero is carried over when its account connects another
    /// organisation. Records that are not in Xero are carried over whatever their kind is.
    pub const fn is_carried_over_when_synced(self) -> bool {
        match self {
            Self::Contact => true,
            Self::Invoice | Self::CreditNote | Self::Allocation | Self::Payment => false,
        }
    }

    /// The name that people see.
    pub const fn display_noun(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Invoice => "invoice",
            Self::CreditNote => "credit note",
            Self::Allocation => "allocation",
            Self::Payment => "payment",
        }
    }

    /// The name in keys, logs and APIs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Invoice => "invoice",
            Self::CreditNote => "credit_note",
            Self::Allocation => "allocation",
            Self::Payment => "payment",
        }
    }

    /// The kind with this name in keys, logs and APIs.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for EntityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
