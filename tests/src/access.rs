//! The AWS permissions that the runtime's implementation of each port needs, to be compared with a
//! function's role.

use domain::entity::EntityKind;
use store::table::{ItemWrite, TableIndex};

/// A permission that is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Reading a row.
    Read,
    /// Reading several rows in one request.
    ReadMany,
    /// Writing a row.
    Put,
    /// Removing a row.
    Delete,
    /// Checking a row in the transaction that writes others.
    Check,
    /// Reading pages of rows.
    Query,
    /// Reading pages of the index of due rows.
    QueryDue,
    /// Reading pages of the index of open rows.
    QueryOpen,
    /// Reading pages of the index of rows that need attention.
    QueryAttention,
    /// Reading a grant's secret.
    ReadSecret,
    /// Writing a grant's secret.
    WriteSecret,
    /// Creating a grant's secret.
    NewSecret,
    /// Deleting a grant's secret.
    DeleteSecret,
    /// Scheduling a wake-up.
    ScheduleWakeUp,
    /// Sending a wake-up to a queue.
    EnqueueWakeUp(WakeUpQueue),
    /// Sending an event to the CRM.
    PublishEvent,
}

/// A function, by the prefix of its resources' names in the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// Pushes clients to Xero.
    ContactPush,
    /// Pushes invoices to Xero.
    InvoicePush,
    /// Pushes credit notes and allocations to Xero.
    CreditNotePush,
    /// Pushes payments to Xero.
    PaymentPush,
    /// Reads payments made in Xero.
    PaymentPoll,
    /// Serves the API that the CRM calls for its users.
    SettingsApi,
    /// Receives the browser from Xero's consent page.
    OAuthCallback,
    /// Serves the elements and framed pages.
    Pages,
    /// Sends wake-ups for overdue records.
    Sweep,
    /// Renews the tokens of idle connections.
    KeepAlive,
    /// Counts given-up and overdue records.
    HealthCheck,
    /// Removes old entries.
    LogCleanup,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 12] = domain::every_variant![
        ContactPush,
        InvoicePush,
        CreditNotePush,
        PaymentPush,
        PaymentPoll,
        SettingsApi,
        OAuthCallback,
        Pages,
        Sweep,
        KeepAlive,
        HealthCheck,
        LogCleanup
    ];

    /// The function that serves the queue of a kind.
    pub const fn of_queue(kind: EntityKind) -> Self {
        match kind {
            EntityKind::Contact => Self::ContactPush,
            EntityKind::Invoice => Self::InvoicePush,
            EntityKind::CreditNote | EntityKind::Allocation => Self::CreditNotePush,
            EntityKind::Payment => Self::PaymentPush,
        }
    }

    /// The kinds that have queues of their own, each with the prefix of the names that its queues
    /// and its function have in the template, such as `Invoice`.
    pub fn list_queues() -> Vec<(EntityKind, String)> {
        let served = EntityKind::ALL.into_iter().filter(|kind| kind.queue_kind() == *kind);
        let named = served.map(|kind| {
            let function = Self::of_queue(kind).resource("");
            (kind, function.trim_end_matches("Push").to_owned())
        });
        named.collect()
    }

    /// A resource of the function, such as its role.
    pub fn resource(self, what: &str) -> String {
        format!("{self:?}{what}")
    }
}

/// A queue of wake-ups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WakeUpQueue {
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
    /// The actions that writes need, alone and in a transaction.
    pub fn of_writes(writes: &[ItemWrite]) -> impl Iterator<Item = Self> + use<> {
        let all = writes.iter().map(|write| match write {
            ItemWrite::Put { .. } => Self::Put,
            ItemWrite::Delete { .. } => Self::Delete,
            ItemWrite::Check { .. } => Self::Check,
        });
        all.collect::<Vec<_>>().into_iter()
    }

    /// The actions that a page of an index needs.
    pub const fn of_index(index: TableIndex) -> Self {
        match index {
            TableIndex::Due => Self::QueryDue,
            TableIndex::Open => Self::QueryOpen,
            TableIndex::Attention => Self::QueryAttention,
        }
    }

    /// The actions that a wake-up for records of a kind needs.
    pub const fn of_wake_up(kind: EntityKind) -> Self {
        Self::EnqueueWakeUp(match kind {
            EntityKind::Contact => WakeUpQueue::Contacts,
            EntityKind::Invoice => WakeUpQueue::Invoices,
            EntityKind::CreditNote | EntityKind::Allocation => WakeUpQueue::CreditNotes,
            EntityKind::Payment => WakeUpQueue::Payments,
        })
    }
}
