//! Errors as RFC 9457 problem documents: a sentence about the error, with the invalid field if
//! there is one.

use lambda_http::http::header::{HeaderValue, RETRY_AFTER};
use lambda_http::{Body, Response};
use requests::BodyError;
use serde::Serialize;
use utoipa::ToSchema;

use super::build_response;

/// Seconds after which a request that failed with 503 may be repeated. By then, its calls to Xero
/// have ended.
const RETRY_SECONDS: &str = "60";

/// Seconds after which a request that failed with 429 may be repeated.
const SLOW_DOWN_SECONDS: &str = "5";

/// The stable type of an error. Later releases may add types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) enum ProblemType {
    #[serde(rename = "/problems/bad-request")]
    BadRequest,
    #[serde(rename = "/problems/changed")]
    Changed,
    #[serde(rename = "/problems/unauthorized")]
    Unauthorized,
    #[serde(rename = "/problems/forbidden")]
    Forbidden,
    #[serde(rename = "/problems/not-found")]
    NotFound,
    #[serde(rename = "/problems/method-not-allowed")]
    MethodNotAllowed,
    #[serde(rename = "/problems/conflict")]
    Conflict,
    #[serde(rename = "/problems/not-yours")]
    NotYours,
    #[serde(rename = "/problems/gone")]
    Gone,
    #[serde(rename = "/problems/too-many-requests")]
    TooManyRequests,
    #[serde(rename = "/problems/too-slow")]
    TooSlow,
    #[serde(rename = "/problems/unavailable")]
    Unavailable,
}

/// A problem document (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ProblemDetails {
    /// The stable type of the error, a reference into the API's documentation.
    #[serde(rename = "type")]
    name: ProblemType,
    /// The type of the error in words.
    title: &'static str,
    /// The status of the response.
    status: u16,
    /// What is wrong and what to do, as sentences.
    detail: String,
    /// The invalid field or parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// Every invalid field, if several were checked. The first is also that of `field`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
}

/// An invalid field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// The field, such as `stripe_bank` or `tax_types.20`.
    pub(crate) field: String,
    /// What is wrong, as the end of a sentence that begins with the field's name.
    pub(crate) detail: String,
}

impl ProblemDetails {
    fn new(status: u16, name: ProblemType, title: &'static str, detail: String) -> Self {
        Self { name, title, status, detail, field: None, errors: Vec::new() }
    }

    /// A field or parameter is invalid.
    pub(crate) fn bad_field(field: &str, must: &str) -> Self {
        Self::bad_request(field, format!("{field}: {must}"))
    }

    /// A field is invalid, as `detail` explains.
    pub(crate) fn bad_request(field: &str, detail: String) -> Self {
        Self {
            field: Some(field.to_owned()),
            ..Self::new(400, ProblemType::BadRequest, "The request is not valid", detail)
        }
    }

    /// Fields are invalid. There is at least one.
    pub(crate) fn bad_fields(errors: Vec<FieldProblem>) -> Self {
        let first = errors.first().map(|first| Self::bad_field(&first.field, &first.detail));
        Self { errors, ..first.unwrap_or_else(Self::service_unavailable) }
    }

    /// The resource is not in the version that the caller expects.
    pub(crate) fn changed_meanwhile() -> Self {
        let detail =
            "Another person has changed this since you opened it. Reload it, then repeat your change."
                .to_owned();
        Self::new(412, ProblemType::Changed, "The resource has changed", detail)
    }

    /// The token does not identify a caller.
    pub(crate) fn not_authenticated() -> Self {
        let detail =
            "The token must have the claims sub, account_id and role. The first two are ids of 1 to 40 letters, digits, '_', '-' or '.'."
                .to_owned();
        Self::new(401, ProblemType::Unauthorized, "The caller is not authenticated", detail)
    }

    /// The role may read but not change.
    pub(crate) fn role_forbidden() -> Self {
        let detail = "Only an Owner or Admin of the account can do this.".to_owned();
        Self::new(403, ProblemType::Forbidden, "The role does not allow this", detail)
    }

