//! Writes invoices: matches an element with an existing invoice, then creates or changes it.

use super::render::Detail;
use super::{approval, change};
use crate::accounting::RequestContext;
use crate::accounting::documents::{contact, status};
use crate::accounting::fields::{Fields, Refusal, echo, invalid};
use crate::accounting::saving::{Collection, How, Saved};
use crate::answer::Answer;
use crate::books::contact::Contact;
use crate::books::invoice::{Invoice, InvoiceKind, InvoiceStatus};
use crate::json::Object;
use crate::money::LineAmounts;
use rust_decimal::Decimal;
use uuid::Uuid;

/// The collection.
#[derive(Debug)]
pub(in crate::accounting) enum Invoices {}

/// An invoice to be saved.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) invoice: Invoice,
    /// Its contact, if the element creates or changes it.
    pub(super) contact: Option<Contact>,
    pub(super) messages: Vec<String>,
    pub(super) warnings: Vec<String>,
}

impl Collection for Invoices {
    const NAME: &'static str = "Invoices";
    const SINGULAR: &'static str = "Invoice";
    const ID: &'static str = "InvoiceID";
    const KNOWN: &'static [&'static str] =
        &["Type", "InvoiceID", "InvoiceNumber", "Contact", "LineItems", "Status", "Reference"];

    fn list(context: &mut RequestContext<'_>) -> Result<Answer, Answer> {
        context.list_invoices()
    }

    fn show(context: &mut RequestContext<'_>, id: &str) -> Result<Answer, Answer> {
        context.show_invoice(id)
    }

    fn locate(context: &RequestContext<'_>, id: &str) -> Option<Uuid> {
        context.find_invoice(id).map(|invoice| invoice.id)
    }

    fn save(
        context: &mut RequestContext<'_>,
        element: &Object,
        how: How,
    ) -> Result<Saved, Refusal> {
        let fields = Fields::of(element);
        let existing = target(context, &fields, how)?;
        let names_id = fields.id(Self::ID)?.is_some();
        let is_new = !names_id && !context.unconfirmed.posted_number_overwrites;
        let mut planned = match (&existing, how) {
            (Some(existing), How::Create) => Err(Refusal::Invalid(vec![taken(existing)])),
            (Some(existing), How::Upsert) if is_new => Err(Refusal::Invalid(vec![taken(existing)])),
            (Some(existing), How::Upsert | How::Update(_)) => {
                change::plan(context, existing, &fields)
            }
            (None, _) => plan_new(context, &fields),
        }?;
        let approves = approval::approves(existing.as_ref(), planned.invoice.status);
        if approves && context.books.organisation.refuses_approvals() {
            planned.messages.push(approval::TOO_MANY_APPROVED.to_owned());
        }
        if !planned.messages.is_empty() {
            return Err(Refusal::Invalid(planned.messages));
        }
        if let Some(contact) = planned.contact {
            context.books.put_contact(contact);
        }
        if approves {
            context.books.organisation.count_approval();
        }
        if context.unconfirmed.approved_zero_is_paid {
            planned.invoice.close_if_nothing_is_due();
        }
        let rendered = {
            context.books.put_invoice(planned.invoice.clone());
            context.render_invoice(&planned.invoice, Detail::Full)
        };
        Ok(Saved { rendered, warnings: planned.warnings })
    }

    fn echo(element: &Object, messages: &[String]) -> Object {
        let mut echoed = echo(element, Self::ID, messages);
        echoed.set("HasErrors", true);
        echoed
    }
}

/// The existing invoice that an element refers to: by id, else a sales invoice by number. Numbers
/// of bills are not unique and do not match.
fn target(
    context: &RequestContext<'_>,
    fields: &Fields<'_>,
    how: How,
) -> Result<Option<Invoice>, Refusal> {
    if let How::Update(id) = how {
        return Ok(context.books.invoice(id).cloned());
    }
    if let Some(id) = fields.id("InvoiceID")? {
        return match (context.books.invoice(id), how) {
            (Some(invoice), _) => Ok(Some(invoice.clone())),
            (None, How::Create) => Ok(None),
            (None, How::Upsert | How::Update(_)) => {
                Err(Refusal::Invalid(vec![context.unconfirmed.texts.unknown_invoice.clone()]))
            }
        };
    }
    let is_bill = fields.text("Type")?.as_deref() == Some(InvoiceKind::Bill.as_str());
    let number = fields.text("InvoiceNumber")?.filter(|_| !is_bill);
    Ok(number.and_then(|number| holder(context, &number, None).cloned()))
}

