//! HTTP as API Gateway passes it: callers, and answers in JSON or as RFC 9457 problems.

mod caller;
mod problem;

pub(crate) use caller::{ApiCaller, CallerRole};
pub(crate) use problem::{FieldProblem, ProblemDetails, ProblemType};

use lambda_http::http::header::{ETAG, HeaderValue};
use lambda_http::http::response::Builder;
use lambda_http::{Body, Response};
use serde::Serialize;

/// What every response has, whatever it contains: browsers do not guess another type, tell no other
/// site the address, which may contain a code or an id, and come back over https only.
pub(crate) const SECURITY_HEADERS: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=31536000"),
];

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

/// Answers with JSON whose version is its content. Use it for a view of a part of a row: a change of
/// the other parts must not look like a change of this one.
pub(crate) fn tagged_response<T: Serialize>(view: &T) -> Response<Body> {
    versioned_response(find_content_tag(view), view)
}

/// Returns the version of a view in [`tagged_response`]: the FNV-1a hash of its JSON.
pub(crate) fn find_content_tag<T: Serialize>(view: &T) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let bytes = serde_json::to_vec(view).expect("views hold only what JSON can say");
    bytes.iter().fold(OFFSET, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

/// Answers with a text of this type.
pub(crate) fn build_response(status: u16, content_type: &str, text: String) -> Response<Body> {
    with_security_headers(Response::builder().status(status))
        .header("content-type", content_type)
        // Answers concern one account and depend on the token of the request.
        .header("cache-control", "no-store")
        .body(Body::Text(text))
        .expect("constant headers make a response")
}

/// Adds [`SECURITY_HEADERS`] to a response.
pub(crate) fn with_security_headers(response: Builder) -> Builder {
    SECURITY_HEADERS
        .into_iter()
        .fold(response, |response, (name, value)| response.header(name, value))
}

#[cfg(test)]
mod tests {
    use super::{ProblemDetails, SECURITY_HEADERS, find_content_tag, json_response};

    #[test]
    fn every_response_says_how_browsers_must_treat_it() {
        for response in [json_response(200, &7), ProblemDetails::role_forbidden().to_response()] {
            for (name, value) in SECURITY_HEADERS {
                assert_eq!(response.headers()[name], value);
            }
            assert_eq!(response.headers()["cache-control"], "no-store");
        }
    }

    #[test]
    fn equal_contents_have_equal_tags_and_others_have_others() {
        assert_eq!(find_content_tag(&7), find_content_tag(&7_u8));
        assert_ne!(find_content_tag(&"200"), find_content_tag(&"201"));
        assert_ne!(find_content_tag(&["a", "b"]), find_content_tag(&["b", "a"]));
    }
}
