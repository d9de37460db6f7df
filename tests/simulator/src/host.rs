//! The simulator on a socket, with a small control surface beside Xero's own paths.

mod actions;
mod body;
mod control;
mod find;
mod gzip;
mod journal;
mod order;
mod organisation;
mod overrides;
mod page;

use crate::incoming::Incoming;
use crate::instants::Instants;
use crate::simulator::{Reply, Simulator};
use body::{InFlightGuard, Outgoing};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Xero documents 10 MB as the maximum size of a body.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// A source of the current instant.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A source of the current instants, for a books' clock that differs from the identity service's.
pub type Clocks = Arc<dyn Fn() -> Instants + Send + Sync>;

/// The connection is to be closed without a response.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the simulated connection was lost")]
struct Lost;

/// Serves until accepting fails, with one clock for everything. The simulator is locked only while
/// a call is processed; a call is in flight until its response has been sent, so concurrency on the
/// socket is real.
pub async fn serve(
    listener: TcpListener,
    simulator: Arc<Mutex<Simulator>>,
    clock: Clock,
) -> io::Result<()> {
    serve_with_clocks(listener, simulator, Arc::new(move || Instants::from(clock()))).await
}

/// The same, with a clock for the books and one for the identity service.
pub async fn serve_with_clocks(
    listener: TcpListener,
    simulator: Arc<Mutex<Simulator>>,
    clocks: Clocks,
) -> io::Result<()> {
    serve_with_latency(listener, simulator, clocks, Duration::ZERO).await
}

/// The same, with a time that passes between processing a call and answering it. The call is in
/// flight meanwhile. The control surface answers at once.
pub async fn serve_with_latency(
    listener: TcpListener,
    simulator: Arc<Mutex<Simulator>>,
    clocks: Clocks,
    latency: Duration,
) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let connection = connection(stream, Arc::clone(&simulator), Arc::clone(&clocks), latency);
        #[expect(
            clippy::disallowed_methods,
            reason = "a server handles its connections concurrently; each ends with its client"
        )]
        drop(tokio::spawn(connection));
    }
}

async fn connection(
    stream: TcpStream,
    simulator: Arc<Mutex<Simulator>>,
    clocks: Clocks,
    latency: Duration,
) {
    let service = service_fn(move |request| {
        let simulator = Arc::clone(&simulator);
        let clocks = Arc::clone(&clocks);
        async move { answer(request, simulator, &clocks, latency).await }
    });
    // A lost connection is intended, or caused by the client: there is nothing to report.
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    served.unwrap_or_default();
}

async fn answer(
    request: Request<hyper::body::Incoming>,
    simulator: Arc<Mutex<Simulator>>,
    clocks: &Clocks,
    latency: Duration,
) -> Result<Response<Outgoing>, Lost> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
        let mut refusal = Response::new(Outgoing::whole(Bytes::new(), None));
        *refusal.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(refusal);
    };
    let request = Request::from_parts(head, body.to_bytes());
    let now = clocks();
    if control::owns(request.uri().path()) {
        let mut simulator = lock(&simulator);
        let response = control::answer(&mut simulator, now.books, &Incoming::read(&request));
        return Ok(response.map(|body| Outgoing::whole(body, None)));
    }
    let compresses = gzip::is_accepted(request.headers());
    let written = |response| if compresses { gzip::compress(response) } else { response };
    let in_flight = lock(&simulator).begin(now, &request);
    let reply = in_flight.reply().clone();
    let guard = Some(InFlightGuard::new(simulator, in_flight));
    if !latency.is_zero() {
        simulate_latency(latency).await;
    }
    match reply {
        Reply::LostBefore | Reply::LostAfter => Err(Lost),
        Reply::Answer(response) => Ok(written(response).map(|body| Outgoing::whole(body, guard))),
        Reply::Cut(response) => Ok(written(response).map(|body| Outgoing::cut(body, guard))),
    }
}

#[expect(clippy::disallowed_methods, reason = "the latency of the simulated network")]
async fn simulate_latency(time: Duration) {
    tokio::time::sleep(time).await;
}

/// The simulator remains valid after a test has panicked.
fn lock(simulator: &Mutex<Simulator>) -> MutexGuard<'_, Simulator> {
    simulator.lock().unwrap_or_else(PoisonError::into_inner)
}
