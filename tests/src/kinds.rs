//! The functions that push the kinds, and checks of the tests' own lists: a new kind of record must
//! not be missing from them.

use std::collections::BTreeSet;

use domain::entity::EntityKind;
use engine::inbound::PushFunction;

/// The function that serves the queues of a kind.
pub const fn function_of(kind: EntityKind) -> PushFunction {
    match kind {
        EntityKind::Contact => PushFunction::CONTACTS,
        EntityKind::Invoice => PushFunction::INVOICES,
        EntityKind::CreditNote | EntityKind::Allocation => PushFunction::CREDIT_NOTES,
        EntityKind::Payment => PushFunction::PAYMENTS,
    }
}

/// Asserts that these are all kinds of records.
///
/// # Panics
///
/// If a kind is missing.
pub fn assert_every_kind(kinds: impl IntoIterator<Item = EntityKind>) {
    let kinds = kinds.into_iter().collect::<BTreeSet<_>>();
    let missing = EntityKind::ALL.into_iter().filter(|kind| !kinds.contains(kind));
    let missing = missing.collect::<Vec<_>>();
    assert!(missing.is_empty(), "not tested here: {missing:?}");
}

/// Asserts that these are all kinds that have queues of their own.
///
/// # Panics
///
/// If a kind is missing.
pub fn assert_every_queue(kinds: impl IntoIterator<Item = EntityKind>) {
    let kinds = kinds.into_iter().collect::<BTreeSet<_>>();
    let served = EntityKind::ALL.into_iter().filter(|kind| kind.queue_kind() == *kind);
    let missing = served.filter(|kind| !kinds.contains(kind)).collect::<Vec<_>>();
    assert!(missing.is_empty(), "not tested here: {missing:?}");
}
