//! Connect, complete, status, disconnect, another organisation.

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

/// What the CRM's page got from the callback.
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

/// How a completion ended.
#[derive(Serialize)]
struct CompletionView {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
    /// Who consented, as Xero names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    xero_user: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    choices: Vec<Choice>,
}

impl CompletionView {
    fn of(outcome: &'static str) -> Self {
        Self { outcome, organisation: None, xero_user: None, choices: Vec::new() }
    }
}

/// Completes a connect. With a Xero that takes its time, the answer is `in_progress`: the same ticket, presented
/// again, goes on where this stopped.
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
        Completed::OtherOrganisation { by, offered } => {
            let choices = offered.into_iter().map(Choice::from).collect();
            let view = CompletionView::of("other_organisation");
            Ok(json(200, &CompletionView { xero_user: by, choices, ..view }))
        }
        Completed::InProgress => Ok(in_progress()),
        Completed::OrganisationInUse => Err(organisation_in_use()),
        Completed::NotYours => Err(Problem::not_yours()),
        Completed::Expired => Err(Problem::gone(
            "This connection attempt has been completed already, was ended, or was begun too long ago. Click Connect to Xero to begin again.",
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
        // Whose books a person at Xero may see is for those who choose among them.
        view.choices = Vec::new();
        view.choices_by = None;
    }
    Ok(json(200, &view))
}

/// Once this answers, nothing new starts. What could not be removed at Xero is removed later.
pub(super) async fn end(engine: &Engine, caller: &Caller) -> Answer {
    may_change(caller)?;
    let ended = disconnect::disconnect(engine, &caller.account, attended(engine)).await;
    ended.map_err(|error| unavailable(&error))?;
    status(engine, caller).await
}

const TENANT: &[Field] = &[Field::value("tenant_id")];

/// Which of the offered organisations the account is to use.
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
            "Nobody has allowed this organisation. Click Connect to Xero and tick it there first.",
        )),
    }
}
