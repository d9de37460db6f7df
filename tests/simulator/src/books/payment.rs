//! A payment, as stored in the books.

use super::allocation::Credit;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

/// Money paid for a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Xero's id.
    pub id: Uuid,
    /// The document it is for.
    pub target: PaymentTarget,
    /// The account the money went to or came from.
    pub account: Uuid,
    /// The date of the payment.
    pub date: Date,
    /// In the document's currency.
    pub amount: Decimal,
    /// In the account's currency.
    pub bank_amount: Decimal,
    /// Units of the foreign currency for one of the base currency.
    pub currency_rate: Decimal,
    /// The reference.
    pub reference: Option<String>,
    /// Whether it is reconciled with a line of a bank statement.
    pub is_reconciled: bool,
    /// The batch it is part of.
    pub batch: Option<Uuid>,
    /// The status.
    pub status: PaymentStatus,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Payment {
    /// The invoice or bill it is for, if it is for one.
    pub fn invoice(&self) -> Option<Uuid> {
        match self.target {
            PaymentTarget::Invoice(id) => Some(id),
            PaymentTarget::Credit(_) => None,
        }
    }
}

/// The document a payment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PaymentTarget {
    /// An invoice or a bill, by id.
    Invoice(Uuid),
    /// A credit that is refunded.
    Credit(Credit),
}

/// The status of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// Not deleted.
    Authorised,
    /// Deleted; the row is kept.
    Deleted,
}

impl PaymentStatus {
    /// The value on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorised => "AUTHORISED",
            Self::Deleted => "DELETED",
        }
    }
}
