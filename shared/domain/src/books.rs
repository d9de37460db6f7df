//! Compares the books: the open balances of the invoices and the credit in the CRM with those in
//! Xero, record by record.
//!
//! The balance of an invoice in the CRM is the total of its newest snapshot, minus the payments
//! that the CRM recorded or imported, minus the credit that Xero applied to it, which the CRM is
//! informed of. An allocation that Xero does not have yet reduces the CRM's balance, too. A credit
//! note that only one side has, or that has different totals, is a difference of its own. Xero's
//! balance is the amount due that was observed last.

mod allocation;
mod comparison;
mod credit_note;
mod difference;
mod invoice;
mod payments;

use rust_decimal::Decimal;

pub use self::allocation::compare_allocation;
pub use self::comparison::{
    BooksComparison, BooksTally, CURRENCIES_MAX, CompletedComparison, DIFFERENCES_MAX, OpenBalance,
    RunningComparison,
};
pub use self::credit_note::compare_credit_note;
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

impl ComparedRecord {
    /// The record without its difference, which is a part of another record's.
    #[must_use]
    pub fn without_difference(self) -> Self {
        let zero = |money: Money| Money::new(Decimal::ZERO, money.currency).in_cents();
        Self { crm: zero(self.crm), xero: zero(self.xero), difference: None }
    }
}

#[cfg(test)]
mod tests;
