//! The findings for one client among all contacts, and the result if there were no other clients.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::contacts::{KnownContact, OrganisationContacts};
use super::marks::{IdentityMarks, named_client};
use super::{
    CANDIDATES_MAX, ClientIdentity, ContactCandidate, ContactMatch, MatchDoubt, MatchEvidence,
};
use crate::ids::{CrmId, XeroContactId};

/// The maximum number of contacts that are examined for one mark. It limits the cost when thousands
/// of clients and contacts share a mark, such as an e-mail address.
pub(super) const LOOKED_AT_MAX: usize = 50;

/// The marks of all contacts, sorted. Under each mark, usable contacts come first.
pub(super) struct MarkIndex<'a> {
    contacts: &'a OrganisationContacts,
    held: BTreeMap<XeroContactId, &'a CrmId>,
    rows: BTreeSet<MarkRow<'a>>,
}

/// A mark, and a contact that has it after merges.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct MarkRow<'a> {
    by: MatchEvidence,
    mark: &'a str,
    standing: ContactUsability,
    contact: XeroContactId,
}

/// The status of a contact, independent of any client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ContactUsability {
    Free,
    Taken,
    Archived,
}

/// The findings for a client.
struct MarkFindings<'a> {
    marks: IdentityMarks,
    found: Vec<MarkFinding<'a>>,
    /// The marks that more usable contacts have than were examined.
    crowded: BTreeSet<MatchEvidence>,
}

struct MarkFinding<'a> {
    id: XeroContactId,
    contact: &'a KnownContact,
    strongest: MatchEvidence,
    by: BTreeSet<MatchEvidence>,
    /// The other client that it belongs to.
    owner: Option<CrmId>,
}

impl<'a> MarkIndex<'a> {
    pub(super) fn new(
        contacts: &'a OrganisationContacts,
        held: &'a BTreeMap<XeroContactId, CrmId>,
    ) -> Self {
        let mut holders = held.iter().map(|(id, owner)| (*id, owner)).collect::<BTreeMap<_, _>>();
        for (id, owner) in held {
            // A client that is linked to a merged contact is linked to the contact it was merged
            // into.
            holders.entry(contacts.after_merges(*id)).or_insert(owner);
        }
        let mut index = Self { contacts, held: holders, rows: BTreeSet::new() };
        for (id, contact) in contacts.iter() {
            let last = contacts.after_merges(id);
            let standing = index.contact_usability(last);
            index.rows.extend(contact.marks.iter_marks().map(|(by, mark)| MarkRow {
                by,
                mark,
                standing,
                contact: last,
            }));
        }
        index
    }

    /// The result for a client if no other client matches the same contact.
    pub(super) fn review_client(&self, party: &ClientIdentity) -> ContactMatch {
        let findings = self.look_up(party);
        if findings.found.is_empty() {
            return ContactMatch::Missing;
        }
        let (found, by) = match findings.best_finding() {
            Ok(best) => best,
            Err(why) => return findings.ambiguous_match(None, why),
        };
        match findings.find_contradiction(found) {
            Some(field) => {
                findings.ambiguous_match(Some(found.id), MatchDoubt::Contradiction { field })
            }
            None => ContactMatch::Confident { contact: found.id, by },
        }
    }

    /// The result for a client whose match another client matches as well.
    pub(super) fn contested_match(
        &self,
        party: &ClientIdentity,
        contact: XeroContactId,
        why: MatchDoubt,
    ) -> ContactMatch {
        self.look_up(party).ambiguous_match(Some(contact), why)
    }

    fn look_up(&self, party: &ClientIdentity) -> MarkFindings<'a> {
        let marks = IdentityMarks::from(party);
        let mut evidence = BTreeMap::<XeroContactId, BTreeSet<MatchEvidence>>::new();
        let mut crowded = BTreeSet::new();
        for (by, mark) in marks.iter_marks() {
            let mut rows = self.with_mark(by, mark);
            for (contact, _) in rows.by_ref().take(LOOKED_AT_MAX) {
                evidence.entry(contact).or_default().insert(by);
            }
            if rows.next().is_some_and(|(_, standing)| standing == ContactUsability::Free) {
                crowded.insert(by);
            }
        }
        let mut found = evidence
            .into_iter()
            .filter(|(id, _)| !party.not.contains(id))
            .filter_map(|(id, by)| self.assess_contact(party, &marks, id, by))
            .collect::<Vec<_>>();
        // The integration assigned the number: this is the contact it created, whatever other
        // evidence says.
        if found.iter().any(|one| one.strongest == MatchEvidence::Number) {
            found.retain(|one| one.strongest == MatchEvidence::Number);
        }
        MarkFindings { marks, found, crowded }
    }

    fn with_mark<'b>(
        &'b self,
        by: MatchEvidence,
        mark: &'b str,
    ) -> impl Iterator<Item = (XeroContactId, ContactUsability)> + 'b {
        let row = |standing, id| MarkRow { by, mark, standing, contact: XeroContactId(id) };
        let first = row(ContactUsability::Free, Uuid::nil());
        let last = row(ContactUsability::Archived, Uuid::max());
        let rows: &'b BTreeSet<MarkRow<'b>> = &self.rows;
        rows.range(first..=last).map(|row| (row.contact, row.standing))
    }

    fn assess_contact(
        &self,
        party: &ClientIdentity,
        marks: &IdentityMarks,
        id: XeroContactId,
        mut by: BTreeSet<MatchEvidence>,
    ) -> Option<MarkFinding<'a>> {
        let contact = self.contacts.get(id)?;
        // Not all contacts of a crowded mark were examined, so the contact may have that mark as
        // well.
        by.extend(marks.in_common(&contact.marks));
        let strongest = *by.first()?;
        Some(MarkFinding {
            id,
            contact,
            strongest,
            by,
            owner: self.other_owner(party, id, contact),
        })
    }

    /// The client that a contact belongs to, if it is not this one: by link, otherwise by number.
    fn other_owner(
        &self,
        party: &ClientIdentity,
        id: XeroContactId,
        contact: &KnownContact,
    ) -> Option<CrmId> {
        if let Some(holder) = self.held.get(&id) {
            return (holder.as_str() != party.id.as_str()).then(|| (*holder).clone());
        }
        let named = contact.client.as_ref()?;
        // Xero compares contact numbers without regard to case.
        let own = named_client(&party.number);
        let is_other = own.is_none_or(|own| !named.as_str().eq_ignore_ascii_case(own.as_str()));
        is_other.then(|| named.clone())
    }

    fn contact_usability(&self, id: XeroContactId) -> ContactUsability {
        let contact = self.contacts.get(id);
        if contact.is_none_or(KnownContact::is_archived) {
            ContactUsability::Archived
        } else if self.held.contains_key(&id) || contact.is_some_and(|one| one.client.is_some()) {
            ContactUsability::Taken
        } else {
            ContactUsability::Free
        }
    }
}

