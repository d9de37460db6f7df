//! The rules that refuse to save or delete a bank transaction, the same for callers and for
//! bookkeepers.

use crate::accounting::invoices::locked;
use crate::books::Books;
use crate::books::transaction::{BankTransaction, TransactionStatus};
use crate::organisation::{AccountKind, RowStatus};
use crate::settings::Texts;
use rust_decimal::Decimal;

/// The refusal of a change to a reconciled transaction: recorded live.
const RECONCILED: &str =
    "This Bank Transaction cannot be edited as it has been reconciled with a Bank Statement.";

/// Everything that is wrong with a transaction to be saved.
pub(crate) fn check(books: &Books, texts: &Texts, transaction: &BankTransaction) -> Vec<String> {
    let mut messages = Vec::new();
    messages.extend(locked(books, texts, transaction.date));
    let account = books.account(transaction.account);
    match account {
        Some(account)
            if account.kind == AccountKind::Bank && account.status == RowStatus::Active =>
        {
            let base = &books.organisation.base_currency;
            if *account.currency.as_ref().unwrap_or(base) != transaction.currency {
                messages.push(texts.transaction_currency.clone());
            }
        }
        Some(_) | None => messages.push(texts.bank_account.clone()),
    }
    if transaction.total <= Decimal::ZERO {
        messages.push(texts.transaction_total.clone());
    }
    messages
}

/// The reasons why a saved transaction cannot be changed or deleted.
pub(crate) fn refuses_change(
    books: &Books,
    texts: &Texts,
    transaction: &BankTransaction,
) -> Option<String> {
    if transaction.status == TransactionStatus::Deleted {
        Some(texts.transaction_deleted.clone())
    } else if transaction.is_reconciled {
        Some(RECONCILED.to_owned())
    } else if is_used(books, transaction) {
        Some(texts.deposit_used.clone())
    } else {
        locked(books, texts, transaction.date)
    }
}

/// Whether any part of its overpayment or prepayment is allocated or refunded.
fn is_used(books: &Books, transaction: &BankTransaction) -> bool {
    let credit = transaction.deposit.and_then(|id| books.credit(id));
    credit.is_some_and(|credit| !books.used(credit).is_zero())
}
