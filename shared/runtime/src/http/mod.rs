//! HTTP as API Gateway passes it: callers, and answers in JSON or as RFC 9457 problems.

mod body;
mod caller;
mod problem;

pub(crate) use body::{RequestBody, parse_body, read_body};
pub(crate) use caller::{ApiCaller, CallerRole};
pub(crate) use problem::ProblemDetails;

use lambda_http::{Body, Response};
use serde::Serialize;

/// Answers with JSON.
pub(crate) fn json_response<T: Serialize>(status: u16, view: &T) -> Response<Body> {
    let text = serde_json::to_string(view).expect("views hold only what JSON can say");
    build_response(status, "application/json", text)
}

fn build_response(status: u16, content_type: &str, text: String) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        // Answers concern one account and depend on the token of the request.
        .header("cache-control", "no-store")
        .body(Body::Text(text))
        .expect("constant headers make a response")
}
