//! The settings API, with which users see and control the integration.
//!
//! A handler's declaration both routes requests to it and describes it in the OpenAPI document.

mod account_limit;
mod attempt_errors;
mod attention;
mod books;
mod choices;
mod connection;
mod contacts;
mod document;
mod extract;
mod log;
mod matching;
mod payments;
mod people;
mod preferences;
mod preview;
mod records;
mod setup;
mod surpluses;
mod views;

use std::error::Error;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use bytes::Bytes;
use domain::ids::AccountId;
use engine::commands::links::{self, XeroPages};
use engine::error_chain::ErrorChain;
use engine::sync::push::PushedKinds;
use engine::{Engine, Invocation};
use futures::future::join;
use jiff::{SignedDuration, Timestamp};
use lambda_http::http::header::CONTENT_LENGTH;
use lambda_http::http::{Method, Uri};
use lambda_http::{Body, Request, RequestExt, Response, Service};
use serde::Serialize;
use tracing::{Instrument, Span};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::account_limit::AccountLimiter;
use self::attempt_errors::describe_attempt_error;
use self::extract::AnyCaller;
use crate::boot::{boot_engine, read_account_limit};
use crate::http::{ApiCaller, ProblemDetails, find_content_tag};
use crate::lambda::serve_requests;

pub use self::document::{describe_api, list_routes};

/// Time limit of a request's work. Every request is answered within 25 seconds, because API Gateway
/// gives up after 30 and Lambda ends the function after 29. The last second is for reading the
/// current state.
pub(crate) const ANSWER_WITHIN: SignedDuration = SignedDuration::from_secs(24);
/// Time limit for reading the current state after a request took too long.
const LOOK_WITHIN: Duration = Duration::from_millis(900);

/// Maximum attempts at a change of a setting, if another setting in the same row changes at the same
/// time.
const CHANGE_ATTEMPTS_MAX: usize = 3;

/// The result of a route.
type RouteResult = Result<Response<Body>, ProblemDetails>;

/// Serves the API until Lambda stops the process.
pub async fn serve_api() -> Result<(), lambda_http::Error> {
    let booted = boot_engine().await?;
    let limit = read_account_limit()?;
    // A user may sync any record.
    let engine = Engine { kinds: PushedKinds::ALL, ..booted.engine.clone() };
    let api = &SettingsApi::new(engine).with_account_limit(limit);
    serve_requests(move |request| async move { api.answer_request(&request).await }).await
}

/// The API of one process.
#[derive(Debug, Clone)]
pub struct SettingsApi {
    router: Router,
    engine: Engine,
    /// `None` admits every request.
    limiter: Option<AccountLimiter>,
}

impl SettingsApi {
    /// Creates the API of an engine, without a limit of the requests.
    pub fn new(engine: Engine) -> Self {
        let (router, _) = declare_routes().split_for_parts();
        let router = router
            .fallback(refuse_address)
            .method_not_allowed_fallback(refuse_method)
            .with_state(engine.clone());
        Self { router, engine, limiter: None }
    }

    /// Refuses requests of an account with status 429 as soon as it has sent this many in a minute.
    #[must_use]
    pub fn with_account_limit(self, per_minute: NonZeroU32) -> Self {
        Self { limiter: Some(AccountLimiter::new(per_minute)), ..self }
    }

    /// Answers a request within 25 seconds, even if Xero or AWS is slow.
    ///
    /// Work that takes longer is dropped, as if the process had died: what it has recorded
    /// continues with the next request, a wake-up or the sweep.
    pub async fn answer_request(&self, request: &Request) -> Response<Body> {
        let caller = ApiCaller::from_request(request);
        let span = caller.as_ref().map_or_else(
            Span::none,
            |caller| tracing::info_span!("request", account.id = %caller.account),
        );
        if caller.as_ref().is_some_and(|caller| !self.admits(caller)) {
            span.in_scope(|| tracing::warn!("an account has sent too many requests"));
            return ProblemDetails::too_many_requests().to_response();
        }
        let changing_caller = caller.clone().filter(|_| request.method() != Method::GET);
        let Some(request) = build_router_request(request, caller) else {
            return no_such_address().to_response();
        };
        let answer = async {
            let remember = async {
                if let Some(caller) = &changing_caller {
                    people::remember_caller(&self.engine, caller).await;
                }
            };
            // The name must not take time from the request, whose own limit is almost as long.
            join(self.clone().call_router(request), remember).await.0
        };
        let answer = answer.instrument(span);
        let limit = ANSWER_WITHIN.unsigned_abs().saturating_add(LOOK_WITHIN);
        match tokio::time::timeout(limit, answer).await {
            Ok(answer) => answer,
            Err(_) => ProblemDetails::too_slow().to_response(),
        }
    }

    fn admits(&self, caller: &ApiCaller) -> bool {
        let now = self.engine.clock.now();
        self.limiter.as_ref().is_none_or(|limiter| limiter.admit_request(&caller.account, now))
    }

    async fn call_router(mut self, request: axum::extract::Request) -> Response<Body> {
        let Ok(answer) = self.router.call(request).await;
        let (mut parts, body) = answer.into_parts();
        // API Gateway writes it.
        parts.headers.remove(CONTENT_LENGTH);
        let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Response::from_parts(parts, Body::Text(text))
    }
}

