//! The balances of accounts.

use super::Books;
use super::payment::PaymentStatus;
use super::transaction::TransactionStatus;
use crate::organisation::{Account, AccountKind};
use rust_decimal::Decimal;
use uuid::Uuid;

impl Books {
    /// The receipts of an account less its payments, in the account's currency; deleted rows do not
    /// count. For a bank account this is its balance, if these are all of its transactions.
    pub fn balance(&self, account: Uuid) -> Decimal {
        let standing = self.payments().filter(|payment| {
            payment.account == account && payment.status == PaymentStatus::Authorised
        });
        let paid: Decimal = standing
            .filter_map(|payment| {
                Some(self.payable(payment.target)?.flow.signed(payment.bank_amount))
            })
            .sum();
        let moved: Decimal = self
            .transactions()
            .filter(|one| one.account == account && one.status == TransactionStatus::Authorised)
            .map(|one| one.kind.flow().signed(one.total))
            .sum();
        paid + moved
    }

    /// The same for the account with this code, if there is one.
    pub fn balance_of(&self, code: &str) -> Option<Decimal> {
        self.organisation.account(code).map(|account| self.balance(account.id))
    }

    /// Every bank account with its balance, in the order of the chart.
    pub fn balances(&self) -> impl Iterator<Item = (&Account, Decimal)> {
        let banks = self.organisation.accounts.iter();
        banks
            .filter(|account| account.kind == AccountKind::Bank)
            .map(|account| (account, self.balance(account.id)))
    }
}
