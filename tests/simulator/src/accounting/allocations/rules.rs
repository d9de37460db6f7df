//! The rules that refuse an allocation, the same for callers and for bookkeepers.

use crate::accounting::invoices::locked;
use crate::books::Books;
use crate::books::allocation::{Allocation, Credit};
use crate::books::invoice::InvoiceStatus;
use crate::money::round;
use crate::settings::Unconfirmed;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

/// The refusal of an allocation to an invoice with nothing due.
const PAID_OFF: &str = "The invoice you are trying to allocate to has already been paid off";

/// A requested allocation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intent {
    pub(crate) credit: Credit,
    /// `None` if the named invoice does not exist, or none is named.
    pub(crate) invoice: Option<Uuid>,
    pub(crate) amount: Decimal,
    /// By default the later of the two documents' dates.
    pub(crate) date: Option<Date>,
}

/// The resulting allocation, or everything that is wrong with it.
pub(crate) fn plan(
    books: &Books,
    unconfirmed: &Unconfirmed,
    intent: Intent,
    id: Uuid,
) -> Result<Allocation, Vec<String>> {
    let texts = &unconfirmed.texts;
    let Some(creditable) = books.creditable(intent.credit) else {
        return Err(vec![texts.unknown_credit.clone()]);
    };
    let Some(invoice) = intent.invoice.and_then(|id| books.invoice(id)) else {
        return Err(vec![texts.unknown_invoice.clone()]);
    };
    let noun = creditable.noun;
    let amount = round(intent.amount, 2, unconfirmed.rounding);
    let mut messages = Vec::new();
    if !creditable.is_open {
        messages.push(texts.credit_not_open.clone());
    }
    if invoice.kind != creditable.invoice_kind {
        messages.push(format!("{noun} cannot be allocated to an incorrect invoice type"));
    }
    if invoice.contact != creditable.contact {
        messages.push(texts.allocation_contact.clone());
    }
    if invoice.currency != creditable.currency && unconfirmed.allocation_needs_one_currency {
        messages.push(texts.allocation_currency.clone());
    }
    match invoice.status {
        InvoiceStatus::Authorised => {}
        InvoiceStatus::Paid => messages.push(PAID_OFF.to_owned()),
        InvoiceStatus::Draft
        | InvoiceStatus::Submitted
        | InvoiceStatus::Voided
        | InvoiceStatus::Deleted => messages.push(texts.allocation_invoice.clone()),
    }
    if amount <= Decimal::ZERO {
        messages.push(texts.allocation_amount.clone());
    }
    if amount > creditable.remaining || amount > invoice.amount_due() {
        messages.push(format!(
            "{noun} cannot be allocated as amount is greater than amount outstanding"
        ));
    }
    let later = invoice.date.max(creditable.date);
    let date = intent.date.filter(|_| unconfirmed.allocation_keeps_date).unwrap_or(later);
    messages.extend(locked(books, texts, date));
    if !messages.is_empty() {
        return Err(messages);
    }
    Ok(Allocation { id, credit: intent.credit, invoice: invoice.id, amount, date })
}
