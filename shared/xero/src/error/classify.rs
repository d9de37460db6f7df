//! The classification of answers.
//!
//! Statuses and headers decide. Text is read only where Xero gives nothing else. A body counts as
//! JSON only if it parses as JSON: 404, 429 and the 500s have bodies of plain text or HTML.

use domain::rejection;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use jiff::SignedDuration;

use super::edge::is_from_the_edge;
use super::validation::{LazyJson, validation_messages};
use super::{AccessMode, OutageKind, RateLimit, XeroError, XeroPermission};

/// An answer that is not a success, with the data needed to classify it.
#[derive(Debug)]
pub(crate) struct FailedAnswer<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    /// The path called, without ids.
    pub(crate) endpoint: &'static str,
    pub(crate) access: AccessMode,
    pub(crate) target: CallTarget,
}

/// What the path names, which decides what a 404 means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallTarget {
    /// One record by its id, which may not exist.
    One,
    /// A whole collection. It always exists, so a 404 means a wrong path or a query that is too
    /// long.
    Collection,
}

/// Classifies an answer that is not a success.
pub(crate) fn classify_answer(reply: &FailedAnswer<'_>) -> XeroError {
    if is_from_the_edge(reply) {
        return XeroError::Edge { access: reply.access, status: reply.status.as_u16() };
    }
    match reply.status.as_u16() {
        400 => classify_bad_request(reply),
        401 | 403 => classify_unauthorized(reply),
        404 if reply.target == CallTarget::One => XeroError::NotFound { endpoint: reply.endpoint },
        429 => classify_throttled(reply.headers),
        503 => XeroError::Offline { access: reply.access, outage: parse_outage(reply.body) },
        // 501 says that Xero has no such call, so repeating it is useless.
        status @ (408 | 500 | 502..=599) => XeroError::ServerFault { access: reply.access, status },
        _ => call_refused(reply, None),
    }
}

/// Classifies Xero's sentences about one document.
pub(crate) fn classify_rejection(messages: Vec<String>) -> XeroError {
    let any =
        |holds: fn(&str) -> bool| messages.iter().any(|message| holds(&message.to_lowercase()));
    if any(is_key_reused) {
        XeroError::KeyReused
    } else if any(rejection::is_about_something_taken) {
        XeroError::NotUnique { messages }
    } else if any(is_unexplained) {
        XeroError::Unexplained
    } else {
        XeroError::Rejected { messages }
    }
}

fn is_key_reused(message: &str) -> bool {
    message.contains("is used with a different request")
}

fn is_unexplained(message: &str) -> bool {
    message.contains("an error occurred in xero")
}

fn classify_bad_request(reply: &FailedAnswer<'_>) -> XeroError {
    let Some(body) = LazyJson::parse(reply.body) else {
        let plain = String::from_utf8_lossy(reply.body).to_lowercase();
        return if is_key_reused(&plain) {
            XeroError::KeyReused
        } else if is_unexplained(&plain) {
            XeroError::Unexplained
        } else {
            call_refused(reply, None)
        };
    };
    let headline = body.member_text("Message").or_else(|| body.member_text("Detail"));
    let (kind, headline) = (body.member_text("Type"), headline.as_deref());
    let kind = kind.as_deref();
    if headline.is_some_and(|headline| is_key_reused(&headline.to_lowercase())) {
        return XeroError::KeyReused;
    }
    if is_fault_of_the_call(body, kind) {
        return call_refused(reply, kind);
    }
    let found = validation_messages(body);
    if !found.is_empty() {
        return classify_rejection(found);
    }
    if headline.is_some_and(|headline| is_unexplained(&headline.to_lowercase())) {
        return XeroError::Unexplained;
    }
    if kind == Some("ValidationException") {
        return classify_rejection(
            headline
                .filter(|sentence| !is_empty_headline(sentence))
                .map(str::to_owned)
                .into_iter()
                .collect(),
        );
    }
    call_refused(reply, kind)
}

/// Whether the text is the headline of every validation error, which says nothing about the
/// document.
fn is_empty_headline(headline: &str) -> bool {
    let headline = headline.trim().trim_end_matches('.');
    headline.eq_ignore_ascii_case("A validation exception occurred")
}

