//! Checks of the tests' own lists: a new kind of record must not be missing from them.

use std::collections::BTreeSet;

use domain::entity::EntityKind;

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
