//! Creates a batch: one sum for several documents, completely or not at all.

use crate::accounting::RequestContext;
use crate::accounting::fields::{Fields, Refusal, invalid};
use crate::accounting::payments::rules::{self, Intent};
use crate::accounting::payments::target;
use crate::books::batch::BatchPayment;
use crate::books::payment::{Payment, PaymentStatus};
use rust_decimal::Decimal;
use uuid::Uuid;

/// Creates a batch from an element. Returns its id.
pub(super) fn create(
    context: &mut RequestContext<'_>,
    fields: &Fields<'_>,
) -> Result<Uuid, Refusal> {
    let id = context.ids.next();
    let date = fields.date("Date")?.unwrap_or_else(|| context.today());
    let reference = fields.text("Reference")?;
    let account = context.named_account(fields, "Account")?.map(|account| account.id);
    let mut payments: Vec<Payment> = Vec::new();
    let mut messages = Vec::new();
    for part in fields.objects("Payments")?.unwrap_or_default() {
        let part = Fields::of(part);
        let target = target(context, &part)?;
        if payments.iter().any(|earlier| earlier.target == target) {
            messages.push("An invoice can be in a batch only once".to_owned());
            continue;
        }
        let intent = Intent {
            target,
            account,
            date,
            amount: part.number("Amount")?.unwrap_or(Decimal::ZERO),
            bank_amount: part.number("BankAmount")?,
            currency_rate: part.number("CurrencyRate")?,
            reference: part.text("Reference")?.or_else(|| reference.clone()),
            is_reconciled: false,
        };
        let own = context.ids.next();
        match rules::plan(context.books, context.unconfirmed, intent, own, context.now) {
            Ok(payment) => payments.push(Payment { batch: Some(id), ..payment }),
            Err(refused) => messages.extend(refused),
        }
    }
    if !messages.is_empty() {
        return Err(Refusal::Invalid(messages));
    }
    let Some(first) = payments.first() else {
        return invalid("A batch needs a payment");
    };
    let batch = BatchPayment {
        id,
        account: first.account,
        date,
        reference,
        payments: payments.iter().map(|payment| payment.id).collect(),
        status: PaymentStatus::Authorised,
        updated_at: context.now,
    };
    context.books.put_batch(batch, payments, context.now);
    Ok(id)
}
