//! The connection: connect, complete, status, disconnect, and choosing another organisation.

use axum::extract::State;
use domain::connection::PinnedOrganisation;
use domain::ids::TenantId;
use engine::Engine;
use engine::commands::connect::{self, ConnectError, ConnectOutcome};
use engine::commands::organisation::{self, OrganisationChoiceOutcome};
use engine::commands::status;
use engine::connection::disconnect;
use requests::{ConnectTicket, OrganisationChoice};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Administrator, AnyCaller, JsonBody, NoBody};
use super::views::{CompletionView, ConnectView, OrganisationView, StatusView};
use super::{RouteResult, answer_in_time, interactive_invocation, log_unavailable};
use crate::http::{ApiCaller, CallerRole, ProblemDetails, json_response};

/// Declares the routes of this module.
pub(super) fn declare_connection_routes() -> OpenApiRouter<Engine> {
    OpenApiRouter::new()
        .routes(routes!(read_connection, begin_connect, disconnect_account))
        .routes(routes!(complete_connect))
        .routes(routes!(choose_organisation))
}

/// Starts a connection attempt.
///
/// The browser continues at `authorize_url`, and returns with a ticket that completes it.
#[utoipa::path(
    post,
    path = "/v1/connection",
    tag = "connection",
    responses(
        (status = 201, description = "The connection attempt has started.", body = ConnectView),
        (status = 400, description = "The request has a body."),
        (status = 403, description = "The role is read-only."),
    ),
)]
async fn begin_connect(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    _: NoBody,
) -> RouteResult {
    let begun = connect::begin_connect(&engine, &caller.account, &caller.user).await;
    let authorize_url = begun.map_err(|error: ConnectError| log_unavailable(&error))?;
    Ok(json_response(201, &ConnectView { authorize_url }))
}

/// Some of the selected organisations belong to another account.
const OTHERS_IN_USE: &str = "Another organisation that you selected is connected to another ServiceCortex account. To use it here, disconnect it there first, then connect again. If you do not know that account, contact support.";

/// Completes a connection attempt with the callback's ticket.
///
/// If Xero is slow, the response is `in_progress`, and presenting the same ticket again resumes the
/// completion.
#[utoipa::path(
    post,
    path = "/v1/connection/complete",
    tag = "connection",
    request_body = ConnectTicket,
    responses(
        (status = 200, description = "The result.", body = CompletionView),
        (status = 202, description = "Xero is slow. Repeat the request after a few seconds.", body = CompletionView),
        (status = 400, description = "The body is not valid."),
        (status = 403, description = "The role is read-only, or another person began the connection attempt."),
        (status = 409, description = "The organisation is connected to another account."),
        (status = 410, description = "The ticket was used, has expired, or Xero did not accept it."),
    ),
)]
async fn complete_connect(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    JsonBody(body): JsonBody<ConnectTicket>,
) -> RouteResult {
    let (account, user, invocation) =
        (&caller.account, &caller.user, interactive_invocation(&engine));
    let completing = connect::complete_connect(&engine, account, user, &body.ticket, invocation);
    let completing = Box::pin(completing);
    let work = async {
        completing.await.map_err(|error| log_unavailable(&error)).and_then(answer_completion)
    };
    answer_in_time(work, async { Ok(answer_in_progress()) }).await
}

fn answer_completion(completed: ConnectOutcome) -> RouteResult {
    match completed {
        ConnectOutcome::Connected(PinnedOrganisation { name, .. }) => Ok(json_response(
            200,
            &CompletionView {
                organisation: Some(name),
                ..CompletionView::with_outcome("connected")
            },
        )),
        ConnectOutcome::NoOrganisation => {
            Ok(json_response(200, &CompletionView::with_outcome("no_organisation")))
        }
        ConnectOutcome::OtherOrganisation { by, offered, is_any_in_use } => {
            let choices = offered
                .into_iter()
                .map(status::OrganisationOption::from)
                .map(OrganisationView::from)
                .collect();
            let view = CompletionView::with_outcome("other_organisation");
            let message = is_any_in_use.then_some(OTHERS_IN_USE);
            Ok(json_response(200, &CompletionView { xero_user: by, choices, message, ..view }))
        }
        ConnectOutcome::InProgress => Ok(answer_in_progress()),
        ConnectOutcome::OrganisationInUse => Err(organisation_in_use()),
        ConnectOutcome::NotYours => Err(ProblemDetails::not_yours()),
        ConnectOutcome::Expired => Err(ProblemDetails::resource_gone(
            "This connection attempt has already been completed, was ended, or has expired. Click Connect to Xero to begin again.",
        )),
        ConnectOutcome::Refused => Err(ProblemDetails::resource_gone(
            "Xero did not accept the authorisation. Click Connect to Xero to begin again.",
        )),
    }
}

