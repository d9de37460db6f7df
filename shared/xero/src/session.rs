//! A session: the calls to the Accounting API on one organisation.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use domain::ids::TenantId;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, IF_MODIFIED_SINCE};
use http::{HeaderValue, Request, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use url::form_urlencoded::byte_serialize;

pub(crate) use crate::call::ApiCall;
use crate::error::{FailedAnswer, XeroError, classify_answer, is_answer};
use crate::rate_limit_headers::RateLimitHeaders;
use crate::rate_limiter::{CallOutcome, RateLimiter};
use crate::repair::repair_text;
use crate::rows::UndecodableRow;
use crate::tokens::{AccessTokens, FixedToken, first_token, second_token};
use crate::transport::{RequestSent, Transport, TransportError, TransportErrorKind};

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
pub struct ApiSession {
    transport: Arc<dyn Transport>,
    api_url: Url,
    tokens: Arc<dyn AccessTokens>,
    tenant: TenantId,
    rate_limit_headers: Mutex<RateLimitHeaders>,
    rate_limiter: Option<Arc<dyn RateLimiter>>,
}

impl ApiSession {
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
        let rate_limit_headers = Mutex::new(RateLimitHeaders::default());
        Self { transport, api_url, tokens, tenant, rate_limit_headers, rate_limiter: None }
    }

    /// The same session, with every call counted by `rate_limiter` before it is made.
    #[must_use]
    pub fn with_rate_limiter(self, rate_limiter: Arc<dyn RateLimiter>) -> Self {
        Self { rate_limiter: Some(rate_limiter), ..self }
    }

    /// The organisation that this session works on.
    pub const fn tenant_id(&self) -> TenantId {
        self.tenant
    }

    /// The calls left of Xero's limits, according to the answers so far.
    pub fn remaining_calls(&self) -> RateLimitHeaders {
        *self.rate_limit_headers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the call. Returns the body of the answer if it is a success.
    pub(crate) async fn make_call(&self, call: ApiCall) -> Result<Bytes, XeroError> {
        let token = first_token(&*self.tokens).await?;
        let error = match self.make_call_with(&call, &token).await {
            Ok(body) => return Ok(body),
            Err(error) => error,
        };
        match second_token(&*self.tokens, &token, &error).await? {
            Some(token) => self.make_call_with(&call, &token).await,
            None => Err(error),
        }
    }

    async fn make_call_with(
        &self,
        call: &ApiCall,
        token: &SecretString,
    ) -> Result<Bytes, XeroError> {
        let request = self.build_request(call, token)?;
        let Some(rate_limiter) = &self.rate_limiter else {
            return self.finish_call(call, self.transport.send_request(request).await);
        };
        let permit = rate_limiter
            .acquire_permit()
            .await
            .map_err(|source| XeroError::NotPermitted { source })?;
        let answer = self.transport.send_request(request).await;
        let outcome = match &answer {
            Ok(response) => CallOutcome::Answered(RateLimitHeaders::from_answer(response)),
            Err(error) if error.sent == RequestSent::No => CallOutcome::NotSent,
            // Xero has answered, so the call is over.
            Err(error) if error.kind == TransportErrorKind::TooLarge => {
                CallOutcome::Answered(RateLimitHeaders::default())
            }
            Err(_) => CallOutcome::Unanswered,
        };
        rate_limiter.release_permit(permit, outcome).await;
        self.finish_call(call, answer)
    }

    fn finish_call(
        &self,
        call: &ApiCall,
        answer: Result<Response<Bytes>, TransportError>,
    ) -> Result<Bytes, XeroError> {
        match answer {
            Ok(response) => self.read_answer(call, response),
            Err(error) => {
                tracing::info!(
                    method = %call.method,
                    endpoint = call.endpoint,
                    xero.unfinished = %error,
                    "Xero call"
                );
                Err(XeroError::from_transport(call.access_mode(), error))
            }
        }
    }

    fn build_request(
        &self,
        call: &ApiCall,
        token: &SecretString,
    ) -> Result<Request<Bytes>, XeroError> {
        let body = call.body.clone().unwrap_or_default();
        if body.len() > BODY_LIMIT_BYTES {
            return Err(XeroError::Unsendable { reason: "the body is longer than Xero accepts" });
        }
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(self.build_url(call)?)
            .header(AUTHORIZATION, bearer_header(token)?)
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
    fn build_url(&self, call: &ApiCall) -> Result<String, XeroError> {
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

    fn read_answer(&self, call: &ApiCall, response: Response<Bytes>) -> Result<Bytes, XeroError> {
        let response = response.map(repair_text);
        let budget = self.record_rate_limits(RateLimitHeaders::from_answer(&response));
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
            return Err(XeroError::Edge { access: call.access_mode(), status: status.as_u16() });
        }
        if status == StatusCode::NOT_MODIFIED && call.modified_since.is_some() {
            return Ok(call.empty_answer());
        }
        let error = classify_answer(&FailedAnswer {
            status,
            headers: response.headers(),
            body: response.body(),
            endpoint: call.endpoint,
            access: call.access_mode(),
            target: call.target,
        });
        self.report_refusal(&error);
        Err(error)
    }

    /// Reports rows that could not be read, so that they are counted.
    pub(crate) fn report_undecodable_rows(&self, rows: &[UndecodableRow]) {
        if let Some(rate_limiter) = self.rate_limiter.as_ref().filter(|_| !rows.is_empty()) {
            rate_limiter.report_undecodable_rows(rows);
        }
    }

    /// Reports the sentences of a refusal that are not in the table of known ones, so that they are
    /// counted. Every refusal is reported when it is read, so it is counted even if the caller
    /// repeats the write or explains the refusal in other words.
    pub(crate) fn report_refusal(&self, error: &XeroError) {
        let unknown = error.unknown_sentences();
        if let Some(rate_limiter) = self.rate_limiter.as_ref().filter(|_| unknown > 0) {
            rate_limiter.report_unknown_sentences(unknown);
        }
    }

    fn record_rate_limits(&self, seen: RateLimitHeaders) -> RateLimitHeaders {
        let mut budget = self.rate_limit_headers.lock().unwrap_or_else(PoisonError::into_inner);
        *budget = seen.with_fallback(*budget);
        *budget
    }
}

const UNSENDABLE: XeroError =
    XeroError::Unsendable { reason: "its address or headers are not valid" };

/// The header value for an access token, marked as sensitive so that it is never printed.
pub(crate) fn bearer_header(access_token: &SecretString) -> Result<HeaderValue, XeroError> {
    let text = format!("Bearer {}", access_token.expose_secret());
    let mut value = HeaderValue::from_str(&text).map_err(|_| UNSENDABLE)?;
    value.set_sensitive(true);
    Ok(value)
}

/// A value, percent-encoded for a query.
pub(crate) fn percent_encode(value: &str) -> String {
    byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
}

/// The query as text. Commas between values are not encoded: Xero accepts lists in both forms, and
/// the shorter one leaves more room within its limit on a query's length.
fn query_text(query: &[(&'static str, String)]) -> String {
    query
        .iter()
        .map(|(name, value)| format!("{name}={}", percent_encode(value).replace("%2C", ",")))
        .collect::<Vec<_>>()
        .join("&")
}
