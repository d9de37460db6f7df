//! A bank transaction in Xero's format, in three levels of detail.

use crate::accounting::contacts::render as contacts;
use crate::accounting::documents::render::{Detail, amount, contact, lines};
use crate::accounting::fields::{date_moment, date_string, instant_string};
use crate::books::Books;
use crate::books::deposit::DepositKind;
use crate::books::transaction::BankTransaction;
use crate::json::{Json, Object};
use jiff::civil::Date;

/// One bank transaction. `unit_places` is the number of decimal places of unit amounts.
pub(crate) fn transaction(
    books: &Books,
    transaction: &BankTransaction,
    detail: Detail,
    unit_places: u32,
    today: Date,
) -> Object {
    let account = books.account(transaction.account).map(|account| {
        Object::new()
            .with("AccountID", account.id)
            .with_some("Code", account.code.as_ref())
            .with("Name", &account.name)
    });
    let object = Object::new()
        .with("BankTransactionID", transaction.id)
        .with_some("BankAccount", account)
        .with("Type", transaction.kind.as_str())
        .with_some("Reference", transaction.reference.as_ref())
        .with_some("Url", transaction.url.as_ref())
        .with("IsReconciled", transaction.is_reconciled)
        .with("CurrencyRate", Json::decimal(transaction.currency_rate, 6));
    let object = match transaction.deposit.zip(transaction.kind.deposit()) {
        Some((id, DepositKind::Overpayment)) => object.with("OverpaymentID", id),
        Some((id, DepositKind::Prepayment)) => object.with("PrepaymentID", id),
        None => object,
    };
    let object = object
        .with("HasAttachments", false)
        .with_some("Contact", parties(books, transaction, detail, today));
    let object = figures(object, transaction, transaction.status.as_str(), detail, unit_places)
        .with("UpdatedDateUTC", Json::instant(transaction.updated_at))
        .with("UpdatedDateUTCString", instant_string(transaction.updated_at))
        .with("CurrencyCode", &transaction.currency);
    books.shown(transaction.id, object)
}

/// The contact, in the matching level of detail.
pub(in crate::accounting) fn parties(
    books: &Books,
    transaction: &BankTransaction,
    detail: Detail,
    today: Date,
) -> Option<Object> {
    let size = match detail {
        Detail::Full => contacts::Detail::Full,
        Detail::Paged | Detail::Listed => contacts::Detail::Named,
    };
    contact(books, transaction.contact, size, today)
}

/// The date, the status, the lines and the totals.
pub(in crate::accounting) fn figures(
    object: Object,
    transaction: &BankTransaction,
    status: &str,
    detail: Detail,
    unit_places: u32,
) -> Object {
    let lines = match detail {
        Detail::Full | Detail::Paged => lines(&transaction.lines, unit_places),
        Detail::Listed => Vec::new(),
    };
    object
        .with("DateString", date_string(transaction.date))
        .with("Date", date_moment(transaction.date))
        .with("Status", status)
        .with("LineAmountTypes", transaction.line_amounts.as_str())
        .with("LineItems", lines)
        .with("SubTotal", amount(transaction.sub_total))
        .with("TotalTax", amount(transaction.total_tax))
        .with("Total", amount(transaction.total))
}
