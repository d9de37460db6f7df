//! A small HTTP server for this machine: complete requests and responses.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The limit of API Gateway.
const REQUEST_BYTES_MAX: usize = 10 * 1024 * 1024;

/// A request handler.
pub trait Site: Send + Sync + 'static {
    /// Answers a request. It cannot fail: a failure is a response, too.
    fn answer(&self, request: Request<Bytes>) -> impl Future<Output = Response<Bytes>> + Send;
}

/// Serves until it is dropped; its connections end with it.
pub async fn serve(listener: TcpListener, site: Arc<impl Site>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve_connection(stream, Arc::clone(&site)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// A connection that breaks is not an error of the server.
async fn serve_connection(stream: TcpStream, site: Arc<impl Site>) {
    let service = service_fn(|request: Request<Incoming>| {
        let site = Arc::clone(&site);
        async move {
            let (head, body) = request.into_parts();
            let answer = match Limited::new(body, REQUEST_BYTES_MAX).collect().await {
                Ok(body) => site.answer(Request::from_parts(head, body.to_bytes())).await,
                Err(_) => {
                    text(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", "The request is too large.")
                }
            };
            Ok::<_, Infallible>(answer.map(Full::new))
        }
    });
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}

/// A response with a text body.
pub fn text(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    answer
}
