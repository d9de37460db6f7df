//! The settings API: what people see and press. Every route names its room.

mod bodies;
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
use tracing::Instrument;

use self::routes::Found;
use crate::boot::boot;
use crate::http::{Caller, Problem, Role};

pub use self::bodies::objections;
pub use self::routes::{ROUTES, Route};

/// Everybody is answered within 25 seconds: API Gateway answers for us after 30, and Lambda ends the function
/// after 29. The last second is for reading how things stand.
pub(crate) const ANSWER_WITHIN: SignedDuration = SignedDuration::from_secs(24);

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
            answer_in_time(engine, request, &caller).instrument(span).await
        }
        None => Err(Problem::unauthorized()),
    };
    answer.unwrap_or_else(|problem| problem.response())
}

/// Answers a request in time. What takes longer is dropped, which is as if the process had died: whatever it
/// wrote down goes on, with the next request, a hint or the sweep.
async fn answer_in_time(engine: &Engine, request: &Request, caller: &Caller) -> Answer {
    let answer = Box::pin(route(engine, request, caller));
    match tokio::time::timeout(ANSWER_WITHIN.unsigned_abs(), answer).await {
        Ok(answer) => answer,
        Err(_) => answer_late(engine, request, caller).await,
    }
}

/// The answer to a request that took too long: how things stand, where something was committed before Xero was
/// asked.
async fn answer_late(engine: &Engine, request: &Request, caller: &Caller) -> Answer {
    tracing::warn!("a request took too long");
    let path = request.raw_http_path().trim_matches('/');
    let segments = path.split('/').collect::<Vec<_>>();
    match routes::find(request.method(), &segments) {
        Found::Route(Route::CompleteConnect) => Ok(connection::in_progress()),
        Found::Route(Route::Disconnect | Route::ChooseOrganisation) => {
            connection::status(engine, caller).await
        }
        Found::Route(_) | Found::OtherMethods | Found::Nothing => Err(Problem::too_slow()),
    }
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
        Route::CompleteConnect => connection::complete(engine, caller, request).await,
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
