//! The contract: the schemas, the examples and the code that reads messages and writes events
//! agree.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

#[path = "contract/agreement.rs"]
mod agreement;
#[path = "contract/api.rs"]
mod api;
#[path = "contract/api_guide.rs"]
mod api_guide;
#[path = "contract/compatibility.rs"]
mod compatibility;
#[path = "contract/events.rs"]
mod events;
#[path = "contract/fields.rs"]
mod fields;
#[path = "contract/guide.rs"]
mod guide;
#[path = "contract/versions.rs"]
mod versions;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use domain::entity::EntityKind;
use domain::envelope::{self, MessageType, UnreadableBody};
use jsonschema::{Registry, Validator};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tests::project::locate_in_project;

const ACCOUNT: &str = "acc_ridgeway";

/// A message that is refused, and the reason.
#[derive(Deserialize)]
struct Invalid {
    field: String,
    schema_sees: bool,
    message: Box<RawValue>,
}

fn folder(direction: &str) -> PathBuf {
    locate_in_project("shared/domain/contract").join(direction)
}

fn inbound() -> PathBuf {
    folder("inbound")
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
    assert!(!found.is_empty(), "{} contains no examples", folder.display());
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

/// The errors of a message according to a schema.
fn objections(schema: &Validator, message: &Value) -> Vec<String> {
    schema.iter_errors(message).map(|error| error.to_string()).collect()
}

fn kind_of(message_type: &str) -> EntityKind {
    known_kind(message_type).unwrap_or_else(|| panic!("no queue takes {message_type}"))
}

/// The kind whose queue accepts messages of this type.
fn known_kind(message_type: &str) -> Option<EntityKind> {
    MessageType::from_name(message_type).map(|known| known.record_kind().queue_kind())
}

/// An example that both sides accept.
struct Example {
    name: String,
    message_type: String,
    message: Value,
}

fn examples() -> Vec<Example> {
    let named = inbound_schemas().into_keys().flat_map(|message_type| {
        let minimal = format!("{message_type}.minimal");
        [(message_type.clone(), message_type.clone()), (minimal, message_type)]
    });
    let read = |(name, message_type): (String, String)| {
        let path = inbound().join("examples").join(format!("{name}.json"));
        let message = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        Example { name, message_type, message }
    };
    named.map(read).collect()
}

/// The JSON pointers of every value in a message, itself included.
fn pointers(value: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        found.push(at.to_owned());
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    walk(member, &format!("{at}/{name}"), found);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    walk(item, &format!("{at}/{index}"), found);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}

#[test]
fn every_message_type_has_a_schema_and_examples_that_both_sides_accept() {
    let schemas = inbound_schemas();
    for message_type in MessageType::ALL.map(MessageType::as_str) {
        for name in [message_type.to_owned(), format!("{message_type}.minimal")] {
            let path = inbound().join("examples").join(format!("{name}.json"));
            let text = fs::read_to_string(path).unwrap();
            let value: Value = serde_json::from_str(&text).unwrap();
            let objections = objections(&schemas[message_type], &value);
            assert_eq!(objections, Vec::<String>::new(), "{name}");
            let read = envelope::read_crm_body(&text, kind_of(message_type), ACCOUNT);
            assert!(read.is_ok(), "{name}: {read:?}");
        }
    }
}

#[test]
fn every_message_of_the_last_release_is_still_accepted() {
    let schemas = inbound_schemas();
    for (name, text) in files(&inbound().join("released")) {
        let message: Value = serde_json::from_str(&text).unwrap();
        let message_type = message["type"].as_str().unwrap();
        let read = envelope::read_crm_body(&text, kind_of(message_type), ACCOUNT);
        assert!(read.is_ok(), "{name}: {read:?}");
        let objections = objections(&schemas[message_type], &message);
        assert_eq!(objections, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_record_of_every_example_is_found_as_if_it_were_refused() {
    for Example { name, message_type, message } in examples() {
        let subject = envelope::find_subject(&message.to_string(), ACCOUNT).expect(&name);
        let kind = MessageType::from_name(&message_type).unwrap().record_kind();
        assert_eq!(subject.kind, kind, "{name}");
    }
}

#[test]
fn the_guide_names_every_message_type() {
    let guide = fs::read_to_string(inbound().join("README.md")).unwrap();
    for message_type in MessageType::ALL.map(MessageType::as_str) {
        assert!(guide.contains(&format!("`{message_type}`")), "{message_type}");
    }
}

#[test]
fn every_invalid_example_is_refused_and_the_field_is_named() {
    let schemas = inbound_schemas();
    for (name, text) in files(&inbound().join("examples/invalid")) {
        let invalid: Invalid = serde_json::from_str(&text).unwrap();
        let message = invalid.message.get();
        let value: Value = serde_json::from_str(message).unwrap();
        let message_type = value["type"].as_str().unwrap_or_default();
        let accepted = schemas.get(message_type).is_some_and(|schema| schema.is_valid(&value));
        assert_eq!(!accepted, invalid.schema_sees, "{name}: the schema");
        // A message of an unknown type is refused on every queue.
        let kind = known_kind(message_type).unwrap_or(EntityKind::Invoice);
        let refused = envelope::read_crm_body(message, kind, ACCOUNT).unwrap_err();
        let field = match &refused {
            UnreadableBody::Field { field, problem: _ }
            | UnreadableBody::UnknownField { field, meant: _ } => field.as_str(),
            UnreadableBody::UnknownType => "type",
            UnreadableBody::UnknownVersion => "version",
            UnreadableBody::Oversized { .. }
            | UnreadableBody::NotJson { .. }
            | UnreadableBody::WrongQueue { .. }
            | UnreadableBody::WrongAccount => "",
        };
        assert_eq!(field, invalid.field, "{name}: {refused}");
    }
}

#[test]
fn every_message_of_the_story_is_valid() {
    let schemas = inbound_schemas();
    let story = locate_in_project("infra/local/story");
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
