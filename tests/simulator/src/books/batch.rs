//! A batch payment as the books keep it.

use super::payment::PaymentStatus;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

/// One sum on the bank statement that paid several invoices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchPayment {
    /// Xero's id.
    pub id: Uuid,
    /// The account the money went to or came from.
    pub account: Uuid,
    /// The day it was paid.
    pub date: Date,
    /// Free text.
    pub reference: Option<String>,
    /// The payments in it, by id; at least one.
    pub payments: Vec<Uuid>,
    /// Whether it stands.
    pub status: PaymentStatus,
    /// When it last changed.
    pub updated_at: Timestamp,
}
