//! Contacts: search, link, unlink, and the reconciliation with all clients.

use domain::body::{BodyField, BodyShape};
use domain::ids::XeroContactId;
use domain::matching::{ContactCandidate, ContactMatch, MatchEvidence};
use domain::reconciliation::{
    ClientFinding, ContactReconciliation, ReconciliationCounts, ReconciliationProgress,
};
use engine::Engine;
use engine::commands::contacts::{self, LinkOutcome, reconcile};
use lambda_http::{Request, RequestExt};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::records::{parse_crm_id, unknown_record};
use super::{
    RouteResult, describe_attempt_error, interactive_invocation, log_unavailable, may_change,
};
use crate::http::{ApiCaller, ProblemDetails, RequestBody, json_response, read_body};

/// The length of a search text in characters. Xero does not search for shorter ones.
const QUERY_LENGTH: std::ops::RangeInclusive<usize> = 2..=100;

#[derive(Serialize)]
struct ContactsView<T> {
    contacts: T,
}

pub(super) async fn search_contacts(
    engine: &Engine,
    caller: &ApiCaller,
    request: &Request,
) -> RouteResult {
    // Every search may cost a call, and only people who may link need one.
    may_change(caller)?;
    let parameters = request.query_string_parameters();
    let query = parameters.first("query").unwrap_or_default().trim();
    if !QUERY_LENGTH.contains(&query.chars().count()) {
        return Err(ProblemDetails::bad_field("query", "must have 2 to 100 characters"));
    }
    match contacts::search_contacts(engine, &caller.account, query, interactive_invocation(engine))
        .await
    {
        Ok(contacts) => Ok(json_response(200, &ContactsView { contacts })),
        Err(trouble) => {
            Err(ProblemDetails::state_conflict(describe_attempt_error(engine, &trouble)))
        }
    }
}

const CONTACT: &[BodyField] = &[BodyField::single_value("contact_id")];

/// The contact to which a client is to be linked.
#[derive(Deserialize)]
pub(super) struct ContactChoice {
    contact_id: Uuid,
}

impl RequestBody for ContactChoice {
    const SHAPE: BodyShape = BodyShape::Object(CONTACT);
    const MUST: &'static str = "must be {\"contact_id\": \"<the id of a contact in Xero>\"}";
}

pub(super) async fn link_contact(
    engine: &Engine,
    caller: &ApiCaller,
    client: &str,
    request: &Request,
) -> RouteResult {
    may_change(caller)?;
    let ContactChoice { contact_id } = read_body(request)?;
    let (account, user) = (&caller.account, &caller.user);
    let (client, contact) = (parse_crm_id(client)?, XeroContactId(contact_id));
    let linked = contacts::link_client(
        engine,
        account,
        user,
        client,
        contact,
        interactive_invocation(engine),
    )
    .await;
    answer_link_result(engine, linked.map_err(|error| log_unavailable(&error))?)
}

pub(super) async fn unlink_contact(
    engine: &Engine,
    caller: &ApiCaller,
    client: &str,
) -> RouteResult {
    may_change(caller)?;
    let (account, user) = (&caller.account, &caller.user);
    let unlinked = contacts::unlink_client(engine, account, user, parse_crm_id(client)?).await;
    answer_link_result(engine, unlinked.map_err(|error| log_unavailable(&error))?)
}

fn answer_link_result(engine: &Engine, linked: LinkOutcome) -> RouteResult {
    match linked {
        LinkOutcome::Done(view) => Ok(json_response(200, &view)),
        LinkOutcome::BeingSent => Err(ProblemDetails::state_conflict(
            "The client is being sent to Xero. Try again in a minute or two.",
        )),
        LinkOutcome::Unknown => Err(unknown_record()),
        LinkOutcome::Refused(failure) => Err(ProblemDetails::state_conflict(failure.to_string())),
        LinkOutcome::Unread(trouble) => {
            Err(ProblemDetails::state_conflict(describe_attempt_error(engine, &trouble)))
        }
    }
}

