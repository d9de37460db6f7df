//! An overpayment or a prepayment in Xero's format: its bank transaction, and the remaining credit.

use crate::accounting::allocations::render as allocations;
use crate::accounting::bank_transactions::render::{figures, parties};
use crate::accounting::documents::render::{Detail, amount};
use crate::accounting::fields::instant_string;
use crate::accounting::payments::render as payments;
use crate::books::Books;
use crate::books::allocation::Credit;
use crate::books::deposit::{Deposit, DepositKind};
use crate::json::{Json, Object};
use jiff::civil::Date;

/// One overpayment or prepayment. `unit_places` is the number of decimal places of unit amounts,
/// `has_ar_type` says how its type is named.
pub(crate) fn deposit(
    books: &Books,
    deposit: &Deposit,
    detail: Detail,
    unit_places: u32,
    today: Date,
    has_ar_type: bool,
) -> Option<Object> {
    let transaction = books.transaction(deposit.transaction)?;
    let type_name = if has_ar_type { deposit.kind.ar_type() } else { transaction.kind.as_str() };
    let credit = Credit::of(deposit);
    let key = match deposit.kind {
        DepositKind::Overpayment => "OverpaymentID",
        DepositKind::Prepayment => "PrepaymentID",
    };
    let (allocated, refunded) = match detail {
        Detail::Full | Detail::Paged => (
            allocations::of_credit(books, credit),
            books.refunds_of(credit).map(payments::nested).collect(),
        ),
        // Xero: lists without pages omit nested rows.
        Detail::Listed => (Vec::new(), Vec::new()),
    };
    let object = Object::new()
        .with(key, deposit.id)
        .with("ID", deposit.id)
        .with("CurrencyRate", Json::decimal(transaction.currency_rate, 6))
        .with("Type", type_name)
        .with_some("Reference", transaction.reference.as_ref())
        .with("RemainingCredit", amount(books.remaining_credit(credit)))
        .with("Allocations", allocated)
        .with("Payments", refunded)
        .with("HasAttachments", false)
        .with_some("Contact", parties(books, transaction, detail, today));
    let object = figures(object, transaction, deposit.status.as_str(), detail, unit_places)
        .with("UpdatedDateUTC", Json::instant(deposit.updated_at))
        .with("UpdatedDateUTCString", instant_string(deposit.updated_at))
        .with("CurrencyCode", &transaction.currency);
    Some(books.shown(deposit.id, object))
}
