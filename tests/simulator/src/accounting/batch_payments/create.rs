//! Creates a batch: one sum for several documents, completely or not at all.

use crate::accounting::Desk;
use crate::accounting::fields::{Fields, Refusal, invalid};
use crate::accounting::payments::rules::{self, Intent};
use crate::accounting::payments::target;
use crate::books::batch::BatchPayment;
use crate::books::payment::{Payment, PaymentStatus};
use rust_decimal::Decimal;
use uuid::Uuid;

/// Creates a batch from an element. Returns its id.
pub(super) fn create(desk: &mut Desk<'_>, fields: &Fields<'_>) -> Result<Uuid, Refusal> {
    let id = desk.ids.next();
    let date = fields.date("Date")?.unwrap_or_else(|| desk.today());
    let reference = fields.text("Reference")?;
    let account = desk.named_account(fields, "Account")?.map(|account| account.id);
    let mut payments: Vec<Payment> = Vec::new();
    let mut messages = Vec::new();
    for part in fields.objects("Payments")?.unwrap_or_default() {
        let part = Fields::of(part);
        let target = target(desk, &part)?;
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
        let own = desk.ids.next();
        match rules::plan(desk.books, desk.unconfirmed, intent, own, desk.now) {
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
        updated_at: desk.now,
    };
    desk.books.put_batch(batch, payments, desk.now);
    Ok(id)
}
