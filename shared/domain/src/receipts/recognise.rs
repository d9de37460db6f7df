//! Whether a payment in Xero is one that the CRM recorded.

use std::collections::BTreeSet;

use super::{CANDIDATES_MAX, Receipts, Received, Recorded, Standpoint};
use crate::ids::PaymentId;

/// Money that was taken on a day is on the bank's statement within a week.
const DAYS_TO_THE_BANK: i32 = 7;
/// A month later, the same amount may be something else.
const DAYS_OF_DOUBT: i32 = 45;

/// What a payment in Xero, which is not known yet, is to the CRM.
pub(super) fn recognise(receipts: &Receipts, received: &Received) -> Standpoint {
    let taken: BTreeSet<&PaymentId> =
        receipts.received.iter().filter_map(Received::same_as).collect();
    let others = receipts.received.iter().filter(|other| other.id != received.id);
    let taken_by_others: BTreeSet<&PaymentId> = others.filter_map(Received::same_as).collect();
    let free = receipts.recorded.iter().filter(|one| one.stands() && !taken.contains(&one.payment));
    // Ours carries its payment's name, whatever became of the rest.
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
    // Several of one amount are as good as each other: the nearest day decides, then which came first.
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

/// Whether a reference in Xero says which payment of the CRM it is.
fn names(reference: &str, recorded: &Recorded) -> bool {
    let (reference, wanted) = (fold(reference), recorded.reference.as_deref().map(fold));
    // A short number is a part of many a text.
    wanted.filter(|wanted| !wanted.is_empty()).is_some_and(|wanted| {
        reference == wanted || (wanted.len() >= 5 && reference.contains(&wanted))
    })
}

/// Whether both sides name something, and not the same.
fn contradicts(reference: &str, recorded: &Recorded) -> bool {
    let wanted = recorded.reference.as_deref().map(fold).unwrap_or_default();
    !fold(reference).is_empty() && !wanted.is_empty() && !names(reference, recorded)
}

/// Without what people write in one place and leave out in another.
fn fold(text: &str) -> String {
    text.chars().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn days_between(recorded: &Recorded, received: &Received) -> i32 {
    let Some(date) = received.date else { return i32::MAX };
    date.since(recorded.date).map_or(i32::MAX, |span| span.get_days().saturating_abs())
}
