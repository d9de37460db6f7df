//! The settings API: status, connect, sync log, one record, sync now.

use std::error::Error;
use std::num::NonZeroU16;

use domain::entity::EntityKind;
use domain::ids::CrmId;
use domain::sync_log::LogStatus;
use engine::chain::Chain;
use engine::connect::{self, ConnectError};
use engine::settings::{self, LogFilter};
use engine::{Engine, Invocation};
use jiff::{SignedDuration, Timestamp};
use lambda_http::http::Method;
use lambda_http::{Body, Request, RequestExt, Response, service_fn};
use serde::Serialize;

use crate::boot::boot;
use crate::http::{Caller, Problem, Role, json};

/// API Gateway answers for us after 30 seconds; we answer ourselves before.
const ANSWER_WITHIN_SECONDS: i64 = 25;
/// Entries on a page of the sync log, unless asked otherwise.
const PAGE_DEFAULT: NonZeroU16 = NonZeroU16::new(50).expect("fifty is not zero");
const PAGE_MAX: u16 = 200;

/// Serves the API until Lambda stops the process.
pub async fn serve() -> Result<(), lambda_http::Error> {
    let booted = boot().await.inspect_err(|error| {
        tracing::error!(error = %Chain(error), "the function cannot start");
    })?;
    let engine = &booted.engine;
    lambda_http::run(service_fn(move |request: Request| async move {
        Ok::<_, lambda_http::Error>(answer(engine, &request).await)
    }))
    .await
}

async fn answer(engine: &Engine, request: &Request) -> Response<Body> {
    route(engine, request).await.unwrap_or_else(|problem| problem.response())
}

async fn route(engine: &Engine, request: &Request) -> Result<Response<Body>, Problem> {
    let caller = Caller::of(request).ok_or_else(Problem::unauthorized)?;
    let path = request.raw_http_path().trim_matches('/');
    let segments = path.split('/').collect::<Vec<_>>();
    let method = request.method();
    match (method, segments.as_slice()) {
        (&Method::GET, ["v1", "connection"]) => status(engine, &caller).await,
        (&Method::POST, ["v1", "connection"]) => begin(engine, &caller).await,
        (&Method::GET, ["v1", "sync-log"]) => sync_log(engine, &caller, request).await,
        (&Method::GET, ["v1", "invoices", id]) => {
            record(engine, &caller, EntityKind::Invoice, id).await
        }
        (&Method::GET, ["v1", "clients", id]) => {
            record(engine, &caller, EntityKind::Contact, id).await
        }
        (&Method::POST, ["v1", "invoices", id, "sync"]) => {
            sync_now(engine, &caller, EntityKind::Invoice, id).await
        }
        (&Method::POST, ["v1", "clients", id, "sync"]) => {
            sync_now(engine, &caller, EntityKind::Contact, id).await
        }
        (
            _,
            ["v1", "connection" | "sync-log"]
            | ["v1", "invoices" | "clients", _]
            | ["v1", "invoices" | "clients", _, "sync"],
        ) => Err(Problem::method_not_allowed()),
        _ => Err(Problem::not_found("There is no such address.")),
    }
}

#[derive(Serialize)]
struct Begun {
    authorize_url: String,
}

async fn begin(engine: &Engine, caller: &Caller) -> Result<Response<Body>, Problem> {
    may_change(caller)?;
    let begun = connect::begin(engine, &caller.account, &caller.user).await;
    let authorize_url = begun.map_err(|error: ConnectError| unavailable(&error))?;
    Ok(json(201, &Begun { authorize_url }))
}

async fn status(engine: &Engine, caller: &Caller) -> Result<Response<Body>, Problem> {
    let view = settings::status(engine, &caller.account).await;
    Ok(json(200, &view.map_err(|error| unavailable(&error))?))
}

async fn sync_log(
    engine: &Engine,
    caller: &Caller,
    request: &Request,
) -> Result<Response<Body>, Problem> {
    let query = request.query_string_parameters();
    let entity = choice(query.first("entity"), "entity", EntityKind::parse, "contact or invoice")?;
    let statuses = "synced, unchanged, retrying, waiting or skipped";
    let status = choice(query.first("status"), "status", LogStatus::parse, statuses)?;
    let limit = match query.first("limit") {
        None => PAGE_DEFAULT,
        Some(text) => page_size(text)?,
    };
    let cursor = query.first("cursor").filter(|cursor| !cursor.is_empty());
    let cursor = cursor.map(log_cursor).transpose()?;
    let filter = LogFilter { entity, status };
    let view = settings::sync_log(engine, &caller.account, filter, cursor, limit).await;
    Ok(json(200, &view.map_err(|error| unavailable(&error))?))
}

fn choice<T>(
    text: Option<&str>,
    field: &'static str,
    parse: impl Fn(&str) -> Option<T>,
    among: &str,
) -> Result<Option<T>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let wrong = || Problem::bad_field(field, &format!("must be {among}"));
    parse(text).map(Some).ok_or_else(wrong)
}

fn page_size(text: &str) -> Result<NonZeroU16, Problem> {
    let size = text.parse::<NonZeroU16>().ok().filter(|size| size.get() <= PAGE_MAX);
    size.ok_or_else(|| Problem::bad_field("limit", "must be a number from 1 to 200"))
}

/// A cursor is the id of the last entry that was shown.
fn log_cursor(text: &str) -> Result<String, Problem> {
    let shaped = text.len() <= 100
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-:.".contains(&byte));
    if shaped {
        Ok(text.to_owned())
    } else {
        Err(Problem::bad_field("cursor", "must be the `next` of an earlier page"))
    }
}

async fn record(
    engine: &Engine,
    caller: &Caller,
    kind: EntityKind,
    id: &str,
) -> Result<Response<Body>, Problem> {
    let view = settings::record(engine, &caller.account, kind, crm_id(id)?).await;
    found(view)
}

/// Syncs a record while the person waits. When that takes too long the attempt is dropped, which is
/// as if the process had died: a wake-up at the end of its lease goes on, and the person is told how
/// the record stands.
async fn sync_now(
    engine: &Engine,
    caller: &Caller,
    kind: EntityKind,
    id: &str,
) -> Result<Response<Body>, Problem> {
    may_change(caller)?;
    let limit = SignedDuration::from_secs(ANSWER_WITHIN_SECONDS);
    let deadline = engine.clock.now().saturating_add(limit).unwrap_or(Timestamp::MAX);
    let (account, invocation) = (&caller.account, Invocation { deadline });
    let sync = settings::sync_now(engine, account, kind, crm_id(id)?, invocation);
    let patience = limit.unsigned_abs();
    match tokio::time::timeout(patience, Box::pin(sync)).await {
        Ok(view) => found(view),
        Err(_) => found(settings::record(engine, account, kind, crm_id(id)?).await),
    }
}

fn found<T: Serialize, E: Error + 'static>(
    view: Result<Option<T>, E>,
) -> Result<Response<Body>, Problem> {
    match view {
        Ok(Some(view)) => Ok(json(200, &view)),
        Ok(None) => Err(Problem::not_found("It has never been sent to Xero from here.")),
        Err(error) => Err(unavailable(&error)),
    }
}

fn crm_id(text: &str) -> Result<CrmId, Problem> {
    CrmId::new(text).map_err(|error| Problem::bad_field("id", &error.to_string()))
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
