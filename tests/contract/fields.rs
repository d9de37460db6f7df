//! The reader knows the fields of the schemas, the examples contain all of them, and a refusal names
//! the field.

use std::collections::BTreeSet;
use std::fs;

use domain::body::BodyShape;
use domain::envelope::{MessageType, read_crm_body};
use serde_json::Value;

use super::agreement::path;
use super::{ACCOUNT, examples, inbound, inbound_schemas, kind_of, pointers};

/// JSON that no field accepts, or few. Serde reports several of them like errors of JSON's syntax.
const ODD_VALUES: [&str; 8] =
    ["null", "true", "1e400", "[]", "[1]", "{}", r#"{"x":1}"#, r#""cut \ud83d""#];

/// Compares the fields of a schema with those that the reader knows.
fn same_fields(schema: &Value, definitions: &Value, shape: BodyShape, at: &str) {
    let schema = match schema["anyOf"].as_array() {
        Some(choices) => choices.iter().find(|one| one["$ref"].is_string()).unwrap_or(schema),
        None => schema,
    };
    let name = schema["$ref"].as_str().and_then(|reference| reference.split("#/$defs/").nth(1));
    let schema = name.map_or(schema, |name| &definitions[name]);
    match shape {
        BodyShape::Object(fields) => {
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
        BodyShape::List(item) => same_fields(&schema["items"], definitions, *item, at),
        BodyShape::Value | BodyShape::Map => assert!(schema["properties"].is_null(), "{at}"),
    }
}

fn shape_of(message_type: &str) -> BodyShape {
    MessageType::from_name(message_type).unwrap().body_shape()
}

#[test]
fn the_reader_knows_exactly_the_types_of_the_schemas() {
    let schemas = inbound_schemas();
    let named = schemas.keys().map(String::as_str).collect::<BTreeSet<_>>();
    assert_eq!(BTreeSet::from(MessageType::ALL.map(MessageType::as_str)), named);
}

#[test]
fn the_reader_knows_exactly_the_fields_of_the_schemas() {
    let read = |name: &str| -> Value {
        let path = inbound().join(format!("{name}.schema.json"));
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    let snapshots = read("snapshots");
    for message_type in inbound_schemas().into_keys() {
        let shape = shape_of(&message_type);
        same_fields(&read(&message_type), &snapshots["$defs"], shape, &message_type);
    }
}

#[test]
fn every_optional_field_is_in_an_example() {
    let shown =
        examples().iter().flat_map(|example| pointers(&example.message)).collect::<Vec<_>>();
    for message_type in inbound_schemas().keys() {
        every_field_is_shown(shape_of(message_type), message_type, &shown);
    }
}

fn every_field_is_shown(shape: BodyShape, at: &str, shown: &[String]) {
    match shape {
        BodyShape::Object(fields) => {
            for field in fields {
                let end = format!("/{}", field.name);
                assert!(shown.iter().any(|one| one.ends_with(&end)), "{at} has no {end}");
                every_field_is_shown(field.shape, &format!("{at}{end}"), shown);
            }
        }
        BodyShape::List(item) => every_field_is_shown(*item, at, shown),
        BodyShape::Value | BodyShape::Map => {}
    }
}

#[test]
fn a_value_that_its_field_does_not_accept_is_refused_with_the_path_of_the_field() {
    for example in examples() {
        for pointer in pointers(&example.message).into_iter().filter(|at| !at.is_empty()) {
            let mut changed = example.message.clone();
            *changed.pointer_mut(&pointer).unwrap() = Value::from("the odd value");
            let (text, at) = (changed.to_string(), path(&pointer));
            for odd in ODD_VALUES {
                let body = text.replacen("\"the odd value\"", odd, 1);
                let read = read_crm_body(&body, kind_of(&example.message_type), ACCOUNT);
                // A field that is optional may be null, and a list may be empty.
                let Err(refused) = read else { continue };
                let objection = refused.to_string();
                assert!(objection.starts_with(&at), "{}: {at} is {odd}: {objection}", example.name);
            }
        }
    }
}
