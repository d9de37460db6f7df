//! A batch payment in Xero's format: by itself, and inside its payments.

use crate::accounting::fields::{date_moment, date_string};
use crate::books::Books;
use crate::books::batch::BatchPayment;
use crate::books::payable::Flow;
use crate::books::payment::{Payment, PaymentStatus};
use crate::json::{Json, Object};
use rust_decimal::Decimal;

/// One batch with its payments; a deleted one contains none.
pub(crate) fn batch(books: &Books, batch: &BatchPayment) -> Object {
    let account = books.account(batch.account);
    let base = books.organisation().base_currency.as_str();
    let currency = account.and_then(|account| account.currency.as_deref()).unwrap_or(base);
    let standing = batch.status == PaymentStatus::Authorised;
    let payments = books.payments_in(batch).filter(|_| standing);
    let payments: Vec<Json> = payments.map(|one| payment(books, one).into()).collect();
    let account = Object::new().with("AccountID", batch.account).with("CurrencyCode", currency);
    let object = Object::new()
        .with("Account", account)
        .with_some("Reference", batch.reference.as_ref())
        .with("BatchPaymentID", batch.id)
        .with("DateString", date_string(batch.date))
        .with("Date", date_moment(batch.date))
        .with("Payments", payments)
        .with("Type", kind(books, batch))
        .with("Status", batch.status.as_str())
        .with("TotalAmount", Json::decimal(total(books, batch), 2))
        .with("UpdatedDateUTC", Json::instant(batch.updated_at))
        .with("IsReconciled", is_reconciled(books, batch));
    books.shown(batch.id, object)
}

/// The batch inside one of its payments. Xero's OpenAPI examples have its sum and its flag as
/// strings; Xero corrected their types to those of the real responses (Xero-OpenAPI#526).
pub(in crate::accounting) fn nested(books: &Books, batch: &BatchPayment) -> Object {
    Object::new()
        .with("Account", Object::new().with("AccountID", batch.account))
        .with("BatchPaymentID", batch.id)
        .with("Date", date_moment(batch.date))
        .with("Type", kind(books, batch))
        .with("Status", batch.status.as_str())
        .with("TotalAmount", Json::decimal(total(books, batch), 2))
        .with("UpdatedDateUTC", Json::instant(batch.updated_at))
        .with("IsReconciled", is_reconciled(books, batch))
}

/// `RECBATCH` for money received, `PAYBATCH` for money paid.
pub(super) fn kind(books: &Books, batch: &BatchPayment) -> &'static str {
    let first = books.payments_in(batch).next();
    match first.and_then(|payment| books.payable(payment.target)).map(|payable| payable.flow) {
        Some(Flow::Out) => "PAYBATCH",
        Some(Flow::In) | None => "RECBATCH",
    }
}

/// The amount on the bank statement: the sum in the account's currency.
pub(super) fn total(books: &Books, batch: &BatchPayment) -> Decimal {
    books.payments_in(batch).map(|payment| payment.bank_amount).sum()
}

/// A batch is one line of the bank statement, so its payments are reconciled together.
pub(super) fn is_reconciled(books: &Books, batch: &BatchPayment) -> bool {
    books.payments_in(batch).all(|payment| payment.is_reconciled)
}

fn payment(books: &Books, payment: &Payment) -> Object {
    let invoice = books.payable(payment.target).map(|payable| {
        Object::new()
            .with("InvoiceID", payable.id)
            .with("CurrencyCode", payable.currency)
            .with("Payments", Vec::new())
            .with("CreditNotes", Vec::new())
            .with("Prepayments", Vec::new())
            .with("Overpayments", Vec::new())
            .with("HasErrors", false)
            .with("IsDiscounted", false)
            .with("LineItems", Vec::new())
    });
    Object::new()
        .with_some("Invoice", invoice)
        .with("PaymentID", payment.id)
        .with_some("Reference", payment.reference.as_ref())
        .with("Amount", Json::decimal(payment.amount, 2))
        .with("BankAmount", Json::decimal(payment.bank_amount, 2))
}