/// Declares every route.
fn declare_routes() -> OpenApiRouter<Engine> {
    OpenApiRouter::with_openapi(document::begin_document())
        .merge(connection::declare_connection_routes())
        .merge(choices::declare_choices_routes())
        .merge(preferences::declare_preferences_routes())
        .merge(records::declare_records_routes())
        .merge(payments::declare_payments_routes())
        .merge(surpluses::declare_surpluses_routes())
        .merge(preview::declare_preview_routes())
        .merge(attention::declare_attention_routes())
        .merge(books::declare_books_routes())
        .merge(contacts::declare_contacts_routes())
        .merge(log::declare_log_routes())
        .merge(setup::declare_setup_routes())
        .merge(matching::declare_matching_routes())
        .merge(people::declare_people_routes())
        .routes(routes!(document::read_document))
}

/// Builds the request that the router takes. `None` if its path cannot be one of a route.
fn build_router_request(
    request: &Request,
    caller: Option<ApiCaller>,
) -> Option<axum::extract::Request> {
    // A path may end with a slash.
    let mut address = format!("/{}", encode_path(request.raw_http_path().trim_matches('/')));
    if let Some(query) = request.uri().query() {
        address.push('?');
        address.push_str(query);
    }
    let bytes = Bytes::copy_from_slice(request.body());
    let mut built = axum::extract::Request::new(axum::body::Body::from(bytes));
    *built.method_mut() = request.method().clone();
    *built.uri_mut() = address.parse::<Uri>().ok()?;
    *built.headers_mut() = request.headers().clone();
    if let Some(caller) = caller {
        built.extensions_mut().insert(caller);
    }
    Some(built)
}

/// Encodes the bytes of a path that an address cannot contain. API Gateway may have decoded them.
fn encode_path(path: &str) -> String {
    let encode = |byte: u8| {
        if byte.is_ascii_graphic() && !b"\"#<>?\\^`{|}".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    path.bytes().map(encode).collect()
}

async fn refuse_address(_: AnyCaller) -> ProblemDetails {
    no_such_address()
}

async fn refuse_method(_: AnyCaller) -> ProblemDetails {
    ProblemDetails::method_not_allowed()
}

/// Answers with the result of work or, if it takes too long, with the current state: something may
/// have been committed before Xero was called.
async fn answer_in_time(
    work: impl Future<Output = RouteResult>,
    look: impl Future<Output = RouteResult>,
) -> RouteResult {
    if let Ok(answer) = tokio::time::timeout(ANSWER_WITHIN.unsigned_abs(), work).await {
        return answer;
    }
    tracing::warn!("a request took too long");
    let looked = tokio::time::timeout(LOOK_WITHIN, look).await;
    looked.unwrap_or_else(|_| Err(ProblemDetails::too_slow()))
}

/// The time limits of work for which a person waits.
fn interactive_invocation(engine: &Engine) -> Invocation {
    let deadline = engine.clock.now().saturating_add(ANSWER_WITHIN);
    Invocation::interactive(deadline.unwrap_or(Timestamp::MAX))
}

fn no_such_address() -> ProblemDetails {
    ProblemDetails::not_found(
        "This address does not exist. GET /v1/openapi.json describes those that do.",
    )
}

/// Returns the version of the row that a change requires, or `None` if the change requires none.
///
/// `known` reads the current view with the version of its row. It is polled only if the change
/// requires a tag. If the view has another tag, another person has changed it meanwhile.
async fn find_expected_version<V: Serialize>(
    expected: Option<u64>,
    known: impl Future<Output = Result<(V, u64), ProblemDetails>>,
) -> Result<Option<u64>, ProblemDetails> {
    let Some(tag) = expected else { return Ok(None) };
    let (view, version) = known.await?;
    if find_content_tag(&view) == tag {
        Ok(Some(version))
    } else {
        Err(ProblemDetails::changed_meanwhile())
    }
}

/// Returns the pages in Xero to which a response links.
async fn find_pages(engine: &Engine, account: &AccountId) -> Result<XeroPages, ProblemDetails> {
    let pages = links::find_xero_pages(engine, account).await;
    pages.map_err(|error| log_unavailable(&error))
}

fn log_unavailable(error: &dyn Error) -> ProblemDetails {
    tracing::error!(error = %ErrorChain(error), "a request failed");
    ProblemDetails::service_unavailable()
}

#[cfg(test)]
mod tests {
    use super::encode_path;

    #[test]
    fn a_decoded_path_is_encoded_and_an_encoded_one_stays() {
        for (path, encoded) in [
            ("v1/invoices/inv_1", "v1/invoices/inv_1"),
            ("v1/invoices/a b", "v1/invoices/a%20b"),
            ("v1/invoices/a%20b", "v1/invoices/a%20b"),
            ("v1/invoices/\u{e9}?", "v1/invoices/%C3%A9%3F"),
            ("v1/invoices/..", "v1/invoices/.."),
        ] {
            assert_eq!(encode_path(path), encoded, "{path}");
        }
    }
}
