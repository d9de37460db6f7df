//! Documents, payments and credit that the CRM has in effect again after it ended them.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{KeptSnapshot, Mapping};
use crate::crm::allocation::AllocationRecordStatus;
use crate::crm::lines::RecordStatus;
use crate::crm::payment::PaymentRecordStatus;
use crate::entity::EntityKind;
use crate::operation::OperationState;

/// The part of a snapshot that says whether its record is in effect.
#[derive(Deserialize)]
struct StatedStatus<S> {
    #[serde(default)]
    standing: S,
}

/// Whether a snapshot has a record in effect again that the CRM voided, deleted or removed. Xero
/// never changes a voided or deleted document, so it then needs a new one. The CRM itself has ended
/// the earlier one, so no user has to decide that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Restoration {
    /// It does not.
    None,
    /// It does, and the document is no longer in the books.
    OfGoneDocument,
    /// It does, but the void may still be carried out or failed, or its answer is not known. The
    /// next attempt that reads the document decides. So it does for payments and credit, whose rows
    /// do not say whether Xero still has them. They stay marked if the CRM ends them once more
    /// while an attempt may have written them again: Xero may then have another document than the
    /// link's.
    Unclear,
}

impl Mapping {
    /// Whether this snapshot has a record in effect again that the CRM voided, deleted or removed.
    pub(super) fn find_restoration(&self, next: &KeptSnapshot) -> Restoration {
        let may_be_in_xero = self.link.is_some() || self.operation.may_have_written();
        if !may_be_in_xero {
            return Restoration::None;
        }
        let kind = self.key.kind;
        match (self.snapshot.is_in_effect(kind), next.is_in_effect(kind)) {
            (_, Some(false)) => {
                let may_be_written_again = self.is_restored
                    && self.operation.may_have_written()
                    && matches!(kind, EntityKind::Payment | EntityKind::Allocation);
                if may_be_written_again { Restoration::Unclear } else { Restoration::None }
            }
            (Some(false), Some(true)) => {
                // An attempt in progress would bring the earlier copy back into the row, and a
                // record that is never to be sent keeps its link.
                let is_settled = matches!(self.operation.state, OperationState::Synced);
                if is_settled && self.is_gone_in_xero() {
                    Restoration::OfGoneDocument
                } else {
                    Restoration::Unclear
                }
            }
            // What an earlier snapshot left unclear is still so.
            (Some(true) | None, Some(true)) | (_, None) => {
                if self.is_restored {
                    Restoration::Unclear
                } else {
                    Restoration::None
                }
            }
        }
    }

    /// Whether the CRM has voided the document. `false` if the text of its snapshot was dropped.
    pub fn is_voided_in_crm(&self) -> bool {
        match self.key.kind {
            EntityKind::Invoice | EntityKind::CreditNote => {
                self.snapshot.is_in_effect(self.key.kind) == Some(false)
            }
            EntityKind::Contact | EntityKind::Allocation | EntityKind::Payment => false,
        }
    }

    /// The mapping after an attempt has shown the document as its link says: a document that is in
    /// the books needs no copy.
    #[must_use]
    pub fn with_shown_document(self) -> Self {
        let is_restored = self.is_restored && self.is_gone_in_xero();
        Self { is_restored, ..self }
    }
}

impl KeptSnapshot {
    /// Whether the record of this kind is in effect. `None` if the text was dropped or cannot be
    /// read. A client always is.
    fn is_in_effect(&self, kind: EntityKind) -> Option<bool> {
        match kind {
            EntityKind::Contact => Some(true),
            EntityKind::Invoice | EntityKind::CreditNote => {
                Some(self.find_status::<RecordStatus>()? == RecordStatus::Sent)
            }
            EntityKind::Allocation => Some(
                self.find_status::<AllocationRecordStatus>()? == AllocationRecordStatus::Applied,
            ),
            EntityKind::Payment => {
                Some(self.find_status::<PaymentRecordStatus>()? == PaymentRecordStatus::Recorded)
            }
        }
    }

    fn find_status<S: DeserializeOwned + Default>(&self) -> Option<S> {
        let stated: StatedStatus<S> = self.parse_text().ok()?;
        Some(stated.standing)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::mapping::tests::{a_link, an_unsent_mapping};
    use crate::mapping::{MappingKey, SnapshotAcceptance};
    use crate::operation::WriteTrace;

    fn stated(revision: u64, standing: &str) -> KeptSnapshot {
        let json = format!(r#"{{"standing":"{standing}"}}"#);
        KeptSnapshot::new(revision, "#a".to_owned(), json)
    }

    fn newer(known: &Mapping, snapshot: KeptSnapshot) -> Mapping {
        let now = Timestamp::UNIX_EPOCH;
        let accepted = Mapping::accept_snapshot(Some(known), &known.key, snapshot, now);
        let SnapshotAcceptance::Newer(mapping) = accepted else { panic!("{accepted:?}") };
        *mapping
    }

    #[test]
    fn what_is_ended_again_stays_marked_only_if_it_may_have_been_written_again() {
        for (kind, ended, effective, is_marked) in [
            (EntityKind::Payment, "deleted", "recorded", true),
            (EntityKind::Allocation, "removed", "applied", true),
            (EntityKind::Invoice, "voided", "sent", false),
        ] {
            let unsent = an_unsent_mapping("one", stated(1, ended));
            let key = MappingKey { kind, ..unsent.key.clone() };
            let known = Mapping { key, link: Some(a_link(9)), ..unsent };
            let mut restored = newer(&known, stated(2, effective));
            assert!(restored.is_restored, "{kind}");
            assert!(!newer(&restored, stated(3, ended)).is_restored, "{kind}");
            restored.operation.trace = WriteTrace::Uncertain;
            assert_eq!(newer(&restored, stated(3, ended)).is_restored, is_marked, "{kind}");
        }
    }
}
