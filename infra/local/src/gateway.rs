//! The front address of the API. The API's own address contains an id that is known only after the
//! deployment, but Xero needs the callback's address before it: this address stays the same.

use std::sync::OnceLock;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderValue, Request, Response, StatusCode, Uri};

use crate::emulator::NAME;
use crate::http_client::HttpClient;
use crate::http_server::{Site, text};

/// Forwards requests to the deployed API.
#[derive(Debug)]
pub struct Gateway {
    http: HttpClient,
    endpoint: String,
    api: OnceLock<HeaderValue>,
}

impl Gateway {
    /// A gateway in front of the local AWS at `endpoint`, without an API behind it yet.
    pub fn new(http: HttpClient, endpoint: String) -> Self {
        Self { http, endpoint, api: OnceLock::new() }
    }

    /// Forwards all requests to this API from now on. Later calls have no effect.
    pub fn open(&self, api_id: &str) {
        // The local AWS distinguishes APIs by host, as AWS does.
        if let Ok(host) = HeaderValue::from_str(&format!("{api_id}.execute-api.{NAME}")) {
            self.api.get_or_init(|| host);
        }
    }

    fn passed_on(&self, request: Request<Bytes>) -> Option<Request<Bytes>> {
        let host = self.api.get()?.clone();
        let (mut head, body) = request.into_parts();
        let asked = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        head.uri = format!("{}{asked}", self.endpoint).parse::<Uri>().ok()?;
        // These describe the connection on which the request arrived.
        for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            head.headers.remove(name);
        }
        head.headers.insert(HOST, host);
        Some(Request::from_parts(head, body))
    }
}

impl Site for Gateway {
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let Some(request) = self.passed_on(request) else {
            return text(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "Nothing is deployed yet.");
        };
        match self.http.send(request).await {
            Ok(mut answer) => {
                answer.headers_mut().remove(CONNECTION);
                answer.headers_mut().remove(TRANSFER_ENCODING);
                answer
            }
            Err(failure) => text(StatusCode::BAD_GATEWAY, "text/plain", failure.lines().join("\n")),
        }
    }
}
