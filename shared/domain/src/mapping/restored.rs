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

impl Mapping {
    /// Whether this snapshot has a document in effect again that the CRM voided and that is no
    /// longer in the books. Xero never changes a voided or deleted document, so it needs a new copy.
    /// The CRM itself has ended the earlier one, so no user has to decide that.
    pub(super) fn is_restored_by(&self, next: &KeptSnapshot) -> bool {
        let is_document = match self.key.kind {
            EntityKind::Invoice | EntityKind::CreditNote => true,
            EntityKind::Contact | EntityKind::Allocation | EntityKind::Payment => false,
        };
        // An attempt in progress would bring the earlier copy back into the row, and a record that
        // is never to be sent keeps its link.
        let is_settled = matches!(self.operation.state, OperationState::Synced);
        is_document
            && is_settled
            && self.is_gone_in_xero()
            && self.snapshot.find_status() == Some(RecordStatus::Voided)
            && next.find_status() == Some(RecordStatus::Sent)
    }
}

impl KeptSnapshot {
    /// Whether a document is in effect. `None` if the text was dropped or cannot be read.
    fn find_status(&self) -> Option<RecordStatus> {
        let stated = serde_json::from_str::<StatedStatus>(&self.json).ok()?;
        Some(stated.standing)
    }
}
