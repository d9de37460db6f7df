//! A session: the calls to the Accounting API on one organisation.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use domain::ids::TenantId;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, IF_MODIFIED_SINCE};
use http::{HeaderValue, Request, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::budget::Budget;
pub(crate) use crate::call::Call;
use crate::error::{Reply, XeroError, classify, is_answer};
use crate::repair::repair_text;
use crate::rows::OddRow;
use crate::tokens::{AccessTokens, FixedToken, first_token, second_token};
use crate::transport::{Sent, Transport, TransportError, TransportErrorKind};
use crate::turnstile::{Ending, Turnstile};

/// The path of the Accounting API below the API's address.
const ROOT: [&str; 2] = ["api.xro", "2.0"];

/// Xero's documented limit on a request's body, in bytes. A longer body is never sent.
const BODY_LIMIT_BYTES: usize = 10_000_000;

/// Calls on one organisation. A call whose access token Xero rejects is repeated once with a
/// renewed token. A session is cheap: create one for each task.
///
/// The caller must ensure that the tenant belongs to the account in question: a wrong tenant writes
/// into another customer's books.
#[derive(Debug)]
pub struct Session {
    transport: Arc<dyn Transport>,
    api_url: Url,
    tokens: Arc<dyn AccessTokens>,
    tenant: TenantId,
    budget: Mutex<Budget>,
    turnstile: Option<Arc<dyn Turnstile>>,
}

impl Session {
    /// A session with a token that is not renewed. `api_url` is the address of Xero's API without a
    /// path: `https://api.xero.com`.
    pub fn new(
        transport: Arc<dyn Transport>,
        api_url: Url,
        access_token: SecretString,
        tenant: TenantId,
    ) -> Self {
        Self::with_tokens(transport, api_url, Arc::new(FixedToken(access_token)), tenant)
    }

    /// A session that requests a token before every call, and another one when Xero rejects it.
    pub fn with_tokens(
        transport: Arc<dyn Transport>,
        api_url: Url,
        tokens: Arc<dyn AccessTokens>,
        tenant: TenantId,
    ) -> Self {
        let budget = Mutex::new(Budget::default());
        Self { transport, api_url, tokens, tenant, budget, turnstile: None }
    }

    /// The same session, with every call counted by `turnstile` before it is made.
    #[must_use]
    pub fn through(self, turnstile: Arc<dyn Turnstile>) -> Self {
        Self { turnstile: Some(turnstile), ..self }
    }

    /// The organisation that this session works on.
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The calls left of Xero's limits, according to the answers so far.
    pub fn budget(&self) -> Budget {
        *self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the call. Returns the body of the answer if it is a success.
    pub(crate) async fn call(&self, call: Call) -> Result<Bytes, XeroError> {
        let token = first_token(&*self.tokens).await?;
        let error = match self.call_with(&call, &token).await {
            Ok(body) => return Ok(body),
            Err(error) => error,
        };
        match second_token(&*self.tokens, &token, &error).await? {
            Some(token) => self.call_with(&call, &token).await,
            None => Err(error),
        }
    }

    async fn call_with(&self, call: &Call, token: &SecretString) -> Result<Bytes, XeroError> {
        let request = self.request(call, token)?;
        let Some(turnstile) = &self.turnstile else {
            return self.answer(call, self.transport.exchange(request).await);
        };
        let pass = turnstile.enter().await.map_err(|source| XeroError::Barred { source })?;
        let outcome = self.transport.exchange(request).await;
        let ending = match &outcome {
            Ok(response) => Ending::Answered(Budget::of_answer(response)),
            Err(error) if error.sent == Sent::No => Ending::NotSent,
            // Xero has answered, so the call is over.
            Err(error) if error.kind == TransportErrorKind::TooLarge => {
                Ending::Answered(Budget::default())
            }
            Err(_) => Ending::Unanswered,
        };
        turnstile.leave(pass, ending).await;
        self.answer(call, outcome)
    }

    fn answer(
        &self,
        call: &Call,
        outcome: Result<Response<Bytes>, TransportError>,
    ) -> Result<Bytes, XeroError> {
        match outcome {
            Ok(response) => self.read(call, response),
            Err(error) => {
                tracing::info!(
                    method = %call.method,
                    endpoint = call.endpoint,
                    xero.unfinished = %error,
                    "Xero call"
                );
                Err(XeroError::unfinished(call.access(), error))
            }
        }
    }

    fn request(&self, call: &Call, token: &SecretString) -> Result<Request<Bytes>, XeroError> {
        let body = call.body.clone().unwrap_or_default();
        if body.len() > BODY_LIMIT_BYTES {
            return Err(XeroError::Unsendable { reason: "the body is longer than Xero accepts" });
        }
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(self.address(call)?)
            .header(AUTHORIZATION, bearer(token)?)
            // Without this header Xero answers in XML.
            .header(ACCEPT, "application/json")
            .header(ACCEPT_ENCODING, "gzip")
            .header("xero-tenant-id", self.tenant.to_string());
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json; charset=utf-8");
        }
        if let Some(since) = call.modified_since {
            // UTC to the second. Xero silently ignores the date format of HTTP.
            let since = since.strftime("%Y-%m-%dT%H:%M:%S").to_string();
            request = request.header(IF_MODIFIED_SINCE, since);
        }
        if let Some(key) = &call.idempotency_key {
            request = request.header("idempotency-key", key.as_str());
        }
        request.body(body).map_err(|_| UNSENDABLE)
    }

    /// The address of the call. Path segments and query values are percent-encoded; a space becomes
    /// `%20`, not `+`.
    fn address(&self, call: &Call) -> Result<String, XeroError> {
        let mut url = self.api_url.clone();
        url.path_segments_mut()
            .map_err(|()| UNSENDABLE)?
            .pop_if_empty()
            .extend(ROOT)
            .extend(&call.path);
        if !call.query.is_empty() {
            url.set_query(Some(&query_text(&call.query)));
        }
        Ok(url.into())
    }

    fn read(&self, call: &Call, response: Response<Bytes>) -> Result<Bytes, XeroError> {
        let response = response.map(repair_text);
        let budget = self.note(Budget::of_answer(&response));
        let status = response.status();
        let correlation_id = response.headers().get("xero-correlation-id");
        tracing::info!(
            method = %call.method,
            endpoint = call.endpoint,
            xero.status = status.as_u16(),
            xero.day_remaining = budget.day_remaining,
            xero.request_id = correlation_id.and_then(|id| id.to_str().ok()),
            "Xero call"
        );
        if status.is_success() {
            let body = response.into_body();
            if is_answer(&call.method, status, &body) {
                return Ok(body);
            }
            return Err(XeroError::Edge { access: call.access(), status: status.as_u16() });
        }
        if status == StatusCode::NOT_MODIFIED && call.modified_since.is_some() {
            return Ok(call.nothing());
        }
        let error = classify(&Reply {
            status,
            headers: response.headers(),
            body: response.body(),
            endpoint: call.endpoint,
            access: call.access(),
            addressed: call.addressed,
        });
        self.note_refusal(&error);
        Err(error)
    }

    /// Reports rows that could not be read, so that they are counted.
    pub(crate) fn note_odd_rows(&self, rows: &[OddRow]) {
        if let Some(turnstile) = self.turnstile.as_ref().filter(|_| !rows.is_empty()) {
            turnstile.note_odd_rows(rows);
        }
    }

    /// Reports the sentences of a refusal that are not in the table of known ones, so that they are
    /// counted. Every refusal is reported when it is read, so it is counted whatever the caller
    /// makes of it: a caller may repeat the write, or explain the refusal in other words.
    pub(crate) fn note_refusal(&self, error: &XeroError) {
        let unknown = error.unknown_sentences();
        if let Some(turnstile) = self.turnstile.as_ref().filter(|_| unknown > 0) {
            turnstile.note_unknown_sentences(unknown);
        }
    }

    fn note(&self, seen: Budget) -> Budget {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        *budget = seen.or(*budget);
        *budget
    }
}

const UNSENDABLE: XeroError =
    XeroError::Unsendable { reason: "its address or headers are not valid" };

/// The header value for an access token, marked as sensitive so that it is never printed.
pub(crate) fn bearer(access_token: &SecretString) -> Result<HeaderValue, XeroError> {
    let text = format!("Bearer {}", access_token.expose_secret());
    let mut value = HeaderValue::from_str(&text).map_err(|_| UNSENDABLE)?;
    value.set_sensitive(true);
    Ok(value)
}

/// A value, percent-encoded for a query.
pub(crate) fn encoded(value: &str) -> String {
    byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
}

/// The query as text. Commas between values are not encoded: Xero accepts lists in both forms, and
/// the shorter one leaves more room within its limit on a query's length.
fn query_text(query: &[(&'static str, String)]) -> String {
    query
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value).replace("%2C", ",")))
        .collect::<Vec<_>>()
        .join("&")
}
