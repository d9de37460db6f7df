//! What a route reads from a request: the caller, the ids in its path, its parameters and its body.
//! Everything that cannot be read is answered with a problem document.

use std::collections::BTreeMap;
use std::future::ready;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use domain::ids::InvalidId;
use lambda_http::http::HeaderValue;
use lambda_http::http::header::IF_MATCH;
use lambda_http::http::request::Parts;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use crate::http::{ApiCaller, CallerRole, ProblemDetails, RequestBody, parse_body};

/// The caller of a route that everyone in the account may use.
#[derive(Debug)]
pub(super) struct AnyCaller(pub(super) ApiCaller);

/// The caller of a route that changes something: an Owner or Admin.
#[derive(Debug)]
pub(super) struct Administrator(pub(super) ApiCaller);

/// The ids in the path of a route.
#[derive(Debug)]
pub(super) struct PathIds<T>(pub(super) T);

/// The parameters of a route. If one is given several times, the first counts. Unknown ones are
/// ignored.
#[derive(Debug)]
pub(super) struct Parameters<T>(pub(super) T);

/// The version that a change requires, from the header `If-Match`. `None` if the change is made
/// whatever the version is.
#[derive(Debug)]
pub(super) struct ExpectedVersion(pub(super) Option<u64>);

/// The body of a request.
#[derive(Debug)]
pub(super) struct JsonBody<T>(pub(super) T);

/// Returns the caller whom the request's token names.
fn find_caller(parts: &Parts) -> Result<ApiCaller, ProblemDetails> {
    let caller = parts.extensions.get::<ApiCaller>().cloned();
    caller.ok_or_else(ProblemDetails::not_authenticated)
}

impl<S: Send + Sync> FromRequestParts<S> for AnyCaller {
    type Rejection = ProblemDetails;

    fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> impl Future<Output = Result<Self, ProblemDetails>> + Send {
        ready(find_caller(parts).map(Self))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Administrator {
    type Rejection = ProblemDetails;

    fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> impl Future<Output = Result<Self, ProblemDetails>> + Send {
        ready(find_caller(parts).and_then(|caller| match caller.role {
            CallerRole::Administrator => Ok(Self(caller)),
            CallerRole::Reader => Err(ProblemDetails::role_forbidden()),
        }))
    }
}

impl<T, S> FromRequestParts<S> for PathIds<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ProblemDetails> {
        // A part that is not text in UTF-8 is no id.
        let wrong = |_| ProblemDetails::bad_field("id", &InvalidId.to_string());
        let Path(ids) = Path::<T>::from_request_parts(parts, state).await.map_err(wrong)?;
        Ok(Self(ids))
    }
}

impl<T, S> FromRequestParts<S> for Parameters<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = ProblemDetails;

    fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> impl Future<Output = Result<Self, ProblemDetails>> + Send {
        ready(parse_parameters(parts.uri.query().unwrap_or_default()).map(Self))
    }
}

/// Parses a query string into a type whose fields are optional texts.
fn parse_parameters<T: DeserializeOwned>(query: &str) -> Result<T, ProblemDetails> {
    let mut first = BTreeMap::<String, String>::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        first.entry(name.into_owned()).or_insert_with(|| value.into_owned());
    }
    let text = serde_json::to_string(&first).expect("texts always make JSON");
    serde_json::from_str(&text)
        .map_err(|_| ProblemDetails::bad_field("query", "must contain the route's parameters"))
}

impl<S: Send + Sync> FromRequestParts<S> for ExpectedVersion {
    type Rejection = ProblemDetails;

    fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> impl Future<Output = Result<Self, ProblemDetails>> + Send {
        let header = parts.headers.get(IF_MATCH).map(HeaderValue::as_bytes);
        ready(parse_expected_version(header).map(Self))
    }
}

/// Parses the header `If-Match`. A tag that no response has had matches no version.
fn parse_expected_version(header: Option<&[u8]>) -> Result<Option<u64>, ProblemDetails> {
    let Some(tag) = header.filter(|tag| *tag != b"*") else { return Ok(None) };
    let number = std::str::from_utf8(tag).ok().and_then(|tag| {
        let tag = tag.trim().trim_start_matches("W/");
        tag.strip_prefix('"')?.strip_suffix('"')?.parse::<u64>().ok()
    });
    number.map(Some).ok_or_else(ProblemDetails::changed_meanwhile)
}

impl<T, S> FromRequest<S> for JsonBody<T>
where
    T: RequestBody + Send,
    S: Send + Sync,
{
    type Rejection = ProblemDetails;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ProblemDetails> {
        // API Gateway limits a request to 10 MB and Lambda to 6 MB, and the text is in memory.
        let read = axum::body::to_bytes(request.into_body(), usize::MAX).await;
        let bytes = read.map_err(|_| ProblemDetails::bad_field("body", T::MUST))?;
        parse_body(&bytes).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    struct Wanted {
        name: Option<String>,
        page: Option<String>,
    }

    #[test]
    fn the_first_of_several_parameters_counts_and_unknown_ones_are_ignored() {
        let read = |query| parse_parameters::<Wanted>(query).unwrap();
        let wanted = |name: Option<&str>, page: Option<&str>| Wanted {
            name: name.map(str::to_owned),
            page: page.map(str::to_owned),
        };
        assert_eq!(read(""), wanted(None, None));
        assert_eq!(read("page=2&page=3&odd=%ff"), wanted(None, Some("2")));
        assert_eq!(read("name=a%20b+c&page="), wanted(Some("a b c"), Some("")));
    }

    #[test]
    fn a_change_requires_the_version_of_its_tag() {
        let read = |header: &str| parse_expected_version(Some(header.as_bytes()));
        assert_eq!(parse_expected_version(None), Ok(None));
        assert_eq!(read("*"), Ok(None));
        assert_eq!(read("\"0\""), Ok(Some(0)));
        assert_eq!(read("\"17\""), Ok(Some(17)));
        for odd in ["", "17", "\"x\"", "\"1\", \"2\"", "\"-1\""] {
            assert_eq!(read(odd), Err(ProblemDetails::changed_meanwhile()), "{odd}");
        }
    }
}