impl<'a> MarkFindings<'a> {
    /// The single contact that the strongest evidence leads to, with that evidence.
    fn best_finding(&self) -> Result<(&MarkFinding<'a>, MatchEvidence), MatchDoubt> {
        let usable = self.found.iter().filter(|one| one.is_usable());
        let Some(strongest) = usable.clone().map(|one| one.strongest).min() else {
            return Err(self.find_obstacle());
        };
        let alike = usable.filter(|one| one.strongest == strongest).collect::<Vec<_>>();
        let best = match alike.as_slice() {
            [only] => Some(*only),
            several => self.distinguish_by_evidence(several, strongest),
        };
        best.map(|best| (best, strongest)).ok_or(MatchDoubt::SeveralContacts)
    }

    /// The only one of several contacts with additional evidence that the others lack.
    fn distinguish_by_evidence<'b>(
        &self,
        several: &[&'b MarkFinding<'a>],
        shared: MatchEvidence,
    ) -> Option<&'b MarkFinding<'a>> {
        let mut holders = BTreeMap::<MatchEvidence, Vec<&'b MarkFinding<'a>>>::new();
        for one in several {
            for by in one.by.iter().filter(|by| **by != shared && !self.crowded.contains(by)) {
                holders.entry(*by).or_default().push(one);
            }
        }
        let mut distinct = holders.values().filter_map(|holders| match holders.as_slice() {
            [only] => Some(*only),
            _ => None,
        });
        let best = distinct.next()?;
        distinct.all(|other| other.id == best.id).then_some(best)
    }

    /// The reason why none of the findings can be used.
    fn find_obstacle(&self) -> MatchDoubt {
        // An active contact of another client is a better reason than an archived contact.
        let likeliest = self.found.iter().min_by_key(|one| (one.strongest, one.owner.is_none()));
        match likeliest.and_then(|one| one.owner.clone()) {
            Some(owner) => MatchDoubt::HeldByAnotherClient { owner },
            None => MatchDoubt::Archived,
        }
    }

    /// The value in which a contact differs from the client. The integration's own contact number
    /// outweighs a difference, and a name outweighs none.
    fn find_contradiction(&self, found: &MarkFinding<'a>) -> Option<MatchEvidence> {
        if found.strongest == MatchEvidence::Number {
            return None;
        }
        if found.strongest == MatchEvidence::Name
            && let Some(field) = self.marks.find_difference(&found.contact.marks)
        {
            return Some(field);
        }
        let field = self.marks.find_contradiction(&found.contact.marks)?;
        // A contact that was merged into this one may match where this one differs.
        (!found.by.contains(&field)).then_some(field)
    }

    /// Leaves the decision to a user. Unusable contacts are shown only if there are no others.
    fn ambiguous_match(&self, first: Option<XeroContactId>, why: MatchDoubt) -> ContactMatch {
        let none_is_usable = !self.found.iter().any(MarkFinding::is_usable);
        let shown = self.found.iter().filter(|one| none_is_usable || one.is_usable());
        let mut shown = shown.collect::<Vec<_>>();
        shown.sort_by_key(|one| {
            (Some(one.id) != first, one.strongest, Reverse(one.by.len()), one.id)
        });
        let candidates =
            shown.into_iter().take(CANDIDATES_MAX).map(ContactCandidate::from).collect();
        ContactMatch::Ambiguous { candidates, why }
    }
}

impl MarkFinding<'_> {
    fn is_usable(&self) -> bool {
        self.owner.is_none() && !self.contact.is_archived()
    }
}

impl From<&MarkFinding<'_>> for ContactCandidate {
    fn from(found: &MarkFinding<'_>) -> Self {
        Self {
            id: found.id,
            name: found.contact.name.to_string(),
            by: found.by.clone(),
            email: found.contact.email.as_deref().map(ToOwned::to_owned),
            is_archived: found.contact.is_archived(),
        }
    }
}
