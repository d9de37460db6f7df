//! The record for which a mapping waits.

use super::{Mapping, MappingKey};
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
}
