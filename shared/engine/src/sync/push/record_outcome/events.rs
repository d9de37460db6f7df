//! The events for the CRM about outcomes.

use domain::mapping::Mapping;
use domain::observe_read::report_read_changes;
use domain::operation::OperationState;
use domain::outbound::{EventContent, EventMessage, SyncedRecord};

use crate::Engine;
use crate::sync::Synced;

/// Returns the event for the CRM about a success: about the record, if the attempt wrote it to Xero
/// or found it there, or else about what people changed of it in Xero, if the attempt has read
/// that, or else about the record, if the CRM shows it as given up. `next` is the mapping to store.
pub(super) fn success_event(
    engine: &Engine,
    before: &Mapping,
    next: &mut Mapping,
    synced: &Synced,
) -> Option<EventMessage> {
    let read = if synced.has_written() {
        None
    } else {
        report_read_changes(before, next, engine.clock.now())
    };
    if let Some(content) = read {
        return Some(engine.new_event(&next.key.ledger.account, content));
    }
    if synced.has_written() { report_record(engine, next) } else { report_ended_skip(engine, next) }
}

/// Returns the event for the CRM that a record which it shows as given up is in Xero. `next` is the
/// mapping to store. `None` if the CRM does not show it so.
pub(crate) fn report_ended_skip(engine: &Engine, next: &mut Mapping) -> Option<EventMessage> {
    let is_ended = next.is_skip_reported && next.operation.state == OperationState::Synced;
    if is_ended { report_record(engine, next) } else { None }
}

fn report_record(engine: &Engine, next: &mut Mapping) -> Option<EventMessage> {
    let content = EventContent::RecordSynced(SyncedRecord::from_mapping(next)?);
    next.is_skip_reported = false;
    Some(engine.new_event(&next.key.ledger.account, content))
}

/// Returns the event for the CRM that a user keeps a record out of Xero which the CRM shows as given
/// up. `next` is the mapping to store, `before` the one before.
pub(crate) fn report_withheld_skip(
    engine: &Engine,
    before: &Mapping,
    next: &mut Mapping,
) -> Option<EventMessage> {
    if !before.is_shown_as_given_up() {
        return None;
    }
    next.is_skip_reported = true;
    Some(engine.new_event(&next.key.ledger.account, EventContent::for_withheld_record(next)))
}

/// Adds the committed event of a success to those that
/// [`push_records`](crate::sync::push::push_records) delivers. The order of events about synced
/// records does not matter; that of events about changes in Xero does.
pub(super) fn collect_event(engine: &Engine, event: Option<EventMessage>, synced: &Synced) {
    if synced.has_written() {
        engine.synced_events.add(event);
    } else if event.is_some() {
        // A change of a document, or a record that was given up before: both are few.
        engine.synced_events.add_ordered();
    }
}

/// Returns the event for the CRM about a mapping that has just been given up. `next` is the mapping to
/// store.
pub(in crate::sync::push) fn skipped_event(
    engine: &Engine,
    next: &mut Mapping,
) -> Option<EventMessage> {
    if next.operation.state != OperationState::Skipped {
        return None;
    }
    let content = EventContent::for_skipped_record(next, next.operation.failure.as_ref()?);
    next.is_skip_reported = true;
    Some(engine.new_event(&next.key.ledger.account, content))
}
