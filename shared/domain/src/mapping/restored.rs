//! Documents that the CRM has in effect again after it voided them.

use serde::Deserialize;

use super::{KeptSnapshot, Mapping};
use crate::crm::lines::RecordStatus;
use crate::entity::EntityKind;
use crate::operation::OperationState;

/// The part of a document's snapshot that says whether it is in effect.
#[derive(Deserialize)]
struct StatedStatus {
    #[serde(default)]
    standing: RecordStatus,
}

/// Whether a snapshot has a document in effect again that the CRM voided. Xero never changes a
/// voided or deleted document, so it then needs a new copy. The CRM itself has ended the earlier
/// one, so no user has to decide that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Restoration {
    /// It does not.
    None,
    /// It does, and the document is no longer in the books.
    OfGoneDocument,
    /// It does, but the void may still be carried out or failed, or its answer is not known. The
    /// next attempt that reads the document decides.
    Unclear,
}

impl Mapping {
    /// Whether this snapshot has a document in effect again that the CRM voided.
    pub(super) fn find_restoration(&self, next: &KeptSnapshot) -> Restoration {
        let is_document = match self.key.kind {
            EntityKind::Invoice | EntityKind::CreditNote => true,
            EntityKind::Contact | EntityKind::Allocation | EntityKind::Payment => false,
        };
        let may_be_in_xero = self.link.is_some() || self.operation.may_have_written();
        if !is_document || !may_be_in_xero {
            return Restoration::None;
        }
        match (self.snapshot.find_status(), next.find_status()) {
            (_, Some(RecordStatus::Voided)) => Restoration::None,
            (Some(RecordStatus::Voided), Some(RecordStatus::Sent)) => {
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
            (Some(RecordStatus::Sent) | None, Some(RecordStatus::Sent)) | (_, None) => {
                if self.is_restored { Restoration::Unclear } else { Restoration::None }
            }
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
    /// Whether a document is in effect. `None` if the text was dropped or cannot be read.
    fn find_status(&self) -> Option<RecordStatus> {
        let stated = self.parse_text::<StatedStatus>().ok()?;
        Some(stated.standing)
    }
}
