//! The decision whether a payment in Xero is one that the CRM recorded.

use std::collections::BTreeSet;

use super::{CANDIDATES_MAX, Receipts, Received, Recorded, Standpoint};
use crate::ids::PaymentId;

/// The number of days within which a payment appears on the bank statement.
const DAYS_TO_THE_BANK: i32 = 7;
/// The number of days after which a payment of the same amount counts as a different one. Between
/// the two limits the match is unclear.
const DAYS_OF_DOUBT: i32 = 45;

/// Decides what a new payment in Xero is to the CRM.
pub(super) fn recognise(receipts: &Receipts, received: &Received) -> Standpoint {
    let taken: BTreeSet<&PaymentId> =
        receipts.received.iter().filter_map(Received::same_as).collect();
    let others = receipts.received.iter().filter(|other| other.id != received.id);
    let taken_by_others: BTreeSet<&PaymentId> = others.filter_map(Received::same_as).collect();
    let free = receipts.recorded.iter().filter(|one| one.stands() && !taken.contains(&one.payment));
    // The reference alone identifies a pushed payment, whatever else was changed in Xero.
    let reference = received.reference.as_deref().unwrap_or_default();
    let ours = receipts.recorded.iter().find(|one| {
        let has_another = taken_by_others.contains(&one.payment);
        !has_another && one.tag().is_some_and(|tag| tag == reference)
    });
    if let Some(ours) = ours {
        return same(&ours.payment);
    }
    let free = free.filter(|one| !one.method.is_pushed() && one.amount == received.amount);
    let free = free.collect::<Vec<_>>();
    if let Some(named) = free.iter().find(|one| names(reference, one)) {
        return same(&named.payment);
    }
    let days = |one: &&&Recorded| days_between(one, received);
    // Payments of the same amount are interchangeable: the nearest date decides, then the order of
    // arrival.
    let near =
        free.iter().filter(|one| days(one) <= DAYS_TO_THE_BANK && !contradicts(reference, one));
    if let Some(nearest) = near.min_by_key(days) {
        return same(&nearest.payment);
    }
    let doubtful = free.iter().filter(|one| days(one) <= DAYS_OF_DOUBT);
    let candidates = doubtful.map(|one| one.payment.clone()).take(CANDIDATES_MAX);
    let candidates = candidates.collect::<Vec<_>>();
    if candidates.is_empty() { Standpoint::Imported } else { Standpoint::Unclear { candidates } }
}

fn same(payment: &PaymentId) -> Standpoint {
    Standpoint::Same { payment: payment.clone() }
}

/// Whether a reference in Xero identifies this payment of the CRM.
fn names(reference: &str, recorded: &Recorded) -> bool {
    let (reference, wanted) = (fold(reference), recorded.reference.as_deref().map(fold));
    // A short number occurs within many other texts.
    wanted.filter(|wanted| !wanted.is_empty()).is_some_and(|wanted| {
        reference == wanted || (wanted.len() >= 5 && reference.contains(&wanted))
    })
}

/// Whether both sides have an identifier and the two differ.
fn contradicts(reference: &str, recorded: &Recorded) -> bool {
    let wanted = recorded.reference.as_deref().map(fold).unwrap_or_default();
    !fold(reference).is_empty() && !wanted.is_empty() && !names(reference, recorded)
}

/// The text without the characters that people write in one place and omit in another.
fn fold(text: &str) -> String {
    text.chars().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn days_between(recorded: &Recorded, received: &Received) -> i32 {
    let Some(date) = received.date else { return i32::MAX };
    date.since(recorded.date).map_or(i32::MAX, |span| span.get_days().saturating_abs())
}
