//! A mapping: what is known of one CRM record and its counterpart in Xero, with the operation that
//! brings the two together. One row of the table.

mod amounts;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::amounts::{Amounts, CREDITS_MAX};
use crate::entity::EntityKind;
use crate::idempotency::Hash;
use crate::ids::{CrmId, DERIVED, Ledger, XeroId};
use crate::operation::{Event, Freshness, Operation, Refusal, State, Step, Trace, step};

/// What names a mapping.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MappingKey {
    /// Whose it is, in which organisation.
    pub ledger: Ledger,
    /// The kind of document.
    pub kind: EntityKind,
    /// The record in the CRM.
    pub crm_id: CrmId,
}

impl MappingKey {
    /// One text for hashes: the operation's name in jitter and wake-ups.
    pub fn seed(&self) -> String {
        let Ledger { account, tenant } = &self.ledger;
        format!("{account}#{tenant}#{}#{}", self.kind, self.crm_id)
    }
}

/// A CRM record as received, ready to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSnapshot {
    /// Rises with every change in the CRM; it alone decides which of two snapshots is newer.
    pub revision: u64,
    /// What its document can be found by in Xero: an invoice's number, a contact's.
    pub natural_key: String,
    /// The hash of `json`.
    pub hash: Hash,
    /// The snapshot as JSON text, written by us from the checked record. The table keeps it beside the
    /// rest, compressed: as text in text it would be escaped. Rows of earlier releases hold it here.
    #[serde(default, skip_serializing)]
    pub json: String,
}

impl KeptSnapshot {
    /// Keeps this text as the record's state at `revision`.
    pub fn new(revision: u64, natural_key: String, json: String) -> Self {
        let hash = Hash::of(json.as_bytes());
        Self { revision, natural_key, hash, json }
    }
}

/// The counterpart in Xero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Xero's key.
    pub xero_id: XeroId,
    /// The document's number in Xero, or the contact's.
    pub number: Option<String>,
    /// Xero's last change that has been observed. None while an invoice is known to have something on it,
    /// from an answer to a write or a look, that the CRM was not told.
    pub xero_updated_at: Option<Timestamp>,
    /// For invoices and credit notes: status and amounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amounts: Option<Amounts>,
}

/// One CRM record, its counterpart in Xero, and the operation between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// What names it.
    pub key: MappingKey,
    /// Rises when a person asks for a fresh copy in Xero. Starts at 1.
    pub generation: u32,
    /// The newest snapshot that was accepted.
    pub snapshot: KeptSnapshot,
    /// Natural keys of earlier snapshots under which a write may have gone unanswered, newest last.
    /// They are looked up together with the present one until the document is found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_keys: Vec<String>,
    /// The revision that Xero has.
    pub synced_revision: Option<u64>,
    /// The work of bringing Xero to the snapshot.
    pub operation: Operation,
    /// The counterpart in Xero, once it is known.
    pub link: Option<Link>,
    /// Earlier counterparts, voided or deleted in Xero before a person asked for a fresh copy; newest last, and
    /// at most [`LEFT_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<XeroId>,
    /// The number of the last event told of this record: each carries its own, so that order can be
    /// restored. It begins with the second in which the record was first seen.
    #[serde(default)]
    pub told: u64,
}

/// A record is hardly ever renumbered, and this often never while answers get lost.
const EARLIER_KEYS_MAX: usize = 8;

/// Earlier counterparts of one record that are remembered: each is one that a person asked to replace.
pub const LEFT_MAX: usize = 100;

/// What became of a snapshot at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It is newer than what was known: write this mapping.
    Newer(Box<Mapping>),
    /// It is exactly what is known.
    Same,
    /// Something newer is known, or the same revision with other content: the first one stays.
    Stale {
        /// The revision that is known.
        known: u64,
    },
}

impl Mapping {
    /// Accepts a snapshot: the CRM's revision decides.
    pub fn accept(
        known: Option<&Self>,
        key: &MappingKey,
        snapshot: KeptSnapshot,
        now: Timestamp,
    ) -> Accepted {
        let Some(known) = known else {
            return Accepted::Newer(Box::new(Self {
                key: key.clone(),
                generation: 1,
                snapshot,
                earlier_keys: Vec::new(),
                synced_revision: None,
                operation: Operation::new(),
                link: None,
                left: Vec::new(),
                // In another organisation's books, too, a later event has the higher number.
                told: u64::try_from(now.as_second()).unwrap_or(0),
            }));
        };
        let same = known.snapshot.revision == snapshot.revision;
        if same && known.snapshot.hash == snapshot.hash {
            return Accepted::Same;
        }
        if snapshot.revision <= known.snapshot.revision {
            return Accepted::Stale { known: known.snapshot.revision };
        }
        // A submission is never refused.
        let moved = known.apply(Event::Submitted, now).unwrap_or_else(|_| known.clone());
        let earlier_keys = known.keys_to_keep(&snapshot);
        Accepted::Newer(Box::new(Self { snapshot, earlier_keys, ..moved }))
    }

