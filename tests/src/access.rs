//! What of AWS a port uses, as the runtime's implementation of it does: to be held against what a function's role
//! allows.

use domain::entity::EntityKind;
use store::table::{Index, Write};

/// A right that is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Reading a row.
    Read,
    /// Writing a row.
    Put,
    /// Removing a row.
    Delete,
    /// Reading pages of rows.
    Query,
    /// Reading pages of the index of what is due.
    QueryDue,
    /// Reading pages of the index of what is open.
    QueryOpen,
    /// Reading pages of the index of what needs attention.
    QueryAttention,
    /// Reading a grant's secret.
    ReadSecret,
    /// Writing a grant's secret.
    WriteSecret,
    /// Making a grant's secret.
    NewSecret,
    /// Deleting a grant's secret.
    DeleteSecret,
    /// Booking a wake-up.
    Book,
    /// Leaving a hint in a queue.
    Leave(HintQueue),
    /// Telling the CRM.
    Tell,
}

/// A function, by the beginning of its resources' names in the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// Brings clients to Xero.
    ContactPush,
    /// Brings invoices to Xero.
    InvoicePush,
    /// Brings credit notes and allocations to Xero.
    CreditNotePush,
    /// Brings payments to Xero.
    PaymentPush,
    /// Reads what was paid in Xero.
    PaymentPoll,
    /// What people see and press.
    SettingsApi,
    /// Back from Xero's consent page.
    OAuthCallback,
    /// Repairs lost hints.
    Sweep,
    /// Renews tokens that nobody uses.
    KeepAlive,
    /// Looks at what was given up and what is late.
    HealthCheck,
    /// Removes old entries.
    LogCleanup,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::ContactPush,
        Self::InvoicePush,
        Self::CreditNotePush,
        Self::PaymentPush,
        Self::PaymentPoll,
        Self::SettingsApi,
        Self::OAuthCallback,
        Self::Sweep,
        Self::KeepAlive,
        Self::HealthCheck,
        Self::LogCleanup,
    ];

    /// The one that serves the queue of a kind.
    pub const fn of_queue(kind: EntityKind) -> Self {
        match kind {
            EntityKind::Contact => Self::ContactPush,
            EntityKind::Invoice => Self::InvoicePush,
            EntityKind::CreditNote | EntityKind::Allocation => Self::CreditNotePush,
            EntityKind::Payment => Self::PaymentPush,
        }
    }

    /// A resource of its own, such as its role.
    pub fn resource(self, what: &str) -> String {
        format!("{self:?}{what}")
    }
}

/// A queue that hints are left in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HintQueue {
    /// Of clients.
    Contacts,
    /// Of invoices.
    Invoices,
    /// Of credit notes and their allocations.
    CreditNotes,
    /// Of payments.
    Payments,
}

impl Access {
    /// What writes need: each on its own, and in a transaction.
    pub fn of_writes(writes: &[Write]) -> impl Iterator<Item = Self> + use<> {
        let all = writes.iter().map(|write| match write {
            Write::Put { .. } => Self::Put,
            Write::Delete { .. } => Self::Delete,
        });
        all.collect::<Vec<_>>().into_iter()
    }

    /// What a page of an index needs.
    pub const fn of_index(index: Index) -> Self {
        match index {
            Index::Due => Self::QueryDue,
            Index::Open => Self::QueryOpen,
            Index::Attention => Self::QueryAttention,
        }
    }

    /// What a hint about records of a kind needs.
    pub const fn of_hint(kind: EntityKind) -> Self {
        Self::Leave(match kind {
            EntityKind::Contact => HintQueue::Contacts,
            EntityKind::Invoice => HintQueue::Invoices,
            EntityKind::CreditNote | EntityKind::Allocation => HintQueue::CreditNotes,
            EntityKind::Payment => HintQueue::Payments,
        })
    }
}
