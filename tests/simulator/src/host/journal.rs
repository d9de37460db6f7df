//! Calls, violations and faults as JSON.

use super::control::refuse;
use crate::answer::Answer;
use crate::calls::{Call, Delivery};
use crate::faults::{Fault, FaultKind, Match};
use crate::incoming::Incoming;
use crate::json::{Json, Object};
use crate::simulator::Simulator;
use bytes::Bytes;
use http::Method;
use rust_decimal::Decimal;
use std::borrow::Cow;

/// Every call, oldest first.
pub(super) fn calls(simulator: &Simulator) -> Vec<Json> {
    simulator.calls().iter().map(|call| Json::Object(describe(call))).collect()
}

fn describe(call: &Call) -> Object {
    let headers: Object = call
        .headers
        .iter()
        .map(|(name, value)| (Cow::Owned(name.clone()), Json::from(value)))
        .collect();
    Object::new()
        .with("at", call.at.to_string())
        .with("method", call.method.as_str())
        .with("path", &call.path)
        .with("query", &call.query)
        .with_some("tenant", call.tenant)
        .with("headers", headers)
        .with("body", text(&call.body))
        .with("status", Json::whole(call.status))
        .with_some("answerType", call.answer_type.as_ref())
        .with("answer", text(&call.answer))
        .with("delivery", describe_delivery(call.delivery))
        .with("counted", call.counted)
        .with_some("idempotencyKey", call.idempotency_key.as_ref())
        .with("replayed", call.replayed)
}

/// The name of a call's delivery.
pub(super) fn describe_delivery(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Answered => "answered",
        Delivery::LostBefore => "lost before",
        Delivery::LostAfter => "lost after",
        Delivery::Cut => "cut",
    }
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(super) fn violations(simulator: &Simulator) -> Object {
    let violations = simulator.violations();
    Object::new()
        .with("minute", Json::whole(violations.minute))
        .with("day", Json::whole(violations.day))
        .with("concurrent", Json::whole(violations.concurrent))
        .with("appMinute", Json::whole(violations.app_minute))
        .with("maxConcurrent", Json::whole(violations.max_concurrent))
}

/// Schedules a fault: `{"kind":"LostAfter","path":"/api.xro/2.0/Invoices","method":"PUT","skip":0,
/// "times":1}`; with the kind `RateLimited` also `problem` and `retryAfterSeconds`, with `EdgePage`
/// and `EdgeEmpty` also `status`, with `OddElement` also `index` and `applied`.
pub(super) fn inject(simulator: &mut Simulator, incoming: &Incoming<'_>) -> Answer {
    let fault = Json::parse(incoming.body).ok().and_then(|body| read(body.object()?));
    match fault {
        Some(fault) => {
            simulator.inject(fault);
            Answer::empty(204)
        }
        None => refuse(400, "The fault cannot be read. It needs a kind, and may have a path."),
    }
}

fn read(body: &Object) -> Option<Fault> {
    let count = |key: &str| body.get(key).map(|value| value.number().and_then(small));
    let status = || -> Option<u16> { u16::try_from(count("status")??).ok() };
    let kind = match body.get("kind")?.text()? {
        "Status500" => FaultKind::Status500,
        "Status500Applied" => FaultKind::Status500Applied,
        "Offline503" => FaultKind::Offline503,
        "Maintenance503" => FaultKind::Maintenance503,
        "Unavailable503" => FaultKind::Unavailable503,
        "LostBefore" => FaultKind::LostBefore,
        "LostAfter" => FaultKind::LostAfter,
        "Cut" => FaultKind::Cut,
        "RateLimited" => FaultKind::RateLimited {
            problem: body.get("problem")?.text()?.to_owned(),
            retry_after_seconds: match count("retryAfterSeconds") {
                None => None,
                Some(seconds) => Some(seconds?),
            },
        },
        "EdgePage" => FaultKind::EdgePage { status: status()? },
        "EdgeEmpty" => FaultKind::EdgeEmpty { status: status()? },
        "OddElement" => FaultKind::OddElement {
            index: count("index").unwrap_or(Some(0))?,
            applied: body.get("applied").and_then(Json::boolean).unwrap_or(false),
        },
        _ => return None,
    };
    let method = match body.get("method") {
        None => None,
        Some(method) => Some(Method::from_bytes(method.text()?.as_bytes()).ok()?),
    };
    let path = match body.get("path") {
        None => "/",
        Some(path) => path.text()?,
    };
    let on = Match {
        method,
        path_prefix: path.to_owned(),
        skip: count("skip").unwrap_or(Some(0))?,
        times: Some(count("times").unwrap_or(Some(1))?),
    };
    Some(Fault { on, kind })
}

fn small(number: Decimal) -> Option<u32> {
    number.is_integer().then(|| u32::try_from(number).ok()).flatten()
}
