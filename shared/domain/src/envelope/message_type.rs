//! The types of messages in the contract.

use crate::entity::EntityKind;

/// The type of a message from the CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageType {
    /// A client was created or changed.
    ClientUpserted,
    /// An invoice was sent to its customer.
    InvoiceSent,
    /// A sent invoice changed.
    InvoiceUpdated,
    /// An invoice was voided.
    InvoiceVoided,
    /// A credit note was issued.
    CreditNoteIssued,
    /// An issued credit note changed.
    CreditNoteUpdated,
    /// A credit note was voided.
    CreditNoteVoided,
    /// Credit was applied to an invoice.
    CreditNoteAllocated,
    /// Credit was removed from an invoice.
    CreditNoteDeallocated,
    /// A payment was recorded.
    PaymentRecorded,
    /// A payment was deleted.
    PaymentDeleted,
    /// Money was returned to a client.
    PaymentRefunded,
}

impl MessageType {
    /// Every type.
    pub const ALL: [Self; 12] = crate::every_variant![
        ClientUpserted,
        InvoiceSent,
        InvoiceUpdated,
        InvoiceVoided,
        CreditNoteIssued,
        CreditNoteUpdated,
        CreditNoteVoided,
        CreditNoteAllocated,
        CreditNoteDeallocated,
        PaymentRecorded,
        PaymentDeleted,
        PaymentRefunded
    ];

    /// The name in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientUpserted => "client.upserted",
            Self::InvoiceSent => "invoice.sent",
            Self::InvoiceUpdated => "invoice.updated",
            Self::InvoiceVoided => "invoice.voided",
            Self::CreditNoteIssued => "credit_note.issued",
            Self::CreditNoteUpdated => "credit_note.updated",
            Self::CreditNoteVoided => "credit_note.voided",
            Self::CreditNoteAllocated => "credit_note.allocated",
            Self::CreditNoteDeallocated => "credit_note.deallocated",
            Self::PaymentRecorded => "payment.recorded",
            Self::PaymentDeleted => "payment.deleted",
            Self::PaymentRefunded => "payment.refunded",
        }
    }

    /// The names of all types, as a sentence lists them: `a, b or c`.
    pub(super) fn list_names() -> String {
        let [others @ .., last] = Self::ALL.map(Self::as_str);
        format!("{} or {last}", others.join(", "))
    }

    /// The type with this name, or `None` if the contract does not have the name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|message_type| message_type.as_str() == name)
    }

    /// The kind of the record in the CRM that such a message carries. An invoice with a negative
    /// total is an invoice here, although it is a credit note in Xero.
    pub const fn record_kind(self) -> EntityKind {
        match self {
            Self::ClientUpserted => EntityKind::Contact,
            Self::InvoiceSent | Self::InvoiceUpdated | Self::InvoiceVoided => EntityKind::Invoice,
            Self::CreditNoteIssued | Self::CreditNoteUpdated | Self::CreditNoteVoided => {
                EntityKind::CreditNote
            }
            Self::CreditNoteAllocated | Self::CreditNoteDeallocated => EntityKind::Allocation,
            Self::PaymentRecorded | Self::PaymentDeleted | Self::PaymentRefunded => {
                EntityKind::Payment
            }
        }
    }
}
