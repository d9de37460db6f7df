//! The inbound contract: schemas, examples and the code that reads messages say the same.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops where it is wrong"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use domain::entity::EntityKind;
use domain::envelope::{self, Unreadable};
use jsonschema::{Registry, Validator};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

const ACCOUNT: &str = "acc_ridgeway";
const SHARED: &str = "snapshots.schema.json";

#[derive(Deserialize)]
struct Invalid {
    field: String,
    schema_sees: bool,
    message: Box<RawValue>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/domain/contract/inbound")
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

/// The validator of every message type.
fn schemas() -> BTreeMap<String, Validator> {
    let shared: Value =
        serde_json::from_str(&fs::read_to_string(folder().join(SHARED)).unwrap()).unwrap();
    let id = shared["$id"].as_str().unwrap().to_owned();
    let registry = Registry::new().add(id, &shared).unwrap().prepare().unwrap();
    files(&folder())
        .into_iter()
        .filter_map(|(name, text)| {
            let message_type = name.strip_suffix(".schema")?.to_owned();
            if message_type == "snapshots" {
                return None;
            }
            let schema: Value = serde_json::from_str(&text).unwrap();
            let validator = jsonschema::options().with_registry(&registry).build(&schema).unwrap();
            Some((message_type, validator))
        })
        .collect()
}

fn kind_of(message_type: &str) -> EntityKind {
    match message_type.split('.').next() {
        Some("client") => EntityKind::Contact,
        Some("payment") => EntityKind::Payment,
        Some(_) | None => EntityKind::Invoice,
    }
}

#[test]
fn every_message_type_has_a_schema_and_examples_that_both_sides_accept() {
    let schemas = schemas();
    let types = schemas.keys().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(
        types,
        [
            "client.upserted",
            "invoice.sent",
            "invoice.updated",
            "invoice.voided",
            "payment.deleted",
            "payment.recorded",
        ]
    );
    for message_type in types {
        for name in [message_type.to_owned(), format!("{message_type}.minimal")] {
            let path = folder().join("examples").join(format!("{name}.json"));
            let text = fs::read_to_string(path).unwrap();
            let value: Value = serde_json::from_str(&text).unwrap();
            let errors = schemas[message_type].iter_errors(&value).map(|e| e.to_string());
            assert_eq!(errors.collect::<Vec<_>>(), Vec::<String>::new(), "{name}");
            let read = envelope::read(&text, kind_of(message_type), ACCOUNT);
            assert!(read.is_ok(), "{name}: {read:?}");
        }
    }
}

#[test]
fn every_invalid_example_is_refused_with_the_field_it_is_about() {
    let schemas = schemas();
    for (name, text) in files(&folder().join("examples/invalid")) {
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
    let schemas = schemas();
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
        let errors = schemas[message_type].iter_errors(&message).map(|e| e.to_string());
        let none: Vec<String> = Vec::new();
        assert_eq!(errors.collect::<Vec<_>>(), none, "{}", entry["invoice"]["id"]);
    }
}
