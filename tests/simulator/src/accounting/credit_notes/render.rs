//! A credit note in Xero's format, in three levels of detail.

use crate::accounting::allocations::render as allocations;
use crate::accounting::contacts::render as contacts;
use crate::accounting::documents::render::{Detail, amount, contact, lines};
use crate::accounting::fields::{date_moment, date_string, instant_string};
use crate::accounting::payments::render as payments;
use crate::books::Books;
use crate::books::allocation::Credit;
use crate::books::credit_note::CreditNote;
use crate::json::{Json, Object};
use jiff::civil::Date;

/// One credit note. `unit_places` is the number of decimal places of unit amounts.
pub(crate) fn credit_note(
    books: &Books,
    note: &CreditNote,
    detail: Detail,
    unit_places: u32,
    today: Date,
) -> Object {
    let credit = Credit::CreditNote(note.id);
    let size = match detail {
        Detail::Full => contacts::Detail::Full,
        Detail::Paged | Detail::Listed => contacts::Detail::Named,
    };
    let (refunded, lines) = match detail {
        Detail::Full | Detail::Paged => (
            books.refunds_of(credit).map(payments::nested).collect(),
            lines(&note.lines, unit_places),
        ),
        // Xero: lists without pages omit nested rows, except allocations.
        Detail::Listed => (Vec::new(), Vec::new()),
    };
    let object = Object::new()
        .with("CreditNoteID", note.id)
        .with("CreditNoteNumber", note.number.as_deref().unwrap_or_default())
        .with("Payments", refunded)
        .with("ID", note.id)
        .with("HasErrors", false)
        .with("CurrencyRate", Json::decimal(note.currency_rate, 6))
        .with("Type", note.kind.as_str())
        .with("Reference", note.reference.as_deref().unwrap_or_default())
        .with("SentToContact", note.sent_to_contact)
        .with("RemainingCredit", amount(books.remaining_credit(credit)))
        .with("Allocations", allocations::of_credit(books, credit))
        .with_some("BrandingThemeID", note.branding_theme)
        .with("HasAttachments", false)
        .with_some("Contact", contact(books, note.contact, size, today))
        .with("DateString", date_string(note.date))
        .with("Date", date_moment(note.date))
        .with("Status", note.status.as_str())
        .with("LineAmountTypes", note.line_amounts.as_str())
        .with("LineItems", lines)
        .with("SubTotal", amount(note.sub_total))
        .with("TotalTax", amount(note.total_tax))
        .with("Total", amount(note.total))
        .with("UpdatedDateUTC", Json::instant(note.updated_at))
        .with("UpdatedDateUTCString", instant_string(note.updated_at))
        .with("CurrencyCode", &note.currency)
        .with_some("FullyPaidOnDate", note.fully_paid_on.map(date_moment));
    books.shown(note.id, object)
}
