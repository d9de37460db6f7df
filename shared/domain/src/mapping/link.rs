//! The counterpart of a record in Xero, and what people decided about the record.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DocumentAmounts, Mapping};
use crate::contact_fields::{ContactOrigin, WrittenContact};
use crate::entity::EntityKind;
use crate::ids::{UserId, XeroContactId, XeroId};
use crate::matching::MatchEvidence;
use crate::operation::{OperationState, WriteTrace};

/// The counterpart in Xero, as this integration last saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct XeroLink {
    /// Xero's id of the document.
    pub xero_id: XeroId,
    /// The number of the document or the contact in Xero.
    pub number: Option<String>,
    /// The newest change in Xero that was observed. `None` if an answer to a write or to a read
    /// showed payments, credits or another amount due on an invoice that no event has reported to
    /// the CRM, or if the invoice is a new copy, whose amounts the CRM does not know yet. For a
    /// contact that was archived and restored: when a success showed the restore.
    pub xero_updated_at: Option<Timestamp>,
    /// Status and amounts, for invoices and credit notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amounts: Option<DocumentAmounts>,
    /// The values that this integration wrote, for contacts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Box<WrittenContact>>,
}

impl XeroLink {
    /// Whether the next poll must read the document by its id: its newest change in Xero has not
    /// been observed, or the last read did not show it.
    pub fn is_unobserved(&self) -> bool {
        let is_missing = self.amounts.as_ref().is_some_and(|known| known.missing_since.is_some());
        self.xero_updated_at.is_none() || is_missing
    }
}

/// Who linked a client to a contact that was not created for it, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkOrigin {
    /// The user who linked it, or who started the reconciliation that did.
    pub by: UserId,
    /// When it was linked.
    pub at: Timestamp,
    /// What the client and the contact had in common, if a reconciliation linked them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<MatchEvidence>,
}

/// Who marked a record as never to be sent, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithheldMark {
    /// The user.
    pub by: UserId,
    /// When the user marked it.
    pub at: Timestamp,
}

impl Mapping {
    /// The status and the amounts of its document, as Xero last showed them. `None` for a record
    /// that has no document in Xero, or one without amounts.
    pub fn amounts_in_xero(&self) -> Option<&DocumentAmounts> {
        self.link.as_ref()?.amounts.as_ref()
    }

    /// Whether its document was voided or deleted in Xero.
    pub fn is_gone_in_xero(&self) -> bool {
        self.amounts_in_xero().is_some_and(|amounts| amounts.status.is_gone())
    }

    /// The link to its document after Xero has shown at `changed_at` that it no longer has it: the
    /// document counts as deleted. `None` if it has no document with amounts. What is known to be
    /// voided or deleted already stays as it is.
    pub fn link_to_missing_document(&self, changed_at: Option<Timestamp>) -> Option<XeroLink> {
        let link = self.link.as_ref()?;
        let amounts = link.amounts.as_ref()?;
        if amounts.status.is_gone() {
            return Some(link.clone());
        }
        let amounts = Some(amounts.as_missing());
        Some(XeroLink { amounts, xero_updated_at: changed_at, ..link.clone() })
    }

