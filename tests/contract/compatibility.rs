//! Compares two OpenAPI documents: what a caller of the first one may rely on must hold in the
//! second.
//!
//! A response may gain fields, and words of its values. A request may gain fields and parameters
//! that are not required, and its limits may become wider. Everything else that changes is breaking.

use std::collections::BTreeSet;

use serde_json::Value;

const METHODS: [&str; 4] = ["get", "put", "post", "delete"];
/// What restricts a value to one form.
const FORMS: [&str; 3] = ["const", "format", "pattern"];
const UPPER_LIMITS: [&str; 4] = ["exclusiveMaximum", "maxItems", "maxLength", "maximum"];
const LOWER_LIMITS: [&str; 4] = ["exclusiveMinimum", "minItems", "minLength", "minimum"];

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
            self.compare_responses(&format!("{name}, {status}"), response, new);
        }
    }

    fn compare_responses(&mut self, at: &str, old: &'a Value, new: &'a Value) {
        for (header, _) in fields_of(old, "headers") {
            if new["headers"].get(header).is_none() {
                self.changes.push(format!("{at}: the header {header} is gone"));
            }
        }
        for (media, content) in fields_of(old, "content") {
            let Some(other) = new["content"].get(media) else {
                self.changes.push(format!("{at}: {media} is gone"));
                continue;
            };
            if let (Some(old), Some(new)) = (content.get("schema"), other.get("schema")) {
                self.seen.clear();
                self.compare_schemas(at, old, new, Reader::Caller);
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
        if !keeps_types(old, new, reader) {
            self.changes.push(format!("{at}: the type changed"));
            return;
        }
        self.compare_limits(at, old, new, reader);
        for word in words_of(old) {
            if !words_of(new).contains(word) {
                self.changes.push(format!("{at}: {word} is gone"));
            }
        }
        if words_of(old).is_empty() && !words_of(new).is_empty() && reader == Reader::Api {
            self.changes.push(format!("{at}: only some words are accepted"));
        }
        self.compare_fields(at, old, new, reader);
        for (items, each) in [("items", "[]"), ("additionalProperties", ".*")] {
            if let (Some(old), Some(new)) = (old.get(items), new.get(items)) {
                self.compare_schemas(&format!("{at}{each}"), old, new, reader);
            }
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

    fn compare_limits(&mut self, at: &str, old: &Value, new: &Value, reader: Reader) {
        for form in FORMS {
            let (before, after) = (old.get(form), new.get(form));
            let is_promised = match reader {
                Reader::Api => after.is_some(),
                Reader::Caller => before.is_some(),
            };
            if is_promised && before != after {
                self.changes.push(format!("{at}: the {form} changed"));
            }
        }
        if reader == Reader::Caller {
            return;
        }
        let limit_of = |schema: &Value, limit: &str| schema.get(limit).and_then(Value::as_i64);
        for limit in UPPER_LIMITS.into_iter().chain(LOWER_LIMITS) {
            let Some(after) = limit_of(new, limit) else { continue };
            let is_tighter = limit_of(old, limit).is_none_or(|before| {
                if UPPER_LIMITS.contains(&limit) { after < before } else { after > before }
            });
            if is_tighter {
                self.changes.push(format!("{at}: {limit} is {after}"));
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

/// Whether every type that the other side may rely on stays: those of a request may become more,
/// those of a response fewer.
fn keeps_types(old: &Value, new: &Value, reader: Reader) -> bool {
    let (before, after) = (types_of(old), types_of(new));
    before.is_empty() == after.is_empty()
        && match reader {
            Reader::Api => before.is_subset(&after),
            Reader::Caller => after.is_subset(&before),
        }
}

fn types_of(schema: &Value) -> BTreeSet<&str> {
    let one = schema.get("type").and_then(Value::as_str);
    let several = list_of(schema, "type").iter().filter_map(Value::as_str);
    one.into_iter().chain(several).collect()
}

fn fields_of<'a>(
    value: &'a Value,
    name: &'static str,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(name).and_then(Value::as_object).into_iter().flatten()
}

fn words_of(schema: &Value) -> &[Value] {
    list_of(schema, "enum")
}

fn list_of<'a>(schema: &'a Value, name: &str) -> &'a [Value] {
    schema.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
