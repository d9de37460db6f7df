//! KMS has as little time for an answer as the other services of AWS.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use engine::ports::{DataKeys, PortError};
use http::{Request, Response};
use runtime::aws::KeyService;
use runtime::config::AwsConfig;
use secrecy::SecretString;
use tokio::time::timeout;
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

fn silent_service() -> KeyService {
    let aws = AwsConfig {
        region: "eu-west-2".to_owned(),
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: SecretString::from("secret"),
        session_token: None,
        endpoint_url: None,
    };
    KeyService::new(Arc::new(Silent), aws, "arn:key".to_owned())
}

fn assert_no_answer(error: &PortError) {
    assert_eq!(error.source.to_string(), "KMS did not answer in time");
}

#[tokio::test(start_paused = true)]
async fn a_call_of_kms_without_an_answer_ends_before_the_function_does() {
    let service = silent_service();
    let created = timeout(IN_TIME, service.new_key(CONTEXT)).await.unwrap();
    assert_no_answer(&created.unwrap_err());
    let opened = timeout(IN_TIME, service.open_key("Y2lwaGVy", CONTEXT)).await.unwrap();
    assert_no_answer(&opened.unwrap_err());
}
