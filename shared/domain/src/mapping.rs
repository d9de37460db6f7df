//! A mapping: one CRM record, its counterpart in Xero, and the operation that synchronises the two.
//! Each mapping is one row of the table.

mod amounts;
mod awaited;
mod earlier_form;
mod kept_snapshot;
mod link;
mod numbers;
mod open_invoice;
mod restored;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::amounts::{CREDITS_MAX, CreditUse, CreditUser, DocumentAmounts};
pub use self::kept_snapshot::KeptSnapshot;
pub use self::link::{LinkOrigin, WithheldMark, XeroLink};
pub(crate) use self::numbers::is_copy_number;
use self::restored::Restoration;
use crate::entity::EntityKind;
use crate::ids::{CrmId, Ledger, XeroId};
use crate::operation::{
    EventRefusal, Operation, OperationEvent, OperationState, SnapshotFreshness, TransitionResult,
    decide_transition,
};

/// The key of a mapping. A record has a separate mapping in each organisation to which its account
/// was connected.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MappingKey {
    /// The account and the organisation.
    pub ledger: Ledger,
    /// The kind of document.
    pub kind: EntityKind,
    /// The record in the CRM.
    pub crm_id: CrmId,
}

impl MappingKey {
    /// The key of a record's mapping in a ledger.
    pub const fn new(ledger: Ledger, kind: EntityKind, crm_id: CrmId) -> Self {
        Self { ledger, kind, crm_id }
    }

    /// One text that identifies the mapping, used as the input of hashes such as the retry's
    /// jitter.
    pub fn hash_seed(&self) -> String {
        let Ledger { account, tenant } = &self.ledger;
        format!("{account}#{tenant}#{}#{}", self.kind, self.crm_id)
    }
}

/// One CRM record, its counterpart in Xero, and the operation between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// The mapping's key.
    pub key: MappingKey,
    /// Rises with every new copy in Xero: when a user asks for one, and when the CRM restores a
    /// document that it voided. Starts at 1.
    pub generation: u32,
    /// The newest snapshot that was accepted.
    pub snapshot: KeptSnapshot,
    /// Natural keys of earlier snapshots under which a write may have been carried out without an
    /// answer, and numbers in Xero of documents that count as deleted, newest last. They are looked up
    /// together with the current key until the document is found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_keys: Vec<String>,
    /// The numbers of a credit note's earlier snapshots, newest last, at most
    /// [`FORMER_NUMBERS_MAX`]. An allocation that was sent or stored before the note was renumbered
    /// names it by one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_numbers: Vec<String>,
    /// The revision that Xero has, if any.
    pub synced_revision: Option<u64>,
    /// The operation that brings the snapshot to Xero.
    pub operation: Operation,
    /// The counterpart in Xero, once it is known.
    pub link: Option<XeroLink>,
    /// How the link came about, if a user or a reconciliation made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_origin: Option<LinkOrigin>,
    /// The user's decision not to send the record. It counts while the operation is withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<WithheldMark>,
    /// Earlier counterparts: documents that a user replaced with a new copy after they were voided
    /// or deleted in Xero, and documents that were unlinked. Newest last, at most
    /// [`PREVIOUS_XERO_IDS_MAX`].
    #[serde(rename = "left", default, skip_serializing_if = "Vec::is_empty")]
    pub previous_xero_ids: Vec<XeroId>,
    /// Whether the CRM has the document in effect again, after it voided it by an attempt whose
    /// result was unknown when the newest snapshot arrived. If Xero shows the document as voided or
    /// deleted, it gets a new copy. For payments and credit: whether the CRM has them in effect
    /// again after it deleted or removed them, or has ended them once more while an attempt may
    /// have written them again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_restored: bool,
    /// The sequence number of the last event about this record. Every event has its own number, so
    /// that their order can be restored. The numbers start at the Unix time, in seconds, at which
    /// the record was first seen.
    #[serde(rename = "told", default)]
    pub event_sequence: u64,
    /// Whether an event has told the CRM that the record was given up, and none since then that it is
    /// in Xero.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_skip_reported: bool,
}

/// The maximum number of former numbers that are kept for one credit note.
pub const FORMER_NUMBERS_MAX: usize = 8;

/// The maximum number of earlier counterparts that are kept for one record.
pub const PREVIOUS_XERO_IDS_MAX: usize = 100;

/// The result of offering a snapshot to a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotAcceptance {
    /// It is newer than the known snapshot: write this mapping.
    Newer(Box<Mapping>),
    /// It equals the known snapshot.
    Same,
    /// A newer snapshot is known, or one with the same revision and different content. The known
    /// one stays.
    Stale {
        /// The known revision.
        known: u64,
    },
}

