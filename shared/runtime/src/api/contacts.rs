//! Contacts: search, link, unlink, and the reconciliation with all clients.

use axum::extract::State;
use domain::ids::{AccountId, XeroContactId};
use engine::Engine;
use engine::commands::contacts::{self, LinkOutcome, reconcile};
use requests::ContactChoice;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Administrator, AnyCaller, JsonBody, NoBody, Parameters, PathIds};
use super::log::{parse_choice, parse_flag};
use super::records::{answer_record, parse_crm_id, unknown_record};
use super::views::{ContactsView, FindingWord, FindingsView, ReconciliationView, RecordView};
use super::{
    RouteResult, describe_attempt_error, find_pages, interactive_invocation, log_unavailable,
};
use crate::http::{ProblemDetails, json_response};

/// The length of a search text in characters. Xero does not search for shorter ones.
const QUERY_LENGTH: std::ops::RangeInclusive<usize> = 2..=100;

/// Declares the routes of this module.
pub(super) fn declare_contacts_routes() -> OpenApiRouter<Engine> {
    OpenApiRouter::new()
        .routes(routes!(search_contacts))
        .routes(routes!(link_contact, unlink_contact))
        .routes(routes!(read_reconciliation, start_reconciliation))
        .routes(routes!(read_findings))
}

/// The parameters of a search.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct SearchParameters {
    /// A part of the name, the e-mail address or a number.
    #[param(value_type = String, required = true, min_length = 2, max_length = 100)]
    query: Option<String>,
}

/// Searches the contacts in Xero.
///
/// Every search may need a call to Xero, so only people who may link a contact can search.
#[utoipa::path(
    get,
    path = "/v1/contacts",
    tag = "contacts",
    params(SearchParameters),
    responses(
        (status = 200, description = "The contacts.", body = ContactsView),
        (status = 400, description = "The query is too short or too long."),
        (status = 403, description = "The role is read-only."),
        (status = 409, description = "Xero cannot be read."),
    ),
)]
async fn search_contacts(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    Parameters(asked): Parameters<SearchParameters>,
) -> RouteResult {
    let query = clean_query(asked.query.as_deref().unwrap_or_default());
    if !QUERY_LENGTH.contains(&query.chars().count()) {
        return Err(ProblemDetails::bad_field("query", "must have 2 to 100 characters"));
    }
    let invocation = interactive_invocation(&engine);
    match contacts::search_contacts(&engine, &caller.account, &query, invocation).await {
        Ok(found) => {
            let pages = find_pages(&engine, &caller.account).await?;
            Ok(json_response(200, &ContactsView::of_contacts(found, &pages)))
        }
        Err(error) => Err(ProblemDetails::state_conflict(describe_attempt_error(&engine, &error))),
    }
}

/// The text to search for in the form in which Xero stores names: one line with single spaces. A
/// pasted text may contain line breaks, and Xero rejects control characters.
fn clean_query(text: &str) -> String {
    let words = text.split(|sign: char| sign.is_whitespace() || sign.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Links a client to a contact.
///
/// The client's data and documents go to that contact from now on.
#[utoipa::path(
    put,
    path = "/v1/clients/{client_id}/contact",
    tag = "contacts",
    params(("client_id" = String, Path, description = "The CRM's id of the client.")),
    request_body = ContactChoice,
    responses(
        (status = 200, description = "The client.", body = RecordView),
        (status = 400, description = "The id or the body is not valid."),
        (status = 403, description = "The role is read-only."),
        (status = 404, description = "The client was never sent to the integration."),
        (status = 409, description = "The contact cannot be used, the client is being sent, or Xero cannot be read."),
    ),
)]
async fn link_contact(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    PathIds(client): PathIds<String>,
    JsonBody(body): JsonBody<ContactChoice>,
) -> RouteResult {
    let (account, user) = (&caller.account, &caller.user);
    let (client, contact) = (parse_crm_id("client_id", &client)?, XeroContactId(body.contact_id));
    let invocation = interactive_invocation(&engine);
    let linked = contacts::link_client(&engine, account, user, client, contact, invocation).await;
    let linked = linked.map_err(|error| log_unavailable(&error))?;
    answer_link_result(&engine, account, linked).await
}

/// Unlinks a client from its contact.
///
/// The contact stays in Xero, and the client is not matched with it again.
#[utoipa::path(
    delete,
    path = "/v1/clients/{client_id}/contact",
    tag = "contacts",
    params(("client_id" = String, Path, description = "The CRM's id of the client.")),
    responses(
        (status = 200, description = "The client.", body = RecordView),
        (status = 400, description = "The id is not valid."),
        (status = 403, description = "The role is read-only."),
        (status = 404, description = "The client was never sent to the integration."),
        (status = 409, description = "The client is being sent at this moment, or Xero was never connected."),
    ),
)]
async fn unlink_contact(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    PathIds(client): PathIds<String>,
    _: NoBody,
) -> RouteResult {
    let (account, user) = (&caller.account, &caller.user);
    let unlinked =
        contacts::unlink_client(&engine, account, user, parse_crm_id("client_id", &client)?).await;
    let unlinked = unlinked.map_err(|error| log_unavailable(&error))?;
    answer_link_result(&engine, account, unlinked).await
}

