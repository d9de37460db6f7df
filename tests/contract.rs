//! The contract: schemas, examples and the code that reads messages and writes events say the same.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops where it is wrong"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use domain::entity::EntityKind;
use domain::envelope::{self, Unreadable};
use domain::outbound::{Event, News};
use jsonschema::{Registry, Validator};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

const ACCOUNT: &str = "acc_ridgeway";
/// The types of events. Whoever adds one gives it a schema and an example.
const EVENT_TYPES: [&str; 6] = [
    "connection.status",
    "invoice.payment_status",
    "invoice.xero_status",
    "payment.imported",
    "payment.removed",
    "sync.skipped",
];

#[derive(Deserialize)]
struct Invalid {
    field: String,
    schema_sees: bool,
    message: Box<RawValue>,
}

/// An event as it stands in an example, and as it is read.
struct Told {
    name: String,
    message: Value,
    event: Event,
}

fn folder(direction: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/domain/contract").join(direction)
}

fn inbound() -> PathBuf {
    folder("inbound")
}

fn outbound() -> PathBuf {
    folder("outbound")
}

/// The JSON files of a folder, by name without `.json`, sorted.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect::<Vec<_>>();
    found.sort();
    assert!(!found.is_empty(), "{} holds no examples", folder.display());
    found
}

/// The validator of every message type in a folder whose schemas share definitions.
fn schemas(folder: &Path, shared: &str) -> BTreeMap<String, Validator> {
    let text = fs::read_to_string(folder.join(format!("{shared}.schema.json"))).unwrap();
    let definitions: Value = serde_json::from_str(&text).unwrap();
    let id = definitions["$id"].as_str().unwrap().to_owned();
    let registry = Registry::new().add(id, &definitions).unwrap().prepare().unwrap();
    files(folder)
        .into_iter()
        .filter_map(|(name, text)| {
            let message_type = name.strip_suffix(".schema")?.to_owned();
            if message_type == shared {
                return None;
            }
            let schema: Value = serde_json::from_str(&text).unwrap();
            let validator = jsonschema::options().with_registry(&registry).build(&schema).unwrap();
            Some((message_type, validator))
        })
        .collect()
}

fn inbound_schemas() -> BTreeMap<String, Validator> {
    schemas(&inbound(), "snapshots")
}

fn outbound_schemas() -> BTreeMap<String, Validator> {
    schemas(&outbound(), "values")
}

/// What a schema has against a message.
fn objections(schema: &Validator, message: &Value) -> Vec<String> {
    schema.iter_errors(message).map(|error| error.to_string()).collect()
}

fn kind_of(message_type: &str) -> EntityKind {
    match message_type.split('.').next() {
        Some("client") => EntityKind::Contact,
        Some("credit_note") => EntityKind::CreditNote,
        Some("payment") => EntityKind::Payment,
        Some(_) | None => EntityKind::Invoice,
    }
}

/// The type of an event. One that is new here belongs into [`EVENT_TYPES`] too.
fn type_of(news: &News) -> &'static str {
    match news {
        News::Connection { .. } => "connection.status",
        News::PaymentStatus { .. } => "invoice.payment_status",
        News::XeroStatus { .. } => "invoice.xero_status",
        News::PaymentImported(_) => "payment.imported",
        News::PaymentRemoved { .. } => "payment.removed",
        News::Skipped { .. } => "sync.skipped",
    }
}

/// Every example of an event.
fn told() -> Vec<Told> {
    let read = |(name, text): (String, String)| {
        let message = serde_json::from_str(&text).unwrap();
        let event = serde_json::from_str::<Event>(&text);
        let event = event.unwrap_or_else(|error| panic!("{name}: {error}"));
        Told { name, message, event }
    };
    files(&outbound().join("examples")).into_iter().map(read).collect()
}

#[test]
fn every_message_type_has_a_schema_and_examples_that_both_sides_accept() {
    let schemas = inbound_schemas();
    let types = schemas.keys().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(
        types,
        [
            "client.upserted",
            "credit_note.allocated",
            "credit_note.deallocated",
            "credit_note.issued",
            "credit_note.updated",
            "credit_note.voided",
            "invoice.sent",
            "invoice.updated",
            "invoice.voided",
            "payment.deleted",
            "payment.recorded",
        ]
    );
    for message_type in types {
        for name in [message_type.to_owned(), format!("{message_type}.minimal")] {
            let path = inbound().join("examples").join(format!("{name}.json"));
            let text = fs::read_to_string(path).unwrap();
            let value: Value = serde_json::from_str(&text).unwrap();
            let objections = objections(&schemas[message_type], &value);
            assert_eq!(objections, Vec::<String>::new(), "{name}");
            let read = envelope::read(&text, kind_of(message_type), ACCOUNT);
            assert!(read.is_ok(), "{name}: {read:?}");
        }
    }
}

