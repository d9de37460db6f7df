//! One client among all contacts: what is found, and what would follow if no other client were there.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::contacts::{Contact, Contacts};
use super::marks::{Marks, named_client};
use super::{CANDIDATES_MAX, Candidate, Doubt, Evidence, Match, Party};
use crate::ids::{CrmId, XeroContactId};

/// No more contacts of one mark are looked at, so that ten thousand clients with one e-mail address on
/// ten thousand contacts cost no more than others.
const LOOKED_AT_MAX: usize = 50;

/// The marks of all contacts, sorted. What stands first under a mark can be used.
pub(super) struct Index<'a> {
    contacts: &'a Contacts,
    held: BTreeMap<XeroContactId, &'a CrmId>,
    rows: BTreeSet<Row<'a>>,
}

/// A mark, and a contact that has it after merges.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Row<'a> {
    by: Evidence,
    mark: &'a str,
    standing: Standing,
    contact: XeroContactId,
}

/// What a contact is to any client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Free,
    Taken,
    Archived,
}

/// What was found for a client.
struct Findings<'a> {
    marks: Marks,
    found: Vec<Found<'a>>,
    /// The marks that more usable contacts have than were looked at.
    crowded: BTreeSet<Evidence>,
}

struct Found<'a> {
    id: XeroContactId,
    contact: &'a Contact,
    strongest: Evidence,
    by: BTreeSet<Evidence>,
    /// The other client that it belongs to.
    owner: Option<CrmId>,
}

impl<'a> Index<'a> {
    pub(super) fn new(contacts: &'a Contacts, held: &'a BTreeMap<XeroContactId, CrmId>) -> Self {
        let mut holders = held.iter().map(|(id, owner)| (*id, owner)).collect::<BTreeMap<_, _>>();
        for (id, owner) in held {
            // A client that is linked to a merged contact has the one it was merged into.
            holders.entry(contacts.after_merges(*id)).or_insert(owner);
        }
        let mut index = Self { contacts, held: holders, rows: BTreeSet::new() };
        for (id, contact) in contacts.iter() {
            let last = contacts.after_merges(id);
            let standing = index.standing(last);
            index.rows.extend(contact.marks.each().map(|(by, mark)| Row {
                by,
                mark,
                standing,
                contact: last,
            }));
        }
        index
    }

    /// What follows for a client if no other one is matched with the same contact.
    pub(super) fn review(&self, party: &Party) -> Match {
        let findings = self.look_up(party);
        if findings.found.is_empty() {
            return Match::Missing;
        }
        let (found, by) = match findings.best() {
            Ok(best) => best,
            Err(why) => return findings.ambiguous(None, why),
        };
        match findings.contradiction(found) {
            Some(field) => findings.ambiguous(Some(found.id), Doubt::Contradiction { field }),
            None => Match::Confident { contact: found.id, by },
        }
    }

    /// What follows for a client whose match is another one's as well.
    pub(super) fn contested(&self, party: &Party, contact: XeroContactId, why: Doubt) -> Match {
        self.look_up(party).ambiguous(Some(contact), why)
    }

