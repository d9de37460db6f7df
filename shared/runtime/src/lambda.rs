//! Every function receives its events and requests from Lambda through this module, which limits the
//! AWS calls of each invocation: they end before the invocation does.
//!
//! `clippy.toml` forbids passing a handler to Lambda anywhere else, so that no function lacks the
//! limit.

use engine::ports::Clock;
use futures::FutureExt;
use jiff::Timestamp;
use lambda_http::{Body, Request, RequestExt, Response};
use lambda_runtime::{Context, Error, LambdaEvent, Service, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::aws::limit_calls;
use crate::clock::SystemClock;

/// Answers events with `handle` until Lambda stops the process. See [`build_event_service`].
#[expect(clippy::disallowed_methods, reason = "the one place where events are received")]
pub(crate) async fn serve_events<E, A, W>(handle: impl Fn(E, Timestamp) -> W) -> Result<(), Error>
where
    E: DeserializeOwned,
    A: Serialize,
    W: Future<Output = Result<A, Error>>,
{
    lambda_runtime::run(build_event_service(&SystemClock, handle)).await
}

/// Answers requests of API Gateway with `handle` until Lambda stops the process. The AWS calls of
/// `handle` end two seconds before the invocation.
#[expect(clippy::disallowed_methods, reason = "the one place where requests are received")]
pub(crate) async fn serve_requests<W>(handle: impl Fn(Request) -> W) -> Result<(), Error>
where
    W: Future<Output = Response<Body>> + Send,
{
    lambda_http::run(build_request_service(&SystemClock, handle)).await
}

/// Builds the service that answers events with `handle`, which receives the event and the deadline
/// of its invocation. The AWS calls of `handle` end two seconds before that deadline.
pub fn build_event_service<E, A, W>(
    clock: &dyn Clock,
    handle: impl Fn(E, Timestamp) -> W,
) -> impl Service<LambdaEvent<E>, Response = A, Error = Error>
where
    W: Future<Output = Result<A, Error>>,
{
    service_fn(move |event: LambdaEvent<E>| {
        let deadline = read_deadline(&event.context);
        limit_calls(deadline, clock.now(), handle(event.payload, deadline))
    })
}

fn build_request_service<W>(
    clock: &dyn Clock,
    handle: impl Fn(Request) -> W,
) -> impl Service<Request, Response = Response<Body>, Error = Error, Future: Send>
where
    W: Future<Output = Response<Body>> + Send,
{
    service_fn(move |request: Request| {
        let deadline = request.lambda_context_ref().map_or(Timestamp::MAX, read_deadline);
        limit_calls(deadline, clock.now(), handle(request)).map(Ok::<_, Error>)
    })
}

fn read_deadline(context: &Context) -> Timestamp {
    i64::try_from(context.deadline)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
