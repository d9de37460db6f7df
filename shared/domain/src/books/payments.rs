//! The payments on an invoice in a comparison: how much of it each side counts as paid.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::difference::{DifferenceCode, ReasonList};
use crate::ids::PaymentId;
use crate::invoice_payments::{InvoicePayments, PaymentMatch, ReceivedPayment, RecordedPayment};
use crate::money::{Currency, Money};

/// The amount in this currency. Payments on an invoice are in the invoice's currency.
fn amount_in(money: Money, currency: Currency) -> Decimal {
    if money.currency == currency { money.amount } else { Decimal::ZERO }
}

fn sum_amounts(amounts: impl Iterator<Item = Decimal>) -> Decimal {
    amounts.fold(Decimal::ZERO, Decimal::saturating_add)
}

/// The amount that Xero has of a payment of the CRM, or `None` if Xero does not have it.
fn received_amount(
    payments: &InvoicePayments,
    recorded: &RecordedPayment,
    currency: Currency,
) -> Option<Decimal> {
    let is_same = |received: &&ReceivedPayment| match &received.is {
        PaymentMatch::Same { payment } => *payment == recorded.payment,
        PaymentMatch::Imported | PaymentMatch::Unclear { .. } | PaymentMatch::Removed => false,
    };
    let amounts = payments.received.iter().filter(is_same);
    let amounts: Vec<Decimal> = amounts.map(|one| amount_in(one.amount, currency)).collect();
    (!amounts.is_empty()).then(|| sum_amounts(amounts.into_iter()))
}

/// Whether the CRM counts a payment in Xero although it does not list it among its own: it was
/// imported, or it is a payment of the CRM that this invoice's rows do not contain.
fn counts_as_imported(payments: &InvoicePayments, received: &ReceivedPayment) -> bool {
    match &received.is {
        PaymentMatch::Imported => true,
        PaymentMatch::Same { payment } => {
            !payments.recorded.iter().any(|one| one.payment == *payment)
        }
        PaymentMatch::Unclear { .. } | PaymentMatch::Removed => false,
    }
}

/// The amount that the CRM counts as paid.
pub(super) fn sum_paid_in_crm(payments: &InvoicePayments, currency: Currency) -> Decimal {
    let recorded = payments.recorded.iter().filter(|one| one.is_in_effect());
    let recorded = recorded.map(|one| amount_in(one.amount, currency));
    let imported = payments.received.iter().filter(|one| counts_as_imported(payments, one));
    sum_amounts(recorded.chain(imported.map(|one| amount_in(one.amount, currency))))
}

/// The payments on an invoice, and which of them the integration writes to Xero besides those whose
/// methods it always writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownPayments<'a> {
    pub(super) payments: &'a InvoicePayments,
    pub(super) written: &'a BTreeSet<PaymentId>,
}

impl KnownPayments<'_> {
    fn is_written(&self, recorded: &RecordedPayment) -> bool {
        recorded.method.is_always_pushed() || self.written.contains(&recorded.payment)
    }
}

/// Adds the payments that only one side counts, or that have different amounts.
pub(super) fn add_payment_reasons(
    known: KnownPayments<'_>,
    currency: Currency,
    reasons: &mut ReasonList,
) {
    let payments = known.payments;
    for recorded in &payments.recorded {
        let amount = amount_in(recorded.amount, currency);
        let received = received_amount(payments, recorded, currency);
        match (recorded.is_in_effect(), received) {
            (true, None) if known.is_written(recorded) => {
                reasons.add_amount(DifferenceCode::PaymentNotSent, -amount);
            }
            (true, None) => reasons.add_amount(DifferenceCode::PaymentNotBanked, -amount),
            (true, Some(received)) => {
                let more = received.saturating_sub(amount);
                reasons.add_amount(DifferenceCode::PaymentAmountDiffers, more);
            }
            (false, Some(received)) => {
                reasons.add_amount(DifferenceCode::PaymentDeleted, received);
            }
            (false, None) => {}
        }
    }
    for unclear in payments.unclear_payments() {
        reasons.add_amount(DifferenceCode::PaymentUnclear, amount_in(unclear.amount, currency));
    }
}
