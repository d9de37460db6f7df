//! The OpenAPI document of the settings API: the committed copy is the current one, and nothing
//! that the last release promised is gone.

#![allow(clippy::disallowed_methods, reason = "a description of the API holds no amounts")]

use std::fs;
use std::path::PathBuf;

use runtime::api::describe_api;
use serde_json::{Value, json};
use tests::project::locate_in_project;

use crate::compatibility::find_breaking_changes;
use crate::folder;

/// Set to write the committed copy instead of comparing it.
const UPDATE: &str = "UPDATE_OPENAPI";

fn committed() -> PathBuf {
    folder("api").join("openapi.json")
}

/// The document of the last release. A release copies `openapi.json` over it.
fn released() -> PathBuf {
    folder("api").join("openapi-released.json")
}

#[test]
fn the_committed_openapi_document_is_the_current_one() {
    if std::env::var_os(UPDATE).is_some() {
        fs::create_dir_all(folder("api")).unwrap();
        fs::write(committed(), describe_api()).unwrap();
    }
    let text = fs::read_to_string(committed()).unwrap_or_default();
    assert!(
        text == describe_api(),
        "openapi.json is not current: run `{UPDATE}=1 cargo test --workspace --test contract openapi` and commit it"
    );
}

#[test]
fn nothing_that_the_last_release_promised_is_gone_from_the_openapi_document() {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let before = read(&fs::read_to_string(released()).unwrap());
    let changes = find_breaking_changes(&before, &read(describe_api()));
    assert!(changes.is_empty(), "{changes:#?}");
}

/// A document with one route, whose request and response have this schema.
fn a_document(request: &Value, response: &Value) -> Value {
    json!({
        "paths": { "/v1/things/{id}": { "put": {
            "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
            "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Request" } } } },
            "responses": { "200": { "description": "", "content": { "application/json": {
                "schema": { "$ref": "#/components/schemas/Response" },
            } } } },
        } } },
        "components": { "schemas": { "Request": request, "Response": response } },
    })
}

/// A thing with these fields, of which those are required.
fn a_thing(fields: &[&str], required: &[&str]) -> Value {
    let field = |name: &&str| ((*name).to_owned(), json!({ "type": "string" }));
    let fields = fields.iter().map(field).collect::<serde_json::Map<_, _>>();
    json!({ "type": "object", "properties": fields, "required": required })
}

#[test]
fn a_response_may_gain_what_a_request_may_not_require() {
    let (one, two) = (a_thing(&["a"], &["a"]), a_thing(&["a", "b"], &["a", "b"]));
    let optional = a_thing(&["a", "b"], &["a"]);
    let changes = |before: (&Value, &Value), after: (&Value, &Value)| {
        find_breaking_changes(&a_document(before.0, before.1), &a_document(after.0, after.1))
    };
    assert_eq!(changes((&one, &one), (&one, &one)), Vec::<String>::new());
    assert_eq!(changes((&one, &one), (&optional, &two)), Vec::<String>::new());
    let at = "PUT /v1/things/{id}";
    assert_eq!(changes((&one, &one), (&two, &one)), [format!("{at}, request: b is required")]);
    assert_eq!(changes((&one, &two), (&one, &one)), [format!("{at}, 200: b is gone")]);
    assert_eq!(changes((&one, &two), (&one, &optional)), [format!("{at}, 200: b may be absent")]);
    assert_eq!(changes((&optional, &one), (&one, &one)), [format!("{at}, request: b is gone")]);
}

#[test]
fn other_types_and_missing_words_break_a_contract_and_new_words_of_a_response_do_not() {
    let thing = a_thing(&["a"], &["a"]);
    let words = |words: &[&str]| json!({ "type": "string", "enum": words });
    let changes = |before: &Value, after: &Value| {
        find_breaking_changes(&a_document(&thing, before), &a_document(&thing, after))
    };
    let at = "PUT /v1/things/{id}, 200";
    assert_eq!(changes(&words(&["a"]), &words(&["a", "b"])), Vec::<String>::new());
    assert_eq!(changes(&words(&["a", "b"]), &words(&["a"])), [format!("{at}: \"b\" is gone")]);
    let integer = json!({ "type": "integer" });
    assert_eq!(changes(&words(&["a"]), &integer), [format!("{at}: the type changed")]);
}

#[test]
fn routes_statuses_and_parameters_stay() {
    let thing = a_thing(&["a"], &["a"]);
    let before = a_document(&thing, &thing);
    let at = "PUT /v1/things/{id}";
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut after = before.clone();
        change(&mut after["paths"]);
        find_breaking_changes(&before, &after)
    };
    let put = |paths: &mut Value, name: &str, value: Value| {
        paths["/v1/things/{id}"]["put"][name] = value;
    };
    assert_eq!(changed(&|paths| *paths = json!({})), [format!("{at} is gone")]);
    assert_eq!(
        changed(&|paths| put(paths, "responses", json!({}))),
        [format!("{at}: 200 is gone")]
    );
    assert_eq!(
        changed(&|paths| put(paths, "parameters", json!([]))),
        [format!("{at}: the parameter id is gone")]
    );
    let new =
        json!({ "name": "q", "in": "query", "required": true, "schema": { "type": "string" } });
    assert_eq!(
        changed(&|paths| {
            paths["/v1/things/{id}"]["put"]["parameters"].as_array_mut().unwrap().push(new.clone());
        }),
        [format!("{at}: the parameter q is required")]
    );
}

