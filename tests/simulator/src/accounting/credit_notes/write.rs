//! Writes credit notes: matches an element with an existing note, then creates or changes it.

use super::change;
use crate::accounting::RequestContext;
use crate::accounting::documents::render::Detail;
use crate::accounting::documents::{contact, status};
use crate::accounting::fields::{Fields, Refusal, echo, invalid};
use crate::accounting::saving::{Collection, How, Saved};
use crate::answer::Answer;
use crate::books::contact::Contact;
use crate::books::credit_note::{CreditNote, CreditNoteKind};
use crate::books::invoice::InvoiceStatus;
use crate::json::Object;
use crate::money::LineAmounts;
use rust_decimal::Decimal;
use uuid::Uuid;

/// The collection.
#[derive(Debug)]
pub(in crate::accounting) enum CreditNotes {}

/// A credit note to be saved.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) note: CreditNote,
    /// Its contact, if the element creates or changes it.
    pub(super) contact: Option<Contact>,
    pub(super) messages: Vec<String>,
}

impl Collection for CreditNotes {
    const NAME: &'static str = "CreditNotes";
    const SINGULAR: &'static str = "CreditNote";
    const ID: &'static str = "CreditNoteID";
    const KNOWN: &'static [&'static str] = &[
        "Type",
        "CreditNoteID",
        "CreditNoteNumber",
        "Contact",
        "LineItems",
        "Status",
        "Reference",
    ];

    fn list(context: &mut RequestContext<'_>) -> Result<Answer, Answer> {
        context.list_credit_notes()
    }

    fn show(context: &mut RequestContext<'_>, id: &str) -> Result<Answer, Answer> {
        context.show_credit_note(id)
    }

    fn locate(context: &RequestContext<'_>, id: &str) -> Option<Uuid> {
        context.find_credit_note(id).map(|note| note.id)
    }

    fn save(
        context: &mut RequestContext<'_>,
        element: &Object,
        how: How,
    ) -> Result<Saved, Refusal> {
        let fields = Fields::of(element);
        let names_id = fields.id(Self::ID)?.is_some();
        let is_new = !names_id && !context.unconfirmed.posted_number_overwrites;
        let planned = match (target(context, &fields, how)?, how) {
            (Some(_), How::Create) => invalid(&context.unconfirmed.texts.credit_note_number),
            (Some(_), How::Upsert) if is_new => {
                invalid(&context.unconfirmed.texts.credit_note_number)
            }
            (Some(existing), How::Upsert | How::Update(_)) => {
                change::plan(context, &existing, &fields)
            }
            (None, _) => plan_new(context, &fields),
        }?;
        if !planned.messages.is_empty() {
            return Err(Refusal::Invalid(planned.messages));
        }
        if let Some(contact) = planned.contact {
            context.books.put_contact(contact);
        }
        context.books.put_credit_note(planned.note.clone());
        let rendered = context.render_credit_note(&planned.note, Detail::Full);
        Ok(Saved { rendered, warnings: Vec::new() })
    }

    fn echo(element: &Object, messages: &[String]) -> Object {
        let mut echoed = echo(element, Self::ID, messages);
        echoed.set("HasErrors", true);
        echoed
    }
}

/// The existing note that an element refers to: by id, else one for a customer by number.
fn target(
    context: &RequestContext<'_>,
    fields: &Fields<'_>,
    how: How,
) -> Result<Option<CreditNote>, Refusal> {
    if let How::Update(id) = how {
        return Ok(context.books.credit_note(id).cloned());
    }
    if let Some(id) = fields.id("CreditNoteID")? {
        return match (context.books.credit_note(id), how) {
            (Some(note), _) => Ok(Some(note.clone())),
            (None, How::Create) => Ok(None),
            (None, How::Upsert | How::Update(_)) => invalid(UNKNOWN),
        };
    }
    let kind = fields.text("Type")?;
    let is_purchase = kind.as_deref() == Some(CreditNoteKind::Purchase.as_str());
    let number = fields.text("CreditNoteNumber")?.filter(|_| !is_purchase);
    Ok(number.and_then(|number| holder(context, &number, None).cloned()))
}

/// Xero's message for an unknown id, from its own examples.
pub(in crate::accounting) const UNKNOWN: &str =
    "An existing Credit Note with the specified CreditNoteID could not be found";

/// The note for a customer that holds a number, other than `own`.
pub(super) fn holder<'a>(
    context: &'a RequestContext<'_>,
    number: &str,
    own: Option<Uuid>,
) -> Option<&'a CreditNote> {
    context
        .books
        .credit_notes_numbered(number)
        .find(|note| Some(note.id) != own && status::holds_number(note.status, context.unconfirmed))
}

fn plan_new(context: &mut RequestContext<'_>, fields: &Fields<'_>) -> Result<Planned, Refusal> {
    let status = status::of_new(fields, &context.unconfirmed.texts.credit_note_creation)?;
    let Some(kind) = fields.text("Type")?.as_deref().and_then(CreditNoteKind::parse) else {
        return invalid("Credit Note Type must be ACCRECCREDIT or ACCPAYCREDIT.");
    };
    let Some(chosen) = contact::named(context, fields)? else {
        return invalid("A Contact must be specified for this type of transaction");
    };
    let note = blank(context, kind, chosen.id());
    let mut planned =
        Planned { note, messages: chosen.messages(context), contact: chosen.into_changed() };
    change::apply(context, &mut planned, fields)?;
    planned.messages.extend(status::lacks_date(status, fields, context.unconfirmed)?);
    planned.note.status = status;
    let is_sales = kind == CreditNoteKind::Sales;
    if is_sales && planned.note.number.is_none() && planned.messages.is_empty() {
        planned.note.number = Some(context.books.draw_credit_note_number());
    }
    change::check(context, &mut planned);
    Ok(planned)
}

/// A note before the element is applied.
fn blank(context: &mut RequestContext<'_>, kind: CreditNoteKind, contact: Uuid) -> CreditNote {
    CreditNote {
        id: context.ids.next(),
        kind,
        number: None,
        reference: None,
        contact,
        date: context.today(),
        line_amounts: LineAmounts::Exclusive,
        currency: context.books.organisation.base_currency.clone(),
        currency_rate: Decimal::ONE,
        status: InvoiceStatus::Draft,
        branding_theme: None,
        sent_to_contact: false,
        lines: Vec::new(),
        sub_total: Decimal::ZERO,
        total_tax: Decimal::ZERO,
        total: Decimal::ZERO,
        fully_paid_on: None,
        updated_at: context.now,
        created_by: Some(context.app.client_id.clone()),
    }
}
