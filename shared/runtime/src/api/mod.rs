//! The settings API: what people see and control.

mod bodies;
mod choices;
mod connection;
mod contacts;
mod log;
mod payments;
mod records;
mod routes;

use std::error::Error;
use std::time::Duration;

use domain::entity::EntityKind;
use engine::connection::tenant_session::AttemptError;
use engine::error_chain::ErrorChain;
use engine::{Engine, Invocation};
use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, Request, RequestExt, Response, service_fn};
use tracing::Instrument;

use self::records::parse_kind;
use self::routes::RouteLookup;
use crate::boot::boot_engine;
use crate::http::{ApiCaller, CallerRole, ProblemDetails};

pub use self::bodies::list_body_errors;
pub use self::routes::{ApiRoute, ROUTES};

/// Time limit of a request's work. Every request is answered within 25 seconds, because API Gateway
/// gives up after 30 and Lambda ends the function after 29. The last second is for reading the
/// current state.
pub(crate) const ANSWER_WITHIN: SignedDuration = SignedDuration::from_secs(24);
/// Time limit for reading the current state after a request took too long.
const LOOK_WITHIN: Duration = Duration::from_millis(900);

/// The result of a route.
type RouteResult = Result<Response<Body>, ProblemDetails>;

/// Serves the API until Lambda stops the process.
pub async fn serve_api() -> Result<(), lambda_http::Error> {
    let booted = boot_engine().await?;
    let engine = &booted.engine;
    lambda_http::run(service_fn(move |request: Request| async move {
        Ok::<_, lambda_http::Error>(answer_request(engine, &request).await)
    }))
    .await
}

/// Answers a request within 25 seconds, even if Xero or AWS is slow.
pub async fn answer_request(engine: &Engine, request: &Request) -> Response<Body> {
    let answer = match ApiCaller::from_request(request) {
        Some(caller) => {
            let span = tracing::info_span!("request", account.id = %caller.account);
            answer_in_time(engine, request, &caller).instrument(span).await
        }
        None => Err(ProblemDetails::not_authenticated()),
    };
    answer.unwrap_or_else(|problem| problem.to_response())
}

/// Answers a request in time. Work that takes longer is dropped, as if the process had died: what
/// it has recorded continues with the next request, a wake-up or the sweep.
async fn answer_in_time(engine: &Engine, request: &Request, caller: &ApiCaller) -> RouteResult {
    let answer = Box::pin(route_request(engine, request, caller));
    if let Ok(answer) = tokio::time::timeout(ANSWER_WITHIN.unsigned_abs(), answer).await {
        return answer;
    }
    tracing::warn!("a request took too long");
    let late = Box::pin(answer_late(engine, request, caller));
    let late = tokio::time::timeout(LOOK_WITHIN, late).await;
    late.unwrap_or_else(|_| Err(ProblemDetails::too_slow()))
}

/// Answers a request that took too long: with the current state, if something was committed before
/// Xero was called.
async fn answer_late(engine: &Engine, request: &Request, caller: &ApiCaller) -> RouteResult {
    let path = request.raw_http_path().trim_matches('/');
    let segments = path.split('/').collect::<Vec<_>>();
    let part = |index: usize| segments.get(index).copied().unwrap_or_default();
    match routes::find_route(request.method(), &segments) {
        RouteLookup::Route(ApiRoute::CompleteConnect) => Ok(connection::answer_in_progress()),
        RouteLookup::Route(ApiRoute::Disconnect) => {
            connection::answer_late_disconnect(engine, caller).await
        }
        RouteLookup::Route(ApiRoute::ChooseOrganisation) => {
            connection::answer_late_choice(engine, caller, request).await
        }
        RouteLookup::Route(ApiRoute::SyncNow) => {
            read_record(engine, caller, parse_kind(part(1))?, part(2)).await
        }
        RouteLookup::Route(_) | RouteLookup::OtherMethods | RouteLookup::Nothing => {
            Err(ProblemDetails::too_slow())
        }
    }
}

/// Answers with the record at an address, or with all parts of a payment.
async fn read_record(
    engine: &Engine,
    caller: &ApiCaller,
    kind: EntityKind,
    id: &str,
) -> RouteResult {
    match kind {
        EntityKind::Payment => payments::read_payment(engine, caller, id).await,
        EntityKind::Contact
        | EntityKind::Invoice
        | EntityKind::CreditNote
        | EntityKind::Allocation => records::read_single_record(engine, caller, kind, id).await,
    }
}

/// Syncs the record at an address, or all parts of a payment, now.
async fn sync_record(
    engine: &Engine,
    caller: &ApiCaller,
    kind: EntityKind,
    id: &str,
) -> RouteResult {
    match kind {
        EntityKind::Payment => payments::sync_now(engine, caller, id).await,
        EntityKind::Contact
        | EntityKind::Invoice
        | EntityKind::CreditNote
        | EntityKind::Allocation => records::sync_now(engine, caller, kind, id).await,
    }
}

