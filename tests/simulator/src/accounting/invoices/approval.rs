//! What an invoice must have in each status, and what may still be changed.

use super::write::Planned;
use crate::accounting::Desk;
use crate::accounting::documents::status;
use crate::books::Books;
use crate::books::invoice::{Invoice, InvoiceStatus};
use crate::settings::Texts;
use jiff::civil::Date;

/// A change the status does not allow.
pub(crate) const WRONG_STATUS: &str = "Invoice not of valid status for modification";
/// A void while money is applied.
pub(crate) const VOID_REFUSED: &str = "The status VOIDED cannot be applied to the invoice because \
                                       it has payments or credit notes allocated to it.";
/// An edit of what money applied has fixed.
pub(crate) const MONEY_APPLIED: &str =
    "This document cannot be edited as it has a payment or credit note allocated to it.";

/// A total below nothing.
pub(crate) const NEGATIVE: &str = "The document total must not be negative.";

/// Why the status of an invoice forbids an update that would lead to `next`.
pub(super) fn refuses(
    desk: &Desk<'_>,
    existing: &Invoice,
    next: InvoiceStatus,
) -> Option<&'static str> {
    let twice = existing.status == InvoiceStatus::Voided && next == InvoiceStatus::Voided;
    let paid_edit = existing.status == InvoiceStatus::Paid && next == InvoiceStatus::Paid;
    if next == InvoiceStatus::Voided && existing.has_money_applied() {
        Some(VOID_REFUSED)
    } else if existing.status.may_become(next)
        || twice && desk.unconfirmed.voiding_twice_succeeds
        || paid_edit && desk.unconfirmed.paid_takes_part_paid_edits
    {
        None
    } else {
        Some(WRONG_STATUS)
    }
}

/// What a lock date says about a document of this date; the lock day itself is locked too.
pub(crate) fn locked(books: &Books, texts: &Texts, date: Date) -> Option<String> {
    let through = books.organisation.locked_through().filter(|through| date <= *through)?;
    Some(format!("{} {}", texts.locked, through.strftime("%-d %B %Y")))
}

/// Whether an invoice with money applied may be changed from `before` to `after`: number,
/// reference, due date, theme, link, contact, and descriptions and accounts of its lines.
pub(super) fn is_open_to(before: &Invoice, after: &Invoice) -> bool {
    let contact_stays = before.contact == after.contact || before.amount_credited.is_zero();
    let lines_stay = before.lines.len() == after.lines.len()
        && before.lines.iter().zip(&after.lines).all(|(before, after)| {
            before.id == after.id
                && before.amounts == after.amounts
                && before.tax_type == after.tax_type
                && before.discount == after.discount
        });
    contact_stays
        && lines_stay
        && before.date == after.date
        && before.currency == after.currency
        && before.currency_rate == after.currency_rate
        && before.line_amounts == after.line_amounts
}

/// Adds what keeps the planned invoice from having its status.
pub(super) fn check(desk: &Desk<'_>, planned: &mut Planned) {
    let Planned { invoice, messages, warnings, .. } = planned;
    messages.extend(locked(desk.books, &desk.unconfirmed.texts, invoice.date));
    messages.extend(status::lacks(invoice.status, &invoice.lines, invoice.total));
    let is_approved = matches!(invoice.status, InvoiceStatus::Authorised | InvoiceStatus::Paid);
    if is_approved && invoice.due_date.is_none() && desk.unconfirmed.approval_needs_due_date {
        messages.push(desk.unconfirmed.texts.missing_due_date.clone());
    }
    if !is_approved && invoice.sent_to_contact {
        invoice.sent_to_contact = false;
        warnings.push("Only approved invoices can be marked as sent.".to_owned());
    }
}
