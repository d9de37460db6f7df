//! The few AWS calls that the runner makes itself, as the root user of the local account. DynamoDB,
//! SQS and Secrets Manager are called with the SDK crates that the product uses. The eight calls of
//! the other services are built by hand and signed: the crates of five more services would take far
//! longer to compile.

pub mod apis;
pub mod cloudformation;
mod connector;
pub mod dynamodb;
pub mod lambda;
pub mod logs;
pub mod s3;
pub mod secrets;
mod signature;
pub mod sqs;
mod xml;

use std::error::Error;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_runtime_api::http::Response as HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use bytes::Bytes;
use http::{Request, Response};

use crate::clock;
use crate::failure::Failure;
use crate::http_client::{HttpClient, refused};
use connector::Connector;

/// The region of the local stack.
pub const REGION: &str = "eu-west-2";

/// The access key of the local account's root user, who has all permissions.
pub const KEY: &str = "test";

/// The secret of that key. It is only valid at the local AWS.
pub const SECRET: &str = "test";

/// The local AWS at its address.
#[derive(Debug, Clone)]
pub struct Aws {
    http: HttpClient,
    endpoint: String,
    dynamodb: aws_sdk_dynamodb::Client,
    secrets: aws_sdk_secretsmanager::Client,
    sqs: aws_sdk_sqs::Client,
}

impl Aws {
    /// The AWS behind `endpoint`, such as `http://127.0.0.1:4566`. No call is retried.
    pub fn new(http: HttpClient, endpoint: String) -> Self {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials()))
            .http_client(Connector::new(http.clone()))
            .endpoint_url(endpoint.clone())
            .retry_config(RetryConfig::disabled())
            // Bodies are read whole, within the client's own time limit.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Self {
            http,
            endpoint,
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
        }
    }

    /// Its address.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Signs for the service, sends, and fails unless the response is a success.
    async fn exchange(
        &self,
        service: &str,
        doing: &str,
        request: http::Result<Request<Bytes>>,
    ) -> Result<Response<Bytes>, Failure> {
        let request = request.map_err(|error| {
            Failure::new(format!("Cannot build the request of {doing}")).because(error)
        })?;
        let request = signature::signed(request, service, clock::now())?;
        let answer = self.http.send(request).await?;
        if answer.status().is_success() { Ok(answer) } else { Err(refused(doing, &answer)) }
    }
}

fn credentials() -> Credentials {
    Credentials::new(KEY, SECRET, None, None, "local")
}

/// A failed call of the SDK as a failure, with the service's own code and message if it answered.
fn failed<E>(call: &str, error: SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match error.as_service_error() {
        Some(answer) => {
            let code = answer.code().unwrap_or("an error");
            let message = answer.message().unwrap_or_default();
            Failure::new(format!("{call} answered {code}: {message}"))
        }
        None => Failure::new(format!("{call} failed")).because(error),
    }
}
