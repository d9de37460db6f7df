//! The rules that refuse to create or delete a payment, the same for callers and for bookkeepers.

use crate::accounting::invoices::locked;
use crate::books::Books;
use crate::books::batch::BatchPayment;
use crate::books::payable::Payable;
use crate::books::payment::{Payment, PaymentStatus, PaymentTarget};
use crate::money::round;
use crate::organisation::{Account, AccountKind, RowStatus};
use crate::settings::{Texts, Unconfirmed};
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

/// The refusal of a payment of a document that is not approved, or of one that is paid in full.
const NOT_APPROVED: &str = "Payments can only be made against Authorised documents";
/// The refusal of a payment of more than is outstanding.
const TOO_MUCH: &str = "Payment amount exceeds the amount outstanding on this document";

/// The refusal to delete one payment of a batch: recorded live.
pub(crate) const IN_A_BATCH: &str = "Payments within a batch cannot be deleted.";

/// A requested payment.
#[derive(Clone, Debug)]
pub(crate) struct Intent {
    pub(crate) target: PaymentTarget,
    /// `None` if the named account does not exist, or none is named.
    pub(crate) account: Option<Uuid>,
    pub(crate) date: Date,
    pub(crate) amount: Decimal,
    /// The amount in the account's currency, if it is given.
    pub(crate) bank_amount: Option<Decimal>,
    /// By default the rate of the day.
    pub(crate) currency_rate: Option<Decimal>,
    pub(crate) reference: Option<String>,
    pub(crate) is_reconciled: bool,
}

/// The resulting payment, or everything that is wrong with it.
pub(crate) fn plan(
    books: &Books,
    unconfirmed: &Unconfirmed,
    intent: Intent,
    id: Uuid,
    now: Timestamp,
) -> Result<Payment, Vec<String>> {
    let texts = &unconfirmed.texts;
    let Some(payable) = books.payable(intent.target) else {
        return Err(vec![unknown(texts, intent.target)]);
    };
    let amount = round(intent.amount, 2, unconfirmed.rounding);
    let mut messages = Vec::new();
    // Xero returns both messages for a document that is paid in full: recorded live.
    if !payable.is_open {
        messages.push(NOT_APPROVED.to_owned());
    }
    if amount <= Decimal::ZERO {
        messages.push(texts.payment_amount.clone());
    }
    if amount > payable.outstanding {
        messages.push(TOO_MUCH.to_owned());
    }
    messages.extend(locked(books, texts, intent.date));
    let account = intent.account.and_then(|id| books.account(id)).filter(|one| takes_payments(one));
    let exchanged =
        account.map(|account| exchange(books, unconfirmed, &payable, account, amount, &intent));
    let (account, exchanged) = match (account, exchanged) {
        (Some(account), Some(Some(exchanged))) => (account, exchanged),
        (Some(_), _) => {
            messages.push(texts.payment_currency.clone());
            return Err(messages);
        }
        (None, _) => {
            messages.push(texts.payment_account.clone());
            return Err(messages);
        }
    };
    if !messages.is_empty() {
        return Err(messages);
    }
    Ok(Payment {
        id,
        target: intent.target,
        account: account.id,
        date: intent.date,
        amount,
        bank_amount: exchanged.bank_amount,
        currency_rate: exchanged.rate,
        reference: intent.reference,
        is_reconciled: intent.is_reconciled,
        batch: None,
        status: PaymentStatus::Authorised,
        updated_at: now,
    })
}

/// The reasons why a payment cannot be deleted over the API.
pub(crate) fn refuses_deletion(books: &Books, texts: &Texts, payment: &Payment) -> Option<String> {
    if payment.status == PaymentStatus::Deleted {
        Some(texts.payment_deleted.clone())
    } else if payment.batch.is_some() {
        Some(IN_A_BATCH.to_owned())
    } else if payment.is_reconciled {
        Some(texts.payment_reconciled.clone())
    } else {
        locked(books, texts, payment.date)
    }
}

/// The reasons why a batch cannot be deleted over the API.
pub(crate) fn refuses_batch_deletion(
    books: &Books,
    texts: &Texts,
    batch: &BatchPayment,
) -> Option<String> {
    if batch.status == PaymentStatus::Deleted {
        Some(texts.payment_deleted.clone())
    } else if books.payments_in(batch).any(|payment| payment.is_reconciled) {
        Some(texts.payment_reconciled.clone())
    } else {
        locked(books, texts, batch.date)
    }
}

/// Xero: a bank account, or one that has payments enabled.
fn takes_payments(account: &Account) -> bool {
    account.status == RowStatus::Active
        && (account.kind == AccountKind::Bank || account.takes_payments)
}

fn unknown(texts: &Texts, target: PaymentTarget) -> String {
    match target {
        PaymentTarget::Invoice(_) => texts.unknown_invoice.clone(),
        PaymentTarget::Credit(_) => texts.unknown_credit.clone(),
    }
}

/// An amount as credited to an account.
struct Exchanged {
    bank_amount: Decimal,
    rate: Decimal,
}

/// An amount in the account's currency. `None` if there is no rate between the two, or the result
/// is out of range.
fn exchange(
    books: &Books,
    unconfirmed: &Unconfirmed,
    payable: &Payable<'_>,
    account: &Account,
    amount: Decimal,
    intent: &Intent,
) -> Option<Exchanged> {
    let organisation = &books.organisation;
    let base = organisation.base_currency.as_str();
    let bank = account.currency.as_deref().unwrap_or(base);
    // The currency of the rate: rates are always against the base currency.
    let foreign = if payable.currency == base { bank } else { payable.currency };
    if foreign == base {
        return Some(Exchanged { bank_amount: amount, rate: Decimal::ONE });
    }
    let day_rate = organisation.currency(foreign).map(|currency| currency.day_rate);
    let places = if unconfirmed.rates_keep_six_places { 6 } else { 10 };
    let sent = intent.currency_rate.map(|rate| round(rate, places, unconfirmed.rounding));
    let rate = sent.filter(|rate| *rate > Decimal::ZERO).or(day_rate)?;
    let converted = if payable.currency == bank {
        amount
    } else if let Some(said) = intent.bank_amount.filter(|said| *said > Decimal::ZERO) {
        said
    } else if bank == base {
        amount.checked_div(rate)?
    } else if payable.currency == base {
        amount.checked_mul(rate)?
    } else {
        return None;
    };
    Some(Exchanged { bank_amount: round(converted, 2, unconfirmed.rounding), rate })
}
