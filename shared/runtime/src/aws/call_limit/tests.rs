//! Tests of the time limit of AWS calls, with a clock that advances when nothing else happens.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_smithy_runtime_api::client::result::SdkError;
use bytes::Bytes;
use engine::ports::DataKeys;
use http::{Request, Response};
use store::dynamo::DynamoTable;
use store::table::{ItemKey, ItemTable, ItemWrite, NewItem, TableError, WriteExpectation};
use tokio::time::sleep_until;
use xero::{Transport, TransportError};

use super::*;
use crate::aws::test_access::test_access;
use crate::aws::{AwsClients, KeyService};

/// How long after its start the invocation of the tests ends. Its work may call for 10 seconds.
const ENDS_AFTER: i64 = 12;
const CALLS_FOR: Duration = Duration::from_secs(10);
/// The clock of the tests has a resolution of a millisecond.
const RESOLUTION: Duration = Duration::from_millis(5);

/// A service of AWS that throttles every call after some time, and counts the calls.
#[derive(Debug)]
struct SlowService {
    answers_after: Duration,
    calls: Mutex<usize>,
}

impl SlowService {
    fn new(answers_after: Duration) -> Arc<Self> {
        Arc::new(Self { answers_after, calls: Mutex::default() })
    }

    fn calls(&self) -> usize {
        *self.calls.lock().unwrap()
    }
}

#[async_trait]
impl Transport for SlowService {
    async fn send_request(&self, _: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        *self.calls.lock().unwrap() += 1;
        sleep_until(Instant::now() + self.answers_after).await;
        let answer = Bytes::from_static(br#"{"__type":"ThrottlingException","message":"slow"}"#);
        Ok(Response::builder().status(400).body(answer).unwrap())
    }
}

/// Runs work of an invocation that ends after 12 seconds. Returns its result and its duration.
async fn run_in_invocation<W: Future>(work: W) -> (W::Output, Duration) {
    let start = Timestamp::UNIX_EPOCH;
    let deadline = Timestamp::from_second(ENDS_AFTER).unwrap();
    let begun = Instant::now();
    let output = limit_calls(deadline, start, work).await;
    (output, begun.elapsed())
}

fn assert_took(took: Duration, expected: Duration, call: &str) {
    assert!(took.abs_diff(expected) <= RESOLUTION, "{call}: {took:?} instead of {expected:?}");
}

fn a_table(service: &Arc<SlowService>) -> DynamoTable {
    let clients = AwsClients::new(&test_access(), service.clone());
    DynamoTable::new(clients.build_table_client(), "table".to_owned())
}

fn a_key() -> ItemKey {
    ItemKey::new("A#acc_1", "a row")
}

#[tokio::test(start_paused = true)]
async fn a_call_to_a_slow_table_ends_before_the_invocation_and_leaves_open_what_happened() {
    // Without the limit, three tries take at least 12 seconds: the service answers each after 4
    // seconds, or never, so that each ends after 5.
    for answers_after in [Duration::from_secs(4), Duration::from_hours(1)] {
        let service = SlowService::new(answers_after);
        let table = a_table(&service);
        let (read, took) = run_in_invocation(table.get(&a_key())).await;
        assert!(matches!(read, Err(TableError::Unavailable { .. })), "{read:?}");
        assert_took(took, CALLS_FOR, "read");
        for count in [1, 2] {
            let put = |number: i32| ItemWrite::Put {
                item: NewItem::new(ItemKey::new("A#acc_1", number.to_string()), "{}"),
                expect: WriteExpectation::Absent,
            };
            let (written, took) =
                run_in_invocation(table.write_items((0..count).map(put).collect())).await;
            assert!(matches!(written, Err(TableError::Unavailable { .. })), "{written:?}");
            assert_took(took, CALLS_FOR, "write");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_of_any_service_ends_before_the_invocation() {
    let silent = SlowService::new(Duration::from_hours(1));
    let clients = AwsClients::new(&test_access(), silent.clone());
    let read = clients.build_secrets_client().get_secret_value().secret_id("grant").send();
    let (read, took) = run_in_invocation(Box::pin(read)).await;
    assert!(matches!(read, Err(SdkError::TimeoutError(_))), "{read:?}");
    assert_took(took, CALLS_FOR, "Secrets Manager");
    let sent =
        clients.build_queue_client().send_message().queue_url("https://queue").message_body("1");
    let (sent, took) = run_in_invocation(Box::pin(sent.send())).await;
    assert!(matches!(sent, Err(SdkError::TimeoutError(_))), "{sent:?}");
    assert_took(took, CALLS_FOR, "SQS");
    let listed = clients.build_scheduler_client().list_schedules().send();
    let (listed, took) = run_in_invocation(Box::pin(listed)).await;
    assert!(matches!(listed, Err(SdkError::TimeoutError(_))), "{listed:?}");
    assert_took(took, CALLS_FOR, "Scheduler");
    let keys = KeyService::new(silent, &test_access(), "arn:key".to_owned());
    let (key, took) = run_in_invocation(keys.new_key("stage/grant/one")).await;
    assert_eq!(key.unwrap_err().source.to_string(), "KMS did not answer in time");
    assert_took(took, CALLS_FOR, "KMS");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_when_no_time_is_left_except_by_the_last_steps() {
    let service = SlowService::new(Duration::from_hours(1));
    let (table, key) = (a_table(&service), a_key());
    let keys = KeyService::new(service.clone(), &test_access(), "arn:key".to_owned());
    let work = async {
        sleep_until(Instant::now() + CALLS_FOR).await;
        let read = table.get(&key).await;
        assert!(matches!(read, Err(TableError::Unavailable { .. })), "{read:?}");
        keys.new_key("stage/grant/one").await.unwrap_err();
        assert_eq!(service.calls(), 0);
        let reserve = Duration::from_millis(500);
        limit_last_calls(reserve, table.get(&key)).await.unwrap_err();
        assert_eq!(service.calls(), 1);
        table.get(&key).await.unwrap_err();
        assert_eq!(service.calls(), 1, "the last steps are over");
    };
    let ((), took) = run_in_invocation(work).await;
    assert_took(took, Duration::from_millis(11_500), "the last steps");
}

#[tokio::test(start_paused = true)]
async fn a_call_outside_of_an_invocation_has_all_its_tries() {
    let service = SlowService::new(Duration::from_hours(1));
    let table = a_table(&service);
    table.get(&a_key()).await.unwrap_err();
    assert_eq!(service.calls(), 3);
    limit_last_calls(Duration::from_secs(1), table.get(&a_key())).await.unwrap_err();
    assert_eq!(service.calls(), 6);
}
