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
    /// Whether the persons were left out because the contact has no e-mail address.
    pub(super) lacks_email: bool,
}

impl PersonsPlan {
    /// Sentences about persons that were left out.
    pub(super) fn describe_left_out(&self) -> Vec<String> {
        let crowded = "A contact person was left out: Xero accepts at most five for each contact.";
        let lacking = "A contact person was left out: Xero accepts further persons only if the contact has an e-mail address.";
        let remarks = [(self.is_crowded, crowded), (self.lacks_email, lacking)];
        let remarks = remarks.into_iter().filter(|(applies, _)| *applies);
        remarks.map(|(_, remark)| remark.to_owned()).collect()
    }
}

/// What a write does to a contact's e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EmailOutcome {
    /// The contact has an address afterwards.
    Present,
    /// The contact had no address and gets none.
    Missing,
    /// The write clears the address.
    Cleared,
}

impl EmailOutcome {
    /// `sent` is the address in the document, of which an empty text clears the one in Xero,
    /// `remote`.
    pub(super) fn of_write(sent: Option<&str>, remote: Option<&str>) -> Self {
        let has_text = |email: Option<&str>| email.is_some_and(|email| !email.trim().is_empty());
        match (has_text(sent.or(remote)), has_text(remote)) {
            (true, _) => Self::Present,
            (false, false) => Self::Missing,
            (false, true) => Self::Cleared,
        }
    }
}

/// Decides which persons a contact is to have. `written` holds those that this integration wrote,
/// `remote` those that Xero has. Xero adds no person to a contact without an e-mail address; those
/// that such a contact has stay, unless this write clears the address.
pub(super) fn plan_persons(
    desired: &[ContactPerson],
    written: &[ContactPerson],
    remote: &[ContactPerson],
    leads: bool,
    email: EmailOutcome,
) -> PersonsPlan {
    let present = remote.iter().filter(|person| !person.is_empty()).collect::<Vec<_>>();
    let find_present =
        |own: &ContactPerson| present.iter().copied().find(|person| is_same_person(own, person));
    let is_accepted = |own: &&ContactPerson| match email {
        EmailOutcome::Present => true,
        EmailOutcome::Missing => find_present(own).is_some(),
        EmailOutcome::Cleared => false,
    };
    let accepted = desired.iter().filter(is_accepted).collect::<Vec<_>>();
    let lacks_email = accepted.len() < desired.len();
    let is_own = |person: &ContactPerson| {
        written.iter().chain(accepted.iter().copied()).any(|own| is_same_person(own, person))
    };
    let was_changed = written.iter().any(|own| find_present(own).is_none());
    let mut next = present
        .iter()
        .copied()
        .filter(|person| !is_own(person))
        .cloned()
        .collect::<Vec<ContactPerson>>();
    let mut known = accepted
        .iter()
        .copied()
        .filter(|own| leads || !was_changed || find_present(own).is_some())
        .map(|own| find_present(own).unwrap_or(own).clone())
        .collect::<Vec<_>>();
    let is_kept = known.len() < accepted.len();
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
    PersonsPlan { persons, known, is_kept, is_crowded, lacks_email }
}

/// Whether a contact has persons whom other people entered.
pub(super) fn has_persons_of_others(
    desired: &[ContactPerson],
    written: &[ContactPerson],
    remote: &[ContactPerson],
) -> bool {
    let is_own = |person: &ContactPerson| {
        desired.iter().chain(written).any(|own| is_same_person(own, person))
    };
    remote.iter().any(|person| !person.is_empty() && !is_own(person))
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