/// Whether the fault is in the call and not in the document: unreadable JSON (14), an unreadable
/// filter (16), a body without documents (17).
fn is_fault_of_the_call(body: LazyJson<'_>, kind: Option<&str>) -> bool {
    let number =
        body.find_member("ErrorNumber").and_then(|number| number.get().parse::<u64>().ok());
    matches!(number, Some(14 | 16 | 17))
        || matches!(
            kind,
            Some("PostDataInvalidException" | "QueryParseException" | "NoDataProcessedException")
        )
}

fn call_refused(reply: &FailedAnswer<'_>, kind: Option<&str>) -> XeroError {
    const KIND_LIMIT: usize = 60;
    let kind: String = kind
        .unwrap_or("unnamed")
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(KIND_LIMIT)
        .collect();
    XeroError::CallRefused { endpoint: reply.endpoint, status: reply.status.as_u16(), kind }
}

/// Classifies a 401 or 403. The header decides if it is specific, then the body.
/// `AuthorizationUnsuccessful` is about a permission and has no header;
/// `AuthenticationUnsuccessful` is about the token (401) or the organisation (403).
fn classify_unauthorized(reply: &FailedAnswer<'_>) -> XeroError {
    let body = String::from_utf8_lossy(reply.body).to_lowercase();
    let challenges = reply.headers.get_all(WWW_AUTHENTICATE).iter();
    let challenges = challenges
        .map(|value| String::from_utf8_lossy(value.as_bytes()).to_lowercase())
        .collect::<Vec<_>>();
    let is_token = challenges.iter().any(|challenge| challenge.contains("invalid_token"));
    let is_scope = names_scope(&body) || body.contains("authorizationunsuccessful");
    if challenges.iter().any(|challenge| names_scope(challenge)) || (is_scope && !is_token) {
        return XeroError::ScopeMissing {
            permission: XeroPermission::for_endpoint(reply.endpoint),
        };
    }
    if reply.status == StatusCode::UNAUTHORIZED {
        return XeroError::TokenRejected { expired: body.contains("tokenexpired") };
    }
    if body.contains("authenticationunsuccessful") {
        XeroError::TenantRefused
    } else {
        XeroError::Forbidden
    }
}

/// Xero spells the OAuth error code both ways.
fn names_scope(text: &str) -> bool {
    text.contains("insufficient_scope") || text.contains("insufficent_scope")
}

fn classify_throttled(headers: &HeaderMap) -> XeroError {
    let limit = parse_rate_limit(headers);
    XeroError::Throttled { limit, retry_after: parse_retry_after(headers, limit) }
}

/// The limit that the header names. Xero writes both `appminute` and `app-minute`.
fn parse_rate_limit(headers: &HeaderMap) -> RateLimit {
    let problem = headers.get("x-rate-limit-problem").and_then(|value| value.to_str().ok());
    match problem.unwrap_or_default().replace('-', "").to_lowercase().trim() {
        "concurrent" => RateLimit::Concurrent,
        "minute" => RateLimit::Minute,
        "day" => RateLimit::Day,
        "appminute" => RateLimit::AppMinute,
        _ => RateLimit::Unknown,
    }
}

/// The wait that `Retry-After` names. Xero sends it in whole seconds for the minute and day limits
/// and does not promise it for the concurrent one. More than a day is cut to a day: none of Xero's
/// windows is longer.
fn parse_retry_after(headers: &HeaderMap, limit: RateLimit) -> SignedDuration {
    const A_DAY_SECONDS: i64 = 24 * 60 * 60;
    let retry_after = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|seconds| seconds.trim().parse::<i64>().ok());
    let seconds = retry_after.map_or_else(
        || match limit {
            RateLimit::Concurrent => 2,
            RateLimit::Minute | RateLimit::AppMinute | RateLimit::Unknown => 60,
            RateLimit::Day => 60 * 60,
        },
        |seconds| seconds.clamp(1, A_DAY_SECONDS),
    );
    SignedDuration::from_secs(seconds)
}

fn parse_outage(body: &[u8]) -> OutageKind {
    let body = String::from_utf8_lossy(body).to_lowercase();
    if body.contains("organisation is offline") {
        OutageKind::Organisation
    } else if body.contains("offline for maintenance") {
        OutageKind::Maintenance
    } else {
        OutageKind::Unavailable
    }
}
