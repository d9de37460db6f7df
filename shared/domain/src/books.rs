//! Compares the books: the open balances of the invoices in the CRM with those in Xero, record by
//! record.
//!
//! The balance of an invoice in the CRM is the total of its newest snapshot, minus the payments
//! that the CRM recorded or imported, minus the credit that Xero applied to it, which the CRM is
//! informed of. An allocation that Xero does not have yet reduces the CRM's balance, too. Credit
//! that is applied to no invoice is not part of the comparison. Xero's balance is the amount due
//! that was observed last.

mod allocation;
mod comparison;
mod difference;
mod invoice;
mod payments;

pub use self::allocation::compare_allocation;
pub use self::comparison::{
    BooksComparison, BooksTally, CURRENCIES_MAX, CompletedComparison, DIFFERENCES_MAX, OpenBalance,
    RunningComparison,
};
pub use self::difference::{BalanceDifference, DifferenceCode, DifferenceReason};
pub use self::invoice::compare_invoice;
use crate::money::Money;

/// A record's contribution to the open balances of both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedRecord {
    /// Its open balance in the CRM.
    pub crm: Money,
    /// Its open balance in Xero.
    pub xero: Money,
    /// The difference, if the balances are not equal.
    pub difference: Option<BalanceDifference>,
}

#[cfg(test)]
mod tests;
