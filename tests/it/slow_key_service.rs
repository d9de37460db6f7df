//! KMS has as little time for an answer as the other services of AWS, and processes that it throttles
//! together do not call it again together.

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use engine::ports::{DataKeys, PortError};
use http::{Request, Response};
use runtime::aws::KeyService;
use runtime::config::AwsConfig;
use secrecy::SecretString;
use tokio::time::{Instant, timeout};
use xero::{Transport, TransportError};

const CONTEXT: &str = "stage/grant/one";
/// Three tries of five seconds, with pauses between them.
const IN_TIME: Duration = Duration::from_secs(16);

/// A connection over which no answer comes.
#[derive(Debug)]
struct Silent;

#[async_trait]
impl Transport for Silent {
    async fn send_request(&self, _: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        pending().await
    }
}

/// KMS that throttles every call, and remembers when it was called.
#[derive(Debug, Default)]
struct Throttled(Mutex<Vec<Instant>>);

#[async_trait]
impl Transport for Throttled {
    async fn send_request(&self, _: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.0.lock().unwrap().push(Instant::now());
        let answer = Bytes::from_static(br#"{"__type":"ThrottlingException"}"#);
        Ok(Response::builder().status(400).body(answer).unwrap())
    }
}

/// KMS over a transport.
pub fn service_over(transport: Arc<dyn Transport>) -> KeyService {
    let aws = AwsConfig {
        region: "eu-west-2".to_owned(),
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: SecretString::from("secret"),
        session_token: None,
        endpoint_url: None,
    };
    KeyService::new(transport, &aws, "arn:key".to_owned())
}

fn assert_no_answer(error: &PortError) {
    assert_eq!(error.source.to_string(), "KMS did not answer in time");
}

#[tokio::test(start_paused = true)]
async fn a_call_of_kms_without_an_answer_ends_before_the_function_does() {
    let service = service_over(Arc::new(Silent));
    let created = timeout(IN_TIME, service.new_key(CONTEXT)).await.unwrap();
    assert_no_answer(&created.unwrap_err());
    let opened = timeout(IN_TIME, service.open_key("Y2lwaGVy", CONTEXT)).await.unwrap();
    assert_no_answer(&opened.unwrap_err());
}

#[tokio::test(start_paused = true)]
async fn calls_that_kms_throttles_together_are_repeated_at_different_times() {
    let mut pauses = BTreeSet::new();
    for _ in 0..20 {
        let throttled = Arc::new(Throttled::default());
        service_over(throttled.clone()).new_key(CONTEXT).await.unwrap_err();
        let calls = throttled.0.lock().unwrap().clone();
        assert_eq!(calls.len(), 3);
        pauses.extend(calls.windows(2).map(|pair| pair[1] - pair[0]));
    }
    // The clock of the test has a resolution of a millisecond.
    let allowed = Duration::from_millis(200)..=Duration::from_millis(402);
    assert!(pauses.iter().all(|pause| allowed.contains(pause)), "{pauses:?}");
    assert!(pauses.len() > 1, "{pauses:?}");
}
