//! Writing bank transactions.

use super::rules;
use crate::accounting::RequestContext;
use crate::accounting::documents::lines::{self, Accounts, Discounts, Terms};
use crate::accounting::documents::render::Detail;
use crate::accounting::documents::{contact, currency, pricing, texts};
use crate::accounting::fields::{Fields, Refusal, echo, invalid};
use crate::accounting::saving::{Collection, How, Saved};
use crate::answer::Answer;
use crate::books::contact::Contact;
use crate::books::transaction::{BankTransaction, TransactionKind, TransactionStatus};
use crate::json::Object;
use crate::money::LineAmounts;
use rust_decimal::Decimal;
use uuid::Uuid;

/// The collection.
#[derive(Debug)]
pub(in crate::accounting) enum BankTransactions {}

/// A transaction to be saved.
struct Planned {
    transaction: BankTransaction,
    /// Its contact, if the element creates or changes it.
    contact: Option<Contact>,
    messages: Vec<String>,
}

impl Collection for BankTransactions {
    const NAME: &'static str = "BankTransactions";
    const SINGULAR: &'static str = "BankTransaction";
    const ID: &'static str = "BankTransactionID";
    const KNOWN: &'static [&'static str] = &[
        "BankTransactionID",
        "Type",
        "BankAccount",
        "Contact",
        "LineItems",
        "Status",
        "Reference",
    ];

    fn list(context: &mut RequestContext<'_>) -> Result<Answer, Answer> {
        context.list_transactions()
    }

    fn show(context: &mut RequestContext<'_>, id: &str) -> Result<Answer, Answer> {
        context.show_transaction(id)
    }

    fn locate(context: &RequestContext<'_>, id: &str) -> Option<Uuid> {
        Uuid::parse_str(id).ok().filter(|id| context.books.transaction(*id).is_some())
    }

    fn save(
        context: &mut RequestContext<'_>,
        element: &Object,
        how: How,
    ) -> Result<Saved, Refusal> {
        let fields = Fields::of(element);
        let id = match (how, fields.id("BankTransactionID")?) {
            (How::Update(id), _) | (How::Upsert, Some(id)) => change(context, &fields, id)?,
            (How::Upsert, None) | (How::Create, _) => {
                let planned = plan_new(context, &fields)?;
                keep(context, planned)?
            }
        };
        let rendered = context
            .books
            .transaction(id)
            .map(|transaction| context.render_transaction(transaction, Detail::Full));
        Ok(Saved { rendered: rendered.unwrap_or_default(), warnings: Vec::new() })
    }

    fn echo(element: &Object, messages: &[String]) -> Object {
        echo(element, Self::ID, messages)
    }
}

/// Saves a valid plan.
fn keep(context: &mut RequestContext<'_>, mut planned: Planned) -> Result<Uuid, Refusal> {
    let checked = rules::check(context.books, &context.unconfirmed.texts, &planned.transaction);
    planned.messages.extend(checked);
    if !planned.messages.is_empty() {
        return Err(Refusal::Invalid(planned.messages));
    }
    if let Some(contact) = planned.contact {
        context.books.put_contact(contact);
    }
    let id = planned.transaction.id;
    context.books.put_transaction(planned.transaction);
    Ok(id)
}

/// Deletes or changes an existing transaction.
fn change(
    context: &mut RequestContext<'_>,
    fields: &Fields<'_>,
    id: Uuid,
) -> Result<Uuid, Refusal> {
    let texts = &context.unconfirmed.texts;
    let Some(existing) = context.books.transaction(id).cloned() else {
        return invalid(&texts.unknown_transaction);
    };
    if let Some(message) = rules::refuses_change(context.books, texts, &existing) {
        return invalid(&message);
    }
    if fields.text("Status")?.as_deref() == Some(TransactionStatus::Deleted.as_str()) {
        context.books.delete_transaction(id, context.now);
        return Ok(id);
    }
    if existing.deposit.is_some() {
        return invalid(&texts.deposit_fixed);
    }
    if fields.text("Type")?.is_some_and(|word| word != existing.kind.as_str()) {
        return invalid("The type of a bank transaction cannot be changed.");
    }
    let mut planned = Planned {
        transaction: BankTransaction { updated_at: context.now, ..existing },
        contact: None,
        messages: Vec::new(),
    };
    if let Some(chosen) = contact::named(context, fields)? {
        planned.messages.extend(chosen.messages(context));
        planned.transaction.contact = chosen.id();
        planned.contact = chosen.into_changed();
    }
    apply(context, &mut planned, fields)?;
    keep(context, planned)
}

