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

use domain::body::Shape;
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
            Unreadable::Field { field, problem: _ }
            | Unreadable::UnknownField { field, meant: _ } => field.as_str(),
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

/// A JSON pointer as errors write it: `invoice.lines[0].name`.
fn path(pointer: &str) -> String {
    let parts = pointer.split('/').skip(1);
    let written = parts.map(|part| {
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("[{part}]")
        } else {
            format!(".{part}")
        }
    });
    written.collect::<String>().trim_start_matches('.').to_owned()
}

/// What both sides say of a changed example: whether it is accepted.
fn verdict(
    schemas: &BTreeMap<String, Validator>,
    example: &Example,
    changed: &Value,
) -> (bool, bool) {
    let kind = kind_of(&example.message_type);
    let is_read = envelope::read(&changed.to_string(), kind, ACCOUNT).is_ok();
    (schemas[&example.message_type].is_valid(changed), is_read)
}

#[test]
fn a_field_that_the_contract_lacks_is_refused_by_both_sides_wherever_it_is() {
    let schemas = inbound_schemas();
    for example in examples() {
        for pointer in pointers(&example.message) {
            let mut changed = example.message.clone();
            let Some(Value::Object(members)) = changed.pointer_mut(&pointer) else { continue };
            members.insert("added_later".to_owned(), Value::Bool(true));
            let (name, at) = (&example.name, path(&format!("{pointer}/added_later")));
            assert!(!schemas[&example.message_type].is_valid(&changed), "{name} with {at}");
            let kind = kind_of(&example.message_type);
            let refused = envelope::read(&changed.to_string(), kind, ACCOUNT).unwrap_err();
            assert_eq!(refused.to_string(), format!("{at} is not a known field"), "{name}");
        }
    }
}

#[test]
fn both_sides_agree_on_every_field_that_is_left_out() {
    let schemas = inbound_schemas();
    for example in examples() {
        for pointer in pointers(&example.message) {
            let Some((parent, name)) = pointer.rsplit_once('/') else { continue };
            let mut changed = example.message.clone();
            let Some(Value::Object(members)) = changed.pointer_mut(parent) else { continue };
            members.remove(name);
            let (accepted, is_read) = verdict(&schemas, &example, &changed);
            assert_eq!(accepted, is_read, "{} without {pointer}", example.name);
        }
    }
}

/// Values of every type, and texts at the limits of every field.
fn replacements() -> Vec<Value> {
    let texts = [
        "",
        "x",
        "0",
        "0.00",
        "-1",
        "-0",
        "007",
        "1.00",
        "1.001",
        "1.0000000000",
        "1.00000000000",
        "101",
        "12345678901234",
        "1234567890123",
        "2200-01-01",
        "2026-02-29",
        "2024-02-29",
        "2026-11-02T09:14:05+01:00",
        "2026-11-02T09:14:05.5Z",
        "gbp",
        "GBP",
        "a,b",
        " x",
    ];
    let lengths = [40, 41, 255, 256, 500, 501, 4_000, 4_001];
    let texts = texts.map(Value::from).into_iter();
    let long = lengths
        .into_iter()
        .flat_map(|length| [Value::from("x".repeat(length)), Value::from("é".repeat(length))]);
    let others = [
        Value::Null,
        Value::from(true),
        Value::from(0),
        Value::from(1),
        Value::from(-1),
        Value::from(u64::MAX),
        Value::Array(Vec::new()),
        Value::Object(serde_json::Map::new()),
    ];
    texts.chain(long).chain(others).collect()
}

/// What no schema can see: whether the parts of a message belong together.
fn is_about_others(pointer: &str, value: &Value) -> bool {
    let names_another = ["/account_id", "/client/id", "/client_id"];
    let is_figure = ["/quantity", "/unit_price", "/discount/amount"];
    value.is_string()
        && (names_another.iter().any(|end| pointer.ends_with(end))
            || is_figure.iter().any(|end| pointer.ends_with(end)))
}

#[test]
fn both_sides_agree_on_every_value_in_every_field() {
    let schemas = inbound_schemas();
    for example in examples() {
        for pointer in pointers(&example.message) {
            for value in replacements() {
                let mut changed = example.message.clone();
                *changed.pointer_mut(&pointer).unwrap() = value.clone();
                let (accepted, is_read) = verdict(&schemas, &example, &changed);
                if is_about_others(&pointer, &value) && accepted {
                    continue;
                }
                let shown = value.to_string().chars().take(40).collect::<String>();
                assert_eq!(accepted, is_read, "{}: {pointer} = {shown}", example.name);
            }
        }
    }
}

#[test]
fn both_sides_agree_on_lists_that_are_too_long() {
    let schemas = inbound_schemas();
    for example in examples() {
        for pointer in pointers(&example.message) {
            let mut changed = example.message.clone();
            let Some(Value::Array(items)) = changed.pointer_mut(&pointer) else { continue };
            let limit = if pointer.ends_with("lines") { 500 } else { 50 };
            let first = items[0].clone();
            *items = vec![first; limit + 1];
            assert_eq!(verdict(&schemas, &example, &changed), (false, false), "{}", example.name);
        }
    }
}

/// Compares what a schema names with what the reader knows.
fn same_fields(schema: &Value, definitions: &Value, shape: Shape, at: &str) {
    let schema = match schema["anyOf"].as_array() {
        Some(choices) => choices.iter().find(|one| one["$ref"].is_string()).unwrap_or(schema),
        None => schema,
    };
    let name = schema["$ref"].as_str().and_then(|reference| reference.split("#/$defs/").nth(1));
    let schema = name.map_or(schema, |name| &definitions[name]);
    match shape {
        Shape::Object(fields) => {
            let known = fields.iter().map(|field| field.name).collect::<BTreeSet<_>>();
            let named = schema["properties"].as_object().unwrap();
            let named_fields = named.keys().map(String::as_str).collect::<BTreeSet<_>>();
            assert_eq!(known, named_fields, "{at}");
            assert_eq!(schema["additionalProperties"], Value::Bool(false), "{at}");
            for field in fields {
                let at = format!("{at}.{}", field.name);
                same_fields(&named[field.name], definitions, field.shape, &at);
            }
        }
        Shape::List(item) => same_fields(&schema["items"], definitions, *item, at),
        Shape::Value | Shape::Map => assert!(schema["properties"].is_null(), "{at}"),
    }
}

#[test]
fn the_reader_knows_exactly_the_fields_that_the_schemas_name() {
    let read = |name: &str| -> Value {
        let path = inbound().join(format!("{name}.schema.json"));
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    let snapshots = read("snapshots");
    for message_type in inbound_schemas().into_keys() {
        let shape = envelope::shape_of(&message_type).unwrap();
        same_fields(&read(&message_type), &snapshots["$defs"], shape, &message_type);
    }
}

#[test]
fn every_optional_field_is_in_an_example() {
    let shown =
        examples().iter().flat_map(|example| pointers(&example.message)).collect::<Vec<_>>();
    for message_type in inbound_schemas().keys() {
        every_field_is_shown(envelope::shape_of(message_type).unwrap(), message_type, &shown);
    }
}

fn every_field_is_shown(shape: Shape, at: &str, shown: &[String]) {
    match shape {
        Shape::Object(fields) => {
            for field in fields {
                let end = format!("/{}", field.name);
                assert!(shown.iter().any(|one| one.ends_with(&end)), "{at} has no {end}");
                every_field_is_shown(field.shape, &format!("{at}{end}"), shown);
            }
        }
        Shape::List(item) => every_field_is_shown(*item, at, shown),
        Shape::Value | Shape::Map => {}
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
