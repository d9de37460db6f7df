//! A payment in Xero's format, in two levels of detail.

use crate::accounting::batch_payments;
use crate::accounting::contacts::render as contacts;
use crate::accounting::fields::{date_moment, instant_string};
use crate::accounting::invoices::render as invoices;
use crate::books::Books;
use crate::books::payable::Payable;
use crate::books::payment::{Payment, PaymentTarget};
use crate::json::{Json, Object};
use jiff::civil::Date;

/// The level of detail of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// A single read or the response to a write: with the account's name and the complete document.
    Full,
    /// A row of a list, with pages or without.
    Listed,
}

/// One payment. `unit_places` is the number of decimal places of unit amounts.
pub(crate) fn payment(
    books: &Books,
    payment: &Payment,
    detail: Detail,
    unit_places: u32,
    today: Date,
) -> Object {
    let payable = books.payable(payment.target);
    let batch = payment.batch.and_then(|id| books.batch(id));
    let object = Object::new()
        .with("PaymentID", payment.id)
        .with_some("BatchPaymentID", payment.batch)
        .with_some("BatchPayment", batch.map(|batch| batch_payments::nested(books, batch)))
        .with("Date", date_moment(payment.date))
        .with("BankAmount", Json::decimal(payment.bank_amount, 2))
        .with("Amount", Json::decimal(payment.amount, 2));
    let object = match detail {
        Detail::Full => object.with_some("Reference", payment.reference.as_ref()),
        Detail::Listed => {
            object.with("Reference", payment.reference.as_deref().unwrap_or_default())
        }
    };
    let document = payable.map(|payable| match detail {
        Detail::Full => whole(books, payment, &payable, unit_places, today),
        Detail::Listed => summary(books, &payable, today),
    });
    let object = object
        .with("CurrencyRate", Json::decimal(payment.currency_rate, 10))
        .with_some("PaymentType", payable.map(|payable| payable.payment_word))
        .with("Status", payment.status.as_str())
        .with("UpdatedDateUTC", Json::instant(payment.updated_at))
        .with("UpdatedDateUTCString", instant_string(payment.updated_at))
        .with("HasAccount", true)
        .with("IsReconciled", payment.is_reconciled)
        .with_some("Account", account(books, payment, detail))
        .with_some("Invoice", document)
        .with("HasValidationErrors", false);
    books.shown(payment.id, object)
}

/// One payment inside the document it is for.
pub(in crate::accounting) fn nested(payment: &Payment) -> Json {
    Object::new()
        .with("PaymentID", payment.id)
        .with("Date", date_moment(payment.date))
        .with("Amount", Json::decimal(payment.amount, 2))
        .with_some("Reference", payment.reference.as_ref())
        .with("CurrencyRate", Json::decimal(payment.currency_rate, 10))
        .with_some("BatchPaymentID", payment.batch)
        .with("HasAccount", false)
        .with("HasValidationErrors", false)
        .into()
}

fn account(books: &Books, payment: &Payment, detail: Detail) -> Option<Object> {
    let account = books.account(payment.account)?;
    let object =
        Object::new().with("AccountID", account.id).with_some("Code", account.code.as_ref());
    Some(match detail {
        Detail::Full => object.with("Name", &account.name),
        Detail::Listed => object,
    })
}

fn whole(
    books: &Books,
    payment: &Payment,
    payable: &Payable<'_>,
    unit_places: u32,
    today: Date,
) -> Object {
    let invoice = match payment.target {
        PaymentTarget::Invoice(id) => books.invoice(id),
        PaymentTarget::Credit(_) => None,
    };
    invoice.map_or_else(
        || summary(books, payable, today),
        |one| invoices::invoice(books, one, invoices::Detail::Paged, unit_places, today),
    )
}

/// For every kind of document, Xero calls this member `Invoice`.
fn summary(books: &Books, payable: &Payable<'_>, today: Date) -> Object {
    let contact = books
        .contact(payable.contact)
        .map(|contact| contacts::contact(books, contact, contacts::Detail::Named, today));
    Object::new()
        .with("Type", payable.word)
        .with("InvoiceID", payable.id)
        .with("InvoiceNumber", payable.number.unwrap_or_default())
        .with("Payments", Vec::new())
        .with("CreditNotes", Vec::new())
        .with("Prepayments", Vec::new())
        .with("Overpayments", Vec::new())
        .with("HasErrors", false)
        .with("IsDiscounted", false)
        .with_some("Contact", contact)
        .with("LineItems", Vec::new())
        .with("CurrencyCode", payable.currency)
}