async fn answer_link_result(
    engine: &Engine,
    account: &AccountId,
    linked: LinkOutcome,
) -> RouteResult {
    match linked {
        LinkOutcome::Done(view) => answer_record(engine, account, Some(*view)).await,
        LinkOutcome::BeingSent => Err(ProblemDetails::state_conflict(
            "The client is being sent to Xero. Try again in a minute or two.",
        )),
        LinkOutcome::Unknown => Err(unknown_record()),
        LinkOutcome::Refused(failure) => Err(ProblemDetails::state_conflict(failure.to_string())),
        LinkOutcome::Unread(error) => {
            Err(ProblemDetails::state_conflict(describe_attempt_error(engine, &error)))
        }
    }
}

/// The parameters of a reconciliation.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ReconciliationParameters {
    /// `false` for a preview, which links nothing and proposes certain matches; `true` if absent.
    #[param(value_type = bool, required = false)]
    link: Option<String>,
}

/// Starts a reconciliation, or joins the one in progress.
///
/// It compares all clients with all contacts, links certain matches and lists the others.
#[utoipa::path(
    post,
    path = "/v1/reconciliation",
    tag = "contacts",
    params(ReconciliationParameters),
    responses(
        (status = 202, description = "The progress.", body = ReconciliationView),
        (status = 400, description = "A parameter is not valid."),
        (status = 403, description = "The role is read-only."),
        (status = 404, description = "Xero was never connected."),
    ),
)]
async fn start_reconciliation(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    Parameters(asked): Parameters<ReconciliationParameters>,
    _: NoBody,
) -> RouteResult {
    let (account, by) = (&caller.account, caller.user.clone());
    let started = if parse_flag(asked.link.as_deref(), "link")?.unwrap_or(true) {
        reconcile::start_reconciliation(&engine, account, by).await
    } else {
        reconcile::start_preview(&engine, account, by).await
    };
    match started.map_err(|error| log_unavailable(&error))? {
        Some(row) => Ok(json_response(202, &ReconciliationView::from(Some(row)))),
        None => Err(ProblemDetails::not_found(
            "Xero was never connected. Go to Settings > Integrations > Xero and click Connect to Xero.",
        )),
    }
}

/// Reads the progress of the newest reconciliation.
#[utoipa::path(
    get,
    path = "/v1/reconciliation",
    tag = "contacts",
    responses(
        (status = 200, description = "The progress; `none` if no reconciliation was started yet.", body = ReconciliationView),
    ),
)]
async fn read_reconciliation(
    State(engine): State<Engine>,
    AnyCaller(caller): AnyCaller,
) -> RouteResult {
    let row = reconcile::find_reconciliation(&engine, &caller.account).await;
    let row = row.map_err(|error| log_unavailable(&error))?;
    Ok(json_response(200, &ReconciliationView::from(row)))
}

/// The parameters of the findings.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct FindingsParameters {
    /// The number of the page, from 0; 0 if absent.
    #[param(value_type = u32, required = false)]
    page: Option<String>,
    /// Only findings with this outcome: `linked`, `proposed`, `ambiguous` or `missing`.
    #[param(value_type = FindingWord, required = false)]
    outcome: Option<String>,
}

/// Reads a page of findings of the newest reconciliation.
#[utoipa::path(
    get,
    path = "/v1/reconciliation/findings",
    tag = "contacts",
    params(FindingsParameters),
    responses(
        (status = 200, description = "The findings.", body = FindingsView),
        (status = 400, description = "A parameter is not valid."),
        (status = 404, description = "The page does not exist."),
    ),
)]
async fn read_findings(
    State(engine): State<Engine>,
    AnyCaller(caller): AnyCaller,
    Parameters(asked): Parameters<FindingsParameters>,
) -> RouteResult {
    let page = asked.page.as_deref().unwrap_or("0").parse::<u32>();
    let page = page
        .map_err(|_| ProblemDetails::bad_field("page", "must be a whole number, 0 or greater"))?;
    let outcome = asked.outcome.as_deref();
    let outcome = parse_choice(outcome, "outcome", FindingWord::from_name, &FindingWord::NAMES)?;
    let found = reconcile::list_open_findings(&engine, &caller.account, page).await;
    match found.map_err(|error| log_unavailable(&error))? {
        Some(mut findings) => {
            findings.retain(|one| {
                outcome.is_none_or(|outcome| FindingWord::from(&one.finding) == outcome)
            });
            let pages = find_pages(&engine, &caller.account).await?;
            Ok(json_response(200, &FindingsView::of_page(page, findings, &pages)))
        }
        None => Err(ProblemDetails::not_found("This page of findings does not exist.")),
    }
}
