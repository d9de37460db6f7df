//! Tests of the limit that an invocation sets to its AWS calls. The clock of the calls advances when
//! nothing else happens.

use std::future::{pending, ready};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use store::dynamo::DynamoTable;
use store::table::{ItemKey, ItemTable, TableError};
use tokio::time::Instant;
use xero::{Transport, TransportError};

use super::*;
use crate::aws::AwsClients;
use crate::aws::test_access::test_access;

/// For how many seconds invocations last, and for how many of these they may call.
const INVOCATIONS: [(u64, u64); 2] = [(12, 10), (6, 4)];
/// How long three tries of five seconds take at least.
const ALL_TRIES: Duration = Duration::from_secs(15);
/// The clock of the calls has a resolution of a millisecond.
const RESOLUTION: Duration = Duration::from_millis(5);

/// A service of AWS that never answers.
#[derive(Debug)]
struct SilentService;

#[async_trait]
impl Transport for SilentService {
    async fn send_request(
        &self,
        _: http::Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        pending().await
    }
}

/// The clock at the start of every invocation.
#[derive(Debug)]
struct StoppedClock;

#[async_trait]
impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    async fn sleep_for(&self, _: Duration) {}
}

fn a_silent_table() -> DynamoTable {
    let clients = AwsClients::new(&test_access(), Arc::new(SilentService));
    DynamoTable::new(clients.build_table_client(), "table".to_owned())
}

/// Returns how long a read takes until it fails.
async fn time_failed_read(table: &DynamoTable) -> Duration {
    let begun = Instant::now();
    let read = table.get(&ItemKey::new("A#acc_1", "a row")).await;
    assert!(matches!(read, Err(TableError::Unavailable { .. })), "{read:?}");
    begun.elapsed()
}

/// An invocation that ends after some seconds.
fn a_context(ends_after: u64) -> Context {
    let mut context = Context::default();
    context.deadline = ends_after * 1_000;
    context
}

fn assert_took(took: Duration, seconds: u64) {
    let expected = Duration::from_secs(seconds);
    assert!(took.abs_diff(expected) <= RESOLUTION, "{took:?} instead of {expected:?}");
}

#[tokio::test(start_paused = true)]
async fn the_aws_calls_of_an_event_end_before_its_deadline_which_the_handler_receives() {
    let table = &a_silent_table();
    let handle = move |name: &'static str, deadline: Timestamp| async move {
        Ok::<_, Error>((name, deadline, time_failed_read(table).await))
    };
    let mut service = build_event_service(&StoppedClock, handle);
    for (ends_after, calls_for) in INVOCATIONS {
        let event = LambdaEvent::new("an event", a_context(ends_after));
        let (name, deadline, took) = service.call(event).await.unwrap();
        assert_eq!(name, "an event");
        assert_eq!(deadline.as_millisecond().unsigned_abs(), ends_after * 1_000);
        assert_took(took, calls_for);
    }
}

#[tokio::test(start_paused = true)]
async fn the_aws_calls_of_a_request_end_before_its_deadline() {
    let table = &a_silent_table();
    let handle = move |request: Request| async move {
        time_failed_read(table).await;
        Response::new(request.into_body())
    };
    let mut service = build_request_service(&StoppedClock, handle);
    for (ends_after, calls_for) in INVOCATIONS {
        let request = Request::new(Body::from("a request"));
        let request = request.with_lambda_context(a_context(ends_after));
        let begun = Instant::now();
        let response = service.call(request).await.unwrap();
        assert_took(begun.elapsed(), calls_for);
        assert_eq!(response.into_body(), Body::from("a request"));
    }
}

#[tokio::test(start_paused = true)]
async fn aws_calls_before_and_between_invocations_have_all_their_tries() {
    let table = &a_silent_table();
    let handle =
        move |(): (), _: Timestamp| async move { Ok::<_, Error>(time_failed_read(table).await) };
    let mut service = build_event_service(&StoppedClock, handle);
    assert!(time_failed_read(table).await >= ALL_TRIES, "at the start");
    let took = service.call(LambdaEvent::new((), a_context(12))).await.unwrap();
    assert_took(took, 10);
    assert!(time_failed_read(table).await >= ALL_TRIES, "after an invocation");
}

#[tokio::test(start_paused = true)]
async fn an_invocation_without_a_readable_deadline_has_the_latest_one() {
    let handle = |(): (), deadline: Timestamp| ready(Ok::<_, Error>(deadline));
    let mut service = build_event_service(&StoppedClock, handle);
    let deadline = service.call(LambdaEvent::new((), a_context(u64::MAX / 1_000))).await.unwrap();
    assert_eq!(deadline, Timestamp::MAX);
}
