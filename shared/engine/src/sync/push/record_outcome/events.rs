//! The events for the CRM about outcomes.

use domain::mapping::Mapping;
use domain::observe_read::report_read_changes;
use domain::operation::OperationState;
use domain::outbound::{EventContent, EventMessage, SyncedRecord};

use crate::Engine;
use crate::sync::Synced;

/// Returns the event for the CRM about a success: about the record, if the attempt wrote it to Xero
/// or found it there, or else about what people changed of it in Xero, if the attempt has read
/// that. `next` is the mapping to store.
pub(super) fn success_event(
    engine: &Engine,
    before: &Mapping,
    next: &mut Mapping,
    synced: &Synced,
) -> Option<EventMessage> {
    let content = if synced.has_written() {
        EventContent::RecordSynced(SyncedRecord::from_mapping(next)?)
    } else {
        report_read_changes(before, next, engine.clock.now())?
    };
    Some(engine.new_event(&next.key.ledger.account, content))
}

/// Adds the committed event of a success to those that
/// [`push_records`](crate::sync::push::push_records) delivers. The order of events about synced
/// records does not matter; that of events about changes in Xero does.
pub(super) fn collect_event(engine: &Engine, event: Option<EventMessage>, synced: &Synced) {
    if synced.has_written() {
        engine.synced_events.add(event);
    } else if event.is_some() {
        engine.synced_events.add_ordered();
    }
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
