//! Applies the members of a written element to an invoice, and plans updates of existing ones.

use super::approval;
use super::write::{NUMBER_TAKEN, Planned, holder};
use crate::accounting::RequestContext;
use crate::accounting::documents::lines::{self, Accounts, Discounts, Terms};
use crate::accounting::documents::{contact, currency, pricing, status, texts};
use crate::accounting::fields::{Fields, Refusal, invalid};
use crate::books::invoice::{Invoice, InvoiceKind};

/// Plans the update of an existing invoice.
pub(super) fn plan(
    context: &mut RequestContext<'_>,
    existing: &Invoice,
    fields: &Fields<'_>,
) -> Result<Planned, Refusal> {
    let next = status::after(fields, existing.status)?;
    if let Some(message) = approval::refuses(context, existing, next) {
        return invalid(message);
    }
    if let Some(message) =
        approval::locked(context.books, &context.unconfirmed.texts, existing.date)
    {
        return invalid(&message);
    }
    if next.is_gone()
        && let Some(message) = contact::refuses_removal(context, existing.contact)
    {
        return invalid(&message);
    }
    let mut planned = Planned {
        invoice: existing.clone(),
        contact: None,
        messages: Vec::new(),
        warnings: Vec::new(),
    };
    // Cancelling changes only the status, whatever else was sent.
    if !next.is_gone() {
        if let Some(contact) = contact::named(context, fields)? {
            planned.messages.extend(contact.messages(context));
            planned.invoice.contact = contact.id();
            planned.contact = contact.into_changed();
        }
        apply(context, &mut planned, fields)?;
    }
    planned.invoice.status = next;
    let mark_stays = existing.sent_to_contact == planned.invoice.sent_to_contact
        || context.unconfirmed.part_paid_takes_sent_mark;
    let is_open = mark_stays && approval::is_open_to(existing, &planned.invoice);
    if existing.is_fixed() && !is_open {
        planned.messages.push(approval::MONEY_APPLIED.to_owned());
    }
    if !next.is_gone() {
        approval::check(context, &mut planned);
    }
    planned.invoice.updated_at =
        if moves_no_clock(existing, &planned.invoice) { existing.updated_at } else { context.now };
    Ok(planned)
}

/// Xero: an edit of only the due date or the sent mark of a part-paid invoice does not change its
/// `UpdatedDateUTC`.
fn moves_no_clock(before: &Invoice, after: &Invoice) -> bool {
    let without = Invoice {
        due_date: before.due_date,
        sent_to_contact: before.sent_to_contact,
        ..after.clone()
    };
    before.has_money_applied() && without == *before && *after != *before
}

/// Applies the members that both new and existing invoices accept.
pub(super) fn apply(
    context: &mut RequestContext<'_>,
    planned: &mut Planned,
    fields: &Fields<'_>,
) -> Result<(), Refusal> {
    apply_numbers(context, planned, fields)?;
    apply_dates(planned, fields)?;
    let Planned { invoice, messages, .. } = planned;
    let Invoice { currency: code, currency_rate, .. } = invoice;
    currency::apply(context, fields, code, currency_rate, messages)?;
    apply_looks(context, planned, fields)?;
    let Planned { invoice, messages, .. } = planned;
    let before = invoice.line_amounts;
    texts::line_amounts(fields, &mut invoice.line_amounts)?;
    let line_amounts = invoice.line_amounts;
    let terms = Terms { line_amounts, accounts: Accounts::Open, discounts: Discounts::Allowed };
    // An empty list does not change the lines: only a non-empty list replaces them.
    match fields.objects("LineItems")?.filter(|sent| !sent.is_empty()) {
        Some(sent) => invoice.lines = lines::read(context, &invoice.lines, &sent, terms, messages)?,
        None if before != line_amounts => {
            pricing::tax_again(context, &mut invoice.lines, line_amounts);
        }
        None => {}
    }
    invoice.sum();
    Ok(())
}

fn apply_numbers(
    context: &RequestContext<'_>,
    planned: &mut Planned,
    fields: &Fields<'_>,
) -> Result<(), Refusal> {
    let invoice = &mut planned.invoice;
    if let Some(number) = fields.text("InvoiceNumber")? {
        planned.messages.extend(texts::refuses_number("Invoice Number", &number));
        let is_sales = invoice.kind == InvoiceKind::Sales;
        if is_sales && holder(context, &number, Some(invoice.id)).is_some() {
            planned.messages.push(NUMBER_TAKEN.to_owned());
        }
        invoice.number = Some(number);
    }
    texts::reference(fields, &mut invoice.reference, &mut planned.messages)?;
    if invoice.kind == InvoiceKind::Bill {
        invoice.reference = None;
    }
    Ok(())
}

fn apply_dates(planned: &mut Planned, fields: &Fields<'_>) -> Result<(), Refusal> {
    let invoice = &mut planned.invoice;
    invoice.date = fields.date("Date")?.unwrap_or(invoice.date);
    invoice.due_date = fields.date("DueDate")?.or(invoice.due_date);
    invoice.expected_payment_date =
        fields.date("ExpectedPaymentDate")?.or(invoice.expected_payment_date);
    Ok(())
}

fn apply_looks(
    context: &RequestContext<'_>,
    planned: &mut Planned,
    fields: &Fields<'_>,
) -> Result<(), Refusal> {
    let invoice = &mut planned.invoice;
    texts::branding_theme(context, fields, &mut invoice.branding_theme, &mut planned.messages)?;
    texts::link(fields, &mut invoice.url, &mut planned.messages)?;
    if let Some(sent) = fields.boolean("SentToContact")? {
        invoice.sent_to_contact = sent;
    }
    Ok(())
}
