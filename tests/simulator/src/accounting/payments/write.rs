//! Writes payments: they are created and deleted, never changed.

use super::render::Detail;
use super::rules::{self, Intent};
use crate::accounting::fields::{Fields, Refusal, echo, invalid};
use crate::accounting::saving::{Collection, How, Saved};
use crate::accounting::{RequestContext, credit_notes};
use crate::answer::Answer;
use crate::books::allocation::Credit;
use crate::books::deposit::DepositKind;
use crate::books::payment::{PaymentStatus, PaymentTarget};
use crate::books::settling::Clock;
use crate::json::Object;
use rust_decimal::Decimal;
use uuid::Uuid;

/// The collection.
#[derive(Debug)]
pub(in crate::accounting) enum Payments {}

impl Collection for Payments {
    const NAME: &'static str = "Payments";
    const SINGULAR: &'static str = "Payment";
    const ID: &'static str = "PaymentID";
    const KNOWN: &'static [&'static str] = &[
        "PaymentID",
        "Invoice",
        "InvoiceNumber",
        "CreditNote",
        "CreditNoteNumber",
        "Prepayment",
        "Overpayment",
        "Account",
        "Amount",
        "Status",
        "Reference",
    ];

    fn list(context: &mut RequestContext<'_>) -> Result<Answer, Answer> {
        context.list_payments()
    }

    fn show(context: &mut RequestContext<'_>, id: &str) -> Result<Answer, Answer> {
        context.show_payment(id)
    }

    fn locate(context: &RequestContext<'_>, id: &str) -> Option<Uuid> {
        Uuid::parse_str(id).ok().filter(|id| context.books.payment(*id).is_some())
    }

    fn save(
        context: &mut RequestContext<'_>,
        element: &Object,
        how: How,
    ) -> Result<Saved, Refusal> {
        let fields = Fields::of(element);
        let id = match (how, fields.id("PaymentID")?) {
            (How::Update(id), _) | (How::Upsert, Some(id)) => {
                delete(context, &fields, id)?;
                id
            }
            (How::Upsert, None) | (How::Create, _) => create(context, &fields)?,
        };
        let rendered = context.books.payment(id).map(|payment| {
            let rendered = context.render_payment(payment, Detail::Full);
            match payment.target {
                PaymentTarget::Credit(Credit::CreditNote(note))
                    if context.unconfirmed.refund_answers_name_note =>
                {
                    name_credit_note(rendered, note)
                }
                PaymentTarget::Credit(_) | PaymentTarget::Invoice(_) => rendered,
            }
        });
        Ok(Saved { rendered: rendered.unwrap_or_default(), warnings: Vec::new() })
    }

    fn echo(element: &Object, messages: &[String]) -> Object {
        let mut echoed = echo(element, Self::ID, messages);
        echoed.set("HasValidationErrors", true);
        echoed
    }
}

/// Names a refunded credit note as what it is instead of as an invoice.
fn name_credit_note(rendered: Object, note: Uuid) -> Object {
    let members = rendered.into_members().filter(|(name, _)| name != "Invoice");
    let others = members.collect::<Object>();
    others.with("CreditNote", Object::new().with("CreditNoteID", note))
}

fn create(context: &mut RequestContext<'_>, fields: &Fields<'_>) -> Result<Uuid, Refusal> {
    if fields.id("PaymentID")?.is_some_and(|id| context.books.payment(id).is_some()) {
        return invalid(&context.unconfirmed.texts.payment_fixed);
    }
    if let Some(word) = fields.text("Status")?
        && word != PaymentStatus::Authorised.as_str()
    {
        return invalid(&format!("'{word}' is not a valid status for a new payment."));
    }
    let intent = Intent {
        target: target(context, fields)?,
        account: context.named_account(fields, "Account")?.map(|account| account.id),
        date: fields.date("Date")?.unwrap_or_else(|| context.today()),
        amount: fields.number("Amount")?.unwrap_or(Decimal::ZERO),
        bank_amount: fields.number("BankAmount")?,
        currency_rate: fields.number("CurrencyRate")?,
        reference: fields.text("Reference")?,
        is_reconciled: fields.boolean("IsReconciled")?.unwrap_or(false),
    };
    let id = context.ids.next();
    let payment = rules::plan(context.books, context.unconfirmed, intent, id, context.now)
        .map_err(Refusal::Invalid)?;
    context.books.put_payment(payment, context.now);
    Ok(id)
}

