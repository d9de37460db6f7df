//! HTTP as API Gateway passes it: callers, and answers in JSON or as RFC 9457 problems.

mod body;
mod caller;
mod problem;

pub(crate) use body::{RequestBody, parse_body};
pub(crate) use caller::{ApiCaller, CallerRole};
pub(crate) use problem::{FieldProblem, ProblemDetails, ProblemType};

use lambda_http::http::header::{ETAG, HeaderValue};
use lambda_http::{Body, Response};
use serde::Serialize;

/// Answers with JSON.
pub(crate) fn json_response<T: Serialize>(status: u16, view: &T) -> Response<Body> {
    let text = serde_json::to_string(view).expect("views hold only what JSON can say");
    build_response(status, "application/json", text)
}

/// Answers with JSON in a version, which a later change may require to be the current one.
pub(crate) fn versioned_response<T: Serialize>(version: u64, view: &T) -> Response<Body> {
    let mut response = json_response(200, view);
    let tag = HeaderValue::try_from(format!("\"{version}\"")).expect("digits make a header");
    response.headers_mut().insert(ETAG, tag);
    response
}

/// Answers with a text of this type.
pub(crate) fn build_response(status: u16, content_type: &str, text: String) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        // Answers concern one account and depend on the token of the request.
        .header("cache-control", "no-store")
        .body(Body::Text(text))
        .expect("constant headers make a response")
}