fn answer_in_progress() -> lambda_http::Response<lambda_http::Body> {
    json_response(202, &CompletionView::with_outcome("in_progress"))
}

fn organisation_in_use() -> ProblemDetails {
    ProblemDetails::state_conflict(
        "This Xero organisation is connected to another ServiceCortex account. Disconnect it there first, or choose another organisation. If you do not know that account, contact support.",
    )
}

/// Reads the status of the connection.
#[utoipa::path(
    get,
    path = "/v1/connection",
    tag = "connection",
    responses((status = 200, description = "The status.", body = StatusView)),
)]
async fn read_connection(
    State(engine): State<Engine>,
    AnyCaller(caller): AnyCaller,
) -> RouteResult {
    answer_status(&engine, &caller).await
}

async fn answer_status(engine: &Engine, caller: &ApiCaller) -> RouteResult {
    let read = status::read_status_and_organisation(engine, &caller.account).await;
    let (view, (pages, facts)) = read.map_err(|error| log_unavailable(&error))?;
    let can_change = caller.role == CallerRole::Administrator;
    Ok(json_response(200, &StatusView::for_caller(view, can_change, &pages, facts)))
}

/// Ends the connection.
///
/// Once this returns, no new work starts. What is in Xero stays, and links that could not be
/// removed at Xero are removed later.
#[utoipa::path(
    delete,
    path = "/v1/connection",
    tag = "connection",
    responses(
        (status = 200, description = "The status.", body = StatusView),
        (status = 400, description = "The request has a body."),
        (status = 403, description = "The role is read-only."),
    ),
)]
async fn disconnect_account(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    _: NoBody,
) -> RouteResult {
    let invocation = interactive_invocation(&engine);
    let ending = Box::pin(disconnect::disconnect_account_by(
        &engine,
        &caller.account,
        &caller.user,
        invocation,
    ));
    let work = async {
        ending.await.map_err(|error| log_unavailable(&error))?;
        answer_status(&engine, &caller).await
    };
    answer_in_time(Box::pin(work), Box::pin(answer_late_disconnect(&engine, &caller))).await
}

/// Answers a disconnect that took too long. Xero may still list the organisation; the sweep removes
/// the link.
async fn answer_late_disconnect(engine: &Engine, caller: &ApiCaller) -> RouteResult {
    let row = engine.store.find_connection(&caller.account).await;
    let row = row.map_err(|error| log_unavailable(&error))?;
    if row.is_some_and(|row| row.record.state.is_connected()) {
        return Err(ProblemDetails::too_slow());
    }
    answer_status(engine, caller).await
}

/// Answers a choice that took too long: the organisation is in use, or the choice has to be
/// repeated.
async fn answer_late_choice(engine: &Engine, caller: &ApiCaller, tenant: TenantId) -> RouteResult {
    let row = engine.store.find_connection(&caller.account).await;
    let row = row.map_err(|error| log_unavailable(&error))?;
    let ledger = row.filter(|row| row.record.state.is_connected());
    let ledger = ledger.and_then(|row| row.record.current_ledger());
    if ledger.is_none_or(|ledger| ledger.tenant != tenant) {
        return Err(ProblemDetails::too_slow());
    }
    answer_status(engine, caller).await
}

/// Chooses one of the offered organisations.
#[utoipa::path(
    post,
    path = "/v1/connection/organisation",
    tag = "connection",
    request_body = OrganisationChoice,
    responses(
        (status = 200, description = "The status. The account uses the organisation.", body = StatusView),
        (status = 400, description = "The body is not valid."),
        (status = 403, description = "The role is read-only."),
        (status = 409, description = "The organisation is not offered, or is connected to another account."),
    ),
)]
async fn choose_organisation(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    JsonBody(body): JsonBody<OrganisationChoice>,
) -> RouteResult {
    let (tenant, invocation) = (TenantId(body.tenant_id), interactive_invocation(&engine));
    let choosing =
        Box::pin(organisation::choose_organisation(&engine, &caller.account, tenant, invocation));
    let work = async {
        match choosing.await.map_err(|error| log_unavailable(&error))? {
            OrganisationChoiceOutcome::Done => answer_status(&engine, &caller).await,
            OrganisationChoiceOutcome::InUse => Err(organisation_in_use()),
            OrganisationChoiceOutcome::NotOffered => Err(ProblemDetails::state_conflict(
                "This organisation has not been authorised. Click Connect to Xero and select it there first.",
            )),
        }
    };
    answer_in_time(Box::pin(work), Box::pin(answer_late_choice(&engine, &caller, tenant))).await
}