impl Mapping {
    /// Accepts a snapshot if its revision is higher than the known one, or equal to it and the
    /// known one has lost its text. A document that the CRM voided and has in effect again gets a
    /// new copy.
    pub fn accept_snapshot(
        known: Option<&Self>,
        key: &MappingKey,
        snapshot: KeptSnapshot,
        now: Timestamp,
    ) -> SnapshotAcceptance {
        let Some(known) = known else {
            return SnapshotAcceptance::Newer(Box::new(Self {
                key: key.clone(),
                generation: 1,
                snapshot,
                earlier_keys: Vec::new(),
                former_numbers: Vec::new(),
                synced_revision: None,
                operation: Operation::new(),
                link: None,
                link_origin: None,
                withheld: None,
                previous_xero_ids: Vec::new(),
                is_restored: false,
                // The start at the current time also keeps the numbers rising when the account
                // moves to another organisation.
                event_sequence: u64::try_from(now.as_second()).unwrap_or(0),
                is_skip_reported: false,
            }));
        };
        let same = known.snapshot.revision == snapshot.revision;
        // The text was dropped because it did not fit into the row. It is needed for any further
        // write.
        let is_missing = same && known.snapshot.json.is_empty() && !snapshot.json.is_empty();
        if same && !is_missing && known.snapshot.hash == snapshot.hash {
            return SnapshotAcceptance::Same;
        }
        if snapshot.revision <= known.snapshot.revision && !is_missing {
            return SnapshotAcceptance::Stale { known: known.snapshot.revision };
        }
        // A newly submitted operation is never refused.
        let moved =
            known.apply_event(OperationEvent::Submitted, now).unwrap_or_else(|_| known.clone());
        let moved = match known.find_restoration(&snapshot) {
            Restoration::None => Self { is_restored: false, ..moved },
            Restoration::OfGoneDocument => moved.new_generation(),
            Restoration::Unclear => Self { is_restored: true, ..moved },
        };
        let earlier_keys = moved.keys_to_keep(&snapshot);
        let former_numbers = known.numbers_to_keep(&snapshot);
        SnapshotAcceptance::Newer(Box::new(Self {
            snapshot,
            earlier_keys,
            former_numbers,
            ..moved
        }))
    }

    /// The mapping linked to a document that exists in Xero and was not created for it. Nothing is
    /// written to that document before the CRM sends a newer snapshot or a user asks for a sync, or,
    /// for a contact, before the client's next document.
    /// The previous counterpart is recorded in `left`.
    #[must_use]
    pub fn linked_to(self, link: XeroLink, now: Timestamp) -> Self {
        let is_skip_reported = self.is_shown_as_given_up();
        let same = self.link.as_ref().filter(|known| known.xero_id == link.xero_id);
        // What was written to the contact before stays known.
        let contact = same.and_then(|known| known.contact.clone()).or(link.contact);
        let other = self.link.is_some() && same.is_none();
        let link = XeroLink { contact, ..link };
        let from = if other { self.new_generation() } else { self };
        let left =
            from.previous_xero_ids.iter().copied().filter(|left| *left != link.xero_id).collect();
        let moved = from.apply_event(OperationEvent::Linked, now).unwrap_or_else(|_| from.clone());
        Self {
            link: Some(link),
            previous_xero_ids: left,
            earlier_keys: Vec::new(),
            synced_revision: None,
            is_skip_reported,
            ..moved
        }
    }

    /// The mapping without its link. The previous counterpart is not changed in Xero.
    #[must_use]
    pub fn without_link(self, now: Timestamp) -> Self {
        if self.link.is_none() {
            return self;
        }
        let moved =
            self.apply_event(OperationEvent::Submitted, now).unwrap_or_else(|_| self.clone());
        moved.new_generation()
    }

    /// The mapping without its snapshot's text. The facts about its document stay. The CRM must
    /// send the record again before it can be written to Xero again; the same revision is accepted.
    #[must_use]
    pub fn without_text(self) -> Self {
        let snapshot = KeptSnapshot { json: String::new(), ..self.snapshot };
        Self { snapshot, ..self }
    }

    /// Whether an attempt holds the mapping's claim now.
    pub fn is_held(&self, now: Timestamp) -> bool {
        matches!(self.operation.state, OperationState::Claimed { by: _, until } if until > now)
    }

    /// The mapping prepared for a new copy of its document. The previous counterpart is recorded in
    /// `left`. If it counts as deleted, Xero may only not have shown it, so the next attempt looks for
    /// it by its number before it writes.
    #[must_use]
    pub fn new_generation(self) -> Self {
        let known = self.with_deleted_document_sought();
        let mut left = known.previous_xero_ids;
        left.extend(known.link.as_ref().map(|link| link.xero_id));
        let surplus = left.len().saturating_sub(PREVIOUS_XERO_IDS_MAX);
        let left = left.split_off(surplus);
        let generation = known.generation.saturating_add(1);
        Self {
            generation,
            previous_xero_ids: left,
            link: None,
            link_origin: None,
            synced_revision: None,
            is_restored: false,
            ..known
        }
    }

    /// The mapping after an event.
    ///
    /// # Errors
    ///
    /// The reason why the event changes nothing.
    pub fn apply_event(&self, event: OperationEvent, now: Timestamp) -> Result<Self, EventRefusal> {
        match decide_transition(&self.operation, event, &self.key.hash_seed(), now) {
            TransitionResult::Moved(operation) => Ok(Self { operation, ..self.clone() }),
            TransitionResult::Stays(refusal) => Err(refusal),
        }
    }

    /// Whether an attempt at `revision` used the newest snapshot.
    pub fn snapshot_freshness(&self, revision: u64) -> SnapshotFreshness {
        if revision == self.snapshot.revision {
            SnapshotFreshness::Newest
        } else {
            SnapshotFreshness::Overtaken
        }
    }
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
pub(crate) mod tests;