/// Marks the record at an address, or all parts of a payment, as Never send.
async fn withhold_record(
    engine: &Engine,
    caller: &ApiCaller,
    kind: EntityKind,
    id: &str,
) -> RouteResult {
    match kind {
        EntityKind::Payment => payments::never_send(engine, caller, id).await,
        EntityKind::Contact
        | EntityKind::Invoice
        | EntityKind::CreditNote
        | EntityKind::Allocation => choices::never_send(engine, caller, kind, id).await,
    }
}

async fn route_request(engine: &Engine, request: &Request, caller: &ApiCaller) -> RouteResult {
    let path = request.raw_http_path().trim_matches('/');
    let segments = path.split('/').collect::<Vec<_>>();
    let route = match routes::find_route(request.method(), &segments) {
        RouteLookup::Route(route) => route,
        RouteLookup::OtherMethods => return Err(ProblemDetails::method_not_allowed()),
        RouteLookup::Nothing => return Err(no_such_address()),
    };
    let part = |index: usize| segments.get(index).copied().unwrap_or_default();
    // Only the addresses of records have these parts.
    let (collection, id) = (part(1), part(2));
    match route {
        ApiRoute::Status => connection::read_status(engine, caller).await,
        ApiRoute::Connect => connection::begin_connect(engine, caller).await,
        ApiRoute::CompleteConnect => connection::complete_connect(engine, caller, request).await,
        ApiRoute::Disconnect => connection::disconnect_account(engine, caller).await,
        ApiRoute::ChooseOrganisation => {
            connection::choose_organisation(engine, caller, request).await
        }
        ApiRoute::AccountCodes => choices::read_account_codes(engine, caller).await,
        ApiRoute::ChooseAccountCodes => {
            choices::choose_account_codes(engine, caller, request).await
        }
        ApiRoute::SyncLog => log::read_log_page(engine, caller, request).await,
        ApiRoute::SyncAllProgress => records::read_sync_all(engine, caller).await,
        ApiRoute::SyncAll => records::sync_all(engine, caller).await,
        ApiRoute::Record => read_record(engine, caller, parse_kind(collection)?, id).await,
        ApiRoute::SyncNow => sync_record(engine, caller, parse_kind(collection)?, id).await,
        ApiRoute::NeverSend => withhold_record(engine, caller, parse_kind(collection)?, id).await,
        ApiRoute::Money => payments::read_invoice_payments(engine, caller, id).await,
        ApiRoute::SettleMoney => {
            payments::resolve_payment(engine, caller, id, part(4), request).await
        }
        ApiRoute::AccountChoices => choices::read_account_choices(engine, caller).await,
        ApiRoute::SearchContacts => contacts::search_contacts(engine, caller, request).await,
        ApiRoute::LinkContact => contacts::link_contact(engine, caller, id, request).await,
        ApiRoute::UnlinkContact => contacts::unlink_contact(engine, caller, id).await,
        ApiRoute::Reconcile => contacts::start_reconciliation(engine, caller).await,
        ApiRoute::Reconciliation => contacts::read_reconciliation(engine, caller).await,
        ApiRoute::Findings => contacts::read_findings(engine, caller, request).await,
    }
}

/// The time limits of work for which a person waits.
fn interactive_invocation(engine: &Engine) -> Invocation {
    let deadline = engine.clock.now().saturating_add(ANSWER_WITHIN);
    Invocation::interactive(deadline.unwrap_or(Timestamp::MAX))
}

fn no_such_address() -> ProblemDetails {
    ProblemDetails::not_found("This address does not exist.")
}

fn may_change(caller: &ApiCaller) -> Result<(), ProblemDetails> {
    match caller.role {
        CallerRole::Administrator => Ok(()),
        CallerRole::Reader => Err(ProblemDetails::role_forbidden()),
    }
}

fn log_unavailable(error: &dyn Error) -> ProblemDetails {
    tracing::error!(error = %ErrorChain(error), "a request failed");
    ProblemDetails::service_unavailable()
}

/// Explains to people why Xero could not be read.
fn describe_attempt_error(engine: &Engine, trouble: &AttemptError) -> String {
    match trouble {
        AttemptError::Xero(error) => error.to_failure(engine.clock.now()).to_string(),
        AttemptError::Failure(failure)
        | AttemptError::Explained(failure)
        | AttemptError::Blocked { failure, on: _ } => failure.to_string(),
        AttemptError::Persist(_) => "The settings could not be read. Try again.".to_owned(),
    }
}
