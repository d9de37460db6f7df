//! Contacts: search, link, unlink, and the reconciliation with all clients.

use domain::body::{Field, Shape};
use domain::ids::XeroContactId;
use domain::matching::{Candidate, Evidence, Match};
use domain::reconciliation::{Counts, Finding, Place, Reconciliation};
use engine::Engine;
use engine::contacts::{self, Linked, reconcile};
use lambda_http::{Request, RequestExt};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::records::{crm_id, unknown};
use super::{Answer, attended, may_change, told, unavailable};
use crate::http::{Caller, Problem, RequestBody, json, read_body};

/// The length of a search text in characters. Xero does not search for shorter ones.
const QUERY_LENGTH: std::ops::RangeInclusive<usize> = 2..=100;

#[derive(Serialize)]
struct Found<T> {
    contacts: T,
}

pub(super) async fn search(engine: &Engine, caller: &Caller, request: &Request) -> Answer {
    // Every search may cost a call, and only people who may link need one.
    may_change(caller)?;
    let parameters = request.query_string_parameters();
    let query = parameters.first("query").unwrap_or_default().trim();
    if !QUERY_LENGTH.contains(&query.chars().count()) {
        return Err(Problem::bad_field("query", "must have 2 to 100 characters"));
    }
    match contacts::search(engine, &caller.account, query, attended(engine)).await {
        Ok(contacts) => Ok(json(200, &Found { contacts })),
        Err(trouble) => Err(Problem::conflict(told(engine, &trouble))),
    }
}

const CONTACT: &[Field] = &[Field::value("contact_id")];

/// The contact to which a client is to be linked.
#[derive(Deserialize)]
pub(super) struct ContactChoice {
    contact_id: Uuid,
}

impl RequestBody for ContactChoice {
    const SHAPE: Shape = Shape::Object(CONTACT);
    const MUST: &'static str = "must be {\"contact_id\": \"<the id of a contact in Xero>\"}";
}

pub(super) async fn link(
    engine: &Engine,
    caller: &Caller,
    client: &str,
    request: &Request,
) -> Answer {
    may_change(caller)?;
    let ContactChoice { contact_id } = read_body(request)?;
    let (account, user) = (&caller.account, &caller.user);
    let (client, contact) = (crm_id(client)?, XeroContactId(contact_id));
    let linked = contacts::link(engine, account, user, client, contact, attended(engine)).await;
    linked_or_why(engine, linked.map_err(|error| unavailable(&error))?)
}

pub(super) async fn unlink(engine: &Engine, caller: &Caller, client: &str) -> Answer {
    may_change(caller)?;
    let (account, user) = (&caller.account, &caller.user);
    let unlinked = contacts::unlink(engine, account, user, crm_id(client)?).await;
    linked_or_why(engine, unlinked.map_err(|error| unavailable(&error))?)
}

fn linked_or_why(engine: &Engine, linked: Linked) -> Answer {
    match linked {
        Linked::Done(view) => Ok(json(200, &view)),
        Linked::BeingSent => Err(Problem::conflict(
            "The client is being sent to Xero. Try again in a minute or two.",
        )),
        Linked::Unknown => Err(unknown()),
        Linked::Refused(failure) => Err(Problem::conflict(failure.to_string())),
        Linked::Unread(trouble) => Err(Problem::conflict(told(engine, &trouble))),
    }
}

/// The progress of a reconciliation.
#[derive(Serialize)]
struct Progress {
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
    counts: Counts,
}

impl From<Reconciliation> for Progress {
    fn from(row: Reconciliation) -> Self {
        let (finished_at, stopped) = match row.place {
            Place::Comparing { after: _ } => (None, None),
            Place::Done { at } => (Some(at.to_string()), None),
            Place::Stopped { failure } => (None, Some(failure.to_string())),
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

pub(super) async fn reconcile(engine: &Engine, caller: &Caller) -> Answer {
    may_change(caller)?;
    let started = reconcile::start(engine, &caller.account, caller.user.clone()).await;
    match started.map_err(|error| unavailable(&error))? {
        Some(row) => Ok(json(202, &Progress::from(row))),
        None => Err(Problem::not_found("Xero was never connected.")),
    }
}

pub(super) async fn progress(engine: &Engine, caller: &Caller) -> Answer {
    let row = reconcile::progress(engine, &caller.account).await;
    match row.map_err(|error| unavailable(&error))? {
        Some(row) => Ok(json(200, &Progress::from(row))),
        None => Err(Problem::not_found("No reconciliation has been started yet.")),
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
    by: Option<Evidence>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<Candidate>,
    message: String,
    remedy: String,
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        let Finding { client_id, name, found } = finding;
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
            Match::Confident { contact, by } => {
                let message = domain::reconciliation::told(by);
                let view =
                    view("linked", message, "If this is the wrong contact, unlink the client.");
                Self { contact_id: Some(contact), by: Some(by), ..view }
            }
            Match::Ambiguous { candidates, why } => {
                Self { candidates, ..view("ambiguous", why.message(), why.remedy()) }
            }
            Match::Missing => view(
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

pub(super) async fn findings(engine: &Engine, caller: &Caller, request: &Request) -> Answer {
    let parameters = request.query_string_parameters();
    let page = parameters.first("page").unwrap_or("0").parse::<u32>();
    let page =
        page.map_err(|_| Problem::bad_field("page", "must be a whole number, 0 or greater"))?;
    let found = reconcile::findings(engine, &caller.account, page).await;
    match found.map_err(|error| unavailable(&error))? {
        Some(findings) => {
            let findings = findings.into_iter().map(FindingView::from).collect();
            Ok(json(200, &FindingsView { page, findings }))
        }
        None => Err(Problem::not_found("This page of findings does not exist.")),
    }
}
