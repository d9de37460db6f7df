//! The further persons of a contact. Xero replaces the whole list, so those that other people
//! entered are sent again.

use crate::document::contact::{ContactPerson, PERSONS_MAX};
use crate::spelling::compose_accents;

/// What happens to the further persons of a contact.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PersonsPlan {
    /// The list to send; `None` keeps the list in Xero.
    pub(super) persons: Option<Vec<ContactPerson>>,
    /// The persons of this integration that the contact then has.
    pub(super) known: Vec<ContactPerson>,
    /// Whether a person stays as it was changed in Xero.
    pub(super) is_kept: bool,
    /// Whether a person was left out because the contact has no room for it.
    pub(super) is_crowded: bool,
}

/// Decides which persons a contact is to have. `written` holds those that this integration wrote,
/// `remote` those that Xero has.
pub(super) fn plan_persons(
    desired: &[ContactPerson],
    written: &[ContactPerson],
    remote: &[ContactPerson],
    leads: bool,
) -> PersonsPlan {
    let present = remote.iter().filter(|person| !person.is_empty()).collect::<Vec<_>>();
    let find_present =
        |own: &ContactPerson| present.iter().copied().find(|person| is_same_person(own, person));
    let is_own = |person: &ContactPerson| {
        written.iter().chain(desired).any(|own| is_same_person(own, person))
    };
    let was_changed = written.iter().any(|own| find_present(own).is_none());
    let mut next = present
        .iter()
        .copied()
        .filter(|person| !is_own(person))
        .cloned()
        .collect::<Vec<ContactPerson>>();
    let mut known = desired
        .iter()
        .filter(|own| leads || !was_changed || find_present(own).is_some())
        .map(|own| find_present(own).unwrap_or(own).clone())
        .collect::<Vec<_>>();
    let is_kept = known.len() < desired.len();
    let room = PERSONS_MAX.saturating_sub(next.len());
    let is_crowded = known.len() > room;
    known.truncate(room);
    next.extend(known.iter().cloned());
    let is_unchanged =
        next.len() == present.len() && next.iter().all(|person| present.contains(&person));
    let persons = if is_unchanged {
        None
    } else if next.is_empty() {
        Some(vec![ContactPerson::default()])
    } else {
        Some(next)
    };
    PersonsPlan { persons, known, is_kept, is_crowded }
}

/// Whether two lists hold the same persons in the same order.
pub(super) fn are_same_persons(some: &[ContactPerson], others: &[ContactPerson]) -> bool {
    some.len() == others.len()
        && some.iter().zip(others).all(|(one, other)| is_same_person(one, other))
}

/// Whether two persons have the same name and e-mail address. People may decide in Xero whether the
/// person receives invoices.
fn is_same_person(one: &ContactPerson, other: &ContactPerson) -> bool {
    let names = |person: &ContactPerson| {
        let names = [person.first_name.as_deref(), person.last_name.as_deref()];
        compose_accents(&names.into_iter().flatten().collect::<Vec<_>>().join(" "))
    };
    let email = |person: &ContactPerson| {
        person.email_address.as_deref().unwrap_or_default().trim().to_ascii_lowercase()
    };
    names(one).split_whitespace().eq(names(other).split_whitespace()) && email(one) == email(other)
}
