//! The engine's ports on AWS, and the configuration that all AWS clients share.

mod connector;
mod dead_letters;
mod events;
mod key_service;
mod polls;
mod redelivery;
mod refusals;
mod secrets;
mod token_store;
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
pub use key_service::KeyService;
pub use polls::PollQueue;
pub use redelivery::ReceivedQueue;
pub use secrets::SecretsManager;
pub(crate) use token_store::build_token_store;
pub use wake_ups::WakeUpScheduler;

use crate::config::AwsConfig;
use connector::TransportClient;

/// Timeout of one try of an AWS call. The services answer within milliseconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum tries of one AWS call.
const ATTEMPTS_MAX: u32 = 3;

/// Returns the configuration of every AWS client: Lambda's own credentials, and the HTTP and TLS
/// stack that is also used for Xero. The SDK's default TLS provider costs 35 times the instructions
/// at a cold start.
pub(crate) fn sdk_config(config: &AwsConfig, transport: Arc<dyn Transport>) -> SdkConfig {
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
