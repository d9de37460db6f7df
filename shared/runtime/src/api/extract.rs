//! What a route reads from a request: the caller, the ids in its path, its parameters and its body.
//! Everything that cannot be read is answered with a problem document.

use std::collections::BTreeMap;
use std::future::ready;

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Path, Request};
use bytes::Bytes;
use domain::ids::InvalidId;
use lambda_http::http::HeaderValue;
use lambda_http::http::header::IF_MATCH;
use lambda_http::http::request::Parts;
use requests::{RequestBody, parse_body};
use serde::de::{DeserializeOwned, IgnoredAny};
use url::form_urlencoded;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::document::takes_parameters;
use crate::http::{ApiCaller, CallerRole, ProblemDetails};

/// The caller of a route that everyone in the account may use.
#[derive(Debug)]
pub(super) struct AnyCaller(pub(super) ApiCaller);

/// The caller of a route that changes something: an Owner or Admin.
#[derive(Debug)]
pub(super) struct Administrator(pub(super) ApiCaller);

/// The ids in the path of a route.
#[derive(Debug)]
pub(super) struct PathIds<T>(pub(super) T);

/// The maximum length of a body in bytes. The longest one that a route needs, the choice of 100
/// records, is a tenth of it.
const BODY_MAX: usize = 128 * 1024;
/// The maximum number of characters of an unknown parameter's name that an error shows.
const NAME_MAX: usize = 40;

/// The parameters of a route, which are those that its description names. An empty one counts as
/// absent. Unknown and repeated ones are refused, like the fields of a body: a misspelt filter must
/// not show everything, nor a misspelt `link=false` link.
#[derive(Debug)]
pub(super) struct Parameters<T>(pub(super) T);

/// The version that a change requires, from the header `If-Match`. `None` if the change is made
/// whatever the version is.
#[derive(Debug)]
pub(super) struct ExpectedVersion(pub(super) Option<u64>);

/// The body of a request.
#[derive(Debug)]
pub(super) struct JsonBody<T>(pub(super) T);

/// The body of a route that takes none: nothing, or an object without fields. A field is refused as
/// in every other body: `{"link": false}` must not start a reconciliation that links.
#[derive(Debug)]
pub(super) struct NoBody;

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
        ready(find_caller(parts).and_then(|caller| {
            refuse_undeclared_parameters(parts)?;
            Ok(Self(caller))
        }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Administrator {
    type Rejection = ProblemDetails;

    fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> impl Future<Output = Result<Self, ProblemDetails>> + Send {
        ready(find_caller(parts).and_then(|caller| match caller.role {
            CallerRole::Administrator => {
                refuse_undeclared_parameters(parts)?;
                Ok(Self(caller))
            }
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
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(ids)) => Ok(Self(ids)),
            Err(rejection) => Err(refuse_path(&rejection)),
        }
    }
}

/// Refuses a path with a part that is not text in UTF-8, and so no id.
fn refuse_path(rejection: &PathRejection) -> ProblemDetails {
    let parameter = if let PathRejection::FailedToDeserializePathParams(error) = rejection
        && let ErrorKind::InvalidUtf8InPathParam { key } = error.kind()
    {
        key.as_str()
    } else {
        "id"
    };
    ProblemDetails::bad_field(parameter, &InvalidId.to_string())
}

impl<T, S> FromRequestParts<S> for Parameters<T>
where
    T: DeserializeOwned + IntoParams + Send,
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
fn parse_parameters<T: DeserializeOwned + IntoParams>(query: &str) -> Result<T, ProblemDetails> {
    let known = T::into_params(|| Some(ParameterIn::Query));
    let mut given = BTreeMap::<String, String>::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let name = name.into_owned();
        if !known.iter().any(|parameter| parameter.name == name) {
            return Err(refuse_parameter(&name, &known));
        }
        if given.contains_key(&name) {
            return Err(ProblemDetails::bad_field(&name, "is given twice"));
        }
        if !value.is_empty() {
            given.insert(name, value.into_owned());
        }
    }
    let text = serde_json::to_string(&given).expect("texts always make JSON");
    serde_json::from_str(&text)
        .map_err(|_| ProblemDetails::bad_field("query", "must contain the route's parameters"))
}

/// Refuses the parameters of a request to a route that has none. Other routes check theirs.
fn refuse_undeclared_parameters(parts: &Parts) -> Result<(), ProblemDetails> {
    let query = parts.uri.query().unwrap_or_default();
    let Some((name, _)) = form_urlencoded::parse(query.as_bytes()).next() else { return Ok(()) };
    let path = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    match path.and_then(|path| takes_parameters(&parts.method, path)) {
        Some(false) => Err(refuse_parameter(&name, &[])),
        Some(true) | None => Ok(()),
    }
}

/// Refuses a parameter that a route does not have. The sender chooses its name, which may be
/// unprintable or very long.
fn refuse_parameter(name: &str, known: &[Parameter]) -> ProblemDetails {
    let printable = |sign: char| if sign.is_ascii_graphic() { sign } else { '?' };
    let name: String = name.chars().take(NAME_MAX).map(printable).collect();
    let field = if name.is_empty() { "query" } else { name.as_str() };
    let names = known.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
    let known = match names.as_str() {
        "" => "this request takes none".to_owned(),
        names => format!("known are {names}"),
    };
    let detail = format!("\"{name}\" is not a known parameter; {known}");
    ProblemDetails::bad_request(field, detail)
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

/// Parses the header `If-Match`. A tag that no response has had matches no version. A header that is
/// no tag says nothing about the version, so it is refused as such.
fn parse_expected_version(header: Option<&[u8]>) -> Result<Option<u64>, ProblemDetails> {
    let Some(tag) = header.filter(|tag| *tag != b"*") else { return Ok(None) };
    let tag = std::str::from_utf8(tag).unwrap_or_default().trim().trim_start_matches("W/");
    let Some(content) = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) else {
        let must = "must be the etag of an earlier response with its quotation marks, or *";
        return Err(ProblemDetails::bad_field(IF_MATCH.as_str(), must));
    };
    content.parse::<u64>().map(Some).map_err(|_| ProblemDetails::changed_meanwhile())
}

impl<T, S> FromRequest<S> for JsonBody<T>
where
    T: RequestBody + Send,
    S: Send + Sync,
{
    type Rejection = ProblemDetails;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ProblemDetails> {
        Ok(Self(parse_body(&read_body(request).await?)?))
    }
}

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = ProblemDetails;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ProblemDetails> {
        let bytes = read_body(request).await?;
        if bytes.trim_ascii().is_empty() {
            return Ok(Self);
        }
        let IgnoredAny = parse_body(&bytes)?;
        Ok(Self)
    }
}

/// Reads a body. It is in memory, so that only its length can be wrong. The response to a longer one,
/// which may name every field of it, could exceed the 6 MB that Lambda accepts.
async fn read_body(request: Request) -> Result<Bytes, ProblemDetails> {
    let read = axum::body::to_bytes(request.into_body(), BODY_MAX).await;
    read.map_err(|_| {
        ProblemDetails::bad_field("body", &format!("must have at most {BODY_MAX} bytes"))
    })
}

#[cfg(test)]
mod tests;
