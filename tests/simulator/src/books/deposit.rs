//! An overpayment or a prepayment, as stored in the books.

use jiff::Timestamp;
use uuid::Uuid;

/// Unearned money of a customer. Its bank transaction has the figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// Xero's id, which differs from that of the bank transaction.
    pub id: Uuid,
    /// The kind.
    pub kind: DepositKind,
    /// The bank transaction that created it.
    pub transaction: Uuid,
    /// The status.
    pub status: DepositStatus,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// An overpayment or a prepayment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepositKind {
    /// More was paid than was owed.
    Overpayment,
    /// Money paid before anything was owed.
    Prepayment,
}

/// The status of an overpayment or a prepayment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepositStatus {
    /// Some credit remains.
    Authorised,
    /// All of it is used or refunded.
    Paid,
    /// Its bank transaction was deleted.
    Voided,
}

impl DepositKind {
    /// The type of one from a customer, if it is not called like its bank transaction.
    pub(crate) const fn ar_type(self) -> &'static str {
        match self {
            Self::Overpayment => "AROVERPAYMENT",
            Self::Prepayment => "ARPREPAYMENT",
        }
    }
}

impl DepositStatus {
    /// The value on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorised => "AUTHORISED",
            Self::Paid => "PAID",
            Self::Voided => "VOIDED",
        }
    }
}
