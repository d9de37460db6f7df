//! A batch payment, as stored in the books.

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
    /// The date of the payment.
    pub date: Date,
    /// The reference.
    pub reference: Option<String>,
    /// The payments in it, by id; at least one.
    pub payments: Vec<Uuid>,
    /// Its status.
    pub status: PaymentStatus,
    /// When it last changed.
    pub updated_at: Timestamp,
}
