//! The settings API: what people see and press. Every route names its room.

mod choices;
mod connection;
mod contacts;
mod log;
mod money;
mod records;
mod routes;

use std::error::Error;

use engine::chain::Chain;
use engine::desk::Trouble;
use engine::{Engine, Invocation};
use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, Request, RequestExt, Response, service_fn};
use serde::de::DeserializeOwned;
use tracing::Instrument;

use self::routes::Found;
use crate::boot::boot;
use crate::http::{Caller, Problem, Role};

pub use self::routes::{ROUTES, Route};

/// API Gateway answers for us after 30 seconds; we answer ourselves before.
const ANSWER_WITHIN: SignedDuration = SignedDuration::from_secs(25);

/// What a route gives.
type Answer = Result<Response<Body>, Problem>;

/// Serves the API until Lambda stops the process.
pub async fn serve() -> Result<(), lambda_http::Error> {
    let booted = boot().await?;
    let engine = &booted.engine;
    lambda_http::run(service_fn(move |request: Request| async move {
        Ok::<_, lambda_http::Error>(answer(engine, &request).await)
    }))
    .await
}

async fn answer(engine: &Engine, request: &Request) -> Response<Body> {
    let answer = match Caller::of(request) {
        Some(caller) => {
            let span = tracing::info_span!("request", account.id = %caller.account);
            Box::pin(route(engine, request, &caller)).instrument(span).await
        }
        None => Err(Problem::unauthorized()),
    };
    answer.unwrap_or_else(|problem| problem.response())
}

async fn route(engine: &Engine, request: &Request, caller: &Caller) -> Answer {
    let path = request.raw_http_path().trim_matches('/');
    let segments = path.split('/').collect::<Vec<_>>();
    let route = match routes::find(request.method(), &segments) {
        Found::Route(route) => route,
        Found::OtherMethods => return Err(Problem::method_not_allowed()),
        Found::Nothing => return Err(Problem::not_found("There is no such address.")),
    };
    let part = |index: usize| segments.get(index).copied().unwrap_or_default();
    // Only records have these parts.
    let (kind, id) = (part(1), part(2));
    match route {
        Route::Status => connection::status(engine, caller).await,
        Route::Connect => connection::begin(engine, caller).await,
        Route::Disconnect => connection::end(engine, caller).await,
        Route::ChooseOrganisation => connection::choose(engine, caller, request).await,
        Route::AccountCodes => choices::codes(engine, caller).await,
        Route::ChooseAccountCodes => choices::choose_codes(engine, caller, request).await,
        Route::SyncLog => log::page(engine, caller, request).await,
        Route::SyncAllProgress => records::progress(engine, caller).await,
        Route::SyncAll => records::sync_all(engine, caller).await,
        Route::Record if kind == "payments" => money::one(engine, caller, id).await,
        Route::SyncNow if kind == "payments" => money::sync_now(engine, caller, id).await,
        Route::NeverSend if kind == "payments" => money::never_send(engine, caller, id).await,
        Route::Record => records::one(engine, caller, kind, id).await,
        Route::SyncNow => records::sync_now(engine, caller, kind, id).await,
        Route::NeverSend => choices::never_send(engine, caller, kind, id).await,
        Route::Money => money::on_invoice(engine, caller, id).await,
        Route::SettleMoney => money::settle(engine, caller, id, part(4), request).await,
        Route::AccountChoices => choices::account_choices(engine, caller).await,
        Route::SearchContacts => contacts::search(engine, caller, request).await,
        Route::LinkContact => contacts::link(engine, caller, id, request).await,
        Route::UnlinkContact => contacts::unlink(engine, caller, id).await,
        Route::Reconcile => contacts::reconcile(engine, caller).await,
        Route::Reconciliation => contacts::progress(engine, caller).await,
        Route::Findings => contacts::findings(engine, caller, request).await,
    }
}

/// What bounds work that a person waits for.
fn attended(engine: &Engine) -> Invocation {
    let deadline = engine.clock.now().saturating_add(ANSWER_WITHIN);
    Invocation::attended(deadline.unwrap_or(Timestamp::MAX))
}

fn may_change(caller: &Caller) -> Result<(), Problem> {
    match caller.role {
        Role::Administrator => Ok(()),
        Role::Reader => Err(Problem::forbidden()),
    }
}

/// The request's body. What is wrong with it is told without quoting it.
fn body<T: DeserializeOwned>(request: &Request, must: &str) -> Result<T, Problem> {
    let bytes: &[u8] = match request.body() {
        Body::Empty => &[],
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => return Err(Problem::bad_field("body", must)),
    };
    serde_json::from_slice(bytes).map_err(|_| Problem::bad_field("body", must))
}

fn unavailable(error: &dyn Error) -> Problem {
    tracing::error!(error = %Chain(error), "a request failed");
    Problem::unavailable()
}

/// Why Xero could not be asked, for people.
fn told(engine: &Engine, trouble: &Trouble) -> String {
    match trouble {
        Trouble::Xero(error) => error.failure(engine.clock.now()).to_string(),
        Trouble::Failure(failure)
        | Trouble::Explained(failure)
        | Trouble::Blocked { failure, on: _ } => failure.to_string(),
        Trouble::Unrecorded(_) => "The settings could not be read. Try again.".to_owned(),
    }
}