    /// The address or record does not exist.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, ProblemType::NotFound, "Not found", detail.into())
    }

    /// The address exists for other methods.
    pub(crate) fn method_not_allowed() -> Self {
        let detail = "This address does not support this method. GET /v1/openapi.json describes those that it supports.".to_owned();
        Self::new(405, ProblemType::MethodNotAllowed, "The method is not allowed", detail)
    }

    /// The request conflicts with the current state.
    pub(crate) fn state_conflict(detail: impl Into<String>) -> Self {
        Self::new(
            409,
            ProblemType::Conflict,
            "The request conflicts with the current state",
            detail.into(),
        )
    }

    /// The connect belongs to another person.
    pub(crate) fn not_yours() -> Self {
        let detail =
            "Only the person who began this connection can complete it, and only in the same account. Click Connect to Xero to begin a new one."
                .to_owned();
        Self::new(403, ProblemType::NotYours, "Another person began this connection", detail)
    }

    /// The resource existed and is no longer available.
    pub(crate) fn resource_gone(detail: impl Into<String>) -> Self {
        Self::new(410, ProblemType::Gone, "No longer available", detail.into())
    }

    /// The account has sent too many requests.
    pub(crate) fn too_many_requests() -> Self {
        let detail = "This account has sent too many requests. Wait a few seconds, then try again."
            .to_owned();
        Self::new(429, ProblemType::TooManyRequests, "Too many requests", detail)
    }

    /// Xero or another service takes longer than a request may.
    pub(crate) fn too_slow() -> Self {
        let detail =
            "Xero is taking longer than usual to respond. Try again in a minute; no work is done twice."
                .to_owned();
        Self::new(503, ProblemType::TooSlow, "No response in time", detail)
    }

    /// An error on our side. The log has the cause.
    pub(crate) fn service_unavailable() -> Self {
        let detail =
            "A service that the Xero integration depends on did not respond. Try again in a minute."
                .to_owned();
        Self::new(503, ProblemType::Unavailable, "The service is unavailable", detail)
    }

    /// Returns the sentence about the error.
    pub(crate) fn into_detail(self) -> String {
        self.detail
    }

    /// Returns the error as a response.
    pub(crate) fn to_response(&self) -> Response<Body> {
        let text = serde_json::to_string(self).expect("a problem always makes JSON");
        let mut response = build_response(self.status, "application/problem+json", text);
        let seconds = match self.status {
            429 => Some(SLOW_DOWN_SECONDS),
            503 => Some(RETRY_SECONDS),
            _ => None,
        };
        if let Some(seconds) = seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response
    }
}

/// A body that a route refuses.
impl From<BodyError> for ProblemDetails {
    fn from(error: BodyError) -> Self {
        let BodyError { field, detail } = error;
        Self::bad_request(&field, detail)
    }
}

/// A route that ends with an error answers with its problem document.
impl axum::response::IntoResponse for ProblemDetails {
    fn into_response(self) -> axum::response::Response {
        self.to_response().map(axum::body::Body::new)
    }
}

#[cfg(test)]
mod tests {
    use requests::{RecordChoice, parse_body};

    use super::ProblemDetails;

    #[test]
    fn a_refused_body_is_answered_with_the_field_and_the_sentence() {
        for (body, field, detail) in [
            (r#"{"record":[]}"#, "record", "record is not a known field; did you mean records?"),
            (r#"{"records":7}"#, "records", "records: must be a list"),
        ] {
            let refused = parse_body::<RecordChoice>(body.as_bytes()).unwrap_err();
            let expected = ProblemDetails::bad_request(field, detail.to_owned());
            assert_eq!(ProblemDetails::from(refused), expected);
        }
        let refused = parse_body::<RecordChoice>(b"[]").unwrap_err();
        let problem = ProblemDetails::from(refused);
        assert_eq!(problem.field.as_deref(), Some("body"));
        assert!(problem.detail.starts_with("body: must be {\"records\": "), "{}", problem.detail);
    }
}
