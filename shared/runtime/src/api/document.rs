//! The OpenAPI document of the API, which follows from the routes' declarations.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use lambda_http::http::Method;
use lambda_http::{Body, Response};
use utoipa::ToSchema;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    self, ComponentsBuilder, Content, InfoBuilder, OpenApi, OpenApiBuilder, OpenApiVersion, Ref,
    RefOr, SecurityRequirement,
};

use super::declare_routes;
use crate::http::{FieldProblem, ProblemDetails, ProblemType, build_response};

const DESCRIPTION: &str = "Connects a ServiceCortex account to Xero, shows what is synced, and lets people act on it. \
Every route but this document requires a token of the CRM, which names the account, the user and the role: \
an Owner or Admin may use every route, everyone else may use those that change nothing. \
Errors are problem documents (RFC 9457); API Gateway itself answers some requests with `{\"message\": …}`. \
Instants are in UTC. Later releases may add fields to responses and words to their values; callers ignore the ones they do not know.";
const SCHEME: &str = "token";
const JSON: &str = "application/json";
const PROBLEM_JSON: &str = "application/problem+json";

static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut document = declare_routes().into_openapi();
    complete_document(&mut document);
    let mut text = document.to_pretty_json().expect("a document always makes JSON");
    text.push('\n');
    text
});

/// How API Gateway answers a request that does not reach the API.
#[derive(ToSchema)]
#[expect(dead_code, reason = "API Gateway writes it; this type only describes it")]
pub(super) struct GatewayMessage {
    /// The reason, in English.
    message: String,
}

/// Returns the OpenAPI document as JSON.
pub fn describe_api() -> &'static str {
    &DOCUMENT
}

/// Whether each route, in API Gateway's notation, has parameters in the query of its address.
static ROUTES_WITH_QUERY: LazyLock<BTreeMap<String, bool>> = LazyLock::new(|| {
    let document = declare_routes().into_openapi();
    let operations = list_operations(&document).into_iter();
    operations.map(|(route, operation)| (route, has_query(operation))).collect()
});

/// Returns every route in API Gateway's notation, such as `GET /v1/connection`.
pub fn list_routes() -> Vec<String> {
    let document = declare_routes().into_openapi();
    list_operations(&document).into_iter().map(|(route, _)| route).collect()
}

/// Returns whether a route has parameters in the query of its address. `None` if it does not exist.
pub(super) fn takes_parameters(method: &Method, path: &str) -> Option<bool> {
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    ROUTES_WITH_QUERY.get(&format!("{method} {path}")).copied()
}

/// Returns the operations of a document with their routes.
fn list_operations(document: &OpenApi) -> Vec<(String, &Operation)> {
    let mut operations = Vec::new();
    for (path, item) in &document.paths.paths {
        let methods = [
            ("GET", &item.get),
            ("PUT", &item.put),
            ("POST", &item.post),
            ("DELETE", &item.delete),
        ];
        for (method, operation) in methods {
            if let Some(operation) = operation {
                operations.push((format!("{method} {path}"), operation));
            }
        }
    }
    operations
}

fn has_query(operation: &Operation) -> bool {
    operation.parameters.iter().flatten().any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.parameter_in == ParameterIn::Query,
        RefOr::Ref(_) => false,
    })
}

/// Reads this document.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    tag = "document",
    security(()),
    responses(
        (status = 200, description = "The OpenAPI document.", body = Object, content_type = "application/json"),
    ),
)]
pub(super) async fn read_document() -> Response<Body> {
    build_response(200, JSON, describe_api().to_owned())
}

/// Returns a document without routes.
pub(super) fn begin_document() -> OpenApi {
    let about = InfoBuilder::new()
        .title("ServiceCortex Xero integration")
        .version("1.0.0")
        .description(Some(DESCRIPTION));
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let components = ComponentsBuilder::new()
        .schema_from::<ProblemDetails>()
        .schema_from::<ProblemType>()
        .schema_from::<FieldProblem>()
        .schema_from::<GatewayMessage>()
        .security_scheme(SCHEME, SecurityScheme::Http(token))
        .build();
    OpenApiBuilder::new()
        .openapi(OpenApiVersion::Version31)
        .info(about.build())
        .components(Some(components))
        .security(Some([SecurityRequirement::new(SCHEME, Vec::<String>::new())]))
        .build()
}

/// Adds what is the same for all routes: the errors of a parameter that no route has, of a missing
/// token, of too many requests and of an outage, and the form of every error.
fn complete_document(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            // A route without a requirement of its own has that of the document.
            if operation.security.is_none() {
                add_response(operation, "400", "The request has a parameter.");
                add_response(
                    operation,
                    "401",
                    "The token is missing, expired or names no account.",
                );
                add_response(operation, "503", "Xero or AWS did not respond in time.");
            }
            if path.contains('{') {
                add_response(operation, "404", "This address does not exist.");
            }
            add_response(operation, "429", "Too many requests. Wait before the next one.");
            describe_errors(operation);
        }
    }
}

fn add_response(operation: &mut Operation, status: &str, description: &str) {
    let response = RefOr::T(openapi::Response::new(description));
    operation.responses.responses.entry(status.to_owned()).or_insert(response);
}

/// Describes the body of every error. The API answers with a problem document, API Gateway with a
/// message.
fn describe_errors(operation: &mut Operation) {
    let problem = || Content::new(Some(Ref::from_schema_name(ProblemDetails::name())));
    let message = || Content::new(Some(Ref::from_schema_name(GatewayMessage::name())));
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if !(status.starts_with('4') || status.starts_with('5')) {
            continue;
        }
        response.content.insert(PROBLEM_JSON.to_owned(), RefOr::T(problem()));
        if ["401", "404", "429", "503"].contains(&status.as_str()) {
            response.content.insert(JSON.to_owned(), RefOr::T(message()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn every_route_has_a_name_of_its_own_a_summary_and_described_responses() {
        let document: Value = serde_json::from_str(describe_api()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let mut names = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name), "{method} {path}: {name} is used twice");
                assert!(operation["summary"].is_string(), "{method} {path}");
                for (status, response) in operation["responses"].as_object().unwrap() {
                    let described = response["description"].as_str();
                    assert!(described.is_some_and(|text| !text.is_empty()), "{name} {status}");
                    assert!(response["content"].is_object(), "{name} {status}");
                }
            }
        }
        assert_eq!(names.len(), list_routes().len());
    }

    #[test]
    fn every_reference_leads_to_a_schema() {
        let document: Value = serde_json::from_str(describe_api()).unwrap();
        let mut left = vec![&document];
        while let Some(value) = left.pop() {
            if let Some(target) = value.get("$ref").and_then(Value::as_str) {
                let found = document.pointer(target.trim_start_matches('#'));
                assert!(found.is_some(), "{target} does not exist");
            }
            match value {
                Value::Array(all) => left.extend(all),
                Value::Object(all) => left.extend(all.values()),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
    }
}
