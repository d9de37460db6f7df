//! A small HTTP client for this machine: complete requests and responses, with limits on size and
//! time. It does not follow redirects: the story inspects them.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;

use crate::failure::Failure;

/// Far larger than any response on this machine.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A process of this machine that has exited refuses connections at once; a slow one may take long.
/// This timeout only ends the wait for a process that hangs, and is several times longer than any
/// function of the template that is called here may take, even on a busy machine.
const ANSWER_WITHIN: Duration = Duration::from_mins(20);

/// The client. Clones share its connections.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Default for HttpClient {
    fn default() -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http() }
    }
}

impl HttpClient {
    /// Sends the request and reads the complete response, whatever its status.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let address = format!("{} {}", request.method(), request.uri());
        let exchange = async {
            let answer = self
                .client
                .request(request.map(Full::new))
                .await
                .map_err(|error| no_answer(&address).because(error))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX)
                .collect()
                .await
                .map_err(|error| no_answer(&address).because(error))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        let answer = tokio::time::timeout(ANSWER_WITHIN, Box::pin(exchange)).await;
        answer.map_err(|_elapsed| no_answer(&address))?
    }

    /// The body of a successful response from this address.
    pub async fn get(&self, address: &str) -> Result<Bytes, Failure> {
        let request = Request::get(address).body(Bytes::new()).map_err(|error| {
            Failure::new(format!("{address} is not a valid address")).because(error)
        })?;
        let answer = self.send(request).await?;
        if answer.status().is_success() {
            Ok(answer.into_body())
        } else {
            Err(refused(&format!("GET {address}"), &answer))
        }
    }
}

/// The sentence of a problem document (RFC 9457) for people.
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

/// A refusal as a failure, with the sentence of its problem document or else its text.
pub fn refused(asked: &str, answer: &Response<Bytes>) -> Failure {
    let said = match serde_json::from_slice::<Problem>(answer.body()) {
        Ok(problem) => problem.detail,
        Err(_) => String::from_utf8_lossy(answer.body()).trim().to_owned(),
    };
    Failure::new(format!("{asked} answered {}: {said}", answer.status()))
}

fn no_answer(address: &str) -> Failure {
    Failure::new(format!("No response from {address}"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;

    use super::refused;

    #[test]
    fn a_refusal_shows_the_sentence_of_its_problem_document() {
        let refusal = |body: &'static str| {
            let answer = Response::builder().status(409).body(Bytes::from_static(body.as_bytes()));
            refused("POST /v1/connection/complete", &answer.unwrap()).to_string()
        };
        assert_eq!(
            refusal(r#"{"type":"conflict","status":409,"detail":"It is in use.","errors":[]}"#),
            "POST /v1/connection/complete answered 409 Conflict: It is in use."
        );
        assert!(refusal("Nothing is deployed yet.\n").ends_with(": Nothing is deployed yet."));
    }
}
