//! An overpayment or a prepayment as the books keep it.

use jiff::Timestamp;
use uuid::Uuid;

/// Money a customer has with the organisation, beside its bank transaction, which has the figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// Xero's id; not that of the bank transaction.
    pub id: Uuid,
    /// Which of the two.
    pub kind: DepositKind,
    /// The bank transaction that brought it.
    pub transaction: Uuid,
    /// Where it stands.
    pub status: DepositStatus,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// An overpayment or a prepayment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepositKind {
    /// More than was owed.
    Overpayment,
    /// Before anything was owed.
    Prepayment,
}

/// Where an overpayment or a prepayment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepositStatus {
    /// Some of it is left.
    Authorised,
    /// All of it is used or paid back.
    Paid,
    /// Its bank transaction was deleted.
    Voided,
}

impl DepositStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorised => "AUTHORISED",
            Self::Paid => "PAID",
            Self::Voided => "VOIDED",
        }
    }
}
