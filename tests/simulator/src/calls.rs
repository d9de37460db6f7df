//! The log of calls, for checkers.

use crate::incoming::Incoming;
use bytes::Bytes;
use http::{Method, Response};
use jiff::Timestamp;
use uuid::Uuid;

/// One call and its result. It contains no secrets: no `Authorization` header, and no bodies of the
/// token endpoints.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it arrived.
    pub at: Timestamp,
    /// Its method.
    pub method: Method,
    /// Its path, as sent.
    pub path: String,
    /// Its query, as sent, without the question mark.
    pub query: String,
    /// The tenant named by its header, if it is an id.
    pub tenant: Option<Uuid>,
    /// Its headers without `Authorization`, `Cookie` and the like.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Bytes,
    /// The status of the response, whether or not it was delivered; 0 if the call was lost before
    /// it was processed.
    pub status: u16,
    /// The content type of the answer.
    pub answer_type: Option<String>,
    /// The body of the answer.
    pub answer: Bytes,
    /// Whether the response was delivered.
    pub delivery: Delivery,
    /// Whether it counted towards the limits.
    pub counted: bool,
    /// Its idempotency key.
    pub idempotency_key: Option<String>,
    /// Whether the response was a replay of an earlier one.
    pub replayed: bool,
}

/// The part of the response that the caller received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The complete response.
    Answered,
    /// No response, and the call had no effect.
    LostBefore,
    /// No response, but the call took effect.
    LostAfter,
    /// A part of the response, and the call took effect.
    Cut,
}

/// How often callers exceeded a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    /// Calls refused because the minute's limit was used up.
    pub minute: u32,
    /// Calls refused because the day's limit was used up.
    pub day: u32,
    /// Calls refused because five were in flight.
    pub concurrent: u32,
    /// Calls refused because the app's limit per minute over all tenants was used up.
    pub app_minute: u32,
    /// The maximum number of calls of one app and tenant in flight, including refused ones.
    pub max_concurrent: u32,
}

impl Violations {
    /// Whether no call was ever refused.
    pub fn is_empty(&self) -> bool {
        self.minute == 0 && self.day == 0 && self.concurrent == 0 && self.app_minute == 0
    }
}

/// A response and how it was produced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made<'a> {
    pub(crate) response: &'a Response<Bytes>,
    pub(crate) counted: bool,
    pub(crate) replayed: bool,
}

/// The log entry of a call; there is no response if the call was lost before.
pub(crate) fn record(
    at: Timestamp,
    incoming: &Incoming<'_>,
    delivery: Delivery,
    made: Option<Made<'_>>,
) -> Call {
    let is_secret = incoming.path.contains("/connect/");
    let visible = |bytes: &Bytes| if is_secret { Bytes::new() } else { bytes.clone() };
    let response = made.map(|made| made.response);
    Call {
        at,
        method: incoming.method.clone(),
        path: incoming.path.to_owned(),
        query: if is_secret { String::new() } else { incoming.query.to_owned() },
        tenant: incoming.header("xero-tenant-id").and_then(|id| Uuid::parse_str(id.trim()).ok()),
        headers: public_headers(incoming),
        body: visible(incoming.body),
        status: response.map_or(0, |response| response.status().as_u16()),
        answer_type: response.and_then(|response| {
            response.headers().get("content-type")?.to_str().ok().map(str::to_owned)
        }),
        answer: response.map(|response| visible(response.body())).unwrap_or_default(),
        delivery,
        counted: made.is_some_and(|made| made.counted),
        idempotency_key: incoming.header("idempotency-key").map(str::to_owned),
        replayed: made.is_some_and(|made| made.replayed),
    }
}

/// The headers that the log keeps.
fn public_headers(incoming: &Incoming<'_>) -> Vec<(String, String)> {
    incoming
        .headers
        .iter()
        .filter(|(name, _)| {
            !["authorization", "cookie", "proxy-authorization"].contains(&name.as_str())
        })
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect()
}