fn plan_new(context: &mut RequestContext<'_>, fields: &Fields<'_>) -> Result<Planned, Refusal> {
    let Some(kind) = fields.text("Type")?.as_deref().and_then(TransactionKind::parse) else {
        return invalid(
            "The type must be SPEND, RECEIVE, RECEIVE-OVERPAYMENT or RECEIVE-PREPAYMENT.",
        );
    };
    if fields.text("Status")?.is_some_and(|word| word != TransactionStatus::Authorised.as_str()) {
        return invalid("A new bank transaction must be AUTHORISED.");
    }
    let Some(chosen) = contact::named(context, fields)? else {
        return invalid("A Contact must be specified for this type of transaction");
    };
    let transaction = blank(context, kind, chosen.id());
    let mut planned =
        Planned { transaction, messages: chosen.messages(context), contact: chosen.into_changed() };
    apply(context, &mut planned, fields)?;
    Ok(planned)
}

/// A transaction before the element is applied.
fn blank(
    context: &mut RequestContext<'_>,
    kind: TransactionKind,
    contact: Uuid,
) -> BankTransaction {
    BankTransaction {
        id: context.ids.next(),
        kind,
        account: Uuid::nil(),
        contact,
        date: context.today(),
        reference: None,
        url: None,
        line_amounts: if context.unconfirmed.bank_lines_include_tax {
            LineAmounts::Inclusive
        } else {
            LineAmounts::Exclusive
        },
        currency: context.books.organisation.base_currency.clone(),
        currency_rate: Decimal::ONE,
        lines: Vec::new(),
        sub_total: Decimal::ZERO,
        total_tax: Decimal::ZERO,
        total: Decimal::ZERO,
        is_reconciled: false,
        status: TransactionStatus::Authorised,
        deposit: kind.deposit().map(|_| context.ids.next()),
        updated_at: context.now,
        created_by: Some(context.app.client_id.clone()),
    }
}

/// Applies the members that both new and existing transactions accept.
fn apply(
    context: &mut RequestContext<'_>,
    planned: &mut Planned,
    fields: &Fields<'_>,
) -> Result<(), Refusal> {
    let Planned { transaction, messages, .. } = planned;
    apply_account(context, transaction, fields)?;
    let BankTransaction { currency, currency_rate, .. } = transaction;
    currency::apply(context, fields, currency, currency_rate, messages)?;
    transaction.date = fields.date("Date")?.unwrap_or(transaction.date);
    texts::reference(fields, &mut transaction.reference, messages)?;
    texts::link(fields, &mut transaction.url, messages)?;
    transaction.is_reconciled =
        fields.boolean("IsReconciled")?.unwrap_or(transaction.is_reconciled);
    let before = transaction.line_amounts;
    texts::line_amounts(fields, &mut transaction.line_amounts)?;
    let accounts = match transaction.kind {
        TransactionKind::Spend | TransactionKind::Receive | TransactionKind::ReceivePrepayment => {
            Accounts::Open
        }
        // Xero: an overpayment goes to accounts receivable and has no tax.
        TransactionKind::ReceiveOverpayment => {
            transaction.line_amounts = LineAmounts::NoTax;
            Accounts::Debtors
        }
    };
    let line_amounts = transaction.line_amounts;
    let terms = Terms { line_amounts, accounts, discounts: Discounts::Refused };
    match fields.objects("LineItems")?.filter(|sent| !sent.is_empty()) {
        Some(sent) => {
            transaction.lines = lines::read(context, &transaction.lines, &sent, terms, messages)?;
        }
        None if before != line_amounts => {
            pricing::tax_again(context, &mut transaction.lines, line_amounts);
        }
        None => {}
    }
    if transaction.lines.is_empty() {
        messages.push("One or more line items must be specified".to_owned());
    }
    messages.extend(transaction.lines.iter().filter_map(lines::unfinished));
    transaction.sum();
    Ok(())
}

/// Reads the bank account, which determines the currency.
fn apply_account(
    context: &RequestContext<'_>,
    transaction: &mut BankTransaction,
    fields: &Fields<'_>,
) -> Result<(), Refusal> {
    let organisation = &context.books.organisation;
    let named = context.named_account(fields, "BankAccount")?;
    if let Some(account) = named {
        transaction.account = account.id;
        let code = account.currency.as_ref().unwrap_or(&organisation.base_currency);
        let is_new = *code != transaction.currency;
        if let Some(currency) = organisation.currency(code).filter(|_| is_new) {
            transaction.currency.clone_from(code);
            transaction.currency_rate = currency.day_rate;
        }
    } else if fields.object("BankAccount")?.is_some() {
        transaction.account = Uuid::nil();
    }
    Ok(())
}
