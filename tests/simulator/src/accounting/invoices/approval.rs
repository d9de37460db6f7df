//! The requirements of each invoice status, and the changes that it allows.

use super::write::Planned;
use crate::accounting::RequestContext;
use crate::accounting::documents::status;
use crate::books::Books;
use crate::books::invoice::{Invoice, InvoiceKind, InvoiceStatus};
use crate::settings::Texts;
use jiff::civil::Date;

/// The refusal of a change that the status does not allow.
pub(crate) const WRONG_STATUS: &str = "Invoice not of valid status for modification";
/// The refusal of a void while payments or credit are applied.
pub(crate) const VOID_REFUSED: &str = "The status VOIDED cannot be applied to the invoice because \
                                       it has payments or credit notes allocated to it.";
/// The refusal of an edit to a document with payments or credit applied.
pub(crate) const MONEY_APPLIED: &str =
    "This document cannot be edited as it has a payment or credit note allocated to it.";

/// The refusal of an approval beyond the plan's limit.
pub(crate) const TOO_MANY_APPROVED: &str =
    "You have reached the limit of invoices you can approve.";

/// The refusal of a negative total.
pub(crate) const NEGATIVE: &str = "The document total must not be negative.";

/// The reason why the status of an invoice forbids an update to `next`.
pub(super) fn refuses(
    context: &RequestContext<'_>,
    existing: &Invoice,
    next: InvoiceStatus,
) -> Option<&'static str> {
    let twice = existing.status == InvoiceStatus::Voided && next == InvoiceStatus::Voided;
    let paid_edit = existing.status == InvoiceStatus::Paid && next == InvoiceStatus::Paid;
    if next == InvoiceStatus::Voided && existing.has_money_applied() {
        Some(VOID_REFUSED)
    } else if existing.status.may_become(next)
        || twice && context.unconfirmed.voiding_twice_succeeds
        || paid_edit && context.unconfirmed.paid_takes_part_paid_edits
    {
        None
    } else {
        Some(WRONG_STATUS)
    }
}

/// The message of the lock date for a document of this date; the lock day itself is also locked. If
/// both lock dates apply, the later one is named.
pub(crate) fn locked(books: &Books, texts: &Texts, date: Date) -> Option<String> {
    let organisation = &books.organisation;
    let locks = [
        ("period", organisation.period_lock_date),
        ("end of year", organisation.end_of_year_lock_date),
    ];
    let (kind, through) = locks
        .into_iter()
        .filter_map(|(kind, through)| Some((kind, through?)))
        .filter(|(_, through)| date <= *through)
        .max_by_key(|(_, through)| *through)?;
    let day = through.strftime("%d-%b-%Y");
    Some(format!("{} {kind} lock date, currently set at {day}", texts.locked))
}

/// Whether an invoice with payments or credit applied may change from `before` to `after`: number,
/// reference, due date, theme, link, contact, and descriptions, accounts and tracking options of its
/// lines. A bill allows none of these changes.
pub(super) fn is_open_to(before: &Invoice, after: &Invoice) -> bool {
    if before.kind == InvoiceKind::Bill {
        return before == after;
    }
    let contact_stays = before.contact == after.contact || before.amount_credited.is_zero();
    let lines_stay = before.lines.len() == after.lines.len()
        && before.lines.iter().zip(&after.lines).all(|(before, after)| {
            before.id == after.id
                && before.amounts == after.amounts
                && before.tax_type == after.tax_type
                && before.discount == after.discount
                && before.item_code == after.item_code
        });
    contact_stays
        && lines_stay
        && before.date == after.date
        && before.currency == after.currency
        && before.currency_rate == after.currency_rate
        && before.line_amounts == after.line_amounts
}

/// Whether a write approves an invoice that was not approved before.
pub(super) fn approves(existing: Option<&Invoice>, after: InvoiceStatus) -> bool {
    let is_open =
        |status: InvoiceStatus| matches!(status, InvoiceStatus::Draft | InvoiceStatus::Submitted);
    after == InvoiceStatus::Authorised && existing.is_none_or(|invoice| is_open(invoice.status))
}

/// Adds the reasons why the planned invoice cannot have its status.
pub(super) fn check(context: &RequestContext<'_>, planned: &mut Planned) {
    let Planned { invoice, messages, warnings, .. } = planned;
    messages.extend(locked(context.books, &context.unconfirmed.texts, invoice.date));
    messages.extend(status::lacks(invoice.status, &invoice.lines, invoice.total));
    let is_approved = matches!(invoice.status, InvoiceStatus::Authorised | InvoiceStatus::Paid);
    if is_approved && invoice.due_date.is_none() && context.unconfirmed.approval_needs_due_date {
        messages.push(context.unconfirmed.texts.missing_due_date.clone());
    }
    if !is_approved && invoice.sent_to_contact {
        invoice.sent_to_contact = false;
        warnings.push("Only AUTHORISED invoices may have SentToContact updated.".to_owned());
    }
}