/// The one document that an element names, by id or by number.
pub(in crate::accounting) fn target(
    context: &RequestContext<'_>,
    fields: &Fields<'_>,
) -> Result<PaymentTarget, Refusal> {
    let texts = &context.unconfirmed.texts;
    let mut named = Vec::new();
    if let Some(invoice) = fields.object("Invoice")? {
        let invoice = Fields::of(invoice);
        named.push(invoice_named(
            context,
            invoice.id("InvoiceID")?,
            invoice.text("InvoiceNumber")?,
        )?);
    }
    if let Some(number) = fields.text("InvoiceNumber")? {
        named.push(invoice_named(context, None, Some(number))?);
    }
    if let Some(note) = fields.object("CreditNote")? {
        let note = Fields::of(note);
        named.push(note_named(context, note.id("CreditNoteID")?, note.text("CreditNoteNumber")?)?);
    }
    if let Some(number) = fields.text("CreditNoteNumber")? {
        named.push(note_named(context, None, Some(number))?);
    }
    for (key, id_key, kind) in [
        ("Prepayment", "PrepaymentID", DepositKind::Prepayment),
        ("Overpayment", "OverpaymentID", DepositKind::Overpayment),
    ] {
        if let Some(deposit) = fields.object(key)? {
            named.push(deposit_named(context, kind, Fields::of(deposit).id(id_key)?)?);
        }
    }
    match named.as_slice() {
        [one] => Ok(*one),
        _ => invalid(&texts.payment_target),
    }
}

fn invoice_named(
    context: &RequestContext<'_>,
    id: Option<Uuid>,
    number: Option<String>,
) -> Result<PaymentTarget, Refusal> {
    let found = match (id, number) {
        (Some(id), _) => context.books.invoice(id),
        (None, Some(number)) => context.find_invoice(&number),
        (None, None) => None,
    };
    match found {
        Some(invoice) => Ok(PaymentTarget::Invoice(invoice.id)),
        None => invalid(&context.unconfirmed.texts.unknown_invoice),
    }
}

fn note_named(
    context: &RequestContext<'_>,
    id: Option<Uuid>,
    number: Option<String>,
) -> Result<PaymentTarget, Refusal> {
    let found = match (id, number) {
        (Some(id), _) => context.books.credit_note(id),
        (None, Some(number)) => context.find_credit_note(&number),
        (None, None) => None,
    };
    match found {
        Some(note) => Ok(PaymentTarget::Credit(Credit::CreditNote(note.id))),
        None => invalid(credit_notes::UNKNOWN),
    }
}

fn deposit_named(
    context: &RequestContext<'_>,
    kind: DepositKind,
    id: Option<Uuid>,
) -> Result<PaymentTarget, Refusal> {
    let found = id.and_then(|id| context.books.deposit(id)).filter(|deposit| deposit.kind == kind);
    match found {
        Some(deposit) => Ok(PaymentTarget::Credit(Credit::of(deposit))),
        None => invalid(&context.unconfirmed.texts.unknown_credit),
    }
}

fn delete(context: &mut RequestContext<'_>, fields: &Fields<'_>, id: Uuid) -> Result<(), Refusal> {
    let texts = &context.unconfirmed.texts;
    let Some(payment) = context.books.payment(id) else {
        return invalid(&texts.unknown_payment);
    };
    if fields.text("Status")?.as_deref() != Some(PaymentStatus::Deleted.as_str()) {
        return invalid(&texts.payment_fixed);
    }
    if let Some(message) = rules::refuses_deletion(context.books, texts, payment) {
        return invalid(&message);
    }
    context.books.delete_payment(id, Clock::of_deletion(context.unconfirmed), context.now);
    Ok(())
}