#[test]
fn every_invalid_example_is_refused_with_the_field_it_is_about() {
    let schemas = inbound_schemas();
    for (name, text) in files(&inbound().join("examples/invalid")) {
        let invalid: Invalid = serde_json::from_str(&text).unwrap();
        let message = invalid.message.get();
        let value: Value = serde_json::from_str(message).unwrap();
        let message_type = value["type"].as_str().unwrap_or_default();
        let accepted = schemas.get(message_type).is_some_and(|schema| schema.is_valid(&value));
        assert_eq!(!accepted, invalid.schema_sees, "{name}: the schema");
        let refused = envelope::read(message, kind_of(message_type), ACCOUNT).unwrap_err();
        let field = match &refused {
            Unreadable::Field { field, problem: _ } => field.as_str(),
            Unreadable::UnknownType => "type",
            Unreadable::UnknownVersion => "version",
            Unreadable::Oversized { .. }
            | Unreadable::NotJson { .. }
            | Unreadable::WrongQueue { .. }
            | Unreadable::WrongAccount => "",
        };
        assert_eq!(field, invalid.field, "{name}: {refused}");
    }
}

#[test]
fn every_message_of_the_story_keeps_to_the_schemas() {
    let schemas = inbound_schemas();
    let story = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/local/story");
    let read = |name: &str| -> Vec<Value> {
        serde_json::from_str(&fs::read_to_string(story.join(name)).unwrap()).unwrap()
    };
    let clients = read("clients.json");
    let by_id = clients.iter().map(|client| (client["id"].as_str().unwrap(), client));
    let by_id = by_id.collect::<BTreeMap<_, _>>();
    for entry in read("invoices.json").iter().chain(&read("edits.json")) {
        let message_type = entry["type"].as_str().unwrap_or("invoice.sent");
        let client = by_id[entry["client_id"].as_str().unwrap()];
        let invoice = &entry["invoice"];
        let text = format!(
            r#"{{"version":1,"type":"{message_type}","message_id":"msg_1","account_id":"{ACCOUNT}",
            "sent_at":"2026-11-02T09:14:05Z","client":{client},"invoice":{invoice}}}"#
        );
        let message: Value = serde_json::from_str(&text).unwrap();
        let objections = objections(&schemas[message_type], &message);
        assert_eq!(objections, Vec::<String>::new(), "{}", entry["invoice"]["id"]);
    }
}

#[test]
fn every_kind_of_news_has_a_schema_and_an_example() {
    let schemas = outbound_schemas();
    assert_eq!(schemas.keys().map(String::as_str).collect::<Vec<_>>(), EVENT_TYPES);
    let shown = told().iter().map(|told| type_of(&told.event.news)).collect::<BTreeSet<_>>();
    assert_eq!(shown, BTreeSet::from(EVENT_TYPES));
}

#[test]
fn every_example_of_an_event_keeps_to_its_schema_and_is_what_the_code_writes() {
    let schemas = outbound_schemas();
    for Told { name, message, event } in told() {
        let event_type = type_of(&event.news);
        assert_eq!(message["type"].as_str(), Some(event_type), "{name}");
        let case = name.strip_prefix(event_type);
        assert!(case.is_some_and(|case| case.is_empty() || case.starts_with('.')), "{name}");
        let objections = objections(&schemas[event_type], &message);
        assert_eq!(objections, Vec::<String>::new(), "{name}");
        let written: Value = serde_json::from_str(&event.to_body()).unwrap();
        assert_eq!(written, message, "{name}");
    }
}

#[test]
fn a_field_of_an_event_is_required_by_its_schema_where_the_code_always_writes_it() {
    let schemas = outbound_schemas();
    for Told { name, message, event } in told() {
        let schema = &schemas[type_of(&event.news)];
        for field in message.as_object().unwrap().keys() {
            let mut without = message.clone();
            without.as_object_mut().unwrap().remove(field);
            let is_read = serde_json::from_str::<Event>(&without.to_string()).is_ok();
            assert_eq!(schema.is_valid(&without), is_read, "{name} without {field}");
        }
    }
}

#[test]
fn an_event_may_get_further_fields() {
    let schemas = outbound_schemas();
    for Told { name, message, event } in told() {
        let mut later = message;
        later.as_object_mut().unwrap().insert("added_later".to_owned(), Value::Bool(true));
        let objections = objections(&schemas[type_of(&event.news)], &later);
        assert_eq!(objections, Vec::<String>::new(), "{name}");
        let read = serde_json::from_str::<Event>(&later.to_string());
        assert_eq!(read.unwrap(), event, "{name}");
    }
}
