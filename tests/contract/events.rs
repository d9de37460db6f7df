//! The events: the schemas, the examples and the code that writes them agree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use domain::outbound::{EventContent, EventMessage, OutboundEvent};
use jsonschema::Validator;
use serde_json::Value;

use super::{files, folder, objections, schemas};

/// The types of events. A new type needs a schema and an example.
const EVENT_TYPES: [&str; 13] = [
    "books.compared",
    "connection.status",
    "credit_note.xero_status",
    "invoice.payment_status",
    "invoice.xero_status",
    "message.refused",
    "payment.imported",
    "payment.overpaid",
    "payment.removed",
    "payment.unclear",
    "record.synced",
    "refund.removed",
    "sync.skipped",
];

/// An event in the JSON of its example, and as it is read.
struct EventExample {
    name: String,
    message: Value,
    event: OutboundEvent,
}

fn outbound() -> PathBuf {
    folder("outbound")
}

fn outbound_schemas() -> BTreeMap<String, Validator> {
    schemas(&outbound(), "values")
}

/// The type of an event. A new type must be added to [`EVENT_TYPES`], too.
fn type_of(content: &EventContent) -> &'static str {
    match content {
        EventContent::BooksCompared { .. } => "books.compared",
        EventContent::Connection { .. } => "connection.status",
        EventContent::MessageRefused { .. } => "message.refused",
        EventContent::PaymentStatus { .. } => "invoice.payment_status",
        EventContent::XeroStatus { .. } => "invoice.xero_status",
        EventContent::CreditNoteStatus { .. } => "credit_note.xero_status",
        EventContent::PaymentImported(_) => "payment.imported",
        EventContent::PaymentOverpaid(_) => "payment.overpaid",
        EventContent::PaymentRemoved { .. } => "payment.removed",
        EventContent::PaymentUnclear { .. } => "payment.unclear",
        EventContent::RecordSynced(_) => "record.synced",
        EventContent::RefundRemoved(_) => "refund.removed",
        EventContent::Skipped { .. } => "sync.skipped",
    }
}

/// Every example of an event.
fn event_examples() -> Vec<EventExample> {
    let read = |(name, text): (String, String)| {
        let message = serde_json::from_str(&text).unwrap();
        let event = serde_json::from_str::<OutboundEvent>(&text);
        let event = event.unwrap_or_else(|error| panic!("{name}: {error}"));
        EventExample { name, message, event }
    };
    files(&outbound().join("examples")).into_iter().map(read).collect()
}

#[test]
fn every_type_of_event_has_a_schema_and_an_example() {
    let schemas = outbound_schemas();
    assert_eq!(schemas.keys().map(String::as_str).collect::<Vec<_>>(), EVENT_TYPES);
    let shown = event_examples()
        .iter()
        .map(|example| type_of(&example.event.content))
        .collect::<BTreeSet<_>>();
    assert_eq!(shown, BTreeSet::from(EVENT_TYPES));
}

#[test]
fn every_example_of_an_event_is_valid_and_equals_the_written_event() {
    let schemas = outbound_schemas();
    for EventExample { name, message, event } in event_examples() {
        let event_type = type_of(&event.content);
        assert_eq!(message["type"].as_str(), Some(event_type), "{name}");
        let case = name.strip_prefix(event_type);
        assert!(case.is_some_and(|case| case.is_empty() || case.starts_with('.')), "{name}");
        let objections = objections(&schemas[event_type], &message);
        assert_eq!(objections, Vec::<String>::new(), "{name}");
        let written: Value = serde_json::from_str(&event.to_body()).unwrap();
        assert_eq!(written, message, "{name}");
    }
}

/// An event is delivered from its text alone, without knowledge of its kind.
#[test]
fn the_text_of_every_event_says_what_its_delivery_depends_on() {
    for EventExample { name, event, message: _ } in event_examples() {
        let committed = EventMessage::from(&event);
        assert_eq!(committed.body_text(), event.to_body(), "{name}");
        let stored = serde_json::to_string(&committed).unwrap();
        assert_eq!(stored, event.to_body(), "{name}");
        let read: EventMessage = serde_json::from_str(&stored).unwrap();
        assert_eq!(read.invoice_sequence, committed.invoice_sequence, "{name}");
        assert_eq!(read, committed, "{name}");
    }
}

#[test]
fn a_field_of_an_event_is_required_by_its_schema_if_the_code_always_writes_it() {
    let schemas = outbound_schemas();
    for EventExample { name, message, event } in event_examples() {
        let schema = &schemas[type_of(&event.content)];
        for field in message.as_object().unwrap().keys() {
            let mut without = message.clone();
            without.as_object_mut().unwrap().remove(field);
            let is_read = serde_json::from_str::<OutboundEvent>(&without.to_string()).is_ok();
            assert_eq!(schema.is_valid(&without), is_read, "{name} without {field}");
        }
    }
}

#[test]
fn an_event_may_have_unknown_fields() {
    let schemas = outbound_schemas();
    for EventExample { name, message, event } in event_examples() {
        let mut later = message;
        later.as_object_mut().unwrap().insert("added_later".to_owned(), Value::Bool(true));
        let objections = objections(&schemas[type_of(&event.content)], &later);
        assert_eq!(objections, Vec::<String>::new(), "{name}");
        let read = serde_json::from_str::<OutboundEvent>(&later.to_string());
        assert_eq!(read.unwrap(), event, "{name}");
    }
}

#[test]
fn a_reader_of_the_last_release_accepts_every_event_of_its_types() {
    let released = schemas(&outbound().join("released"), "values");
    assert!(!released.is_empty());
    let mut read = BTreeSet::new();
    for EventExample { name, message, event } in event_examples() {
        // A reader ignores types that it does not know.
        let event_type = type_of(&event.content);
        let Some(schema) = released.get(event_type) else { continue };
        assert_eq!(objections(schema, &message), Vec::<String>::new(), "{name}");
        read.insert(event_type);
    }
    let types = released.keys().map(String::as_str).collect::<BTreeSet<_>>();
    assert_eq!(read, types, "a type of event is gone");
}

#[test]
fn the_guide_names_every_type_of_event() {
    let guide = std::fs::read_to_string(outbound().join("README.md")).unwrap();
    let (_, changes) = guide.split_once("## Changes").unwrap();
    for event_type in EVENT_TYPES {
        assert!(guide.contains(&format!("| `{event_type}` |")), "{event_type}");
        let is_released = outbound().join(format!("released/{event_type}.schema.json")).exists();
        let is_listed = changes.contains(&format!("`{event_type}`"));
        assert!(is_released || is_listed, "{event_type} is not among the changes");
    }
}

#[test]
fn the_guide_names_exactly_the_events_without_a_number() {
    let guide = std::fs::read_to_string(outbound().join("README.md")).unwrap();
    let (_, named) = guide.split_once("- The other events (").unwrap();
    let (named, _) = named.split_once(") have no number").unwrap();
    for EventExample { name, message, event } in event_examples() {
        let is_named = named.contains(&format!("`{}`", type_of(&event.content)));
        assert_eq!(is_named, message.get("sequence").is_none(), "{name}");
    }
}
