//! The list of calls in the guide to the API: it has every route of the OpenAPI document with its
//! parameters, and the routes read its bodies.

#![allow(clippy::disallowed_methods, reason = "a description of the API holds no amounts")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use jsonschema::Validator;
use requests::list_body_errors;
use runtime::api::describe_api;
use serde_json::{Value, json};
use tests::project::locate_in_project;

/// What an ellipsis in an example stands for: an id of Xero, which the CRM's ids also may be.
const SOME_ID: &str = "4b9c7e15-0a2d-4f68-8d31-6e5f7a9b0c24";
/// The kinds of records whose routes the guide lists with those of invoices.
const OTHER_KINDS: [&str; 4] = ["clients", "credit-notes", "allocations", "payments"];
/// The route that returns the document itself. The guide has it outside the list.
const DOCUMENT: &str = "GET /v1/openapi.json";

/// A row of the list.
#[derive(Default)]
struct Row {
    /// Its calls, such as `GET /v1/invoices/{}`, with the names of their parameters.
    calls: Vec<(String, BTreeSet<String>)>,
    /// Its bodies, of which each call accepts each if it takes a body.
    bodies: Vec<String>,
}

impl Row {
    /// Reads the first cell of a row. `None` if it has no call.
    fn of_cell(cell: &str) -> Option<Self> {
        let mut row = Self::default();
        for span in cell.split('`').skip(1).step_by(2) {
            if span.starts_with('{') {
                row.bodies.push(span.replace('…', SOME_ID));
            } else if let Some((path, query)) = find_address(span) {
                row.calls.push((without_names(path), names_of(query)));
            } else if OTHER_KINDS.contains(&span) {
                row.repeat_for(span);
            }
        }
        if cell.ends_with("also for the others") {
            for kind in OTHER_KINDS {
                row.repeat_for(kind);
            }
        }
        (!row.calls.is_empty()).then_some(row)
    }

    /// Adds the row's first call, which is about invoices, for another kind.
    fn repeat_for(&mut self, kind: &str) {
        let (call, parameters) = self.calls[0].clone();
        self.calls.push((call.replace("/invoices/", &format!("/{kind}/")), parameters));
    }
}

/// Splits a call into its method with the path, and its parameters. `None` for other texts.
fn find_address(span: &str) -> Option<(&str, &str)> {
    span.contains(" /v1/").then(|| span.split_once('?').unwrap_or((span, "")))
}

/// A path without the names of its ids.
fn without_names(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn names_of(query: &str) -> BTreeSet<String> {
    let names = query.split('&').map(|one| one.trim_end_matches('='));
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn read_rows() -> Vec<Row> {
    let guide = fs::read_to_string(locate_in_project("docs/api.md")).unwrap();
    let cells = guide.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    cells.filter_map(Row::of_cell).collect()
}

/// The operations of the OpenAPI document, by call.
fn read_operations(document: &Value) -> BTreeMap<String, &Value> {
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation.is_object() {
                let call = format!("{} {}", method.to_uppercase(), without_names(path));
                operations.insert(call, operation);
            }
        }
    }
    operations
}

fn query_parameters(operation: &Value) -> BTreeSet<String> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let queried = parameters.filter(|one| one["in"] == "query");
    queried.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

/// The validator of an operation's body, if it takes one.
fn find_body_schema(document: &Value, operation: &Value) -> Option<Validator> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let schema = schema.is_object().then(
        || json!({ "allOf": [schema.clone()], "components": document["components"].clone() }),
    )?;
    Some(jsonschema::options().build(&schema).unwrap())
}

#[test]
fn the_guide_lists_every_call_with_its_parameters() {
    let document: Value = serde_json::from_str(describe_api()).unwrap();
    let described = read_operations(&document)
        .into_iter()
        .filter(|(call, _)| call != DOCUMENT)
        .map(|(call, operation)| (call, query_parameters(operation)));
    let listed = read_rows().into_iter().flat_map(|row| row.calls);
    assert_eq!(
        listed.collect::<BTreeMap<_, _>>(),
        described.collect::<BTreeMap<_, _>>(),
        "left: docs/api.md; right: the OpenAPI document"
    );
}

#[test]
fn the_guide_has_a_body_for_every_call_that_takes_one_and_the_routes_read_it() {
    let document: Value = serde_json::from_str(describe_api()).unwrap();
    let operations = read_operations(&document);
    let mut read = 0;
    for Row { calls, bodies } in read_rows() {
        let schemas = calls.iter().filter_map(|(call, _)| {
            Some((call, find_body_schema(&document, operations.get(call)?)?))
        });
        let schemas = schemas.collect::<Vec<_>>();
        assert_eq!(schemas.is_empty(), bodies.is_empty(), "{calls:?}: {bodies:?}");
        for body in &bodies {
            let value: Value = serde_json::from_str(body).unwrap();
            for (call, schema) in &schemas {
                assert!(schema.is_valid(&value), "{call}: {body}");
            }
            let errors = list_body_errors(body.as_bytes());
            assert!(errors.iter().any(Option::is_none), "{body}: {errors:?}");
            read += 1;
        }
    }
    assert!(read > 8, "{read}");
}

#[test]
fn the_guide_describes_every_field_of_the_status() {
    let document: Value = serde_json::from_str(describe_api()).unwrap();
    let guide = fs::read_to_string(locate_in_project("docs/api.md")).unwrap();
    let (_, section) = guide.split_once("### The status").unwrap();
    let fields = document["components"]["schemas"]["StatusView"]["properties"].as_object().unwrap();
    for field in fields.keys() {
        assert!(section.contains(&format!("`{field}`")), "{field}");
    }
}
