//! Comparison of requests with Xero's own `OpenAPI` description.
//!
//! The description is not part of this project. `XERO_OPENAPI_DIR` names a folder that contains
//! `accounting.acyclic.yaml` and `identity.yaml`. Without it, the tests print that they are skipped
//! and check nothing.

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use url::Url;

/// HTTP's own headers, which the description omits.
const PLAIN_HEADERS: [&str; 4] = ["authorization", "accept", "accept-encoding", "content-type"];

/// Xero's description of one of its APIs.
pub struct Description(Value);

/// The differences between a request and the description.
pub type Faults = Vec<String>;

/// The description in this file, or `None` if no folder is configured.
pub fn description(file: &str) -> Option<Description> {
    #[expect(clippy::disallowed_methods, reason = "the folder is a fact about the machine")]
    let Ok(folder) = std::env::var("XERO_OPENAPI_DIR") else {
        println!("skipped: XERO_OPENAPI_DIR is not set");
        return None;
    };
    let path = PathBuf::from(folder).join(file);
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
    Some(Description(serde_saphyr::from_str(&text).unwrap()))
}

impl Description {
    /// Whether the description contains this path. The description in use may be limited to a part
    /// of the API.
    pub fn describes(&self, path: &str) -> bool {
        self.0["paths"][path].is_object()
    }

    /// Xero's example of an answer for this method and path.
    pub fn example(&self, method: &str, path: &str) -> String {
        let answer = &self.0["paths"][path][method]["responses"]["200"];
        let example = &answer["content"]["application/json"]["example"];
        assert!(example.is_object(), "{method} {path} has no example");
        example.to_string()
    }

    /// The differences between a request and the description.
    pub fn faults(&self, request: &Request<Bytes>) -> Faults {
        let url = Url::parse(&request.uri().to_string()).unwrap();
        let base = Url::parse(self.0["servers"][0]["url"].as_str().unwrap()).unwrap();
        let path = url.path().strip_prefix(base.path().trim_end_matches('/')).unwrap_or_default();
        let Some(item) = self.item(path) else {
            return vec![format!("no path {path}")];
        };
        let operation = &item[request.method().as_str().to_lowercase()];
        if operation.is_null() {
            return vec![format!("no method {} on {path}", request.method())];
        }
        let parameters = self.parameters(item, operation);
        let mut faults = query_faults(&url, &parameters);
        faults.extend(header_faults(request, &parameters));
        faults.extend(self.body_faults(request, operation));
        faults
    }

    fn item(&self, path: &str) -> Option<&Value> {
        let paths = self.0["paths"].as_object().unwrap();
        let exact = paths.get(path);
        exact.or_else(|| {
            paths.iter().find(|(template, _)| is_match(template, path)).map(|(_, item)| item)
        })
    }

    fn parameters<'a>(&'a self, item: &'a Value, operation: &'a Value) -> Vec<&'a Value> {
        let lists = [&item["parameters"], &operation["parameters"]];
        lists
            .into_iter()
            .filter_map(Value::as_array)
            .flatten()
            .map(|parameter| self.resolved(parameter))
            .collect()
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => {
                let target = self.0.pointer(reference.trim_start_matches('#'));
                self.resolved(target.unwrap_or_else(|| panic!("{reference} leads nowhere")))
            }
            None => value,
        }
    }

    fn body_faults(&self, request: &Request<Bytes>, operation: &Value) -> Faults {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if request.body().is_empty() {
            return if schema.is_null() { vec![] } else { vec!["no body".to_owned()] };
        }
        if schema.is_null() {
            return vec!["a body where none is taken".to_owned()];
        }
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        self.value_faults("body", &body, schema)
    }

    fn value_faults(&self, at: &str, value: &Value, schema: &Value) -> Faults {
        let schema = self.resolved(schema);
        match value {
            Value::Object(members) => members
                .iter()
                .flat_map(|(name, member)| match schema["properties"].get(name) {
                    Some(property) => self.value_faults(&format!("{at}.{name}"), member, property),
                    None => vec![format!("{at} has no property {name}")],
                })
                .collect(),
            Value::Array(items) if schema["type"] == "array" => items
                .iter()
                .flat_map(|item| self.value_faults(&format!("{at}[]"), item, &schema["items"]))
                .collect(),
            Value::String(text) => text_faults(at, text, schema),
            Value::Number(_) if schema["type"] == "number" => vec![],
            Value::Bool(_) if schema["type"] == "boolean" => vec![],
            Value::Array(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {
                vec![format!("{at} is {value}, not {}", schema["type"])]
            }
        }
    }
}

fn is_match(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(path)
            .all(|(wanted, given)| wanted.starts_with('{') || *wanted == given)
}

fn query_faults(url: &Url, parameters: &[&Value]) -> Faults {
    let fault_of = |name: &str, value: &str| {
        let known = parameters
            .iter()
            .find(|parameter| parameter["in"] == "query" && parameter["name"] == name);
        let Some(parameter) = known else {
            return Some(format!("no query parameter {name}"));
        };
        let fits = match parameter["schema"]["type"].as_str() {
            Some("integer") => value.parse::<u32>().is_ok(),
            Some("boolean") => value == "true" || value == "false",
            Some("string" | "array") => true,
            other => panic!("query parameter {name} has the type {other:?}"),
        };
        (!fits).then(|| format!("{value} does not fit query parameter {name}"))
    };
    url.query_pairs().filter_map(|(name, value)| fault_of(&name, &value)).collect()
}

fn header_faults(request: &Request<Bytes>, parameters: &[&Value]) -> Faults {
    let described: Vec<_> = parameters
        .iter()
        .filter(|parameter| parameter["in"] == "header")
        .map(|parameter| (parameter["name"].as_str().unwrap().to_lowercase(), *parameter))
        .collect();
    let unknown = request
        .headers()
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| !PLAIN_HEADERS.contains(name))
        .filter(|name| !described.iter().any(|(known, _)| known == name))
        .map(|name| format!("no header {name}"));
    let missing_or_long = described.iter().filter_map(|(name, parameter)| {
        let Some(value) = request.headers().get(name) else {
            return (parameter["required"] == true).then(|| format!("header {name} is missing"));
        };
        let limit = parameter["schema"]["maxLength"].as_u64();
        let length = u64::try_from(value.len()).unwrap();
        limit.filter(|limit| length > *limit).map(|_| format!("header {name} is too long"))
    });
    unknown.chain(missing_or_long).collect()
}

fn text_faults(at: &str, text: &str, schema: &Value) -> Faults {
    let mut faults = vec![];
    if schema["type"] != "string" {
        faults.push(format!("{at} is text, not {}", schema["type"]));
    }
    let allowed = schema["enum"].as_array();
    if allowed.is_some_and(|words| !words.iter().any(|word| word == text)) {
        faults.push(format!("{at} takes no {text}"));
    }
    let length = u64::try_from(text.chars().count()).unwrap();
    if schema["maxLength"].as_u64().is_some_and(|limit| length > limit) {
        faults.push(format!("{at} is too long"));
    }
    let fits = match schema["format"].as_str() {
        Some("uuid") => text.parse::<uuid::Uuid>().is_ok(),
        Some("date") => text.parse::<jiff::civil::Date>().is_ok(),
        Some(_) | None => true,
    };
    if !fits {
        faults.push(format!("{at} is no {}", schema["format"]));
    }
    faults
}
