//! The product's API, as the CRM's pages call it.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::books::{BooksComparison, BooksView};
use super::views::{Connection, Findings, Reconciliation, Record, Started, SyncLog};
use crate::aws::lambda::TIMED_OUT;
use crate::crm::STORY_ACCOUNT;
use crate::failure::Failure;
use crate::http_client::refused;
use crate::stack::Stack;
use crate::token::User;
use crate::wait::{self, Look, PATIENCE};

/// The wait for an answer has no visible progress.
const NOTHING_TO_SEE: u64 = 0;

/// The API, called as one user.
#[derive(Debug, Clone)]
pub(super) struct Api<'a> {
    stack: &'a Stack,
    token: String,
}

/// A payment or a refund, with a record for each of its documents in Xero.
#[derive(Debug, Deserialize)]
struct PaymentParts {
    parts: Vec<Record>,
}

impl PaymentParts {
    /// The first part that is not in Xero, or else the first one.
    fn into_decisive_part(self) -> Option<Record> {
        let open = self.parts.iter().position(|part| !part.is_synced());
        self.parts.into_iter().nth(open.unwrap_or_default())
    }
}

impl<'a> Api<'a> {
    /// The API, called as the owner of the story.
    pub(super) fn of_the_owner(stack: &'a Stack) -> Result<Self, Failure> {
        let owner = User {
            sub: "usr_owner".to_owned(),
            account_id: STORY_ACCOUNT.to_owned(),
            role: "Owner".to_owned(),
            name: "Rowan Ridgeway".to_owned(),
        };
        Ok(Self { stack, token: stack.crm().token(&owner)? })
    }

    /// The base URL of the API.
    pub(super) fn address(&self) -> &str {
        &self.stack.addresses().api
    }

    /// The token of the user.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Starts a connection attempt; `None` while the API is too busy.
    pub(super) async fn start_connecting(&self) -> Result<Option<Started>, Failure> {
        let answer = self.call(Method::POST, "/v1/connection").await?;
        if is_busy(&answer) {
            return Ok(None);
        }
        read("POST /v1/connection", &answer).map(Some)
    }

    /// The status of the connection.
    pub(super) async fn connection(&self) -> Result<Connection, Failure> {
        self.read_when_free("/v1/connection").await
    }

    /// The same; `None` while the API is too busy to answer.
    pub(super) async fn connection_unless_busy(&self) -> Result<Option<Connection>, Failure> {
        self.unless_busy("/v1/connection").await
    }

    /// The newest entries of the sync log.
    pub(super) async fn sync_log(&self, limit: u16) -> Result<SyncLog, Failure> {
        self.read_when_free(&format!("/v1/sync-log?limit={limit}")).await
    }

    /// The newest entries of the sync log about a client.
    pub(super) async fn client_log(&self, id: &str) -> Result<SyncLog, Failure> {
        self.read_when_free(&format!("/v1/sync-log?crm_id={id}&limit=10")).await
    }

    /// Replaces settings, in the format of the API; `false` while the API is too busy.
    pub(super) async fn choose_settings(
        &self,
        path: &str,
        choices: &'static str,
    ) -> Result<bool, Failure> {
        let body = Bytes::from_static(choices.as_bytes());
        let answer = self.call_with_body(Method::PUT, path, body).await?;
        if is_busy(&answer) {
            return Ok(false);
        }
        read::<Value>(&format!("PUT {path}"), &answer).map(|_| true)
    }

    /// Starts the comparison of all clients with all contacts, unless it is in progress.
    pub(super) async fn start_reconciliation(&self) -> Result<(), Failure> {
        let path = "/v1/reconciliation";
        self.ask_until_free::<Reconciliation>(&Method::POST, path).await.map(|_| ())
    }

    /// The progress of the comparison; `None` while the API is too busy to answer.
    pub(super) async fn reconciliation(&self) -> Result<Option<Reconciliation>, Failure> {
        self.unless_busy("/v1/reconciliation").await
    }

    /// A page of its findings.
    pub(super) async fn findings(&self, page: u32) -> Result<Findings, Failure> {
        self.read_when_free(&format!("/v1/reconciliation/findings?page={page}")).await
    }

    /// An invoice; `None` while the product does not know it.
    pub(super) async fn invoice(&self, id: &str) -> Result<Option<Record>, Failure> {
        self.record(&format!("/v1/invoices/{id}")).await
    }

    /// A client; `None` while the product does not know it.
    pub(super) async fn client(&self, id: &str) -> Result<Option<Record>, Failure> {
        self.record(&format!("/v1/clients/{id}")).await
    }

    /// A credit note; `None` while the product does not know it.
    pub(super) async fn credit_note(&self, id: &str) -> Result<Option<Record>, Failure> {
        self.record(&format!("/v1/credit-notes/{id}")).await
    }

    /// An allocation; `None` while the product does not know it.
    pub(super) async fn allocation(&self, id: &str) -> Result<Option<Record>, Failure> {
        self.record(&format!("/v1/allocations/{id}")).await
    }

    /// The part of a payment or a refund that is not in Xero yet, or its first part; `None` while
    /// the product does not know it.
    pub(super) async fn payment(&self, id: &str) -> Result<Option<Record>, Failure> {
        let payment: Option<PaymentParts> = self.known(&format!("/v1/payments/{id}")).await?;
        Ok(payment.and_then(PaymentParts::into_decisive_part))
    }

