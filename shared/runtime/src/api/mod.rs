//! The settings API: what people see and press. Every route names its room.

mod choices;
mod connection;
mod log;
mod records;

use std::error::Error;

use engine::chain::Chain;
use engine::{Engine, Invocation};
use jiff::{SignedDuration, Timestamp};
use lambda_http::http::Method;
use lambda_http::{Body, Request, RequestExt, Response, service_fn};
use serde::de::DeserializeOwned;

use crate::boot::boot;
use crate::http::{Caller, Problem, Role};

/// API Gateway answers for us after 30 seconds; we answer ourselves before.
const ANSWER_WITHIN: SignedDuration = SignedDuration::from_secs(25);

/// What a route gives.
type Answer = Result<Response<Body>, Problem>;

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
    Box::pin(route(engine, request)).await.unwrap_or_else(|problem| problem.response())
}

async fn route(engine: &Engine, request: &Request) -> Answer {
    let caller = Caller::of(request).ok_or_else(Problem::unauthorized)?;
    let caller = &caller;
    let path = request.raw_http_path().trim_matches('/');
    let segments = path.split('/').collect::<Vec<_>>();
    match (request.method(), segments.as_slice()) {
        (&Method::GET, ["v1", "connection"]) => connection::status(engine, caller).await,
        (&Method::POST, ["v1", "connection"]) => connection::begin(engine, caller).await,
        (&Method::DELETE, ["v1", "connection"]) => connection::end(engine, caller).await,
        (&Method::POST, ["v1", "connection", "organisation"]) => {
            connection::choose(engine, caller, request).await
        }
        (&Method::GET, ["v1", "account-codes"]) => choices::codes(engine, caller).await,
        (&Method::PUT, ["v1", "account-codes"]) => {
            choices::choose_codes(engine, caller, request).await
        }
        (&Method::GET, ["v1", "sync-log"]) => log::page(engine, caller, request).await,
        (&Method::GET, ["v1", "sync-all"]) => records::progress(engine, caller).await,
        (&Method::POST, ["v1", "sync-all"]) => records::sync_all(engine, caller).await,
        (&Method::GET, ["v1", kind @ ("invoices" | "clients"), id]) => {
            records::one(engine, caller, kind, id).await
        }
        (&Method::POST, ["v1", kind @ ("invoices" | "clients"), id, "sync"]) => {
            records::sync_now(engine, caller, kind, id).await
        }
        (&Method::POST, ["v1", kind @ ("invoices" | "clients"), id, "never-send"]) => {
            choices::never_send(engine, caller, kind, id).await
        }
        (
            _,
            ["v1", "connection" | "sync-log" | "sync-all" | "account-codes"]
            | ["v1", "connection", "organisation"]
            | ["v1", "invoices" | "clients", _]
            | ["v1", "invoices" | "clients", _, "sync" | "never-send"],
        ) => Err(Problem::method_not_allowed()),
        _ => Err(Problem::not_found("There is no such address.")),
    }
}

/// What bounds work that a person waits for.
fn attended(engine: &Engine) -> Invocation {
    let deadline = engine.clock.now().saturating_add(ANSWER_WITHIN);
    Invocation::attended(deadline.unwrap_or(Timestamp::MAX))
}

fn may_change(caller: &Caller) -> Result<(), Problem> {
    match caller.role {
        Role::Administrator => Ok(()),
        Role::Reader => Err(Problem::forbidden()),
    }
}

/// The request's body. What is wrong with it is told without quoting it.
fn body<T: DeserializeOwned>(request: &Request, must: &str) -> Result<T, Problem> {
    let bytes: &[u8] = match request.body() {
        Body::Empty => &[],
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => return Err(Problem::bad_field("body", must)),
    };
    serde_json::from_slice(bytes).map_err(|_| Problem::bad_field("body", must))
}

fn unavailable(error: &dyn Error) -> Problem {
    tracing::error!(error = %Chain(error), "a request failed");
    Problem::unavailable()
}
