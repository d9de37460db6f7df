//! What a stopped mapping waits for: another record, or a change of a document in Xero.

use super::{Mapping, MappingKey};
use crate::failure::Failure;
use crate::operation::{OperationState, ParkingReason};

impl Mapping {
    /// The record for which the mapping is parked, if it is: one of the same ledger.
    pub fn awaited_record(&self) -> Option<MappingKey> {
        match &self.operation.state {
            OperationState::Parked { on: ParkingReason::Prerequisite { kind, crm_id } } => {
                Some(MappingKey::new(self.key.ledger.clone(), *kind, crm_id.clone()))
            }
            OperationState::Parked { on: ParkingReason::Reconnect }
            | OperationState::Due
            | OperationState::Claimed { by: _, until: _ }
            | OperationState::Waiting { until: _ }
            | OperationState::Synced
            | OperationState::Skipped
            | OperationState::Withheld => None,
        }
    }

    /// Whether the mapping was given up because of the state of a document in Xero. Such a mapping
    /// is tried again when that document has changed.
    pub fn is_stopped_by_document(&self) -> bool {
        let failure = self.operation.failure.as_ref();
        self.operation.state == OperationState::Skipped
            && failure.is_some_and(Failure::is_about_document_state)
    }
}
