//! The records that need a person: listed by cause, retried, and marked as never to be sent.

use std::num::NonZeroU16;

use axum::extract::State;
use domain::operation::AttentionReason;
use engine::Engine;
use engine::commands::attention::{self, NamedRecord, RECORDS_MAX};
use requests::{ChosenRecord, RecordChoice};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Administrator, AnyCaller, JsonBody, Parameters};
use super::log::{parse_choice, parse_cursor, parse_page_size};
use super::views::{AttentionView, AttentionWord, BulkOutcomeView};
use super::{RouteResult, find_pages, log_unavailable};
use crate::http::{ProblemDetails, json_response};

/// The default number of records per page. Each is read from its own row.
const PAGE_DEFAULT: NonZeroU16 = NonZeroU16::new(50).expect("fifty is not zero");

/// Declares the routes of this module.
pub(super) fn declare_attention_routes() -> OpenApiRouter<Engine> {
    OpenApiRouter::new()
        .routes(routes!(list_attention))
        .routes(routes!(retry_records))
        .routes(routes!(never_send_records))
}

/// The words of [`AttentionWord`].
const WORDS: [&str; 3] = ["given_up", "failing", "waiting"];

fn parse_reason(text: &str) -> Option<AttentionReason> {
    match text {
        "given_up" => Some(AttentionReason::GivenUp),
        "failing" => Some(AttentionReason::Failing),
        "waiting" => Some(AttentionReason::Waiting),
        _ => None,
    }
}

/// The parameters of the list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct AttentionParameters {
    /// Records that were given up, records that are failing and will be repeated, or records that
    /// wait; `given_up` if absent.
    #[param(value_type = AttentionWord, required = false)]
    state: Option<String>,
    /// The maximum number of records, from 1 to 200; 50 if absent.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// The `next` of the previous page.
    #[param(value_type = String, required = false)]
    cursor: Option<String>,
}

/// Lists the records that need attention, by cause.
#[utoipa::path(
    get,
    path = "/v1/attention",
    tag = "attention",
    params(AttentionParameters),
    responses(
        (status = 200, description = "A page of the records.", body = AttentionView),
        (status = 400, description = "A parameter is not valid."),
    ),
)]
async fn list_attention(
    State(engine): State<Engine>,
    AnyCaller(caller): AnyCaller,
    Parameters(asked): Parameters<AttentionParameters>,
) -> RouteResult {
    let reason = parse_choice(asked.state.as_deref(), "state", parse_reason, &WORDS)?;
    let reason = reason.unwrap_or(AttentionReason::GivenUp);
    let limit = asked.limit.as_deref().map_or(Ok(PAGE_DEFAULT), parse_page_size)?;
    let cursor = parse_cursor(asked.cursor.as_deref())?;
    let list =
        attention::list_attention(&engine, &caller.account, reason, cursor.as_deref(), limit).await;
    let list = list.map_err(|error| log_unavailable(&error))?;
    let pages = find_pages(&engine, &caller.account).await?;
    Ok(json_response(200, &AttentionView::of_list(reason, list, &pages)))
}

/// Lists each chosen record once.
fn list_named_records(choice: RecordChoice) -> Result<Vec<NamedRecord>, ProblemDetails> {
    let RecordChoice { records } = choice;
    if !(1..=RECORDS_MAX).contains(&records.len()) {
        return Err(ProblemDetails::bad_field("records", "must name 1 to 100 records"));
    }
    let mut named: Vec<NamedRecord> = Vec::new();
    for ChosenRecord { entity: kind, crm_id } in records {
        let record = NamedRecord { kind, crm_id };
        if !named.contains(&record) {
            named.push(record);
        }
    }
    Ok(named)
}

/// Tries records again at once.
///
/// Records that are no longer in the list stay as they are.
#[utoipa::path(
    post,
    path = "/v1/attention/retry",
    tag = "attention",
    request_body = RecordChoice,
    responses(
        (status = 202, description = "The records that are tried again, and the others.", body = BulkOutcomeView),
        (status = 400, description = "The body is not valid."),
        (status = 403, description = "The role is read-only."),
    ),
)]
async fn retry_records(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    JsonBody(choice): JsonBody<RecordChoice>,
) -> RouteResult {
    let records = list_named_records(choice)?;
    let retried = attention::retry_records(&engine, &caller.account, records).await;
    let outcome = retried.map_err(|error| log_unavailable(&error))?;
    Ok(json_response(202, &BulkOutcomeView::from(outcome)))
}

/// Marks records as never to be sent.
///
/// Their documents in Xero, if any, stay. Syncing one of them removes the mark.
#[utoipa::path(
    post,
    path = "/v1/attention/never-send",
    tag = "attention",
    request_body = RecordChoice,
    responses(
        (status = 200, description = "The records that are marked, and the others.", body = BulkOutcomeView),
        (status = 400, description = "The body is not valid."),
        (status = 403, description = "The role is read-only."),
    ),
)]
async fn never_send_records(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    JsonBody(choice): JsonBody<RecordChoice>,
) -> RouteResult {
    let records = list_named_records(choice)?;
    let marked =
        attention::never_send_records(&engine, &caller.account, &caller.user, records).await;
    let outcome = marked.map_err(|error| log_unavailable(&error))?;
    Ok(json_response(200, &BulkOutcomeView::from(outcome)))
}