    /// The newest comparison of the books; `None` before the first one, and while the API is too
    /// busy to answer.
    pub(super) async fn books_comparison(&self) -> Result<Option<BooksComparison>, Failure> {
        let view: Option<BooksView> = self.unless_busy("/v1/books").await?;
        Ok(view.and_then(|view| view.comparison))
    }

    /// A record; `None` while the product does not know it or is too busy to answer.
    async fn record(&self, path: &str) -> Result<Option<Record>, Failure> {
        self.known(path).await
    }

    /// A record in its own format; `None` while the product does not know it or is too busy to
    /// answer.
    async fn known<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Failure> {
        let answer = self.call(Method::GET, path).await?;
        if answer.status() == StatusCode::NOT_FOUND || is_busy(&answer) {
            return Ok(None);
        }
        read(&format!("GET {path}"), &answer).map(Some)
    }

    async fn unless_busy<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Failure> {
        let answer = self.call(Method::GET, path).await?;
        if is_busy(&answer) {
            return Ok(None);
        }
        read(&format!("GET {path}"), &answer).map(Some)
    }

    /// Reads something that exists; asks again while the API is too busy to answer.
    async fn read_when_free<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.ask_until_free(&Method::GET, path).await
    }

    /// The answer to a request that may be repeated, once the API is not too busy.
    async fn ask_until_free<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &str,
    ) -> Result<T, Failure> {
        let asked = format!("{method} {path}");
        let waited = wait::while_moving(PATIENCE, async || {
            let answer = self.call(method.clone(), path).await?;
            if is_busy(&answer) {
                return Ok::<_, Failure>(Look::Pending { state: NOTHING_TO_SEE, quiet: None });
            }
            read::<T>(&asked, &answer).map(Look::Done)
        });
        let found: Option<T> = waited.await?;
        found.ok_or_else(|| Failure::new(format!("{asked} did not respond in time")))
    }

    async fn call(&self, method: Method, path: &str) -> Result<Response<Bytes>, Failure> {
        self.call_with_body(method, path, Bytes::new()).await
    }

    async fn call_with_body(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Bytes>, Failure> {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.stack.addresses().api))
            .header("authorization", format!("Bearer {}", self.token));
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(body).map_err(|error| {
            Failure::new(format!("Cannot build the request of {path}")).because(error)
        })?;
        let answer = self.stack.http.send(request).await?;
        // A function that timed out has no response of its own.
        if !answer.status().is_server_error() {
            self.check_description(&method, path, &answer).await?;
        }
        Ok(answer)
    }

    /// Fails unless the OpenAPI document that the API serves describes the response.
    pub(super) async fn check_description(
        &self,
        method: &Method,
        path: &str,
        answer: &Response<Bytes>,
    ) -> Result<(), Failure> {
        let path = path.split('?').next().unwrap_or_default();
        let media = answer.headers().get("content-type").and_then(|media| media.to_str().ok());
        let media = media.unwrap_or_default();
        let status = answer.status().as_u16();
        let description = self.stack.description().await?;
        description.check(method.as_str(), path, status, media, answer.body()).map_err(|differs| {
            Failure::new(format!("The API's response is not the one that it describes: {differs}"))
        })
    }
}

/// Whether the response comes from a machine that is too slow: a function that was throttled or
/// timed out, or that could not reach the table. A function that crashed has another response.
pub(super) fn is_busy(answer: &Response<Bytes>) -> bool {
    let timed_out = || String::from_utf8_lossy(answer.body()).contains(TIMED_OUT);
    matches!(
        answer.status(),
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    ) || (answer.status() == StatusCode::BAD_GATEWAY && timed_out())
}

fn read<T: DeserializeOwned>(asked: &str, answer: &Response<Bytes>) -> Result<T, Failure> {
    if !answer.status().is_success() {
        return Err(refused(asked, answer));
    }
    serde_json::from_slice(answer.body()).map_err(|error| {
        Failure::new(format!("{asked} returned an unexpected response")).because(error)
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{Response, StatusCode};

    use super::{PaymentParts, is_busy};

    #[test]
    fn a_payment_is_represented_by_its_first_part_that_is_not_in_xero() {
        let part = |json: &str| {
            let payment: PaymentParts = serde_json::from_str(json).unwrap();
            payment.into_decisive_part()
        };
        let both = r#"{"payment_id":"pay_1","parts":[{"state":"synced"},{"state":"queued"}]}"#;
        assert_eq!(part(both).unwrap().state, "queued");
        let done = r#"{"payment_id":"pay_1","parts":[{"state":"synced"},{"state":"synced"}]}"#;
        assert!(part(done).unwrap().is_synced());
        assert!(part(r#"{"payment_id":"pay_1","parts":[]}"#).is_none());
    }

    #[test]
    fn a_slow_function_is_distinguished_from_a_crashed_one() {
        let answer = |status, body: &'static str| {
            let mut answer = Response::new(Bytes::from_static(body.as_bytes()));
            *answer.status_mut() = status;
            answer
        };
        assert!(is_busy(&answer(StatusCode::SERVICE_UNAVAILABLE, "")));
        let slow = r#"{"errorMessage":"Task timed out","errorType":"Sandbox.Timedout"}"#;
        assert!(is_busy(&answer(StatusCode::BAD_GATEWAY, slow)));
        let crashed = r#"{"errorMessage":"exit status: 101","errorType":"Runtime.ExitError"}"#;
        assert!(!is_busy(&answer(StatusCode::BAD_GATEWAY, crashed)));
        assert!(!is_busy(&answer(StatusCode::INTERNAL_SERVER_ERROR, "")));
    }
}
