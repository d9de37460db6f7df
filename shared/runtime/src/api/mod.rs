//! The settings API: what people see and control.

mod bodies;
mod choices;
mod connection;
mod contacts;
mod log;
mod money;
mod records;
mod routes;

use std::error::Error;
use std::time::Duration;

use domain::entity::EntityKind;
use engine::chain::Chain;
use engine::desk::Trouble;
use engine::{Engine, Invocation};
use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, Request, RequestExt, Response, service_fn};
use tracing::Instrument;

use self::records::parse_kind;
use self::routes::Found;
use crate::boot::boot;
use crate::http::{Caller, Problem, Role};

pub use self::bodies::objections;
pub use self::routes::{ROUTES, Route};

/// Time limit of a request's work. Every request is answered within 25 seconds, because API Gateway
/// gives up after 30 and Lambda ends the function after 29. The last second is for reading the
/// current state.
pub(crate) const ANSWER_WITHIN: SignedDuration = SignedDuration::from_secs(24);
/// Time limit for reading the current state after a request took too long.
const LOOK_WITHIN: Duration = Duration::from_millis(900);

/// The result of a route.
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

/// Answers a request within 25 seconds, even if Xero or AWS is slow.
pub async fn answer(engine: &Engine, request: &Request) -> Response<Body> {
    let answer = match Caller::of(request) {
        Some(caller) => {
            let span = tracing::info_span!("request", account.id = %caller.account);
            answer_in_time(engine, request, &caller).instrument(span).await
        }
        None => Err(Problem::unauthorized()),
    };
    answer.unwrap_or_else(|problem| problem.response())
}

/// Answers a request in time. Work that takes longer is dropped, as if the process had died: what
/// it has recorded continues with the next request, a hint or the sweep.
async fn answer_in_time(engine: &Engine, request: &Request, caller: &Caller) -> Answer {
    let answer = Box::pin(route(engine, request, caller));
    if let Ok(answer) = tokio::time::timeout(ANSWER_WITHIN.unsigned_abs(), answer).await {
        return answer;
    }
    tracing::warn!("a request took too long");
    let late = Box::pin(answer_late(engine, request, caller));
    let late = tokio::time::timeout(LOOK_WITHIN, late).await;
    late.unwrap_or_else(|_| Err(Problem::too_slow()))
}

/// Answers a request that took too long: with the current state, if something was committed before
/// Xero was called.
async fn answer_late(engine: &Engine, request: &Request, caller: &Caller) -> Answer {
    let path = request.raw_http_path().trim_matches('/');
    let segments = path.split('/').collect::<Vec<_>>();
    let part = |index: usize| segments.get(index).copied().unwrap_or_default();
    match routes::find(request.method(), &segments) {
        Found::Route(Route::CompleteConnect) => Ok(connection::in_progress()),
        Found::Route(Route::Disconnect) => connection::ended(engine, caller).await,
        Found::Route(Route::ChooseOrganisation) => {
            connection::chosen(engine, caller, request).await
        }
        Found::Route(Route::SyncNow) => {
            read_record(engine, caller, parse_kind(part(1))?, part(2)).await
        }
        Found::Route(_) | Found::OtherMethods | Found::Nothing => Err(Problem::too_slow()),
    }
}

/// Answers with the record at an address, or with all parts of a payment.
async fn read_record(engine: &Engine, caller: &Caller, kind: EntityKind, id: &str) -> Answer {
    match kind {
        EntityKind::Payment => money::one(engine, caller, id).await,
        EntityKind::Contact
        | EntityKind::Invoice
        | EntityKind::CreditNote
        | EntityKind::Allocation => records::one(engine, caller, kind, id).await,
    }
}

/// Syncs the record at an address, or all parts of a payment, now.
async fn sync_record(engine: &Engine, caller: &Caller, kind: EntityKind, id: &str) -> Answer {
    match kind {
        EntityKind::Payment => money::sync_now(engine, caller, id).await,
        EntityKind::Contact
        | EntityKind::Invoice
        | EntityKind::CreditNote
        | EntityKind::Allocation => records::sync_now(engine, caller, kind, id).await,
    }
}

/// Marks the record at an address, or all parts of a payment, as Never send.
async fn withhold_record(engine: &Engine, caller: &Caller, kind: EntityKind, id: &str) -> Answer {
    match kind {
        EntityKind::Payment => money::never_send(engine, caller, id).await,
        EntityKind::Contact
        | EntityKind::Invoice
        | EntityKind::CreditNote
        | EntityKind::Allocation => choices::never_send(engine, caller, kind, id).await,
    }
}

async fn route(engine: &Engine, request: &Request, caller: &Caller) -> Answer {
    let path = request.raw_http_path().trim_matches('/');
    let segments = path.split('/').collect::<Vec<_>>();
    let route = match routes::find(request.method(), &segments) {
        Found::Route(route) => route,
        Found::OtherMethods => return Err(Problem::method_not_allowed()),
        Found::Nothing => return Err(no_such_address()),
    };
    let part = |index: usize| segments.get(index).copied().unwrap_or_default();
    // Only the addresses of records have these parts.
    let (collection, id) = (part(1), part(2));
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
        Route::Record => read_record(engine, caller, parse_kind(collection)?, id).await,
        Route::SyncNow => sync_record(engine, caller, parse_kind(collection)?, id).await,
        Route::NeverSend => withhold_record(engine, caller, parse_kind(collection)?, id).await,
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

/// The time limits of work for which a person waits.
fn attended(engine: &Engine) -> Invocation {
    let deadline = engine.clock.now().saturating_add(ANSWER_WITHIN);
    Invocation::attended(deadline.unwrap_or(Timestamp::MAX))
}

fn no_such_address() -> Problem {
    Problem::not_found("This address does not exist.")
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

/// Explains to people why Xero could not be read.
fn told(engine: &Engine, trouble: &Trouble) -> String {
    match trouble {
        Trouble::Xero(error) => error.failure(engine.clock.now()).to_string(),
        Trouble::Failure(failure)
        | Trouble::Explained(failure)
        | Trouble::Blocked { failure, on: _ } => failure.to_string(),
        Trouble::Unrecorded(_) => "The settings could not be read. Try again.".to_owned(),
    }
}
