//! Compares two OpenAPI documents: what a caller of the first one may rely on must hold in the
//! second.
//!
//! A response may gain fields, and words of its values. A request may gain fields that are not
//! required. Everything else that changes is breaking.

use std::collections::BTreeSet;

use serde_json::Value;

const METHODS: [&str; 4] = ["get", "put", "post", "delete"];

/// Who reads a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// The API, in a request.
    Api,
    /// The caller, in a response.
    Caller,
}

/// Lists what the second document breaks, as sentences that begin with the route.
pub(crate) fn find_breaking_changes(before: &Value, after: &Value) -> Vec<String> {
    let mut comparison = Comparison { before, after, seen: BTreeSet::new(), changes: Vec::new() };
    for (path, item) in before["paths"].as_object().unwrap() {
        for method in METHODS {
            let Some(old) = item.get(method) else { continue };
            let name = format!("{} {path}", method.to_uppercase());
            match after["paths"][path].get(method) {
                Some(new) => comparison.compare_operations(&name, old, new),
                None => comparison.changes.push(format!("{name} is gone")),
            }
        }
    }
    comparison.changes
}

struct Comparison<'a> {
    before: &'a Value,
    after: &'a Value,
    /// Pairs of references that were compared, for each reader.
    seen: BTreeSet<(String, String, bool)>,
    changes: Vec<String>,
}

impl<'a> Comparison<'a> {
    fn compare_operations(&mut self, name: &str, old: &'a Value, new: &'a Value) {
        if old.get("security") != new.get("security") {
            self.changes.push(format!("{name}: the authorisation changed"));
        }
        // Generated clients name their functions after it.
        if old.get("operationId") != new.get("operationId") {
            self.changes.push(format!("{name}: the operationId changed"));
        }
        self.compare_parameters(name, old, new);
        let body = |operation: &'a Value| operation.get("requestBody").and_then(find_schema);
        self.seen.clear();
        match (body(old), body(new)) {
            (Some(old), Some(new)) => {
                self.compare_schemas(&format!("{name}, request"), old, new, Reader::Api);
            }
            (None, Some(_)) => self.changes.push(format!("{name}: a body is required")),
            (Some(_), None) => self.changes.push(format!("{name}: the body is gone")),
            (None, None) => {}
        }
        for (status, response) in old["responses"].as_object().unwrap() {
            let Some(new) = new["responses"].get(status) else {
                self.changes.push(format!("{name}: {status} is gone"));
                continue;
            };
            if let (Some(old), Some(new)) = (find_schema(response), find_schema(new)) {
                self.seen.clear();
                self.compare_schemas(&format!("{name}, {status}"), old, new, Reader::Caller);
            }
        }
    }

    fn compare_parameters(&mut self, name: &str, old: &'a Value, new: &'a Value) {
        let list = |operation: &'a Value| {
            operation.get("parameters").and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
        };
        let is_same =
            |one: &Value, other: &Value| one["name"] == other["name"] && one["in"] == other["in"];
        let is_required = |one: &Value| one["required"] == true;
        let word = |one: &Value| one["name"].as_str().unwrap_or_default().to_owned();
        for one in list(old) {
            let Some(other) = list(new).iter().find(|other| is_same(one, other)) else {
                self.changes.push(format!("{name}: the parameter {} is gone", word(one)));
                continue;
            };
            if is_required(other) && !is_required(one) {
                self.changes.push(format!("{name}: the parameter {} is required", word(one)));
            }
            self.seen.clear();
            let at = format!("{name}, parameter {}", word(one));
            self.compare_schemas(&at, &one["schema"], &other["schema"], Reader::Api);
        }
        for other in list(new) {
            if is_required(other) && !list(old).iter().any(|one| is_same(one, other)) {
                self.changes.push(format!("{name}: the parameter {} is required", word(other)));
            }
        }
    }

    fn compare_schemas(&mut self, at: &str, old: &'a Value, new: &'a Value, reader: Reader) {
        let references = (reference_of(old), reference_of(new));
        if let (Some(one), Some(other)) = references {
            let pair = (one.to_owned(), other.to_owned(), reader == Reader::Api);
            if !self.seen.insert(pair) {
                return;
            }
        }
        let (old, new) = (resolve(self.before, old), resolve(self.after, new));
        if old.get("type") != new.get("type") {
            self.changes.push(format!("{at}: the type changed"));
            return;
        }
        for word in words_of(old) {
            if !words_of(new).contains(word) {
                self.changes.push(format!("{at}: {word} is gone"));
            }
        }
        if words_of(old).is_empty() && !words_of(new).is_empty() && reader == Reader::Api {
            self.changes.push(format!("{at}: only some words are accepted"));
        }
        self.compare_fields(at, old, new, reader);
        if let (Some(old), Some(new)) = (old.get("items"), new.get("items")) {
            self.compare_schemas(&format!("{at}[]"), old, new, reader);
        }
        for kind in ["oneOf", "anyOf", "allOf"] {
            let (old, new) = (list_of(old, kind), list_of(new, kind));
            if new.len() < old.len() {
                self.changes.push(format!("{at}: an alternative is gone"));
            }
            for (old, new) in old.iter().zip(new) {
                self.compare_schemas(at, old, new, reader);
            }
        }
    }

    fn compare_fields(&mut self, at: &str, old: &'a Value, new: &'a Value, reader: Reader) {
        let is_required = |schema: &Value, field: &str| {
            list_of(schema, "required").iter().any(|one| one == field)
        };
        if let Some(fields) = old.get("properties").and_then(Value::as_object) {
            for (field, schema) in fields {
                let Some(other) = new["properties"].get(field) else {
                    self.changes.push(format!("{at}: {field} is gone"));
                    continue;
                };
                let may_be_absent = is_required(old, field) && !is_required(new, field);
                if may_be_absent && reader == Reader::Caller {
                    self.changes.push(format!("{at}: {field} may be absent"));
                }
                self.compare_schemas(&format!("{at}.{field}"), schema, other, reader);
            }
        }
        if reader == Reader::Api {
            for field in list_of(new, "required").iter().filter_map(Value::as_str) {
                if !is_required(old, field) {
                    self.changes.push(format!("{at}: {field} is required"));
                }
            }
        }
    }
}

/// The schema of a body's JSON, or of another media type if it has no JSON.
fn find_schema(body: &Value) -> Option<&Value> {
    let content = body.get("content")?.as_object()?;
    let found = content.get("application/json").or_else(|| content.values().next())?;
    found.get("schema")
}

fn reference_of(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match reference_of(schema) {
        Some(target) => document.pointer(target.trim_start_matches('#')).unwrap_or(schema),
        None => schema,
    }
}

fn words_of(schema: &Value) -> &[Value] {
    list_of(schema, "enum")
}

fn list_of<'a>(schema: &'a Value, name: &str) -> &'a [Value] {
    schema.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
