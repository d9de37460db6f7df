//! A payment as the books keep it.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

/// Money applied to an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Xero's id.
    pub id: Uuid,
    /// The invoice it pays.
    pub invoice: Uuid,
    /// The account the money went to.
    pub account: Uuid,
    /// The day it was paid.
    pub date: Date,
    /// In the invoice's currency.
    pub amount: Decimal,
    /// Free text.
    pub reference: Option<String>,
    /// Whether it stands.
    pub status: PaymentStatus,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Whether a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// It does.
    Authorised,
    /// It was taken back; the row stays.
    Deleted,
}
