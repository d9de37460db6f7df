//! The connection: connect, complete, status, disconnect, and choosing another organisation.

use domain::body::{Field, Shape};
use domain::connection::PinnedOrganisation;
use domain::ids::TenantId;
use engine::connect::{self, Completed, ConnectError};
use engine::organisation::{self, Chosen};
use engine::status::Choice;
use engine::{Engine, disconnect, status as engine_status};
use lambda_http::Request;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Answer, attended, may_change, unavailable};
use crate::http::{Caller, Problem, RequestBody, Role, json, read_body};

#[derive(Serialize)]
struct Begun {
    authorize_url: String,
}

pub(super) async fn begin(engine: &Engine, caller: &Caller) -> Answer {
    may_change(caller)?;
    let begun = connect::begin(engine, &caller.account, &caller.user).await;
    let authorize_url = begun.map_err(|error: ConnectError| unavailable(&error))?;
    Ok(json(201, &Begun { authorize_url }))
}

const TICKET: &[Field] = &[Field::value("ticket")];

/// The ticket that the CRM's page received from the callback.
#[derive(Deserialize)]
pub(super) struct Completion {
    #[serde(deserialize_with = "secret")]
    ticket: SecretString,
}

impl RequestBody for Completion {
    const SHAPE: Shape = Shape::Object(TICKET);
    const MUST: &'static str = "must be {\"ticket\": \"<the ticket of the callback>\"}";
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
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
    choices: Vec<Choice>,
    /// What else the person should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

/// Some of the ticked organisations belong to another account.
const OTHERS_IN_USE: &str = "Another organisation that you selected is connected to another ServiceCortex account. To use it here, disconnect it there first, then connect again. If you do not know that account, contact support.";

impl CompletionView {
    fn of(outcome: &'static str) -> Self {
        Self { outcome, organisation: None, xero_user: None, choices: Vec::new(), message: None }
    }
}

/// Completes a connect. If Xero is slow, the answer is `in_progress`, and presenting the same
/// ticket again resumes the completion.
pub(super) async fn complete(engine: &Engine, caller: &Caller, request: &Request) -> Answer {
    may_change(caller)?;
    let Completion { ticket } = read_body(request)?;
    let (account, user) = (&caller.account, &caller.user);
    let completed = connect::complete(engine, account, user, &ticket, attended(engine)).await;
    completed.map_err(|error| unavailable(&error)).and_then(completion)
}

fn completion(completed: Completed) -> Answer {
    match completed {
        Completed::Connected(PinnedOrganisation { name, .. }) => Ok(json(
            200,
            &CompletionView { organisation: Some(name), ..CompletionView::of("connected") },
        )),
        Completed::NoOrganisation => Ok(json(200, &CompletionView::of("no_organisation"))),
        Completed::OtherOrganisation { by, offered, is_any_in_use } => {
            let choices = offered.into_iter().map(Choice::from).collect();
            let view = CompletionView::of("other_organisation");
            let message = is_any_in_use.then_some(OTHERS_IN_USE);
            Ok(json(200, &CompletionView { xero_user: by, choices, message, ..view }))
        }
        Completed::InProgress => Ok(in_progress()),
        Completed::OrganisationInUse => Err(organisation_in_use()),
        Completed::NotYours => Err(Problem::not_yours()),
        Completed::Expired => Err(Problem::gone(
            "This connection attempt has already been completed, was ended, or has expired. Click Connect to Xero to begin again.",
        )),
        Completed::Refused => Err(Problem::gone(
            "Xero did not accept the authorisation. Click Connect to Xero to begin again.",
        )),
    }
}

pub(super) fn in_progress() -> lambda_http::Response<lambda_http::Body> {
    json(202, &CompletionView::of("in_progress"))
}

fn organisation_in_use() -> Problem {
    Problem::conflict(
        "This Xero organisation is connected to another ServiceCortex account. Disconnect it there first, or choose another organisation. If you do not know that account, contact support.",
    )
}

pub(super) async fn status(engine: &Engine, caller: &Caller) -> Answer {
    let view = engine_status::status(engine, &caller.account).await;
    let mut view = view.map_err(|error| unavailable(&error))?;
    if caller.role == Role::Reader {
        // Only people who may choose an organisation may see the choices.
        view.choices = Vec::new();
        view.choices_by = None;
    }
    Ok(json(200, &view))
}

/// Ends the connection. When this answers, no new work starts; links that could not be removed at
/// Xero are removed later.
pub(super) async fn end(engine: &Engine, caller: &Caller) -> Answer {
    may_change(caller)?;
    let ended = disconnect::disconnect(engine, &caller.account, attended(engine)).await;
    ended.map_err(|error| unavailable(&error))?;
    status(engine, caller).await
}

/// Answers a disconnect that took too long. Xero may still list the organisation; the sweep removes
/// the link.
pub(super) async fn ended(engine: &Engine, caller: &Caller) -> Answer {
    let row = engine.store.connection(&caller.account).await;
    let row = row.map_err(|error| unavailable(&error))?;
    if row.is_some_and(|row| row.record.state.is_connected()) {
        return Err(Problem::too_slow());
    }
    status(engine, caller).await
}

/// Answers a choice that took too long: the organisation is in use, or the choice has to be
/// repeated.
pub(super) async fn chosen(engine: &Engine, caller: &Caller, request: &Request) -> Answer {
    let OrganisationChoice { tenant_id } = read_body(request)?;
    let row = engine.store.connection(&caller.account).await;
    let row = row.map_err(|error| unavailable(&error))?;
    let ledger = row.filter(|row| row.record.state.is_connected());
    let ledger = ledger.and_then(|row| row.record.ledger());
    if ledger.is_none_or(|ledger| ledger.tenant != tenant_id) {
        return Err(Problem::too_slow());
    }
    status(engine, caller).await
}

const TENANT: &[Field] = &[Field::value("tenant_id")];

/// The choice of one of the offered organisations.
#[derive(Deserialize)]
pub(super) struct OrganisationChoice {
    tenant_id: TenantId,
}

impl RequestBody for OrganisationChoice {
    const SHAPE: Shape = Shape::Object(TENANT);
    const MUST: &'static str = "must name the tenant_id of one of the choices";
}

pub(super) async fn choose(engine: &Engine, caller: &Caller, request: &Request) -> Answer {
    may_change(caller)?;
    let OrganisationChoice { tenant_id } = read_body(request)?;
    let chosen = organisation::choose(engine, &caller.account, tenant_id, attended(engine)).await;
    match chosen.map_err(|error| unavailable(&error))? {
        Chosen::Done => status(engine, caller).await,
        Chosen::InUse => Err(organisation_in_use()),
        Chosen::NotOffered => Err(Problem::conflict(
            "This organisation has not been authorised. Click Connect to Xero and select it there first.",
        )),
    }
}
