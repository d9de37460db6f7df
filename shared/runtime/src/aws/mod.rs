//! The engine's ports on AWS, and the one way all AWS clients talk.

mod connector;
mod dead_letters;
mod events;
mod polls;
mod redelivery;
mod secrets;
mod wake_ups;

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use secrecy::ExposeSecret;
use xero::Transport;

pub use dead_letters::DeadLetterQueue;
pub use events::EventQueue;
pub use polls::PollQueue;
pub use redelivery::ReceivedQueue;
pub use secrets::SecretsManager;
pub use wake_ups::Hints;

use crate::config::AwsConfig;
use connector::TransportClient;

/// One try of one AWS call: its services answer in milliseconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// First try and retries of one AWS call.
const ATTEMPTS_MAX: u32 = 3;

/// The configuration of every AWS client: Lambda's own credentials, and the same HTTP and TLS stack
/// that talks to Xero. The SDK's default TLS provider would cost a cold start 35 times the
/// instructions.
pub fn sdk_config(config: &AwsConfig, transport: Arc<dyn Transport>) -> SdkConfig {
    let credentials = Credentials::new(
        config.access_key_id.clone(),
        config.secret_access_key.expose_secret(),
        config.session_token.as_ref().map(|token| token.expose_secret().to_owned()),
        None,
        "Lambda",
    );
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(config.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(SharedHttpClient::new(TransportClient::new(transport)))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX))
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build())
        // Bodies are read whole, within the transport's own time limit.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    builder.set_endpoint_url(config.endpoint_url.clone());
    builder.build()
}
