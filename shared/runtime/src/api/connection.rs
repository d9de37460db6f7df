//! The connection: connect, complete, status, disconnect, and choosing another organisation.

use domain::body::{BodyField, BodyShape};
use domain::connection::PinnedOrganisation;
use domain::ids::TenantId;
use engine::Engine;
use engine::commands::connect::{self, ConnectError, ConnectOutcome};
use engine::commands::organisation::{self, OrganisationChoiceOutcome};
use engine::commands::status as engine_status;
use engine::commands::status::OrganisationOption;
use engine::connection::disconnect;
use lambda_http::Request;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};

use super::{RouteResult, interactive_invocation, log_unavailable, may_change};
use crate::http::{ApiCaller, CallerRole, ProblemDetails, RequestBody, json_response, read_body};

#[derive(Serialize)]
struct ConnectView {
    authorize_url: String,
}

pub(super) async fn begin_connect(engine: &Engine, caller: &ApiCaller) -> RouteResult {
    may_change(caller)?;
    let begun = connect::begin_connect(engine, &caller.account, &caller.user).await;
    let authorize_url = begun.map_err(|error: ConnectError| log_unavailable(&error))?;
    Ok(json_response(201, &ConnectView { authorize_url }))
}

const TICKET: &[BodyField] = &[BodyField::single_value("ticket")];

/// The ticket that the CRM's page received from the callback.
#[derive(Deserialize)]
pub(super) struct ConnectTicket {
    #[serde(deserialize_with = "deserialize_secret")]
    ticket: SecretString,
}

impl RequestBody for ConnectTicket {
    const SHAPE: BodyShape = BodyShape::Object(TICKET);
    const MUST: &'static str = "must be {\"ticket\": \"<the ticket of the callback>\"}";
}

fn deserialize_secret<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// The result of a completion.
#[derive(Serialize)]
struct CompletionView {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
    /// The Xero user who consented.
    #[serde(skip_serializing_if = "Option::is_none")]
    xero_user: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    choices: Vec<OrganisationOption>,
    /// What else the person should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

/// Some of the ticked organisations belong to another account.
const OTHERS_IN_USE: &str = "Another organisation that you selected is connected to another ServiceCortex account. To use it here, disconnect it there first, then connect again. If you do not know that account, contact support.";

impl CompletionView {
    fn with_outcome(outcome: &'static str) -> Self {
        Self { outcome, organisation: None, xero_user: None, choices: Vec::new(), message: None }
    }
}

/// Completes a connect. If Xero is slow, the answer is `in_progress`, and presenting the same
/// ticket again resumes the completion.
pub(super) async fn complete_connect(
    engine: &Engine,
    caller: &ApiCaller,
    request: &Request,
) -> RouteResult {
    may_change(caller)?;
    let ConnectTicket { ticket } = read_body(request)?;
    let (account, user) = (&caller.account, &caller.user);
    let completed =
        connect::complete_connect(engine, account, user, &ticket, interactive_invocation(engine))
            .await;
    completed.map_err(|error| log_unavailable(&error)).and_then(answer_completion)
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
            let choices = offered.into_iter().map(OrganisationOption::from).collect();
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

pub(super) fn answer_in_progress() -> lambda_http::Response<lambda_http::Body> {
    json_response(202, &CompletionView::with_outcome("in_progress"))
}

fn organisation_in_use() -> ProblemDetails {
    ProblemDetails::state_conflict(
        "This Xero organisation is connected to another ServiceCortex account. Disconnect it there first, or choose another organisation. If you do not know that account, contact support.",
    )
}

pub(super) async fn read_status(engine: &Engine, caller: &ApiCaller) -> RouteResult {
    let view = engine_status::read_status(engine, &caller.account).await;
    let mut view = view.map_err(|error| log_unavailable(&error))?;
    if caller.role == CallerRole::Reader {
        // Only people who may choose an organisation may see the choices.
        view.choices = Vec::new();
        view.choices_by = None;
    }
    Ok(json_response(200, &view))
}

/// Ends the connection. When this answers, no new work starts; links that could not be removed at
/// Xero are removed later.
pub(super) async fn disconnect_account(engine: &Engine, caller: &ApiCaller) -> RouteResult {
    may_change(caller)?;
    let ended =
        disconnect::disconnect_account(engine, &caller.account, interactive_invocation(engine))
            .await;
    ended.map_err(|error| log_unavailable(&error))?;
    read_status(engine, caller).await
}

/// Answers a disconnect that took too long. Xero may still list the organisation; the sweep removes
/// the link.
pub(super) async fn answer_late_disconnect(engine: &Engine, caller: &ApiCaller) -> RouteResult {
    let row = engine.store.find_connection(&caller.account).await;
    let row = row.map_err(|error| log_unavailable(&error))?;
    if row.is_some_and(|row| row.record.state.is_connected()) {
        return Err(ProblemDetails::too_slow());
    }
    read_status(engine, caller).await
}

/// Answers a choice that took too long: the organisation is in use, or the choice has to be
/// repeated.
pub(super) async fn answer_late_choice(
    engine: &Engine,
    caller: &ApiCaller,
    request: &Request,
) -> RouteResult {
    let OrganisationChoice { tenant_id } = read_body(request)?;
    let row = engine.store.find_connection(&caller.account).await;
    let row = row.map_err(|error| log_unavailable(&error))?;
    let ledger = row.filter(|row| row.record.state.is_connected());
    let ledger = ledger.and_then(|row| row.record.current_ledger());
    if ledger.is_none_or(|ledger| ledger.tenant != tenant_id) {
        return Err(ProblemDetails::too_slow());
    }
    read_status(engine, caller).await
}

const TENANT: &[BodyField] = &[BodyField::single_value("tenant_id")];

/// The choice of one of the offered organisations.
#[derive(Deserialize)]
pub(super) struct OrganisationChoice {
    tenant_id: TenantId,
}

impl RequestBody for OrganisationChoice {
    const SHAPE: BodyShape = BodyShape::Object(TENANT);
    const MUST: &'static str = "must name the tenant_id of one of the choices";
}

pub(super) async fn choose_organisation(
    engine: &Engine,
    caller: &ApiCaller,
    request: &Request,
) -> RouteResult {
    may_change(caller)?;
    let OrganisationChoice { tenant_id } = read_body(request)?;
    let chosen = organisation::choose_organisation(
        engine,
        &caller.account,
        tenant_id,
        interactive_invocation(engine),
    )
    .await;
    match chosen.map_err(|error| log_unavailable(&error))? {
        OrganisationChoiceOutcome::Done => read_status(engine, caller).await,
        OrganisationChoiceOutcome::InUse => Err(organisation_in_use()),
        OrganisationChoiceOutcome::NotOffered => Err(ProblemDetails::state_conflict(
            "This organisation has not been authorised. Click Connect to Xero and select it there first.",
        )),
    }
}