#[test]
fn limits_of_a_request_become_wider_only() {
    let thing = a_thing(&["a"], &["a"]);
    let changes = |before: &Value, after: &Value| {
        find_breaking_changes(&a_document(before, &thing), &a_document(after, &thing))
    };
    let text = |limits: Value| {
        let mut text = json!({ "type": "string" });
        text.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
        text
    };
    let at = "PUT /v1/things/{id}, request";
    let (short, long) = (text(json!({ "maxLength": 10 })), text(json!({ "maxLength": 20 })));
    assert_eq!(changes(&short, &long), Vec::<String>::new());
    assert_eq!(changes(&short, &text(json!({}))), Vec::<String>::new());
    assert_eq!(changes(&long, &short), [format!("{at}: maxLength is 10")]);
    let one = text(json!({ "minLength": 1 }));
    assert_eq!(changes(&text(json!({})), &one), [format!("{at}: minLength is 1")]);
    let id = text(json!({ "format": "uuid" }));
    assert_eq!(changes(&text(json!({})), &id), [format!("{at}: the format changed")]);
    assert_eq!(changes(&id, &text(json!({}))), Vec::<String>::new());
    let nullable = json!({ "type": ["string", "null"] });
    assert_eq!(changes(&text(json!({})), &nullable), Vec::<String>::new());
    assert_eq!(changes(&nullable, &text(json!({}))), [format!("{at}: the type changed")]);
}

#[test]
fn a_response_keeps_its_forms_its_headers_and_its_media_types() {
    let thing = a_thing(&["a"], &["a"]);
    let changes = |before: &Value, after: &Value| {
        find_breaking_changes(&a_document(&thing, before), &a_document(&thing, after))
    };
    let at = "PUT /v1/things/{id}, 200";
    let (text, nullable) = (json!({ "type": "string" }), json!({ "type": ["string", "null"] }));
    assert_eq!(changes(&text, &nullable), [format!("{at}: the type changed")]);
    assert_eq!(changes(&nullable, &text), Vec::<String>::new());
    let map = |of: &str| json!({ "type": "object", "additionalProperties": { "type": of } });
    let of_numbers = changes(&map("string"), &map("integer"));
    assert_eq!(of_numbers, [format!("{at}.*: the type changed")]);
    let document = a_document(&thing, &thing);
    let with = |field: &str, value: Value| {
        let mut altered = document.clone();
        altered["paths"]["/v1/things/{id}"]["put"]["responses"]["200"][field] = value;
        altered
    };
    let tagged = with("headers", json!({ "etag": {} }));
    assert_eq!(
        find_breaking_changes(&tagged, &document),
        [format!("{at}: the header etag is gone")]
    );
    assert_eq!(find_breaking_changes(&document, &tagged), Vec::<String>::new());
    let without = with("content", json!({}));
    assert_eq!(
        find_breaking_changes(&document, &without),
        [format!("{at}: application/json is gone")]
    );
}

#[test]
fn the_guide_lists_every_route_that_is_new_since_the_last_release() {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let before = read(&fs::read_to_string(released()).unwrap());
    let guide = fs::read_to_string(folder("api").join("README.md")).unwrap();
    let (_, changes) = guide.split_once("## Changes").unwrap();
    for path in read(describe_api())["paths"].as_object().unwrap().keys() {
        // A route below a record, such as its preview, is listed with the kinds that have it.
        let is_below = path.matches('/').count() > 2;
        let start = path.split("/{").next().unwrap();
        let is_known = before["paths"].get(path).is_some();
        let is_listed = changes.contains(&format!("`{start}`")) || is_below;
        assert!(is_known || is_listed, "{start} is not among the changes");
    }
}

#[test]
fn the_name_of_an_operation_stays() {
    let thing = a_thing(&["a"], &["a"]);
    let named = |name: &str| {
        let mut document = a_document(&thing, &thing);
        document["paths"]["/v1/things/{id}"]["put"]["operationId"] = json!(name);
        document
    };
    let changes = find_breaking_changes(&named("put_thing"), &named("write_thing"));
    assert_eq!(changes, ["PUT /v1/things/{id}: the operationId changed"]);
    assert_eq!(find_breaking_changes(&named("put_thing"), &named("put_thing")), [""; 0]);
}

#[test]
fn the_guides_list_every_type_of_error() {
    let document: Value = serde_json::from_str(describe_api()).unwrap();
    let types = document["components"]["schemas"]["ProblemType"]["enum"].as_array().unwrap();
    assert!(types.len() > 10, "{types:?}");
    for guide in [folder("api").join("README.md"), locate_in_project("docs/api.md")] {
        let text = fs::read_to_string(&guide).unwrap();
        for one in types {
            let name = format!("`{}`", one.as_str().unwrap());
            assert!(text.contains(&name), "{}: {name} is missing", guide.display());
        }
    }
}
