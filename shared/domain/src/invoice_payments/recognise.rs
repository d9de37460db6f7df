//! The decision whether a payment in Xero is one that the CRM recorded.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::{CANDIDATES_MAX, InvoicePayments, PaymentMatch, ReceivedPayment, RecordedPayment};
use crate::ids::PaymentId;
use crate::spelling::compose_accents;

/// The number of days within which a payment appears on the bank statement.
const DAYS_TO_THE_BANK: i32 = 7;
/// The number of days after which a payment of the same amount counts as a different one. Between
/// the two limits the match is unclear.
pub(super) const DAYS_OF_DOUBT: i32 = 45;

/// Decides how a new payment in Xero relates to the CRM's payments.
pub(super) fn recognise_payment(
    payments: &InvoicePayments,
    received: &ReceivedPayment,
) -> PaymentMatch {
    let taken: BTreeSet<&PaymentId> =
        payments.received.iter().filter_map(ReceivedPayment::same_as).collect();
    let others = payments.received.iter().filter(|other| other.id != received.id);
    let taken_by_others: BTreeSet<&PaymentId> =
        others.filter_map(ReceivedPayment::same_as).collect();
    let free =
        payments.recorded.iter().filter(|one| one.is_in_effect() && !taken.contains(&one.payment));
    // The reference alone identifies a pushed payment, whatever else was changed in Xero.
    let reference = received.reference.as_deref().unwrap_or_default();
    let ours = payments.recorded.iter().find(|one| {
        let has_another = taken_by_others.contains(&one.payment);
        !has_another && one.is_written_as(received)
    });
    if let Some(ours) = ours {
        return same_payment(&ours.payment);
    }
    let expected = free.filter(|one| !one.method.is_always_pushed()).collect::<Vec<_>>();
    let free = expected.iter().copied().filter(|one| one.amount == received.amount);
    let free = free.collect::<Vec<_>>();
    // One number may occur within another, so the longest decides, then the order of arrival.
    let named = free.iter().rev().filter(|one| names_payment(reference, one));
    if let Some(named) = named.max_by_key(|one| reference_length(one)) {
        return same_payment(&named.payment);
    }
    let days = |one: &&&RecordedPayment| days_between(one, received);
    // Payments of the same amount are interchangeable: the nearest date decides, then the order of
    // arrival.
    let near = free
        .iter()
        .filter(|one| days(one) <= DAYS_TO_THE_BANK && !contradicts_reference(reference, one));
    if let Some(nearest) = near.min_by_key(days) {
        return same_payment(&nearest.payment);
    }
    let doubtful = free.iter().filter(|one| days(one) <= DAYS_OF_DOUBT);
    let candidates = doubtful.map(|one| one.payment.clone()).take(CANDIDATES_MAX);
    let mut candidates = candidates.collect::<Vec<_>>();
    if candidates.is_empty() {
        candidates = find_of_other_total(payments, &expected, received);
    }
    if candidates.is_empty() {
        candidates = find_banked_together(&expected, received);
    }
    if candidates.is_empty() {
        PaymentMatch::Imported
    } else {
        PaymentMatch::Unclear { candidates }
    }
}

impl InvoicePayments {
    /// Whether a payment in Xero differs from one of the CRM exactly as the totals of the invoice
    /// do. The customer paid the total of the CRM, and a bookkeeper entered what Xero has as due.
    pub(super) fn differs_as_totals(
        &self,
        recorded: &RecordedPayment,
        received: &ReceivedPayment,
    ) -> bool {
        self.total_difference.is_some()
            && received.amount.checked_sub(recorded.amount) == self.total_difference
    }
}

/// The payments of the CRM that a payment in Xero may be, although its amount differs by the
/// difference of the totals.
fn find_of_other_total(
    payments: &InvoicePayments,
    expected: &[&RecordedPayment],
    received: &ReceivedPayment,
) -> Vec<PaymentId> {
    let possible = expected.iter().filter(|one| {
        payments.differs_as_totals(one, received) && days_between(one, received) <= DAYS_OF_DOUBT
    });
    possible.map(|one| one.payment.clone()).take(CANDIDATES_MAX).collect()
}

/// The payments of the CRM that may have been banked as one: all those on the invoice that Xero does
/// not have yet, if there are several, and the payment in Xero is their sum.
fn find_banked_together(
    expected: &[&RecordedPayment],
    received: &ReceivedPayment,
) -> Vec<PaymentId> {
    let near = expected.iter().filter(|one| {
        one.amount.currency == received.amount.currency
            && days_between(one, received) <= DAYS_OF_DOUBT
    });
    let near = near.collect::<Vec<_>>();
    let sum: Decimal = near.iter().map(|one| one.amount.amount).sum();
    if !(2..=CANDIDATES_MAX).contains(&near.len()) || sum != received.amount.amount {
        return Vec::new();
    }
    near.into_iter().map(|one| one.payment.clone()).collect()
}

fn same_payment(payment: &PaymentId) -> PaymentMatch {
    PaymentMatch::Same { payment: payment.clone() }
}

/// Whether a reference in Xero identifies this payment of the CRM.
fn names_payment(reference: &str, recorded: &RecordedPayment) -> bool {
    let (reference, wanted) =
        (fold_reference(reference), recorded.reference.as_deref().map(fold_reference));
    // A short number occurs within many other texts.
    wanted.filter(|wanted| !wanted.is_empty()).is_some_and(|wanted| {
        reference == wanted || (wanted.chars().count() >= 5 && reference.contains(&wanted))
    })
}

fn reference_length(recorded: &RecordedPayment) -> usize {
    recorded.reference.as_deref().map_or(0, |text| fold_reference(text).chars().count())
}

/// Whether both sides have an identifier and the two differ.
fn contradicts_reference(reference: &str, recorded: &RecordedPayment) -> bool {
    let wanted = recorded.reference.as_deref().map(fold_reference).unwrap_or_default();
    !fold_reference(reference).is_empty()
        && !wanted.is_empty()
        && !names_payment(reference, recorded)
}

/// The text without the characters that people write in one place and omit in another.
fn fold_reference(text: &str) -> String {
    let letters = compose_accents(text);
    letters.chars().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The number of days between two payments. A payment in Xero whose date cannot be read may be of any
/// day, so the match is unclear.
pub(super) fn days_between(recorded: &RecordedPayment, received: &ReceivedPayment) -> i32 {
    let Some(date) = received.date else { return DAYS_OF_DOUBT };
    date.since(recorded.date).map_or(i32::MAX, |span| span.get_days().saturating_abs())
}
