//! An invoice in Xero's format, in four levels of detail.

use crate::accounting::allocations::render as allocations;
use crate::accounting::contacts::render as contacts;
use crate::accounting::documents::render as documents;
use crate::accounting::fields::{date_moment, date_string, instant_string};
use crate::accounting::payments::render as payments;
use crate::books::Books;
use crate::books::allocation::Credit;
use crate::books::invoice::{Invoice, InvoiceKind};
use crate::json::{Json, Object};
use jiff::civil::Date;
use rust_decimal::Decimal;

/// The level of detail of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// A single read or the response to a write: with the complete contact.
    Full,
    /// A row of a page: with its lines.
    Paged,
    /// A row of a list that is not paged: no lines.
    Listed,
    /// A row of a list with `summaryOnly`: no lines, no payments.
    Summary,
}

/// One invoice. `unit_places` is the number of decimal places of unit amounts.
pub(crate) fn invoice(
    books: &Books,
    invoice: &Invoice,
    detail: Detail,
    unit_places: u32,
    today: Date,
) -> Object {
    let object = Object::new()
        .with("Type", invoice.kind.as_str())
        .with("InvoiceID", invoice.id)
        .with_some("InvoiceNumber", invoice.number.as_ref());
    let object = match invoice.kind {
        InvoiceKind::Sales => {
            object.with("Reference", invoice.reference.as_deref().unwrap_or_default())
        }
        InvoiceKind::Bill => object,
    };
    let object = money_applied(object, books, invoice, detail);
    let object = object
        .with("SentToContact", invoice.sent_to_contact)
        .with("CurrencyRate", Json::decimal(invoice.currency_rate, 6))
        .with("IsDiscounted", !invoice.total_discount.is_zero())
        .with("HasErrors", false)
        .with_some("Url", invoice.url.as_ref())
        .with_some("BrandingThemeID", invoice.branding_theme)
        .with_some("Contact", contact(books, invoice, detail, today));
    let object = dates(object, invoice)
        .with("Status", invoice.status.as_str())
        .with("LineAmountTypes", invoice.line_amounts.as_str());
    let object = match detail {
        Detail::Summary => object,
        Detail::Listed => object.with("LineItems", Vec::new()),
        Detail::Full | Detail::Paged => {
            let lines = documents::lines(&invoice.lines, unit_places);
            object.with("LineItems", lines)
        }
    };
    let discount = Some(invoice.total_discount).filter(|amount| !amount.is_zero());
    let object = object
        .with("SubTotal", amount(invoice.sub_total))
        .with("TotalTax", amount(invoice.total_tax))
        .with("Total", amount(invoice.total))
        .with_some("TotalDiscount", discount.map(amount))
        .with("UpdatedDateUTC", Json::instant(invoice.updated_at))
        .with("UpdatedDateUTCString", instant_string(invoice.updated_at))
        .with("CurrencyCode", &invoice.currency)
        .with_some("FullyPaidOnDate", invoice.fully_paid_on.map(date_moment));
    books.shown(invoice.id, object)
}

fn money_applied(object: Object, books: &Books, invoice: &Invoice, detail: Detail) -> Object {
    let object = match detail {
        Detail::Summary => object,
        Detail::Full | Detail::Paged | Detail::Listed => {
            let paid = books.payments_of(invoice.id).map(payments::nested);
            object
                .with("Payments", paid.collect::<Vec<_>>())
                .with(
                    "CreditNotes",
                    credited(books, invoice, |one| matches!(one, Credit::CreditNote(_))),
                )
                .with(
                    "Prepayments",
                    credited(books, invoice, |one| matches!(one, Credit::Prepayment(_))),
                )
                .with(
                    "Overpayments",
                    credited(books, invoice, |one| matches!(one, Credit::Overpayment(_))),
                )
                .with("HasAttachments", false)
        }
    };
    object
        .with("AmountDue", amount(invoice.amount_due()))
        .with("AmountPaid", amount(invoice.amount_paid))
        .with("AmountCredited", amount(invoice.amount_credited))
}

/// The credit of one kind applied to an invoice.
fn credited(books: &Books, invoice: &Invoice, is_wanted: fn(Credit) -> bool) -> Vec<Json> {
    books
        .allocations_to(invoice.id)
        .filter(|allocation| is_wanted(allocation.credit))
        .filter_map(|allocation| {
            let creditable = books.creditable(allocation.credit)?;
            let total = creditable.remaining + books.used(allocation.credit);
            Some(allocations::of_invoice(allocation, creditable.number, total).into())
        })
        .collect()
}

fn contact(books: &Books, invoice: &Invoice, detail: Detail, today: Date) -> Option<Object> {
    let size = match detail {
        Detail::Full => contacts::Detail::Full,
        Detail::Paged | Detail::Listed | Detail::Summary => contacts::Detail::Named,
    };
    documents::contact(books, invoice.contact, size, today)
}

fn dates(object: Object, invoice: &Invoice) -> Object {
    let expected = invoice.expected_payment_date;
    object
        .with("DateString", date_string(invoice.date))
        .with("Date", date_moment(invoice.date))
        .with_some("DueDateString", invoice.due_date.map(date_string))
        .with_some("DueDate", invoice.due_date.map(date_moment))
        .with_some("ExpectedPaymentDateString", expected.map(date_string))
        .with_some("ExpectedPaymentDate", expected.map(date_moment))
}

fn amount(amount: Decimal) -> Json {
    Json::decimal(amount, 2)
}