    /// The link to its document after a read at `now` did not show it. The first such read is only
    /// remembered. If a later one confirms it, the document counts as deleted, as after
    /// [`Mapping::link_to_missing_document`].
    pub fn link_after_absence(
        &self,
        changed_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<XeroLink> {
        let link = self.link.as_ref()?;
        let amounts = link.amounts.as_ref()?.after_absence(now);
        if amounts.status.is_gone() {
            return self.link_to_missing_document(changed_at);
        }
        Some(XeroLink { amounts: Some(amounts), ..link.clone() })
    }

    /// Whether an earlier read did not show its document either, long enough before `now` to
    /// confirm that Xero no longer has it: one that is stored with its amounts, or that of the
    /// attempt before this one.
    pub fn confirms_absence(&self, now: Timestamp) -> bool {
        let known = self.amounts_in_xero();
        let is_stored = known.is_some_and(|known| known.after_absence(now).status.is_gone());
        is_stored || self.operation.confirms_absence(now)
    }

    /// Whether Xero has shown the same status and amounts of its document as of another mapping's.
    pub fn shows_same_amounts_as(&self, other: &Self) -> bool {
        match (self.amounts_in_xero(), other.amounts_in_xero()) {
            (Some(one), Some(other)) => one.shows_same_as(other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    /// The mapping of an invoice whose newest change in Xero was not observed, because Xero did not show
    /// the invoice. The next polls read it by its id.
    #[must_use]
    pub fn with_unobserved_change(self) -> Self {
        let link = self.link.map(|link| XeroLink { xero_updated_at: None, ..link });
        Self { link, ..self }
    }

    /// The mapping of a client whose archived contact was restored, as a success shows at `now`.
    /// What failed before because the contact was archived may continue
    /// ([`Mapping::has_failed_before_restore_of`]).
    #[must_use]
    pub fn with_restored_contact(self, now: Timestamp) -> Self {
        let link = self.link.map(|link| XeroLink { xero_updated_at: Some(now), ..link });
        Self { link, ..self }
    }

    /// Whether its document waits for approval in Xero, as far as is known.
    pub fn is_unapproved_in_xero(&self) -> bool {
        self.amounts_in_xero().is_some_and(|amounts| amounts.status.is_unapproved())
    }

    /// Whether a user has unlinked the client from this contact. A client that was linked before
    /// and is linked to no contact now counts as unlinked from every contact, because its own one
    /// may have been merged into this one.
    pub fn was_unlinked_from(&self, contact: Option<XeroContactId>) -> bool {
        let left = &self.previous_xero_ids;
        match (&self.link, contact.map(XeroId::from)) {
            (None, _) => !left.is_empty(),
            (Some(link), Some(contact)) => link.xero_id != contact && left.contains(&contact),
            (Some(_), None) => false,
        }
    }

    /// Whether a client has another contact than `before`, one that existed before it was linked. It
    /// may have been paid already. A contact that an attempt without an outcome may have linked counts
    /// as one: that attempt has written the number by which the contact looks like a created one.
    pub fn has_found_contact_since(&self, before: &Self) -> bool {
        let Some(link) = self.link.as_ref() else { return false };
        let is_other = before.link.as_ref().is_none_or(|known| known.xero_id != link.xero_id);
        self.key.kind == EntityKind::Contact
            && is_other
            && (WrittenContact::of_link(link).origin == ContactOrigin::Found
                || before.operation.trace == WriteTrace::Uncertain)
    }

    /// Whether the CRM shows the record as given up. Earlier releases did not store what they
    /// reported.
    pub const fn is_shown_as_given_up(&self) -> bool {
        self.is_skip_reported || matches!(self.operation.state, OperationState::Skipped)
    }

    /// Whether a client was linked to an existing contact, and nothing was written to that contact
    /// since then.
    pub const fn is_unwritten_contact(&self) -> bool {
        matches!(self.key.kind, EntityKind::Contact)
            && matches!(self.operation.state, OperationState::Synced)
            && self.link.is_some()
            && self.synced_revision.is_none()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::document::sales::DocumentStatus;
    use crate::mapping::KeptSnapshot;
    use crate::mapping::tests::{a_link, an_unsent_mapping, document_amounts};

    #[test]
    fn a_stored_read_that_did_not_show_a_document_is_confirmed_five_minutes_later() {
        let now = Timestamp::UNIX_EPOCH;
        let later = |minutes: i64| now + SignedDuration::from_mins(minutes);
        let snapshot = KeptSnapshot::new(1, "#INV-1".to_owned(), "one".to_owned());
        let amounts = Some(document_amounts(DocumentStatus::Authorised, 10_000));
        let link = Some(XeroLink { amounts, ..a_link(9) });
        let shown = Mapping { link, ..an_unsent_mapping("inv_1", snapshot) };
        assert!(!shown.confirms_absence(later(60)));
        let missed = Mapping { link: shown.link_after_absence(None, now), ..shown };
        assert!(!missed.confirms_absence(later(4)));
        assert!(missed.confirms_absence(later(5)));
    }
}
