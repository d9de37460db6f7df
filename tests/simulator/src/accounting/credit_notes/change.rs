//! Applies the members of a written element to a credit note, and plans updates of existing ones.

use super::write::{Planned, holder};
use crate::accounting::RequestContext;
use crate::accounting::documents::lines::{self, Accounts, Discounts, Terms};
use crate::accounting::documents::{contact, currency, pricing, status, texts};
use crate::accounting::fields::{Fields, Refusal, invalid};
use crate::accounting::invoices::{MONEY_APPLIED, locked};
use crate::books::Books;
use crate::books::allocation::Credit;
use crate::books::credit_note::{CreditNote, CreditNoteKind};
use crate::books::invoice::InvoiceStatus;
use crate::settings::Texts;

/// The reason why a note cannot change to `next`: its status, or because it has been used.
pub(crate) fn refuses(
    books: &Books,
    texts: &Texts,
    note: &CreditNote,
    next: InvoiceStatus,
) -> Option<String> {
    let is_used = !books.used(Credit::CreditNote(note.id)).is_zero();
    if is_used && next == InvoiceStatus::Voided {
        Some(texts.credit_note_void_refused.clone())
    } else if !note.status.may_become(next) {
        Some(texts.credit_note_modification.clone())
    } else if is_used {
        Some(MONEY_APPLIED.to_owned())
    } else {
        locked(books, texts, note.date)
    }
}

/// Plans the update of an existing note.
pub(super) fn plan(
    context: &mut RequestContext<'_>,
    existing: &CreditNote,
    fields: &Fields<'_>,
) -> Result<Planned, Refusal> {
    let next = status::after(fields, existing.status)?;
    if let Some(message) = refuses(context.books, &context.unconfirmed.texts, existing, next) {
        return invalid(&message);
    }
    if next.is_gone()
        && let Some(message) = contact::refuses_removal(context, existing.contact)
    {
        return invalid(&message);
    }
    let note = CreditNote { updated_at: context.now, ..existing.clone() };
    let mut planned = Planned { note, contact: None, messages: Vec::new() };
    // Cancelling changes only the status, whatever else was sent.
    if !next.is_gone() {
        if let Some(chosen) = contact::named(context, fields)? {
            planned.messages.extend(chosen.messages(context));
            planned.note.contact = chosen.id();
            planned.contact = chosen.into_changed();
        }
        apply(context, &mut planned, fields)?;
    }
    planned.note.status = next;
    if !next.is_gone() {
        check(context, &mut planned);
    }
    Ok(planned)
}

/// Adds the reasons why the planned note cannot have its status.
pub(super) fn check(context: &RequestContext<'_>, planned: &mut Planned) {
    let Planned { note, messages, .. } = planned;
    messages.extend(locked(context.books, &context.unconfirmed.texts, note.date));
    messages.extend(status::lacks(note.status, &note.lines, note.total));
}

/// Applies the members that both new and existing notes accept. `Allocations` is not one of them:
/// Xero ignores it here.
pub(super) fn apply(
    context: &mut RequestContext<'_>,
    planned: &mut Planned,
    fields: &Fields<'_>,
) -> Result<(), Refusal> {
    let Planned { note, messages, .. } = planned;
    apply_texts(context, note, fields, messages)?;
    note.date = fields.date("Date")?.unwrap_or(note.date);
    let CreditNote { currency: code, currency_rate, .. } = note;
    currency::apply(context, fields, code, currency_rate, messages)?;
    let before = note.line_amounts;
    texts::line_amounts(fields, &mut note.line_amounts)?;
    let line_amounts = note.line_amounts;
    let terms = Terms { line_amounts, accounts: Accounts::Open, discounts: Discounts::Refused };
    match fields.objects("LineItems")?.filter(|sent| !sent.is_empty()) {
        Some(sent) => note.lines = lines::read(context, &note.lines, &sent, terms, messages)?,
        None if before != line_amounts => {
            pricing::tax_again(context, &mut note.lines, line_amounts);
        }
        None => {}
    }
    note.sum();
    Ok(())
}

fn apply_texts(
    context: &RequestContext<'_>,
    note: &mut CreditNote,
    fields: &Fields<'_>,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    if let Some(number) = fields.text("CreditNoteNumber")? {
        messages.extend(texts::refuses_number("Credit Note Number", &number));
        let is_sales = note.kind == CreditNoteKind::Sales;
        if is_sales && holder(context, &number, Some(note.id)).is_some() {
            messages.push(context.unconfirmed.texts.credit_note_number.clone());
        }
        note.number = Some(number);
    }
    texts::reference(fields, &mut note.reference, messages)?;
    texts::branding_theme(context, fields, &mut note.branding_theme, messages)?;
    note.sent_to_contact = fields.boolean("SentToContact")?.unwrap_or(note.sent_to_contact);
    Ok(())
}