/// The sales invoice that has a number, other than `own`.
pub(super) fn holder<'a>(
    context: &'a RequestContext<'_>,
    number: &str,
    own: Option<Uuid>,
) -> Option<&'a Invoice> {
    let unconfirmed = context.unconfirmed;
    let holds = |invoice: &&Invoice| {
        Some(invoice.id) != own && status::holds_number(invoice.status, unconfirmed)
    };
    let has_number = |invoice: &&Invoice| {
        let held = invoice.number.as_deref().unwrap_or_default();
        invoice.kind == InvoiceKind::Sales && held.eq_ignore_ascii_case(number)
    };
    let exact = context.books.invoices_numbered(number).find(holds);
    let in_other_capitals =
        || context.books.invoices().find(|invoice| has_number(invoice) && holds(invoice));
    let ignores_case = unconfirmed.invoice_numbers_ignore_case;
    exact.or_else(|| ignores_case.then(in_other_capitals).flatten())
}

/// The reason why a PUT does not change an existing invoice.
fn taken(existing: &Invoice) -> String {
    match (existing.kind, existing.status) {
        (InvoiceKind::Bill, _) => approval::WRONG_STATUS.to_owned(),
        (InvoiceKind::Sales, _) => NUMBER_TAKEN.to_owned(),
    }
}

/// Xero's message for a sales number that is in use.
pub(super) const NUMBER_TAKEN: &str = "Invoice # must be unique.";

fn plan_new(context: &mut RequestContext<'_>, fields: &Fields<'_>) -> Result<Planned, Refusal> {
    let status = status::of_new(fields, "Invoice not of valid status for creation")?;
    let Some(kind) = fields.text("Type")?.as_deref().and_then(InvoiceKind::parse) else {
        return invalid("Invoice not of valid type for creation");
    };
    let chosen = contact::named(context, fields)?;
    let Some(contact) = chosen else {
        return invalid("A Contact must be specified for this type of transaction");
    };
    let blank = blank(context, kind, contact.id());
    let mut planned = Planned {
        invoice: blank,
        messages: contact.messages(context),
        contact: contact.into_changed(),
        warnings: Vec::new(),
    };
    change::apply(context, &mut planned, fields)?;
    planned.messages.extend(status::lacks_date(status, fields, context.unconfirmed)?);
    planned.invoice.status = status;
    if kind == InvoiceKind::Sales && planned.invoice.number.is_none() && planned.messages.is_empty()
    {
        planned.invoice.number = Some(context.books.draw_invoice_number());
    }
    approval::check(context, &mut planned);
    Ok(planned)
}

/// An invoice before the element is applied.
fn blank(context: &mut RequestContext<'_>, kind: InvoiceKind, contact: Uuid) -> Invoice {
    Invoice {
        id: context.ids.next(),
        kind,
        number: None,
        reference: None,
        contact,
        date: context.today(),
        due_date: None,
        line_amounts: LineAmounts::Exclusive,
        currency: context.books.organisation.base_currency.clone(),
        currency_rate: Decimal::ONE,
        status: InvoiceStatus::Draft,
        branding_theme: None,
        url: None,
        sent_to_contact: false,
        expected_payment_date: None,
        lines: Vec::new(),
        sub_total: Decimal::ZERO,
        total_tax: Decimal::ZERO,
        total: Decimal::ZERO,
        total_discount: Decimal::ZERO,
        amount_paid: Decimal::ZERO,
        amount_credited: Decimal::ZERO,
        fully_paid_on: None,
        updated_at: context.now,
        created_by: Some(context.app.client_id.clone()),
        history: Vec::new(),
    }
}
