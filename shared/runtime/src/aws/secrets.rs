//! Tokens in Secrets Manager: one secret for each grant.

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::create_secret::CreateSecretError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use aws_smithy_runtime_api::client::result::SdkError;
use engine::ports::{PortError, Secrets};
use secrecy::{ExposeSecret, SecretString};

/// Secrets Manager.
#[derive(Debug, Clone)]
pub struct SecretsManager {
    client: Client,
}

impl SecretsManager {
    /// Over this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    async fn create(&self, name: &str, value: &SecretString) -> Result<(), PortError> {
        let created = self
            .client
            .create_secret()
            .name(name)
            .description("Tokens of one Xero user, rotated with every refresh.")
            .secret_string(value.expose_secret())
            .send()
            .await;
        match created {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(CreateSecretError::is_resource_exists_exception) =>
            {
                // Created by somebody else a moment ago; ours is the later value.
                let put = self.client.put_secret_value().secret_id(name);
                let put = put.secret_string(value.expose_secret()).send().await;
                put.map(drop).map_err(|error| failed("write a secret", error))
            }
            Err(error) => Err(failed("create a secret", error)),
        }
    }
}

#[async_trait]
impl Secrets for SecretsManager {
    async fn get(&self, name: &str) -> Result<Option<SecretString>, PortError> {
        match self.client.get_secret_value().secret_id(name).send().await {
            Ok(output) => Ok(output.secret_string.map(SecretString::from)),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetSecretValueError::is_resource_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed("read a secret", error)),
        }
    }

    async fn put(&self, name: &str, value: &SecretString) -> Result<(), PortError> {
        let put = self.client.put_secret_value().secret_id(name);
        match put.secret_string(value.expose_secret()).send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutSecretValueError::is_resource_not_found_exception) =>
            {
                self.create(name, value).await
            }
            Err(error) => Err(failed("write a secret", error)),
        }
    }
}

/// The cause without the raw exchange: its debug output would hold the secret.
fn failed<E, R>(operation: &'static str, error: SdkError<E, R>) -> PortError
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let source = error.into_source().unwrap_or_else(|error| error.to_string().into());
    PortError { operation, source }
}
