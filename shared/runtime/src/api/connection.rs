//! Connect, status, disconnect, another organisation.

use domain::ids::TenantId;
use engine::connect::{self, ConnectError};
use engine::disconnect::{self, Disconnected};
use engine::organisation::{self, Chosen};
use engine::{Engine, settings};
use lambda_http::Request;
use serde::{Deserialize, Serialize};

use super::{Answer, attended, body, may_change, unavailable};
use crate::http::{Caller, Problem, json};

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

pub(super) async fn status(engine: &Engine, caller: &Caller) -> Answer {
    let view = settings::status(engine, &caller.account).await;
    Ok(json(200, &view.map_err(|error| unavailable(&error))?))
}

/// Once this answers, nothing new starts. What could not be removed at Xero is removed later.
pub(super) async fn end(engine: &Engine, caller: &Caller) -> Answer {
    may_change(caller)?;
    let ended = disconnect::disconnect(engine, &caller.account, attended(engine)).await;
    match ended.map_err(|error| unavailable(&error))? {
        Disconnected::Done | Disconnected::LeftOver => status(engine, caller).await,
        Disconnected::NeverConnected => Err(Problem::not_found("Xero was never connected.")),
    }
}

#[derive(Deserialize)]
struct Choice {
    tenant_id: TenantId,
}

pub(super) async fn choose(engine: &Engine, caller: &Caller, request: &Request) -> Answer {
    may_change(caller)?;
    let Choice { tenant_id } = body(request, "must name the tenant_id of one of the choices")?;
    let chosen = organisation::choose(engine, &caller.account, tenant_id, attended(engine)).await;
    match chosen.map_err(|error| unavailable(&error))? {
        Chosen::Done => status(engine, caller).await,
        Chosen::NotOffered => Err(Problem::conflict(
            "Nobody has allowed this organisation. Click Connect to Xero and tick it there first.",
        )),
    }
}