/// The progress of a reconciliation.
#[derive(Serialize)]
struct ReconciliationView {
    started_by: String,
    started_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    /// Why the reconciliation was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<String>,
    /// Pages of findings so far.
    pages: u32,
    #[serde(flatten)]
    counts: ReconciliationCounts,
}

impl From<ContactReconciliation> for ReconciliationView {
    fn from(row: ContactReconciliation) -> Self {
        let (finished_at, stopped) = match row.place {
            ReconciliationProgress::Comparing { after: _ } => (None, None),
            ReconciliationProgress::Done { at } => (Some(at.to_string()), None),
            ReconciliationProgress::Stopped { failure } => (None, Some(failure.to_string())),
        };
        Self {
            started_by: row.by.to_string(),
            started_at: row.started_at.to_string(),
            finished_at,
            stopped,
            pages: row.pages,
            counts: row.counts,
        }
    }
}

pub(super) async fn start_reconciliation(engine: &Engine, caller: &ApiCaller) -> RouteResult {
    may_change(caller)?;
    let started =
        reconcile::start_reconciliation(engine, &caller.account, caller.user.clone()).await;
    match started.map_err(|error| log_unavailable(&error))? {
        Some(row) => Ok(json_response(202, &ReconciliationView::from(row))),
        None => Err(ProblemDetails::not_found("Xero was never connected.")),
    }
}

pub(super) async fn read_reconciliation(engine: &Engine, caller: &ApiCaller) -> RouteResult {
    let row = reconcile::find_reconciliation(engine, &caller.account).await;
    match row.map_err(|error| log_unavailable(&error))? {
        Some(row) => Ok(json_response(200, &ReconciliationView::from(row))),
        None => Err(ProblemDetails::not_found("No reconciliation has been started yet.")),
    }
}

/// The finding about one client, in sentences for people.
#[derive(Serialize)]
struct FindingView {
    client_id: String,
    name: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_id: Option<XeroContactId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<MatchEvidence>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<ContactCandidate>,
    message: String,
    remedy: String,
}

impl From<ClientFinding> for FindingView {
    fn from(finding: ClientFinding) -> Self {
        let ClientFinding { client_id, name, found } = finding;
        let view = |outcome, message: String, remedy: &str| Self {
            client_id: client_id.to_string(),
            name: name.clone(),
            outcome,
            contact_id: None,
            by: None,
            candidates: Vec::new(),
            message,
            remedy: remedy.to_owned(),
        };
        match found {
            ContactMatch::Confident { contact, by } => {
                let message = domain::reconciliation::describe_link(by);
                let view =
                    view("linked", message, "If this is the wrong contact, unlink the client.");
                Self { contact_id: Some(contact), by: Some(by), ..view }
            }
            ContactMatch::Ambiguous { candidates, why } => {
                Self { candidates, ..view("ambiguous", why.doubt_message(), why.doubt_remedy()) }
            }
            ContactMatch::Missing => view(
                "missing",
                "No contact in Xero resembles this client.".to_owned(),
                "No action is needed: the contact is created with the client's first invoice. You can also search for a contact and link it.",
            ),
        }
    }
}

#[derive(Serialize)]
struct FindingsView {
    page: u32,
    findings: Vec<FindingView>,
}

pub(super) async fn read_findings(
    engine: &Engine,
    caller: &ApiCaller,
    request: &Request,
) -> RouteResult {
    let parameters = request.query_string_parameters();
    let page = parameters.first("page").unwrap_or("0").parse::<u32>();
    let page = page
        .map_err(|_| ProblemDetails::bad_field("page", "must be a whole number, 0 or greater"))?;
    let found = reconcile::find_open_findings(engine, &caller.account, page).await;
    match found.map_err(|error| log_unavailable(&error))? {
        Some(findings) => {
            let findings = findings.into_iter().map(FindingView::from).collect();
            Ok(json_response(200, &FindingsView { page, findings }))
        }
        None => Err(ProblemDetails::not_found("This page of findings does not exist.")),
    }
}
