//! Allocations in Xero's format: as a response, inside a credit, inside an invoice.

use crate::accounting::documents::render::amount;
use crate::accounting::fields::date_moment;
use crate::books::Books;
use crate::books::allocation::{Allocation, Credit};
use crate::json::{Json, Object};
use crate::settings::Unconfirmed;
use rust_decimal::Decimal;

/// The response to a write.
pub(super) fn answer(allocation: &Allocation, unconfirmed: &Unconfirmed) -> Object {
    let id = unconfirmed.allocation_answer_has_id.then_some(allocation.id);
    let (name, key) = names(allocation.credit);
    let credit = Object::new()
        .with(key, allocation.credit.id())
        .with("ID", allocation.credit.id())
        .with("LineItems", Vec::new());
    Object::new()
        .with_some("AllocationID", id)
        .with("Amount", amount(allocation.amount))
        .with("Date", date_moment(allocation.date))
        .with("Invoice", Object::new().with("InvoiceID", allocation.invoice))
        .with(name, credit)
        .with("ValidationErrors", Vec::new())
}

/// The response to a removal, without the mark that it is done.
pub(super) fn removed(allocation: &Allocation) -> Object {
    Object::new()
        .with("AllocationID", allocation.id)
        .with("Date", date_moment(allocation.date))
        .with("Invoice", Object::new().with("InvoiceID", allocation.invoice))
}

/// The same in the format of the example in Xero's OpenAPI description.
pub(super) fn removed_like_example(allocation: &Allocation) -> Object {
    let invoice = Object::new().with("InvoiceID", allocation.invoice);
    Object::new()
        .with("AllocationId", allocation.id)
        .with("Date", date_moment(allocation.date))
        .with("Invoice", vec![Json::Object(invoice)])
}

/// The rows inside a credit.
pub(in crate::accounting) fn of_credit(books: &Books, credit: Credit) -> Vec<Json> {
    let rows = books.allocations_of(credit).map(|allocation| {
        let number = books.invoice(allocation.invoice).and_then(|one| one.number.as_deref());
        let invoice = Object::new()
            .with("InvoiceID", allocation.invoice)
            .with("InvoiceNumber", number.unwrap_or_default())
            .with("Payments", Vec::new())
            .with("CreditNotes", Vec::new())
            .with("Prepayments", Vec::new())
            .with("Overpayments", Vec::new())
            .with("HasErrors", false)
            .with("IsDiscounted", false)
            .with("LineItems", Vec::new());
        Object::new()
            .with("AllocationID", allocation.id)
            .with("Amount", amount(allocation.amount))
            .with("Date", date_moment(allocation.date))
            .with("Invoice", invoice)
            .into()
    });
    rows.collect()
}

/// One row inside an invoice.
pub(in crate::accounting) fn of_invoice(
    allocation: &Allocation,
    number: Option<&str>,
    total: Decimal,
) -> Object {
    let id = allocation.credit.id();
    let (_, key) = names(allocation.credit);
    Object::new()
        .with(key, id)
        .with_some("CreditNoteNumber", number)
        .with("ID", id)
        .with("HasErrors", false)
        .with("AppliedAmount", amount(allocation.amount))
        .with("Date", date_moment(allocation.date))
        .with("LineItems", Vec::new())
        .with("Total", amount(total))
}

/// The name of a credit inside an allocation, and the name of its id.
fn names(credit: Credit) -> (&'static str, &'static str) {
    match credit {
        Credit::CreditNote(_) => ("CreditNote", "CreditNoteID"),
        Credit::Overpayment(_) => ("Overpayment", "OverpaymentID"),
        Credit::Prepayment(_) => ("Prepayment", "PrepaymentID"),
    }
}
