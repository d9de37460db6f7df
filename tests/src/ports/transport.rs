//! The transport to the simulator, and answers that replace those of Xero.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use engine::ports::Clock;
use http::{Request, Response};
use xero::{RequestSent, Transport, TransportError, TransportErrorKind};
use xero_sim::{Reply, Simulator};

use super::{VirtualClock, locked};
use crate::io_monitor::IoMonitor;

/// The transport to the simulator, monitored.
#[derive(Clone)]
pub struct SimulatedXero {
    simulator: Arc<Mutex<Simulator>>,
    clock: VirtualClock,
    io: IoMonitor,
}

impl SimulatedXero {
    /// A transport to this simulator.
    pub fn new(simulator: Arc<Mutex<Simulator>>, clock: VirtualClock, io: IoMonitor) -> Self {
        Self { simulator, clock, io }
    }
}

impl std::fmt::Debug for SimulatedXero {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimulatedXero")
    }
}

#[async_trait]
impl Transport for SimulatedXero {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let reply = async { locked(&self.simulator).handle(self.clock.now(), &request) };
        match self.io.run_step(reply).await {
            Reply::Answer(response) => Ok(response),
            // A caller cannot distinguish a lost request from a lost response.
            Reply::LostBefore | Reply::LostAfter => Err(lost(TransportErrorKind::Timeout)),
            Reply::Cut(_) => Err(lost(TransportErrorKind::Interrupted)),
        }
    }
}

/// The response to a request that does not reach Xero; `None` passes the request on.
pub type Interception = Option<Result<Response<Bytes>, TransportError>>;

/// A transport to Xero that answers some requests before they reach it.
pub struct Intercepted<F> {
    inner: Arc<dyn Transport>,
    answer: F,
}

impl<F> Intercepted<F>
where
    F: Fn(&Request<Bytes>) -> Interception + Send + Sync + 'static,
{
    /// This transport, with these requests answered.
    pub fn on(inner: Arc<dyn Transport>, answer: F) -> Arc<dyn Transport> {
        Arc::new(Self { inner, answer })
    }
}

impl<F> std::fmt::Debug for Intercepted<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Intercepted")
    }
}

#[async_trait]
impl<F> Transport for Intercepted<F>
where
    F: Fn(&Request<Bytes>) -> Interception + Send + Sync,
{
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        match (self.answer)(&request) {
            Some(answer) => answer,
            None => self.inner.send_request(request).await,
        }
    }
}

/// A response of Xero that refuses a call with this status, for this reason.
pub fn refusal(status: u16, detail: &str) -> Response<Bytes> {
    let body = format!(r#"{{"Title":"Refused","Status":{status},"Detail":"{detail}"}}"#);
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Bytes::from(body)).expect("a valid response")
}

/// A response with this status and body, JSON or HTML.
pub fn respond(status: u16, body: &str) -> Response<Bytes> {
    let kind = if body.starts_with('{') { "application/json" } else { "text/html" };
    let response = Response::builder().status(status).header("content-type", kind);
    let body = Bytes::copy_from_slice(body.as_bytes());
    response.body(body).expect("a valid response")
}

/// The error of a request that was never sent.
pub fn not_sent() -> TransportError {
    TransportError {
        sent: RequestSent::No,
        kind: TransportErrorKind::Connect,
        source: "no connection".into(),
    }
}

/// The error of a request whose answer never arrived.
pub(crate) fn lost(kind: TransportErrorKind) -> TransportError {
    TransportError { sent: RequestSent::Unknown, kind, source: "lost in transit".into() }
}