    fn look_up(&self, party: &Party) -> Findings<'a> {
        let marks = Marks::from(party);
        let mut evidence = BTreeMap::<XeroContactId, BTreeSet<Evidence>>::new();
        let mut crowded = BTreeSet::new();
        for (by, mark) in marks.each() {
            let mut rows = self.with_mark(by, mark);
            for (contact, _) in rows.by_ref().take(LOOKED_AT_MAX) {
                evidence.entry(contact).or_default().insert(by);
            }
            if rows.next().is_some_and(|(_, standing)| standing == Standing::Free) {
                crowded.insert(by);
            }
        }
        let mut found = evidence
            .into_iter()
            .filter(|(id, _)| !party.not.contains(id))
            .filter_map(|(id, by)| self.found(party, &marks, id, by))
            .collect::<Vec<_>>();
        // The number is ours: whatever else agrees, this is the contact we made.
        if found.iter().any(|one| one.strongest == Evidence::Number) {
            found.retain(|one| one.strongest == Evidence::Number);
        }
        Findings { marks, found, crowded }
    }

    fn with_mark<'b>(
        &'b self,
        by: Evidence,
        mark: &'b str,
    ) -> impl Iterator<Item = (XeroContactId, Standing)> + 'b {
        let row = |standing, id| Row { by, mark, standing, contact: XeroContactId(id) };
        let first = row(Standing::Free, Uuid::nil());
        let last = row(Standing::Archived, Uuid::max());
        let rows: &'b BTreeSet<Row<'b>> = &self.rows;
        rows.range(first..=last).map(|row| (row.contact, row.standing))
    }

    fn found(
        &self,
        party: &Party,
        marks: &Marks,
        id: XeroContactId,
        mut by: BTreeSet<Evidence>,
    ) -> Option<Found<'a>> {
        let contact = self.contacts.get(id)?;
        // A mark that was not looked at to its end may be on it as well.
        by.extend(marks.in_common(&contact.marks));
        let strongest = *by.first()?;
        Some(Found { id, contact, strongest, by, owner: self.other_owner(party, id, contact) })
    }

    /// The client that a contact belongs to, if that is not this one: by link, else by number.
    fn other_owner(&self, party: &Party, id: XeroContactId, contact: &Contact) -> Option<CrmId> {
        if let Some(holder) = self.held.get(&id) {
            return (holder.as_str() != party.id.as_str()).then(|| (*holder).clone());
        }
        let named = contact.client.as_ref()?;
        // Xero compares numbers without regard to case.
        let own = named_client(&party.number);
        let is_other = own.is_none_or(|own| !named.as_str().eq_ignore_ascii_case(own.as_str()));
        is_other.then(|| named.clone())
    }

    fn standing(&self, id: XeroContactId) -> Standing {
        let contact = self.contacts.get(id);
        if contact.is_none_or(Contact::is_archived) {
            Standing::Archived
        } else if self.held.contains_key(&id) || contact.is_some_and(|one| one.client.is_some()) {
            Standing::Taken
        } else {
            Standing::Free
        }
    }
}

impl<'a> Findings<'a> {
    /// The one contact that the strongest evidence leads to, and that evidence.
    fn best(&self) -> Result<(&Found<'a>, Evidence), Doubt> {
        let usable = self.found.iter().filter(|one| one.is_usable());
        let Some(strongest) = usable.clone().map(|one| one.strongest).min() else {
            return Err(self.obstacle());
        };
        let alike = usable.filter(|one| one.strongest == strongest).collect::<Vec<_>>();
        let best = match alike.as_slice() {
            [only] => Some(*only),
            several => self.told_apart(several, strongest),
        };
        best.map(|best| (best, strongest)).ok_or(Doubt::SeveralContacts)
    }

    /// The only one of several that has further evidence which the others lack.
    fn told_apart<'b>(&self, several: &[&'b Found<'a>], shared: Evidence) -> Option<&'b Found<'a>> {
        let mut holders = BTreeMap::<Evidence, Vec<&'b Found<'a>>>::new();
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

    /// Why nothing that was found can be used.
    fn obstacle(&self) -> Doubt {
        // An active contact of another client says more than an archived one.
        let likeliest = self.found.iter().min_by_key(|one| (one.strongest, one.owner.is_none()));
        match likeliest.and_then(|one| one.owner.clone()) {
            Some(owner) => Doubt::HeldByAnotherClient { owner },
            None => Doubt::Archived,
        }
    }

    /// The number in which a contact differs from the client. Our own number on it outweighs that.
    fn contradiction(&self, found: &Found<'a>) -> Option<Evidence> {
        if found.strongest == Evidence::Number {
            return None;
        }
        let field = self.marks.contradiction(&found.contact.marks)?;
        // A contact that was merged into this one may have agreed where this one differs.
        (!found.by.contains(&field)).then_some(field)
    }

    /// Leaves it to a person. Contacts that cannot be used are shown only if there are no others.
    fn ambiguous(&self, first: Option<XeroContactId>, why: Doubt) -> Match {
        let none_is_usable = !self.found.iter().any(Found::is_usable);
        let shown = self.found.iter().filter(|one| none_is_usable || one.is_usable());
        let mut shown = shown.collect::<Vec<_>>();
        shown.sort_by_key(|one| {
            (Some(one.id) != first, one.strongest, Reverse(one.by.len()), one.id)
        });
        let candidates = shown.into_iter().take(CANDIDATES_MAX).map(Candidate::from).collect();
        Match::Ambiguous { candidates, why }
    }
}

impl Found<'_> {
    fn is_usable(&self) -> bool {
        self.owner.is_none() && !self.contact.is_archived()
    }
}

impl From<&Found<'_>> for Candidate {
    fn from(found: &Found<'_>) -> Self {
        Self {
            id: found.id,
            name: found.contact.name.to_string(),
            by: found.by.clone(),
            email: found.contact.email.as_deref().map(ToOwned::to_owned),
            is_archived: found.contact.is_archived(),
        }
    }
}
