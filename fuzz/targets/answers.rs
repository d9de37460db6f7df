//! Xero's answers: for any answer to any call, the client returns a result without a panic, and the
//! result agrees with the answer.
//!
//! An input that begins with `HTTP/1.1 ` is a whole answer: a status, headers, an empty line and a
//! body. Any other input is a body, which is answered with each of several statuses, and the claims
//! of a token.

#[path = "answers/documents.rs"]
mod documents;
#[path = "answers/identity.rs"]
mod identity;
#[path = "answers/reads.rs"]
mod reads;
#[path = "answers/writes.rs"]
mod writes;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use bytes::Bytes;
use domain::failure::FailureClass;
use domain::ids::TenantId;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::Value;
use url::Url;
use uuid::Uuid;
use xero::{ApiSession, RateLimitHeaders, Transport, TransportError, UndecodableRow, XeroError};

/// Statuses that are read in different ways.
const STATUSES: [u16; 7] = [200, 400, 401, 403, 404, 429, 503];

/// The beginning of an input that is a whole answer.
const HEAD: &[u8] = b"HTTP/1.1 ";

/// Makes every kind of call to a server that answers these bytes.
pub(crate) fn run(bytes: &[u8]) {
    for answer in Answer::read_all(bytes) {
        let answer = Arc::new(answer);
        let session = session(answer.clone());
        reads::check(&session);
        writes::check(&session, &answer);
        identity::check(&answer);
        check_budget(session.remaining_calls(), &answer);
    }
    identity::check_claims(bytes);
}

/// A server that always answers the same.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

#[async_trait]
impl Transport for Answer {
    async fn send_request(&self, _: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let mut response = Response::new(self.body.clone());
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        Ok(response)
    }
}

impl Answer {
    /// The answers that an input represents.
    fn read_all(input: &[u8]) -> Vec<Self> {
        if let Some(answer) = Self::read(input) {
            return vec![answer];
        }
        let with = |status: u16| {
            let status = StatusCode::from_u16(status).expect("a known status");
            Self::new(status, Bytes::copy_from_slice(input))
        };
        Vec::from(STATUSES.map(with))
    }

    fn new(status: StatusCode, body: Bytes) -> Self {
        Self { status, headers: HeaderMap::new(), body }
    }

    /// Reads a whole answer. Headers that no server can send are left out.
    fn read(input: &[u8]) -> Option<Self> {
        let input = input.strip_prefix(HEAD)?;
        let end = input.windows(2).position(|two| two == b"\n\n")?;
        let (head, body) = (input.get(..end)?, input.get(end + 2..)?);
        let mut lines = head.split(|sign| *sign == b'\n');
        let status = lines.next()?.get(..3)?;
        let status = StatusCode::from_bytes(status).ok()?;
        let mut answer = Self::new(status, Bytes::copy_from_slice(body));
        for line in lines {
            let mut parts = line.splitn(2, |sign| *sign == b':');
            let (Some(name), Some(value)) = (parts.next(), parts.next()) else { continue };
            let name = HeaderName::from_bytes(name.trim_ascii());
            let value = HeaderValue::from_bytes(value.trim_ascii());
            if let (Ok(name), Ok(value)) = (name, value) {
                answer.headers.append(name, value);
            }
        }
        Some(answer)
    }

    /// The body, if it is JSON with numbers and texts that a tree can hold.
    fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// The message of a failure is text that a log and a queue accept. Xero refuses a document
/// with 400 and JSON, if `answer` is the answer to the whole call.
fn check_error(error: &XeroError, answer: Option<&Answer>) {
    let failure = error.to_failure(Timestamp::UNIX_EPOCH);
    assert!(FailureClass::ALL.contains(&failure.class));
    assert!(failure.message.chars().count() <= 5_000, "too long: {failure}");
    if let XeroError::Throttled { limit: _, retry_after } = error {
        let waits = SignedDuration::from_secs(1)..=SignedDuration::from_hours(24);
        assert!(waits.contains(retry_after), "{retry_after}");
    }
    let is_about_the_document =
        matches!(error, XeroError::Rejected { .. } | XeroError::NotUnique { .. });
    if let Some(answer) = answer.filter(|_| is_about_the_document) {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{error:?}");
        assert!(answer.body.contains(&b'{'), "{error:?}");
    }
}

/// The description of an unreadable row is short and contains none of its values.
fn check_undecodable_rows(rows: &[UndecodableRow]) {
    for odd in rows {
        assert!(odd.reason.len() <= 100, "too long: {}", odd.reason);
        assert!(!odd.reason.chars().any(char::is_control), "unprintable: {:?}", odd.reason);
    }
}

/// The remaining calls are the same after they are written into headers again. An answer that
/// rejects the caller says nothing about them.
fn check_budget(budget: RateLimitHeaders, answer: &Answer) {
    let mut headers = HeaderMap::new();
    for (name, left) in [
        ("x-daylimit-remaining", budget.day_remaining),
        ("x-minlimit-remaining", budget.minute_remaining),
        ("x-appminlimit-remaining", budget.app_minute_remaining),
    ] {
        if let Some(left) = left {
            headers.insert(name, HeaderValue::from(left));
        }
    }
    assert_eq!(RateLimitHeaders::from_headers(&headers), budget);
    if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status) {
        assert_eq!(budget, RateLimitHeaders::default());
    }
}

fn address() -> Url {
    Url::parse("https://api.xero.example").expect("an address")
}

fn session(server: Arc<Answer>) -> ApiSession {
    let token = SecretString::from("token");
    ApiSession::new(server, address(), token, TenantId(Uuid::from_u128(1)))
}

/// The result of a future that never waits.
fn answered<F: Future>(future: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a canned answer is there at once"),
    }
}
