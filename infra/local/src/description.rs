//! Checks responses of the settings API against its OpenAPI document: every status is described,
//! and every body has exactly the described fields.

use std::collections::BTreeMap;
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::failure::Failure;

/// An OpenAPI document, prepared for checks.
#[derive(Debug)]
pub struct Description {
    /// Method and path, such as `GET` and `/v1/invoices/{invoice_id}`.
    routes: Vec<(String, String)>,
    /// The schema of each response, by route, status and media type.
    validators: BTreeMap<(String, String, String), Arc<Validator>>,
}

impl Description {
    /// Prepares a document.
    pub fn parse(document: &[u8]) -> Result<Self, Failure> {
        let document: Value = serde_json::from_slice(document)
            .map_err(|error| Failure::new("The OpenAPI document is not JSON").because(error))?;
        let mut components = document.get("components").cloned().unwrap_or_default();
        refuse_other_fields(&mut components);
        let (mut routes, mut validators) = (Vec::new(), BTreeMap::new());
        // Most responses are errors, which share a schema.
        let mut built: BTreeMap<String, Arc<Validator>> = BTreeMap::new();
        for (path, item) in fields(&document, "paths") {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let method = method.to_uppercase();
                for (status, response) in fields(operation, "responses") {
                    for (media, content) in fields(response, "content") {
                        let route = format!("{method} {path}");
                        let schema = content.get("schema").cloned().unwrap_or_default();
                        let text = schema.to_string();
                        let validator = match built.get(&text) {
                            Some(known) => Arc::clone(known),
                            None => Arc::new(
                                build_validator(&schema, &components)
                                    .map_err(|failure| failure.interrupting(route.clone()))?,
                            ),
                        };
                        built.insert(text, Arc::clone(&validator));
                        validators.insert((route, status.clone(), media.clone()), validator);
                    }
                }
                routes.push((method, path.clone()));
            }
        }
        // A path without parameters is more specific than one with them.
        routes.sort_by_key(|(_, path)| path.matches('{').count());
        Ok(Self { routes, validators })
    }

    /// Checks the response to a request. An address or a method that does not exist is not
    /// described. `Err` says how the response differs.
    pub fn check(
        &self,
        method: &str,
        path: &str,
        status: u16,
        media: &str,
        body: &[u8],
    ) -> Result<(), String> {
        let media = media.split(';').next().unwrap_or_default().trim();
        let Some(route) = self.find_route(method, path) else {
            let is_refusal = [401, 404, 405].contains(&status);
            return if is_refusal { Ok(()) } else { Err(format!("{method} {path}: {status}")) };
        };
        let name = format!("{route}, {status}, {media}");
        let key = (route, status.to_string(), media.to_owned());
        let Some(validator) = self.validators.get(&key) else {
            let body = String::from_utf8_lossy(body);
            return Err(format!("{name} is not described: {body}"));
        };
        let body: Value =
            serde_json::from_slice(body).map_err(|error| format!("{name} is not JSON: {error}"))?;
        let errors = validator
            .iter_errors(&body)
            .map(|error| format!("{error} at \"{}\"", error.instance_path()))
            .collect::<Vec<_>>();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(format!("{name}: {} in {body}", errors.join("; ")))
        }
    }

    fn find_route(&self, method: &str, path: &str) -> Option<String> {
        let parts = path.trim_matches('/').split('/').collect::<Vec<_>>();
        let found = self.routes.iter().find(|(of, template)| {
            let template = template.trim_matches('/').split('/').collect::<Vec<_>>();
            let mut pairs = template.iter().zip(&parts);
            of == method
                && template.len() == parts.len()
                && pairs.all(|(one, part)| one == part || one.starts_with('{'))
        });
        found.map(|(method, path)| format!("{method} {path}"))
    }
}

/// The fields of an object in a field. None if there is no such object.
fn fields<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(name).and_then(Value::as_object).into_iter().flatten()
}

fn build_validator(schema: &Value, components: &Value) -> Result<Validator, Failure> {
    let mut schema = schema.as_object().cloned().unwrap_or_default();
    schema.insert("components".to_owned(), components.clone());
    jsonschema::options().build(&Value::Object(schema)).map_err(|error| {
        Failure::new("A schema of the document is not valid").because(error.to_string())
    })
}

/// Makes every described object refuse fields that its description does not name.
fn refuse_other_fields(schema: &mut Value) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(refuse_other_fields),
        Value::Object(object) => {
            object.values_mut().for_each(refuse_other_fields);
            if is_closed_object(object) {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether a value is the schema of an object whose fields are all named.
fn is_closed_object(object: &Map<String, Value>) -> bool {
    object.get("type").is_some_and(|of| of == "object")
        && object.get("properties").is_some_and(Value::is_object)
        && !object.contains_key("additionalProperties")
}

#[cfg(test)]
mod tests {
    use super::Description;

    const DOCUMENT: &str = r##"{
        "paths": { "/v1/things/{id}": { "get": { "responses": { "200": { "content": {
            "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } }
        } } } } } },
        "components": { "schemas": { "Thing": {
            "type": "object", "required": ["id"], "properties": { "id": { "type": "string" } }
        } } }
    }"##;

    #[test]
    fn a_response_has_a_described_status_and_exactly_the_described_fields() {
        let description = Description::parse(DOCUMENT.as_bytes()).unwrap();
        let check = |path: &str, status, body: &str| {
            description.check(
                "GET",
                path,
                status,
                "application/json; charset=utf-8",
                body.as_bytes(),
            )
        };
        assert_eq!(check("/v1/things/1", 200, r#"{"id":"1"}"#), Ok(()));
        assert_eq!(check("/v1/others/1", 404, "{}"), Ok(()));
        for (path, status, body) in [
            ("/v1/things/1", 200, "{}"),
            ("/v1/things/1", 200, r#"{"id":1}"#),
            ("/v1/things/1", 200, r#"{"id":"1","name":"one"}"#),
            ("/v1/things/1", 200, "no JSON"),
            ("/v1/things/1", 201, r#"{"id":"1"}"#),
            ("/v1/others/1", 200, "{}"),
        ] {
            assert!(check(path, status, body).is_err(), "{path} {status} {body}");
        }
    }
}
