//! Errors as RFC 9457 problem documents: what is wrong, in a sentence, with the field where there is
//! one.

use lambda_http::{Body, Response};
use serde::Serialize;

use super::respond;

/// An error, as the caller sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    /// A stable name, as a reference into the API's documentation.
    #[serde(rename = "type")]
    name: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    /// The field or parameter that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

impl Problem {
    fn new(status: u16, name: &'static str, title: &'static str, detail: String) -> Self {
        Self { name, title, status, detail, field: None }
    }

    /// The request names something that cannot be.
    pub(crate) fn bad_field(field: &str, must: &str) -> Self {
        Self::bad_request(field, format!("{field}: {must}"))
    }

    /// A field is wrong in the way that `detail` says.
    pub(crate) fn bad_request(field: &str, detail: String) -> Self {
        Self {
            field: Some(field.to_owned()),
            ..Self::new(400, "/problems/bad-request", "The request is not valid", detail)
        }
    }

    /// Nobody, or nobody we can place, calls.
    pub(crate) fn unauthorized() -> Self {
        let detail = "The token must name the user, the account and the role.".to_owned();
        Self::new(401, "/problems/unauthorized", "The caller is not known", detail)
    }

    /// The caller may look, not touch.
    pub(crate) fn forbidden() -> Self {
        let detail = "Only an Owner or Admin of the account can do this.".to_owned();
        Self::new(403, "/problems/forbidden", "The role does not allow this", detail)
    }

    /// Nothing is there.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "/problems/not-found", "Nothing is known of this", detail.into())
    }

    /// There is such a path, for another method.
    pub(crate) fn method_not_allowed() -> Self {
        let detail = "This address does not take this method.".to_owned();
        Self::new(405, "/problems/method-not-allowed", "The method is not allowed", detail)
    }

    /// It is possible, only not at this moment.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "/problems/conflict", "Not at this moment", detail.into())
    }

    /// It belongs to somebody else.
    pub(crate) fn not_yours() -> Self {
        let detail =
            "Only the person who began this connection can complete it, in the same account. Click Connect to Xero to begin your own."
                .to_owned();
        Self::new(403, "/problems/not-yours", "Somebody else began this", detail)
    }

    /// It was there, and can be had no more.
    pub(crate) fn gone(detail: impl Into<String>) -> Self {
        Self::new(410, "/problems/gone", "This is over", detail.into())
    }

    /// Xero, or something else, takes longer than anybody waits.
    pub(crate) fn too_slow() -> Self {
        let detail =
            "Xero takes longer than usual to answer. What was begun goes on; try again in a minute."
                .to_owned();
        Self::new(504, "/problems/too-slow", "There was no answer in time", detail)
    }

    /// Our trouble. The log has it.
    pub(crate) fn unavailable() -> Self {
        let detail = "Something we depend on did not answer. Try again in a minute.".to_owned();
        Self::new(503, "/problems/unavailable", "The service is unavailable", detail)
    }

    /// What is wrong, in a sentence.
    pub(crate) fn into_detail(self) -> String {
        self.detail
    }

    /// As an answer.
    pub(crate) fn response(&self) -> Response<Body> {
        let text = serde_json::to_string(self).expect("a problem always makes JSON");
        respond(self.status, "application/problem+json", text)
    }
}