    /// The keys under which a document of ours may stand that no answer told us of.
    fn keys_to_keep(&self, next: &KeptSnapshot) -> Vec<String> {
        let held = matches!(self.operation.state, State::Claimed { by: _, until: _ });
        let uncertain = held || self.operation.trace == Trace::Uncertain;
        let mut keys = self.earlier_keys.clone();
        if self.link.is_some() || !uncertain {
            return keys;
        }
        keys.push(self.snapshot.natural_key.clone());
        keys.retain(|key| *key != next.natural_key);
        keys.dedup();
        let surplus = keys.len().saturating_sub(EARLIER_KEYS_MAX);
        keys.split_off(surplus)
    }

    /// The number that a contact made for it has: another one than that of a contact it was unlinked from.
    pub fn contact_number(&self) -> String {
        if self.generation <= 1 {
            return self.snapshot.natural_key.clone();
        }
        // It ends with the client's id, and a hyphen and a digit could be the end of another client's.
        format!("{}{DERIVED}{}", self.snapshot.natural_key, self.generation)
    }

    /// The mapping linked to something in Xero that was not made for it. It is due: what the CRM has goes
    /// there. What it was linked to before is left.
    #[must_use]
    pub fn linked_to(self, link: Link, now: Timestamp) -> Self {
        let same = self.link.as_ref().is_some_and(|known| known.xero_id == link.xero_id);
        let other = self.link.is_some() && !same;
        let from = if other { self.afresh() } else { self };
        let left = from.left.iter().copied().filter(|left| *left != link.xero_id).collect();
        let moved = from.apply(Event::Submitted, now).unwrap_or_else(|_| from.clone());
        Self { link: Some(link), left, earlier_keys: Vec::new(), synced_revision: None, ..moved }
    }

    /// The mapping without what it was linked to, which is left as it is.
    #[must_use]
    pub fn unlinked(self, now: Timestamp) -> Self {
        if self.link.is_none() {
            return self;
        }
        let moved = self.apply(Event::Submitted, now).unwrap_or_else(|_| self.clone());
        moved.afresh()
    }

    /// Whether somebody holds it now.
    pub fn is_held(&self, now: Timestamp) -> bool {
        matches!(self.operation.state, State::Claimed { by: _, until } if until > now)
    }

    /// Whether its document was voided or deleted in Xero.
    pub fn is_gone_in_xero(&self) -> bool {
        let amounts = self.link.as_ref().and_then(|link| link.amounts.as_ref());
        amounts.is_some_and(|amounts| amounts.status.is_gone())
    }

    /// The mapping for a fresh copy of its document: what was there is left, and remembered.
    #[must_use]
    pub fn afresh(self) -> Self {
        let mut left = self.left;
        left.extend(self.link.as_ref().map(|link| link.xero_id));
        let surplus = left.len().saturating_sub(LEFT_MAX);
        let left = left.split_off(surplus);
        let generation = self.generation.saturating_add(1);
        Self { generation, left, link: None, synced_revision: None, ..self }
    }

    /// Every key under which its document may be found, the present one first.
    pub fn natural_keys(&self) -> Vec<String> {
        let copy = (self.generation > 1).then(|| self.copy_number());
        let present = std::iter::once(self.snapshot.natural_key.clone());
        present.chain(copy).chain(self.earlier_keys.iter().cloned()).collect()
    }

    /// The number of a fresh copy, where Xero will not have the number of the first.
    pub fn copy_number(&self) -> String {
        format!("{}-{}", self.snapshot.natural_key, self.generation)
    }

    /// The mapping after an event, or why the event changes nothing.
    pub fn apply(&self, event: Event, now: Timestamp) -> Result<Self, Refusal> {
        match step(&self.operation, event, &self.key.seed(), now) {
            Step::Moved(operation) => Ok(Self { operation, ..self.clone() }),
            Step::Stays(refusal) => Err(refusal),
        }
    }

    /// Whether an attempt at `revision` was about the newest snapshot.
    pub fn freshness(&self, revision: u64) -> Freshness {
        if revision == self.snapshot.revision { Freshness::Newest } else { Freshness::Overtaken }
    }
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
pub(crate) mod tests;
