//! The events for the CRM about outcomes.

use domain::mapping::Mapping;
use domain::operation::OperationState;
use domain::outbound::{EventContent, EventMessage, SyncedRecord};
use domain::sync_log::LoggedOperation;

use crate::Engine;
use crate::sync::Synced;

/// Returns the event for the CRM about a record that an attempt wrote to Xero or found there.
/// [`push_records`](crate::sync::push::push_records) delivers it together with those of the other
/// records.
pub(super) fn synced_event(
    engine: &Engine,
    next: &Mapping,
    synced: &Synced,
) -> Option<EventMessage> {
    if synced.operation == LoggedOperation::Push {
        return None;
    }
    let record = SyncedRecord::from_mapping(next)?;
    Some(engine.new_event(&next.key.ledger.account, EventContent::RecordSynced(record)))
}

/// Returns the event for the CRM about a mapping that has just been given up.
pub(in crate::sync::push) fn skipped_event(
    engine: &Engine,
    next: &Mapping,
) -> Option<EventMessage> {
    if next.operation.state != OperationState::Skipped {
        return None;
    }
    let failure = next.operation.failure.as_ref()?;
    Some(
        engine.new_event(&next.key.ledger.account, EventContent::for_skipped_record(next, failure)),
    )
}
