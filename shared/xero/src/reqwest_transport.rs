//! The transport over real sockets: reqwest with rustls, ring and the webpki roots.
//!
//! The same client serves Xero and, adapted by the runtime, the AWS SDK, so that a function has one
//! TLS stack and one connection pool.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::header::ACCEPT_ENCODING;
use http::{HeaderValue, Request, Response};
use rustls::{ClientConfig, RootCertStore};

use crate::transport::{RequestSent, Transport, TransportError, TransportErrorKind};

/// The timeouts and limits of the client.
#[derive(Debug, Clone)]
pub struct TransportOptions {
    /// The maximum time for making a connection, TLS included.
    pub connect_timeout: Duration,
    /// The maximum time for a whole exchange, from connecting to the last byte of the answer.
    pub exchange_timeout: Duration,
    /// The maximum length of an answer in bytes, counted after decompression.
    pub body_limit_bytes: usize,
    /// The `User-Agent` of requests that carry none.
    pub user_agent: String,
}

/// The reason why the client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum TransportSetupError {
    /// The cryptography provider and the defaults have no TLS version in common.
    #[error("TLS could not be configured")]
    Tls(#[source] rustls::Error),
    /// The options contradict each other, or the user agent is not a valid header value.
    #[error("the HTTP client could not be built")]
    Client(#[source] reqwest::Error),
}

/// A reqwest client. Clones share its connections.
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    body_limit_bytes: usize,
}

/// The answer exceeds the limit.
#[derive(Debug, thiserror::Error)]
#[error("more than {limit_bytes} bytes")]
struct BodyTooLarge {
    limit_bytes: usize,
}

/// How long a connection may be idle before it is dropped. It is shorter than the other side's
/// usual limit: a request on a connection that the other side has closed fails without revealing
/// whether it arrived.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

impl ReqwestTransport {
    /// Builds the client without making a connection. Both `https` and `http` addresses work.
    pub fn new(options: TransportOptions) -> Result<Self, TransportSetupError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls_config().map_err(TransportSetupError::Tls)?)
            .connect_timeout(options.connect_timeout)
            .timeout(options.exchange_timeout)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .user_agent(options.user_agent)
            .redirect(reqwest::redirect::Policy::none())
            // An exchange is exactly one request. Callers decide about retries, because they know
            // what a retry means.
            .retry(reqwest::retry::never())
            .referer(false)
            .gzip(true)
            // The configuration alone decides where requests go, not the environment.
            .no_proxy()
            .build()
            .map_err(TransportSetupError::Client)?;
        Ok(Self { client, body_limit_bytes: options.body_limit_bytes })
    }

    async fn read_body(&self, mut response: reqwest::Response) -> Result<Bytes, TransportError> {
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(transport_error)? {
            if body.len().saturating_add(chunk.len()) > self.body_limit_bytes {
                return Err(TransportError {
                    sent: RequestSent::Unknown,
                    kind: TransportErrorKind::TooLarge,
                    source: Box::new(BodyTooLarge { limit_bytes: self.body_limit_bytes }),
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    /// Sends method, headers and body unchanged. Two headers are added if the request has none;
    /// both state the meaning of their absence: `accept: */*` and `accept-encoding: identity`.
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let mut request = reqwest::Request::try_from(request)
            .map_err(|error| invalid_request(error.without_url()))?;
        // Without this, reqwest would request gzip for callers that did not ask for it.
        request
            .headers_mut()
            .entry(ACCEPT_ENCODING)
            .or_insert(HeaderValue::from_static("identity"));
        let response = self.client.execute(request).await.map_err(transport_error)?;
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = response.status();
        *answer.version_mut() = response.version();
        *answer.headers_mut() = response.headers().clone();
        *answer.body_mut() = self.read_body(response).await?;
        Ok(answer)
    }
}

fn tls_config() -> Result<ClientConfig, rustls::Error> {
    let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A preconfigured TLS setup needs its own protocol list; reqwest does not add one. HTTP/2 is
    // left out: DynamoDB does not offer it, and Xero allows five calls at a time, so there is
    // little to share a connection for (<https://developer.xero.com/faq/limits>).
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The error of an unfinished exchange. The URL is removed from it: that of an OAuth callback would
/// contain a code.
fn transport_error(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_builder() {
        return invalid_request(error);
    }
    let (sent, kind) = if error.is_connect() {
        (RequestSent::No, TransportErrorKind::Connect)
    } else if error.is_timeout() {
        (RequestSent::Unknown, TransportErrorKind::Timeout)
    } else {
        (RequestSent::Unknown, TransportErrorKind::Interrupted)
    };
    TransportError { sent, kind, source: Box::new(error) }
}

fn invalid_request(error: reqwest::Error) -> TransportError {
    TransportError {
        sent: RequestSent::No,
        kind: TransportErrorKind::Invalid,
        source: Box::new(error),
    }
}
