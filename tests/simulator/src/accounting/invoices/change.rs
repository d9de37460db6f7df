//! Puts the members of a written element into an invoice, and plans updates of existing ones.

use super::write::{NUMBER_TAKEN, Planned, holder};
use super::{approval, lines, nested, totals};
use crate::accounting::Desk;
use crate::accounting::fields::{Fields, Refusal, Sent, invalid};
use crate::books::invoice::{Invoice, InvoiceKind, InvoiceStatus};
use crate::money::LineAmounts;
use rust_decimal::Decimal;

/// Plans the update of an existing invoice.
pub(super) fn plan(
    desk: &mut Desk<'_>,
    existing: &Invoice,
    fields: &Fields<'_>,
) -> Result<Planned, Refusal> {
    let next = match fields.text("Status")? {
        None => existing.status,
        Some(word) => match InvoiceStatus::parse(&word) {
            Some(status) => status,
            None => return invalid(&format!("'{word}' is not a valid invoice status.")),
        },
    };
    if let Some(message) = approval::refuses(desk, existing, next) {
        return invalid(message);
    }
    if let Some(message) = approval::locked(desk.books, &desk.unconfirmed.texts, existing.date) {
        return invalid(&message);
    }
    let mut planned = Planned {
        invoice: existing.clone(),
        contact: None,
        messages: Vec::new(),
        warnings: Vec::new(),
    };
    // Cancelling changes the status and nothing else, whatever else was sent.
    if !next.is_gone() {
        if let Some(contact) = nested::contact(desk, fields)? {
            planned.messages.extend(contact.messages(desk));
            planned.invoice.contact = contact.id();
            planned.contact = contact.into_changed();
        }
        apply(desk, &mut planned, fields)?;
    }
    planned.invoice.status = next;
    if existing.has_money_applied() && !approval::is_open_to(existing, &planned.invoice) {
        planned.messages.push(approval::MONEY_APPLIED.to_owned());
    }
    if !next.is_gone() {
        approval::check(desk, &mut planned);
    }
    planned.invoice.updated_at =
        if moves_no_clock(existing, &planned.invoice) { existing.updated_at } else { desk.now };
    Ok(planned)
}

/// Xero: an edit of nothing but the due date or the sent mark of a part-paid invoice does not move
/// its `UpdatedDateUTC`.
fn moves_no_clock(before: &Invoice, after: &Invoice) -> bool {
    let without = Invoice {
        due_date: before.due_date,
        sent_to_contact: before.sent_to_contact,
        ..after.clone()
    };
    before.has_money_applied() && without == *before && *after != *before
}

/// Applies the members both new and existing invoices take.
pub(super) fn apply(
    desk: &mut Desk<'_>,
    planned: &mut Planned,
    fields: &Fields<'_>,
) -> Result<(), Refusal> {
    apply_numbers(desk, planned, fields)?;
    apply_dates(planned, fields)?;
    apply_currency(desk, planned, fields)?;
    apply_looks(desk, planned, fields)?;
    let line_amounts = planned.invoice.line_amounts;
    if let Some(word) = fields.text("LineAmountTypes")? {
        match LineAmounts::parse(&word) {
            Some(types) => planned.invoice.line_amounts = types,
            None => {
                return Err(Refusal::Unreadable(format!(
                    "Error converting the value '{word}' of 'LineAmountTypes'"
                )));
            }
        }
    }
    // An empty list says nothing about the lines: only a list with lines replaces them.
    match fields.objects("LineItems")?.filter(|sent| !sent.is_empty()) {
        Some(sent) => lines::apply(desk, planned, &sent)?,
        None if line_amounts != planned.invoice.line_amounts => {
            lines::tax_again(desk, &mut planned.invoice);
        }
        None => {}
    }
    totals::sum(&mut planned.invoice);
    Ok(())
}

fn apply_numbers(
    desk: &Desk<'_>,
    planned: &mut Planned,
    fields: &Fields<'_>,
) -> Result<(), Refusal> {
    let invoice = &mut planned.invoice;
    if let Some(number) = fields.text("InvoiceNumber")? {
        let printable = number.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        if !printable || number.len() > 255 {
            planned
                .messages
                .push("Invoice Number must be at most 255 printable ASCII characters.".to_owned());
        }
        let is_sales = invoice.kind == InvoiceKind::Sales;
        if is_sales && holder(desk, &number, Some(invoice.id)).is_some() {
            planned.messages.push(NUMBER_TAKEN.to_owned());
        }
        invoice.number = Some(number);
    }
    match fields.sent("Reference")? {
        Sent::Nothing => {}
        Sent::Empty => invoice.reference = None,
        Sent::Text(text) => {
            if text.chars().count() > 255 {
                planned.messages.push("Reference must be 255 characters or fewer.".to_owned());
            }
            invoice.reference = (invoice.kind == InvoiceKind::Sales).then_some(text);
        }
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

fn apply_currency(
    desk: &Desk<'_>,
    planned: &mut Planned,
    fields: &Fields<'_>,
) -> Result<(), Refusal> {
    let organisation = &desk.books.organisation;
    let invoice = &mut planned.invoice;
    let rate = fields.number("CurrencyRate")?.filter(|rate| *rate > Decimal::ZERO);
    if let Some(code) = fields.text("CurrencyCode")? {
        match organisation.currency(&code) {
            Some(currency) => {
                if invoice.currency != code {
                    invoice.currency_rate = currency.day_rate;
                }
                invoice.currency = code;
            }
            None => {
                planned.messages.push(format!("Organisation is not subscribed to currency {code}"));
            }
        }
    }
    if let Some(rate) = rate.filter(|_| invoice.currency != organisation.base_currency) {
        invoice.currency_rate = rate;
    }
    Ok(())
}

fn apply_looks(desk: &Desk<'_>, planned: &mut Planned, fields: &Fields<'_>) -> Result<(), Refusal> {
    let invoice = &mut planned.invoice;
    if let Some(theme) = fields.id("BrandingThemeID")? {
        if !desk.books.organisation.branding_themes.iter().any(|known| known.id == theme) {
            planned.messages.push("The branding theme could not be found.".to_owned());
        }
        invoice.branding_theme = Some(theme);
    }
    match fields.sent("Url")? {
        Sent::Nothing => {}
        Sent::Empty => invoice.url = None,
        Sent::Text(text) => {
            let is_web =
                url::Url::parse(&text).is_ok_and(|url| ["http", "https"].contains(&url.scheme()));
            if !is_web {
                planned.messages.push("Url must be a valid absolute url.".to_owned());
            }
            invoice.url = Some(text);
        }
    }
    if let Some(sent) = fields.truth("SentToContact")? {
        invoice.sent_to_contact = sent;
    }
    Ok(())
}
