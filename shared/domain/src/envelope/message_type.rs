//! The types of messages in the contract.

use crate::entity::EntityKind;
use crate::variants::named_variants;

named_variants! {
    /// The type of a message from the CRM.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum MessageType {
        /// A client was created or changed.
        ClientUpserted = "client.upserted",
        /// An invoice was sent to its customer.
        InvoiceSent = "invoice.sent",
        /// A sent invoice changed.
        InvoiceUpdated = "invoice.updated",
        /// An invoice was voided.
        InvoiceVoided = "invoice.voided",
        /// A credit note was issued.
        CreditNoteIssued = "credit_note.issued",
        /// An issued credit note changed.
        CreditNoteUpdated = "credit_note.updated",
        /// A credit note was voided.
        CreditNoteVoided = "credit_note.voided",
        /// Credit was applied to an invoice.
        CreditNoteAllocated = "credit_note.allocated",
        /// Credit was removed from an invoice.
        CreditNoteDeallocated = "credit_note.deallocated",
        /// A payment was recorded.
        PaymentRecorded = "payment.recorded",
        /// A payment was deleted.
        PaymentDeleted = "payment.deleted",
        /// Money was returned to a client.
        PaymentRefunded = "payment.refunded",
    }

    /// The name in the contract.
    pub const fn as_str(self) -> &'static str;

    /// The type with this name, or `None` if the contract does not have the name.
    pub fn from_name(name: &str) -> Option<Self>;
}

impl MessageType {
    /// The names of all types, as a sentence lists them: `a, b or c`.
    pub(super) fn list_names() -> String {
        let [others @ .., last] = Self::ALL.map(Self::as_str);
        format!("{} or {last}", others.join(", "))
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
