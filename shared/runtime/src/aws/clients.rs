//! The clients of the AWS SDK, with one configuration.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use xero::Transport;

use super::call_limit::CallLimiter;
use super::connector::TransportClient;
use crate::config::AwsConfig;

/// Timeout of one try of an AWS call. The services answer within milliseconds.
pub(super) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum tries of one AWS call.
const ATTEMPTS_MAX: u32 = 3;

/// Builds the clients. Their calls end before the invocation that makes them.
#[derive(Debug, Clone)]
pub(crate) struct AwsClients {
    config: SdkConfig,
}

impl AwsClients {
    /// Clients with Lambda's own credentials, and the HTTP and TLS stack that is also used for
    /// Xero. The SDK's default TLS provider costs 35 times the instructions at a cold start.
    pub(crate) fn new(config: &AwsConfig, transport: Arc<dyn Transport>) -> Self {
        let credentials = config.build_credentials();
        let mut builder = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(config.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(SharedHttpClient::new(TransportClient::new(transport)))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX))
            .timeout_config(
                TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build(),
            )
            // Bodies are read whole, within the transport's own time limit.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        builder.set_endpoint_url(config.endpoint_url.clone());
        Self { config: builder.build() }
    }

    /// Builds a client of DynamoDB.
    pub(crate) fn build_table_client(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.config);
        aws_sdk_dynamodb::Client::from_conf(config.interceptor(CallLimiter).build())
    }

    /// Builds a client of Secrets Manager.
    pub(crate) fn build_secrets_client(&self) -> aws_sdk_secretsmanager::Client {
        let config = aws_sdk_secretsmanager::config::Builder::from(&self.config);
        aws_sdk_secretsmanager::Client::from_conf(config.interceptor(CallLimiter).build())
    }

    /// Builds a client of SQS.
    pub(crate) fn build_queue_client(&self) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::config::Builder::from(&self.config);
        aws_sdk_sqs::Client::from_conf(config.interceptor(CallLimiter).build())
    }

    /// Builds a client of EventBridge Scheduler.
    pub(crate) fn build_scheduler_client(&self) -> aws_sdk_scheduler::Client {
        let config = aws_sdk_scheduler::config::Builder::from(&self.config);
        aws_sdk_scheduler::Client::from_conf(config.interceptor(CallLimiter).build())
    }
}
